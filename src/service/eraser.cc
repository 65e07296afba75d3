#include "service/eraser.h"

#include <algorithm>
#include <span>
#include <utility>

#include "service/internal/operation_erasure.h"

namespace lethe {
namespace {

constexpr int kBatch = 100;

Status CheckRequest(const ErasureRequest& request) {
  const int asked =
      static_cast<int>(request.task.has_value()) + static_cast<int>(!request.call_id.empty()) +
      static_cast<int>(request.uin.has_value()) + static_cast<int>(request.app_id.has_value()) +
      static_cast<int>(!request.subject.empty());
  if (!request.subject.empty() && !request.within) {
    return InvalidArgument("say of which application the person is");
  }
  if (asked == 1) return OkStatus();
  return InvalidArgument(
      "say what to erase by one of task, call (or voice), uin, app and subject, not " +
      std::to_string(asked));
}

void AddItem(const ErasedItem& item, Erasure* erasure, std::vector<ErasedItem>* items) {
  if (items->size() < kMaxReceipts) {
    items->push_back(item);
  } else {
    ++erasure->without_receipt;
  }
}

void AddOperations(const OperationLog::Erased& erased, Erasure* erasure,
                   std::vector<ErasedItem>* items) {
  erasure->operations += static_cast<std::size_t>(erased.rows);
  for (const ErasedItem& item : erased.items) AddItem(item, erasure, items);
}

}  // namespace

Result<Erasure> Eraser::Erase(const ErasureRequest& request, ErasureCause cause) {
  RETURN_IF_ERROR(CheckRequest(request));
  // Before it fails: what was erased until then would have no receipt.
  if (parts_.reserve != nullptr) (void)parts_.reserve->GiveUpIfFull();
  auto erasure = EraseOnce(request, cause);
  if (erasure.ok() || parts_.reserve == nullptr) return erasure;
  return parts_.reserve->GiveUpIfFull() ? EraseOnce(request, cause) : std::move(erasure);
}

Result<Erasure> Eraser::EraseOnce(const ErasureRequest& request, ErasureCause cause) {
  Erasure erasure;
  if (request.within && request.app_id && *request.app_id != *request.within) return erasure;
  std::vector<ErasedItem> items;
  Cancellation calls{.app_id = request.app_id ? request.app_id : request.within,
                     .uin = request.uin,
                     .call_key = {},
                     .subject = request.subject,
                     .cause = cause};
  if (!request.call_id.empty()) {
    calls.call_key = parts_.store.cancellations().CallKey(request.call_id);
  }
  // What is under way first: it can leave nothing behind that is looked for later.
  if (!request.task) RETURN_IF_ERROR(Cancel(request, calls, &erasure));
  // Of a task that is erased nobody finds later what it did: it has to be there to be erased.
  RETURN_IF_ERROR(WriteWhatEnded());
  RETURN_IF_ERROR(EraseTasks(request, cause, &erasure, &items));
  if (!request.task) {
    RETURN_IF_ERROR(internal::EraseOperations(
        parts_.store, calls, std::nullopt,
        [&](const OperationLog::Erased& erased) { AddOperations(erased, &erasure, &items); }));
  }
  erasure.in_log = parts_.store.LogHeld() > Millis(0);
  Prove(items, &erasure);
  return erasure;
}

Status Eraser::Cancel(const ErasureRequest& request, const Cancellation& wanted, Erasure* erasure) {
  // First what needs no records.
  if (parts_.calls != nullptr) {
    erasure->cancelled += parts_.calls->Cancel({.app_id = wanted.app_id,
                                                .uin = wanted.uin,
                                                .call_id = request.call_id,
                                                .subject = wanted.subject,
                                                .is_call = nullptr});
  }
  return Ask(wanted);
}

Status Eraser::Ask(const Cancellation& wanted) {
  ASSIGN_OR_RETURN(const std::string reference, parts_.store.cancellations().Ask(wanted));
  if (parts_.watch != nullptr) parts_.watch->Skip(reference);
  return OkStatus();
}

Status Eraser::WriteWhatEnded() {
  if (parts_.meter == nullptr || parts_.meter->Flush()) return OkStatus();
  return Unavailable(
      "the records do not take what calls did, so that it cannot be erased; try again");
}

Status Eraser::EraseTasks(const ErasureRequest& request, ErasureCause cause, Erasure* erasure,
                          std::vector<ErasedItem>* items) {
  const TaskSelector selector{.task = request.task,
                              .request_id = request.call_id,
                              .app_id = request.app_id,
                              .uin = request.uin,
                              .subject = request.subject,
                              .within = request.within};
  for (;;) {
    ASSIGN_OR_RETURN(const std::vector<ErasedTask> erased,
                     parts_.store.tasks().Erase(selector, cause, kBatch));
    for (const ErasedTask& task : erased) {
      ++erasure->results;
      if (parts_.tasks != nullptr && parts_.tasks->GiveUp(task.id)) ++erasure->cancelled;
    }
    // What was not cancelled, of these and of calls, has ended and may not be written down yet.
    RETURN_IF_ERROR(WriteWhatEnded());
    for (const ErasedTask& task : erased) {
      if (!task.object.empty()) EraseObject(task, erasure);
      for (const ErasedItem& item : task.items) AddItem(item, erasure, items);
      if (request.task && !task.call_id.empty()) {
        // The node that worked on it may be about to write what it did.
        RETURN_IF_ERROR(Ask({.app_id = request.within,
                             .call_key = parts_.store.cancellations().CallKey(task.call_id),
                             .cause = cause}));
        RETURN_IF_ERROR(internal::EraseOperations(
            parts_.store.operation_log(), {.call_id = task.call_id, .within = request.within},
            cause, [&](const OperationLog::Erased& rows) { AddOperations(rows, erasure, items); }));
      }
    }
    if (erased.size() < kBatch) return OkStatus();
  }
}

Result<std::vector<Receipt>> Eraser::ReceiptsOf(AppId app_id, TaskId task) {
  if (parts_.feed == nullptr) return Unavailable("the ledger is not open here");
  ASSIGN_OR_RETURN(std::vector<BegunItem> begun, parts_.store.tasks().Begun(app_id, task));
  std::vector<ErasedItem> untold;
  for (const BegunItem& one : begun) {
    if (one.leaf == kNoLeaf) untold.push_back(one.item);
  }
  if (!untold.empty()) {
    RETURN_IF_ERROR(parts_.feed->TellNow(untold));
    ASSIGN_OR_RETURN(begun, parts_.store.tasks().Begun(app_id, task));
  }
  std::vector<Receipt> receipts;
  for (const BegunItem& one : begun) {
    if (one.leaf == kNoLeaf) return Unavailable("the ledger was not told yet; try again");
    ASSIGN_OR_RETURN(Receipt receipt, parts_.feed->ProveLeaf(one.leaf, one.item.opening));
    receipts.push_back(std::move(receipt));
  }
  return receipts;
}

void Eraser::EraseObject(const ErasedTask& task, Erasure* erasure) {
  const bool gone = parts_.recordings != nullptr && parts_.recordings->Remove(task.object).ok() &&
                    parts_.store.tasks().ObjectIsGone(task.id).ok();
  ++(gone ? erasure->recordings : erasure->unreachable);
}

void Eraser::Prove(const std::vector<ErasedItem>& items, Erasure* erasure) {
  if (items.empty()) return;
  auto receipts = parts_.feed != nullptr
                      ? parts_.feed->Prove(items)
                      : Result<std::vector<Receipt>>(Unavailable("the ledger is not open here"));
  if (receipts.ok()) {
    erasure->receipts = *std::move(receipts);
  } else {
    erasure->proof = receipts.status().message();
    erasure->unproven = items;
  }
  erasure->without_receipt += items.size() - erasure->receipts.size();
}

}  // namespace lethe
