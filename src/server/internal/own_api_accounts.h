#pragma once

// Applications and their keys, for the operator; an application sees itself.

#include <string>

#include "base/clock.h"
#include "server/http.h"
#include "server/internal/own_api_caller.h"
#include "store/store.h"

namespace lethe::server_internal {

HttpResponse ShowApplications(Store& store, const OwnApiCaller& caller);

/// Makes an application or changes one thing of one. The operator's alone.
HttpResponse ChangeApplication(Store& store, const Clock& clock, const OwnApiCaller& caller,
                               const std::string& body);

/// `app_id`, by default all that the caller may see; never a secret.
HttpResponse ShowKeys(Store& store, const OwnApiCaller& caller, const HttpRequest& request);

/// Makes a key, whose secret is told this once, or disables, enables or removes one. The operator's
/// alone.
HttpResponse ChangeKey(Store& store, const OwnApiCaller& caller, const std::string& body);

}  // namespace lethe::server_internal
