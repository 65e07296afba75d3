#pragma once

// What every face of the service works with, and how faces come to their routes. A face turns bytes
// into calls of the service and its answers into bytes; nothing else.

#include <set>
#include <string>

#include "base/clock.h"
#include "metering/credit_gate.h"
#include "server/console_access.h"
#include "server/router.h"
#include "service/call_gate.h"
#include "service/calls_under_way.h"
#include "service/engine_catalog.h"
#include "service/fair_pool.h"
#include "service/meter.h"
#include "service/recognizer.h"
#include "service/word_lists.h"
#include "store/store.h"

namespace lethe {

struct FaceOptions {
  // The names over which clients may have signed although they speak to another host: theirs are
  // written into official clients.
  std::set<std::string> canonical_hosts = {"asr.tencentcloudapi.com", "asr.cloud.tencent.com",
                                           "asr.intl.tencentcloudapi.com"};
  // The regions that requests may name; none: any.
  std::set<std::string> regions = {};
  // The engine of calls that name none (OpenAI's "whisper-1").
  std::string default_engine = "16k_en";
};

/// Everything outlives the server. All of it may be used from any thread; store and recognizer
/// block, so they are called on the pool (server/internal/run_on.h).
struct FaceContext {
  Store& store;
  const EngineCatalog& engines;
  CallGate& gate;
  CreditGate& credit;
  FairPool& pool;        // for what transcribes or fetches while its caller waits
  FairPool& quick_pool;  // for what asks the store: never behind a recording
  Meter& meter;
  Recognizer& recognizer;
  WordLists& word_lists;
  MediaDecoder& media;
  CallsUnderWay& calls;
  const Clock& clock;
  ConsoleAccess& console;
  FaceOptions options;
};

}  // namespace lethe
