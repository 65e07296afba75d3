// Goal:   nothing in a request makes the console's guard crash or hang; what it reads out of a
//         request stands there; its cookie has a name that is one; and an origin that a browser
//         calls another one never passes.
// Method: the bytes are cut at line feeds into a method, a host, an origin, two cookies, two
//         subprotocol headers and what the page says of itself.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "server/internal/console_guard.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lethe;
  using namespace lethe::server_internal;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const auto next = [&] {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string piece(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return piece;
  };
  HttpRequest request;
  request.method = next();
  request.headers = {{"host", next()},
                     {"origin", next()},
                     {"cookie", next()},
                     {"cookie", next()},
                     {"sec-websocket-protocol", next()},
                     {"sec-websocket-protocol", next()},
                     {"sec-fetch-site", next()},
                     {"x-lethe-console", std::string(rest)}};
  const auto stands_there = [&](std::string_view piece) {
    if (piece.empty()) return true;
    for (const auto& [name, value] : request.headers) {
      if (value.find(piece) != std::string::npos) return true;
    }
    return false;
  };
  LETHE_CHECK(stands_there(ConsoleToken(request)));
  // What goes into Set-Cookie has nothing in it that a header could be ended by.
  LETHE_CHECK(ConsoleCookie(request).find_first_not_of("0123456789_abcdefghijklmnopqrstuvwxyz") ==
              std::string::npos);
  LETHE_CHECK(stands_there(PageToken(request)));
  for (const std::string_view name : Subprotocols(request)) {
    LETHE_CHECK(!name.empty() && name.find(',') == std::string_view::npos && stands_there(name));
  }
  if (IsSameOrigin(request)) LETHE_CHECK(!request.Header("origin").empty());
  if (!request.Header("origin").empty() && !IsSameOrigin(request)) {
    LETHE_CHECK(IsOfAnotherOrigin(request) && !IsFromConsole(request));
  }
  return 0;
}
