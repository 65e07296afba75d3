#pragma once

// The 33 actions of the cloud's API 3.0 (contract, section 3), each a function from its arguments
// to its answer. They block: on the store, the engine, the network.

#include <cstddef>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "server/cloud_api.h"
#include "server/internal/api3_arguments.h"
#include "server/internal/processing.h"
#include "store/applications.h"

namespace lethe::server_internal {

/// The fields of a successful answer, in the order in which they are sent.
using ApiFields = nlohmann::ordered_json;
using ApiAnswer = ApiResult<ApiFields>;

/// What a call used, for metering; an action that knows sets it.
struct ApiUsage {
  Millis audio{0};
  Facts facts;
};

struct ApiCall {
  FaceContext& context;
  RecordingTasks& tasks;
  OutboundClient& outbound;
  const Application& application;
  const CancellableCall& under_way;
  std::string request_id;
  std::string subject;  // whom it is about: a pseudonym (store/consents.h)
  ApiArguments& arguments;
  bool zero_retention = false;  // the request's header X-Lethe-Zero-Retention
  ApiUsage usage;
};

struct ApiAction {
  const char* name;
  Interface interface;   // whose quota counts
  bool heavy;            // transcribes or fetches while the caller waits
  std::size_t max_body;  // bytes; what the contract lets it say, and what is around that
  ApiAnswer (*run)(ApiCall& call);
};

/// Null for a name that is none of the 33.
const ApiAction* FindApiAction(std::string_view name);

ApiAnswer SentenceRecognition(ApiCall& call);
ApiAnswer CreateRecTask(ApiCall& call);
ApiAnswer DescribeTaskStatus(ApiCall& call);
ApiAnswer CreateAsrVocab(ApiCall& call);
ApiAnswer UpdateAsrVocab(ApiCall& call);
ApiAnswer DeleteAsrVocab(ApiCall& call);
ApiAnswer GetAsrVocab(ApiCall& call);
ApiAnswer GetAsrVocabList(ApiCall& call);
ApiAnswer SetVocabState(ApiCall& call);
ApiAnswer DownloadAsrVocab(ApiCall& call);
ApiAnswer CreateAsrKeyWordLib(ApiCall& call);
ApiAnswer UpdateAsrKeyWordLib(ApiCall& call);
ApiAnswer DeleteAsrKeyWordLib(ApiCall& call);
ApiAnswer GetAsrKeyWordLibList(ApiCall& call);
ApiAnswer GetUsageByDate(ApiCall& call);

/// What the actions that take audio have in common: engine, text options, hot words.
struct ApiRecognition {
  EngineEntry engine;
  PostOptions post;
  std::string hot_word_list, vocabulary_id;
};
/// Reads them; `engine_name` is the name of the engine's argument.
ApiResult<ApiRecognition> ReadRecognition(ApiCall& call, const char* engine_name,
                                          std::int64_t most_number_mode);

/// The bytes of `Data`. Errors: the contract's, for what is missing, no base64 or larger than
/// `most` in base64
ApiResult<std::string> ReadData(ApiCall& call, std::size_t most);

/// An error of the records behind an action.
ApiError StoreError(const Status& status);

/// An error of WordLists::Resolve(): the caller's list or vocabulary, or the records.
ApiError WordListError(const Status& status);

/// Why RecordingTasks::Submit() took no task, why a call is not processed, and why it was not let
/// in.
ApiError SubmitError(const Status& status);
ApiError ProcessingError(const ProcessingRefusal& refusal);
ApiError GateError(GateRefusal refusal);

/// Told to nobody but the meter.
ApiError ClientGone();

/// A moment as the contract shows it: `2020-01-14T10:24:07+08:00`.
std::string ShowTime(WallTime time);

}  // namespace lethe::server_internal
