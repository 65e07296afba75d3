#pragma once

// Who calls Lethe's own interface, and what is answered when it goes wrong.

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/status.h"
#include "server/console_access.h"
#include "server/http.h"
#include "store/store.h"

namespace lethe::server_internal {

/// Somebody who was let in.
struct OwnApiCaller {
  std::optional<AppId> app_id;  // the application whose key it is; none: the operator
};

/// By bearer key, by console password, or by the session of a browser in which it was given.
/// Blocks on the store, and as long as a password takes.
std::variant<OwnApiCaller, HttpResponse> IdentifyOwnApiCaller(const HttpRequest& request,
                                                              Keys& keys, ConsoleAccess& console);

/// {"error": {"code": "invalid_argument", "message": "..."}}, and the status that goes with it.
HttpResponse OwnApiError(const Status& status);
HttpResponse OwnApiError(int status, std::string_view code, std::string_view message);

}  // namespace lethe::server_internal
