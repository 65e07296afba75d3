#include "service/internal/operation_erasure.h"

#include <vector>

namespace lethe::internal {
namespace {

constexpr int kBatch = 100;

Result<std::vector<OperationSelector>> SelectorsOf(Store& store, const Cancellation& cancellation) {
  const std::optional<AppId>& within = cancellation.app_id;
  if (!cancellation.call_key.empty()) {
    return std::vector<OperationSelector>{{.call_key = cancellation.call_key, .within = within}};
  }
  if (!cancellation.subject.empty()) {
    return std::vector<OperationSelector>{{.subject = cancellation.subject, .within = within}};
  }
  std::vector<OperationSelector> selectors;
  if (!cancellation.uin) {
    if (within) selectors.push_back({.app_id = within});
    return selectors;
  }
  ASSIGN_OR_RETURN(const std::vector<Application> all, store.applications().List());
  for (const Application& application : all) {
    if (application.uin == *cancellation.uin && application.id == within.value_or(application.id)) {
      selectors.push_back({.app_id = application.id});
    }
  }
  return selectors;
}

}  // namespace

Status EraseOperations(OperationLog& log, const OperationSelector& selector, ErasureCause cause,
                       const ErasedOperations& sink) {
  for (int rows = kBatch; rows == kBatch;) {
    ASSIGN_OR_RETURN(const OperationLog::Erased erased, log.Erase(selector, cause, kBatch));
    rows = erased.rows;
    sink(erased);
  }
  return OkStatus();
}

Status EraseOperations(Store& store, const Cancellation& cancellation,
                       std::optional<WallTime> written_since, const ErasedOperations& sink) {
  ASSIGN_OR_RETURN(std::vector<OperationSelector> selectors, SelectorsOf(store, cancellation));
  for (OperationSelector& selector : selectors) {
    selector.written_since = written_since;
    RETURN_IF_ERROR(EraseOperations(store.operation_log(), selector, cancellation.cause, sink));
  }
  return OkStatus();
}

}  // namespace lethe::internal
