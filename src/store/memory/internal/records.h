#pragma once

// All records in memory, under one mutex, and the repositories that look at them.

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "store/store.h"

namespace lethe {

struct MemoryKey {
  Key key;
  Secret secret;     // of a pair
  std::string hash;  // of a bearer key
};

struct MemoryCall {
  FinishedCall call;
  WallTime expires;
};

struct MemoryRecords {
  explicit MemoryRecords(const Clock& clock_) : clock(clock_) {}

  /// The application, or null. The mutex is held.
  Application* FindApplication(AppId id) {
    const auto found = applications.find(id);
    return found == applications.end() ? nullptr : &found->second;
  }

  const Clock& clock;

  std::mutex mutex;
  // All of what follows: with the mutex held.
  AppId next_app_id = kFirstAppId;
  Uin next_uin = kFirstUin;
  std::map<AppId, Application> applications;
  std::vector<MemoryKey> keys;  // in the order they were made
  std::string password_hash;
  std::vector<Vocabulary> vocabularies;           // in the order they were made
  std::vector<KeywordLibrary> keyword_libraries;  // in the order they were made
  std::vector<Task> tasks;                        // in the order they were made
  std::vector<MemoryCall> calls;
};

std::unique_ptr<Applications> MakeMemoryApplications(MemoryRecords& records);
std::unique_ptr<Keys> MakeMemoryKeys(MemoryRecords& records);
std::unique_ptr<Vocabularies> MakeMemoryVocabularies(MemoryRecords& records);
std::unique_ptr<KeywordLibraries> MakeMemoryKeywordLibraries(MemoryRecords& records);
std::unique_ptr<Tasks> MakeMemoryTasks(MemoryRecords& records);
std::unique_ptr<Usage> MakeMemoryUsage(MemoryRecords& records);

}  // namespace lethe
