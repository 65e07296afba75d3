#pragma once

// Whether a call whose caller may call is processed: what was said about the person it is about,
// and about what its application spends and owes.

#include <optional>
#include <string>

#include "server/faces.h"
#include "server/http.h"
#include "server/internal/subject.h"
#include "store/applications.h"

namespace lethe::server_internal {

/// Why it is not.
struct ProcessingRefusal {
  enum class Reason {
    kSubject,      // who it is about is named in a way that cannot be read
    kConsent,      // that person may not be processed (service/consent_gate.h)
    kSpent,        // metering/credit_gate.h
    kOverdue,      //
    kUnavailable,  // the records did not answer, or there is too much to do
  };
  Reason reason = Reason::kUnavailable;
  std::string message;  // for the caller
};

/// Asked when the call can be cancelled, for the same reason as CheckConsent(). Blocks on the
/// store.
std::optional<ProcessingRefusal> CheckProcessing(FaceContext& context,
                                                 const Application& application,
                                                 const Subject& subject);

/// The same on the pool, and at once where there is nothing to look up.
Awaitable<std::optional<ProcessingRefusal>> CheckProcessingOnPool(FaceContext& context,
                                                                  const Application& application,
                                                                  const Subject& subject);

}  // namespace lethe::server_internal
