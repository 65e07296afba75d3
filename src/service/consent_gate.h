#pragma once

// Whether a call may be processed: the one place that decides it, for every face.

#include <string_view>

#include "base/status.h"
#include "store/consents.h"

namespace lethe {

/// Looks whether the person whom a call is about may be processed for this application. Where the
/// application requires no consent, only a person who has withdrawn it is refused. Has to be asked
/// when the call can be cancelled already (service/calls_under_way.h): so a withdrawal at the same
/// moment is either seen here, or cancels the call.
///
/// `pseudonym` is of Consents::Pseudonym(); empty: the call names nobody.
///
/// Errors: kPermissionDenied, whose message says what to do and can be told to the caller; as Store
/// Thread: any; may wait for the disk
Status CheckConsent(Consents& consents, const Application& application, std::string_view pseudonym);

/// Whether that person has withdrawn: what was accepted before is not worked on then, nor told.
/// Errors: as Store
Result<bool> HasWithdrawn(Consents& consents, AppId app_id, std::string_view pseudonym);

}  // namespace lethe
