#pragma once

// Forms with files in them, multipart/form-data (RFC 7578, RFC 2046 section 5.1): text in, parts
// that borrow from it out.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace lethe {

inline constexpr std::size_t kMaxBoundary = 70;  // RFC 2046, section 5.1.1
inline constexpr std::size_t kMaxFormParts = 256;
inline constexpr std::size_t kMaxPartHeader = 8192;  // bytes of one part's header

struct FormPart {
  std::string name;
  std::string filename;   // empty if the part is no file
  std::string_view data;  // within the body
};

/// The boundary that a Content-Type names.
/// Errors: kInvalidArgument for another type, or a boundary that is missing or none
Result<std::string> FormBoundary(std::string_view content_type);

/// The parts of a form, in their order; names may repeat. What stands before the first boundary
/// and after the last is left out. Lines end with CR LF; a bare LF is data, as in a recording it
/// must be.
///
/// Errors: kInvalidArgument, naming the part by its place and never what is in it: no end, no name,
///         a header that cannot be read or is too large, too many parts, a transfer encoding
/// Lifetime: the parts' data borrow from `body`
Result<std::vector<FormPart>> ParseForm(std::string_view body, std::string_view boundary);

}  // namespace lethe
