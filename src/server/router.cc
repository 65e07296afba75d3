#include "server/router.h"

namespace lethe {
namespace {

bool Fits(std::string_view pattern, std::string_view path) {
  if (pattern.ends_with("/*")) {
    pattern.remove_suffix(1);
    return path.size() > pattern.size() && path.starts_with(pattern);
  }
  return pattern == path;
}

}  // namespace

Router::Match Router::Find(std::string_view method, std::string_view path) const {
  Match match;
  for (const Route& route : routes_) {
    if (!Fits(route.path, path)) continue;
    match.path_known = true;
    match.cross_origin = match.cross_origin || route.cross_origin;
    if (route.method == "*" || route.method == method) {
      match.route = &route;
      return match;
    }
    if (!match.allowed.empty()) match.allowed += ", ";
    match.allowed += route.method == "GET" ? "GET, HEAD" : route.method;
  }
  return match;
}

}  // namespace lethe
