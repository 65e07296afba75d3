#include "server/internal/host_header.h"

#include <algorithm>

#include "base/encoding.h"

namespace lethe::server_internal {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool AllOf(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           others.find(c) != std::string_view::npos;
  });
}

bool IsHost(std::string_view value) {
  std::string_view host = value;
  std::string_view port;
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos) return false;
    port = host.substr(end + 1);
    if (end == 1 || !AllOf(host.substr(1, end - 1), ":.-_~!$&'()*+,;=%")) return false;
  } else {
    const std::size_t end = std::min(host.find(':'), host.size());
    port = host.substr(end);
    if (!AllOf(host.substr(0, end), "-._~!$&'()*+,;=%")) return false;
  }
  if (port.empty()) return true;
  return port.starts_with(':') && std::all_of(port.begin() + 1, port.end(), IsDigit);
}

}  // namespace

std::string_view HostProblem(const HttpRequest& request, unsigned version) {
  const std::string_view host = request.Header("host");
  const auto count =
      std::count_if(request.headers.begin(), request.headers.end(),
                    [](const auto& field) { return ToLowerAscii(field.first) == "host"; });
  if (count > 1) return "the request names several hosts";
  if (count == 0 && version >= 11) return "the request has no Host header";
  if (!IsHost(host)) return "the request's Host header is no host";
  return {};
}

}  // namespace lethe::server_internal
