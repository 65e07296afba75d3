#include "app/watched_objects.h"

namespace lethe {
namespace {

constexpr std::chrono::minutes kQuiet{1};

}  // namespace

void WatchedObjects::Note(Label operation, const Status& status) {
  const auto now = std::chrono::steady_clock::now();
  const MutexLock lock(mutex_);
  Standing& standing = standings_[operation.text()];
  // That an object is not there is an answer.
  if (status.ok() || status.code() == StatusCode::kNotFound) {
    if (standing.error.empty()) return;
    standing.error.clear();
    log_({.level = "info",
          .event = "object_store_recovered",
          .sentence = "the object store does again what it is asked for",
          .facts = {{"operation", operation}}});
    return;
  }
  if (status.message() == standing.error) return;
  if (standing.ever && now - standing.logged < kQuiet) return;
  standing = {.error = status.message(), .logged = now, .ever = true};
  log_({.level = "warning",
        .event = "object_store_failed",
        .sentence = "the object store does not do what it is asked for; it is tried again",
        .facts = {{"operation", operation}},
        .error = status});
}

Status WatchedObjects::Put(const std::string& name, std::uint64_t size,
                           const ObjectSource& source) {
  bool refused = false;  // by whoever has the bytes
  Status status = objects_->Put(name, size, [&](std::span<char> bytes) {
    auto read = source(bytes);
    refused = refused || !read.ok();
    return read;
  });
  if (!refused) Note("put", status);
  return status;
}

Status WatchedObjects::Get(const std::string& name, const ObjectSink& sink) {
  bool refused = false;
  Status status = objects_->Get(name, [&](std::string_view bytes) {
    Status taken = sink(bytes);
    refused = refused || !taken.ok();
    return taken;
  });
  if (!refused) Note("get", status);
  return status;
}

Status WatchedObjects::Remove(const std::string& name) {
  Status status = objects_->Remove(name);
  Note("remove", status);
  return status;
}

Result<std::vector<std::string>> WatchedObjects::List(const std::string& folder, int limit) {
  auto names = objects_->List(folder, limit);
  Note("list", names.status());
  return names;
}

Status WatchedObjects::RemoveAbandoned() {
  Status status = objects_->RemoveAbandoned();
  Note("remove_abandoned", status);
  return status;
}

}  // namespace lethe
