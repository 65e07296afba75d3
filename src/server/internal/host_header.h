#pragma once

// Whom a request is for.

#include <string_view>

#include "server/http.h"

namespace lethe::server_internal {

/// What is wrong with the Host of a request; empty if nothing is. Two servers in a row that read
/// one request differently can be played against each other, so what is unclear is refused.
///
/// `version`: 10 times the version of HTTP; older than 1.1, a request needs none
/// Source: RFC 9112, section 3.2; RFC 3986, section 3.2.2
std::string_view HostProblem(const HttpRequest& request, unsigned version);

}  // namespace lethe::server_internal
