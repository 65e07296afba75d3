#include "app/forgetters.h"

#include <functional>
#include <utility>

#include "retention/ended_epochs.h"

namespace lethe {
namespace {

constexpr const char* kOfTasks = "recordings_of_tasks";
constexpr const char* kOfNobody = "recordings";

// It had to be gone when nothing of its class may be held any more, which of results is later than
// it goes (KeyLifetime()): an older version kept it so long.
Leaf DestroyedLeaf(const Epoch& epoch) {
  const std::chrono::seconds begin = std::chrono::hours(epoch.hour);
  return {.kind = LeafKind::kEpochKeyDestroyed,
          .data_class = epoch.data_class,
          .items = 0,
          .due = std::chrono::sys_seconds(begin) +
                 std::chrono::floor<std::chrono::seconds>(MaxLifetime(epoch.data_class)),
          .from = begin,
          .to = begin + std::chrono::hours(1)};
}

// To forget needs some room on the disk, too: what a full one refused is tried once more with the
// room of the reserve.
std::function<Result<int>(int)> WithReserve(DiskReserve& reserve,
                                            std::function<Result<int>(int)> forget) {
  return [&reserve, forget = std::move(forget)](int limit) -> Result<int> {
    auto removed = forget(limit);
    return removed.ok() || !reserve.GiveUpIfFull() ? std::move(removed) : forget(limit);
  };
}

}  // namespace

Result<int> RemoveObjects(DataFolder& data, int limit, std::optional<AppId> within) {
  // Batches of which nothing could be removed are left behind; another time they are tried again.
  constexpr int kMostBatches = 10;
  Tasks& tasks = data.store->tasks();
  Status first_error;
  TaskId after = 0;
  int removed = 0;
  for (int batch = 0; batch < kMostBatches && removed < limit; ++batch) {
    ASSIGN_OR_RETURN(const std::vector<ObjectOfTask> objects,
                     tasks.ObjectsToRemove(limit, after, within));
    if (!objects.empty() && data.recordings == nullptr) {
      return FailedPrecondition(
          "records have recordings in an object store, which store.objects does "
          "not name");
    }
    for (const ObjectOfTask& object : objects) {
      Status status = data.recordings->Remove(object.name);
      if (status.ok()) status = tasks.ObjectIsGone(object.task);
      if (status.ok()) ++removed;
      if (first_error.ok()) first_error = status;
      after = object.task;
    }
    if (objects.size() < static_cast<std::size_t>(limit)) break;
  }
  if (!first_error.ok()) return first_error;
  return removed;
}

bool IsOfRecordings(std::string_view forgetter) {
  return forgetter == kOfTasks || forgetter == kOfNobody;
}

std::vector<Forgetter> Forgetters(DataFolder& data) {
  std::vector<Forgetter> forgetters = {
      // First what became due earlier.
      {"shorter_periods",
       [&data](int limit) { return data.store->retention_periods().Apply(limit); }},
      // Then what tasks have in the object store: a task is there until it has nothing there.
      {kOfTasks, [&data](int limit) { return RemoveObjects(data, limit); }},
      {kOfNobody,
       [&data](int limit) -> Result<int> {
         return data.recordings != nullptr ? data.recordings->RemoveExpired(limit) : 0;
       }},
      {"tasks", [&data](int limit) { return data.store->tasks().RemoveExpired(limit); }},
      {"operations",
       [&data](int limit) { return data.store->operation_log().RemoveExpired(limit); }},
      {"consents", [&data](int limit) { return data.store->consents().RemoveExpired(limit); }},
      {"cancellations",
       [&data](int limit) { return data.store->cancellations().RemoveExpired(limit); }},
      {"usage", [&data](int limit) { return data.store->usage().RemoveExpired(limit); }},
      {"epoch_keys",
       [&data](int limit) {
         return DestroyEndedEpochs(data.keyring->keys(), data.clock->Now(), limit,
                                   [&data](const Epoch& epoch) {
                                     return data.store->journal().Note(DestroyedLeaf(epoch));
                                   });
       }},
      {std::string(kSavingTheClock),
       [&data](int) -> Result<int> {
         RETURN_IF_ERROR(data.clock->Save());
         return 0;
       }},
  };
  for (Forgetter& forgetter : forgetters) {
    forgetter.remove_expired = WithReserve(*data.reserve, std::move(forgetter.remove_expired));
  }
  return forgetters;
}

}  // namespace lethe
