#pragma once

// Text without the blanks round it.

#include <string_view>

namespace lethe {

/// A space of plain text, whatever the locale.
constexpr bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// What headers may have between their parts: no ends of lines (RFC 9110, section 5.6.3).
constexpr bool IsBlank(char c) { return c == ' ' || c == '\t'; }

constexpr std::string_view Trim(std::string_view text, bool (*is_space)(char) = IsSpace) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace lethe
