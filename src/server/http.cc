#include "server/http.h"

#include <algorithm>

#include "base/encoding.h"

namespace lethe {

std::optional<std::string> FindValue(const NamedValues& values, std::string_view name) {
  for (const auto& [key, value] : values) {
    if (key == name) return value;
  }
  return std::nullopt;
}

NamedValues SplitQuery(std::string_view query) {
  NamedValues values;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view piece = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (piece.empty()) continue;
    const std::size_t equals = std::min(piece.find('='), piece.size());
    values.emplace_back(piece.substr(0, equals), piece.substr(std::min(equals + 1, piece.size())));
  }
  return values;
}

NamedValues ParseQuery(std::string_view query, bool plus_is_space) {
  NamedValues values = SplitQuery(query);
  for (auto& [name, value] : values) {
    name = PercentDecode(name, plus_is_space);
    value = PercentDecode(value, plus_is_space);
  }
  return values;
}

std::string_view HttpRequest::Header(std::string_view name) const {
  const std::string wanted = ToLowerAscii(name);
  for (const auto& [key, value] : headers) {
    if (ToLowerAscii(key) == wanted) return value;
  }
  return {};
}

Millis HttpRequest::Age() const {
  if (!begun) return Millis(0);
  return std::chrono::floor<Millis>(std::chrono::steady_clock::now() - *begun);
}

}  // namespace lethe
