#include "service/eraser.h"

#include <algorithm>
#include <span>

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
  return InvalidArgument("say what to erase by one of task, call, uin, app_id and subject, not " +
                         std::to_string(asked));
}

void AddItem(const ErasedItem& item, Erasure* erasure, std::vector<ErasedItem>* items) {
  if (items->size() < kMaxReceipts) {
    items->push_back(item);
  } else {
    ++erasure->without_receipt;
  }
}

}  // namespace

Result<Erasure> Eraser::Erase(const ErasureRequest& request, ErasureCause cause) {
  RETURN_IF_ERROR(CheckRequest(request));
  Erasure erasure;
  if (request.within && request.app_id && *request.app_id != *request.within) return erasure;
  std::vector<ErasedItem> items;
  // What is under way first: it can leave nothing behind that is looked for later.
  if (parts_.calls != nullptr && !request.task) {
    erasure.cancelled +=
        parts_.calls->Cancel({.app_id = request.app_id ? request.app_id : request.within,
                              .uin = request.uin,
                              .call_id = request.call_id,
                              .subject = request.subject});
  }
  RETURN_IF_ERROR(EraseTasks(request, cause, &erasure, &items));
  ASSIGN_OR_RETURN(const std::vector<OperationSelector> operations, Operations(request));
  for (const OperationSelector& selector : operations) {
    RETURN_IF_ERROR(EraseOperations(selector, cause, &erasure, &items));
  }
  Prove(items, &erasure);
  return erasure;
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
      if (parts_.tasks != nullptr && parts_.tasks->Cancel(task.id)) ++erasure->cancelled;
    }
    // What was not cancelled, of these and of calls, has ended and may not be written down yet.
    if (parts_.meter != nullptr) parts_.meter->Flush();
    for (const ErasedTask& task : erased) {
      if (!task.object.empty()) EraseObject(task, erasure);
      for (const ErasedItem& item : task.items) AddItem(item, erasure, items);
      if (request.task && !task.call_id.empty()) {
        const OperationSelector of_its_call{.call_id = task.call_id, .within = request.within};
        RETURN_IF_ERROR(EraseOperations(of_its_call, cause, erasure, items));
      }
    }
    if (erased.size() < kBatch) return OkStatus();
  }
}

Result<std::vector<OperationSelector>> Eraser::Operations(const ErasureRequest& request) const {
  std::vector<OperationSelector> selectors;
  if (!request.call_id.empty()) {
    selectors.push_back({.call_id = request.call_id, .within = request.within});
  }
  if (!request.subject.empty()) {
    selectors.push_back({.subject = request.subject, .within = request.within});
  }
  if (request.app_id) selectors.push_back({.app_id = request.app_id});
  if (request.uin) {
    ASSIGN_OR_RETURN(const std::vector<Application> all, parts_.store.applications().List());
    for (const Application& application : all) {
      const bool is_theirs = application.uin == *request.uin;
      if (is_theirs && application.id == request.within.value_or(application.id)) {
        selectors.push_back({.app_id = application.id});
      }
    }
  }
  return selectors;
}

Status Eraser::EraseOperations(const OperationSelector& selector, ErasureCause cause,
                               Erasure* erasure, std::vector<ErasedItem>* items) {
  for (int rows = kBatch; rows == kBatch;) {
    ASSIGN_OR_RETURN(const OperationLog::Erased erased,
                     parts_.store.operation_log().Erase(selector, cause, kBatch));
    rows = erased.rows;
    erasure->operations += static_cast<std::size_t>(rows);
    for (const ErasedItem& item : erased.items) AddItem(item, erasure, items);
  }
  return OkStatus();
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
