#include "server/internal/processing.h"

#include <functional>
#include <utility>

#include "server/internal/run_on.h"
#include "service/consent_gate.h"

namespace lethe::server_internal {
namespace {

using Reason = ProcessingRefusal::Reason;
using Refusal = std::optional<ProcessingRefusal>;

Refusal Spending(CreditRefusal refusal) {
  switch (refusal) {
    case CreditRefusal::kSpent:
      return {{Reason::kSpent,
               "what this application may spend in this month is used up; its operator can raise "
               "the limit"}};
    case CreditRefusal::kOverdue:
      break;
  }
  return {{Reason::kOverdue, "the account of this application is in arrears; ask its operator"}};
}

Refusal FromStatus(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk:
      return std::nullopt;
    case StatusCode::kInvalidArgument:
      return {{Reason::kSubject, status.message()}};
    case StatusCode::kPermissionDenied:
      return {{Reason::kConsent, status.message()}};
    default:
      return {{Reason::kUnavailable, "the consents cannot be read at the moment; try again"}};
  }
}

}  // namespace

Refusal CheckProcessing(FaceContext& context, const Application& application,
                        const Subject& subject) {
  if (!subject.status.ok()) return FromStatus(subject.status);
  if (const auto refusal = context.credit.Check(application)) return Spending(*refusal);
  return FromStatus(CheckConsent(context.store.consents(), application, subject.pseudonym));
}

Awaitable<Refusal> CheckProcessingOnPool(FaceContext& context, const Application& application,
                                         const Subject& subject) {
  if (!application.consent_required && subject.pseudonym.empty() && subject.status.ok() &&
      !CreditGate::HasRules(application)) {
    co_return std::nullopt;
  }
  std::function<Refusal()> work = [&context, application, subject] {
    return CheckProcessing(context, application, subject);
  };
  std::function<Refusal(const Status&)> refused = [](const Status&) -> Refusal {
    return {{Reason::kUnavailable, "the service is busy; try again"}};
  };
  co_return co_await RunOn<Refusal>(context.quick_pool, application.id, std::move(work),
                                    std::move(refused));
}

}  // namespace lethe::server_internal
