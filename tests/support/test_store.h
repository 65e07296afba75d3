#pragma once

// What the tests of the store share: a store of either kind with a clock that stands, and a folder
// that goes away.

#include <chrono>
#include <memory>

#include "base/clock.h"
#include "store/store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_folder.h"

namespace lethe {

/// 2026-11-24 12:00:00 UTC.
inline constexpr WallTime kNoon =
    std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + std::chrono::hours(12);

}  // namespace lethe
