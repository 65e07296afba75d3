#pragma once

// Objects as strings.

#include <algorithm>
#include <string>
#include <string_view>

#include "store/objects.h"

namespace lethe {

/// A source of the bytes, `most` at a time.
inline ObjectSource BytesSource(std::string_view bytes, std::size_t most = 1'000) {
  return [bytes, most](std::span<char> block) mutable -> Result<std::size_t> {
    const std::size_t n = std::min(bytes.size(), std::min(block.size(), most));
    std::copy_n(bytes.begin(), n, block.begin());
    bytes.remove_prefix(n);
    return n;
  };
}

inline Result<std::string> GetBytes(ObjectStore& objects, const std::string& name) {
  std::string bytes;
  RETURN_IF_ERROR(objects.Get(name, [&](std::string_view more) {
    bytes += more;
    return OkStatus();
  }));
  return bytes;
}

}  // namespace lethe
