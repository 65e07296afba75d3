#pragma once

// Tables for other programs: RFC 4180, UTF-8, a line of names first, every line ended by CRLF.

#include <string>
#include <string_view>
#include <vector>

namespace lethe {

/// One line. A field with a comma, a quote or a line break in it is quoted.
std::string CsvLine(const std::vector<std::string>& fields);

/// A text that a stranger chose, as a field: where it begins as a formula of a spreadsheet does
/// (= + - @, tab, carriage return), an apostrophe goes before it.
std::string CsvText(std::string_view text);

}  // namespace lethe
