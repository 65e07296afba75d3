#pragma once

// What a recording without room for a word is refused with; a callback has a code of its own for
// it.

#include <string_view>

#include "base/status.h"

namespace lethe {

inline constexpr std::string_view kTooShort = "is too short to hold a word";

inline bool IsTooShort(const Status& status) {
  return status.code() == StatusCode::kInvalidArgument && status.message().starts_with(kTooShort);
}

}  // namespace lethe
