#pragma once

// Erasure on request: what is held is removed now, what is under way is cancelled, and a receipt
// says so of each thing.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/disk_reserve.h"
#include "base/status.h"
#include "ledger/receipt.h"
#include "service/calls_under_way.h"
#include "service/cancellation_watch.h"
#include "service/ledger_feed.h"
#include "service/meter.h"
#include "service/recording_tasks.h"
#include "store/recordings.h"
#include "store/store.h"

namespace lethe {

/// What is to be forgotten; one field is set.
struct ErasureRequest {
  /// Within which application; none: any. What is another's is not found.
  std::optional<AppId> within;

  std::optional<TaskId> task;
  std::string call_id;  // RequestId of a call, voice_id of a live one
  std::optional<Uin> uin;
  std::optional<AppId> app_id;
  std::string subject;  // a person, by pseudonym (store/consents.h); then `within` is set
};

/// Of the most things a receipt is made at once; of the others the ledger has it.
inline constexpr std::size_t kMaxReceipts = 1'000;

struct Erasure {
  std::size_t results = 0;     // texts of tasks
  std::size_t recordings = 0;  // audio
  std::size_t operations = 0;  // rows of the operation log
  std::size_t cancelled = 0;   // calls and tasks that were under way on this node
  /// Recordings whose object could not be removed yet, because the object store does not answer.
  /// Their keys are destroyed; the sweeper removes them.
  std::size_t unreachable = 0;
  /// What was erased stays in the database's log for now, because somebody reads the database for
  /// long (Store::LogHeld()); the key of its hour is still there.
  bool in_log = false;
  std::vector<Receipt> receipts;
  std::size_t without_receipt = 0;   // see kMaxReceipts, and `proof`
  std::vector<ErasedItem> unproven;  // those of them that the ledger was not told yet
  std::string proof;                 // why there are no receipts, if the ledger cannot be told now
};

/// Thread: any. Lifetime: the parts outlive it; all but the store may be none
class Eraser {
 public:
  struct Parts {
    Store& store;
    Recordings* recordings = nullptr;
    RecordingTasks* tasks = nullptr;
    CallsUnderWay* calls = nullptr;
    LedgerFeed* feed = nullptr;
    Meter* meter = nullptr;
    CancellationWatch* watch = nullptr;
    DiskReserve* reserve = nullptr;  // of the disk with the records
  };
  explicit Eraser(const Parts& parts) : parts_(parts) {}

  /// Erases. That nothing was found is no error. A full disk is in no erasure's way: the reserve is
  /// given up for it.
  /// Errors: kInvalidArgument unless it is one thing that is asked for; as Store: then it may be
  ///         done in part, and asking again does the rest
  Result<Erasure> Erase(const ErasureRequest& request, ErasureCause cause);

  /// Receipts of what the ledger has of a task's beginning: that its text is held, and that its
  /// audio is, or was refused. Errors: kNotFound for a task that is not there, or another's;
  /// kUnavailable while the ledger cannot be told; as Store
  Result<std::vector<Receipt>> ReceiptsOf(AppId app_id, TaskId task);

 private:
  Result<Erasure> EraseOnce(const ErasureRequest& request, ErasureCause cause);
  // What calls did that have ended.
  Status WriteWhatEnded();
  Status EraseTasks(const ErasureRequest& request, ErasureCause cause, Erasure* erasure,
                    std::vector<ErasedItem>* items);
  // What is under way ends, here and on other nodes.
  Status Cancel(const ErasureRequest& request, const Cancellation& wanted, Erasure* erasure);
  Status Ask(const Cancellation& wanted);
  void EraseObject(const ErasedTask& task, Erasure* erasure);
  void Prove(const std::vector<ErasedItem>& items, Erasure* erasure);

  const Parts parts_;
};

}  // namespace lethe
