#pragma once

// An object store whose refusals are logged in its own words. Callers are told no more than that it
// does not answer as it should (store/recordings.h); whoever runs the service has to know why.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/log.h"
#include "base/mutex.h"
#include "store/objects.h"

namespace lethe {

/// Logs when an operation (put, get, remove, list) begins to fail or fails for another reason, at
/// most once a minute each, and when it works again. Names of objects are not logged; the messages
/// of the stores have none.
///
/// Thread: any
class WatchedObjects : public ObjectStore {
 public:
  explicit WatchedObjects(std::unique_ptr<ObjectStore> objects,
                          std::function<void(const LogEvent&)> log = Log)
      : objects_(std::move(objects)), log_(std::move(log)) {}

  Status Put(const std::string& name, std::uint64_t size, const ObjectSource& source) override;
  Status Get(const std::string& name, const ObjectSink& sink) override;
  Status Remove(const std::string& name) override;
  Result<std::vector<std::string>> List(const std::string& folder, int limit) override;
  Status RemoveAbandoned() override;

 private:
  struct Standing {
    std::string error;  // what was logged last; empty: it works
    std::chrono::steady_clock::time_point logged;
    bool ever = false;  // whether something was
  };
  void Note(Label operation, const Status& status);

  const std::unique_ptr<ObjectStore> objects_;
  const std::function<void(const LogEvent&)> log_;
  Mutex mutex_;
  std::map<std::string_view, Standing> standings_ GUARDED_BY(mutex_);
};

}  // namespace lethe
