// Goal:   no bytes make the form parser crash, hang or read beyond the body; what it accepts lies
// in
//         the body, in order, within its limits.
// Method: the first line is the Content-Type, the rest the body.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "server/multipart.h"

namespace {

using lethe::FormBoundary;
using lethe::FormPart;
using lethe::ParseForm;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(input.find('\n'), size);
  const auto boundary = FormBoundary(input.substr(0, line));
  // Most of what is mutated is no Content-Type; the body is worth reading all the same.
  const std::string mark = boundary.ok() ? *boundary : "XX";
  LETHE_CHECK(!mark.empty() && mark.size() <= lethe::kMaxBoundary);
  const std::string_view body = input.substr(std::min(line + 1, size));
  const auto parts = ParseForm(body, mark);
  if (!parts.ok()) {
    LETHE_CHECK(!parts.status().message().empty());
    return 0;
  }
  LETHE_CHECK(parts->size() <= lethe::kMaxFormParts);
  const char* from = body.data();
  for (const FormPart& part : *parts) {
    LETHE_CHECK(!part.name.empty());
    LETHE_CHECK(part.data.empty() || part.data.data() >= from);
    LETHE_CHECK(part.data.empty() ||
                part.data.data() + part.data.size() <= body.data() + body.size());
    LETHE_CHECK(part.data.find("\r\n--" + mark + "\r\n") == std::string_view::npos);
    if (!part.data.empty()) from = part.data.data() + part.data.size();
  }
  return 0;
}
