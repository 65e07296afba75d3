#pragma once

// What the tests of the store share: a store of either kind with a clock that stands, and a folder
// that goes away.

#include <chrono>
#include <memory>
#include <string>

#include "base/clock.h"
#include "seal/keyring.h"
#include "store/store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_folder.h"

namespace lethe {

/// 2026-11-24 12:00:00 UTC.
inline constexpr WallTime kNoon =
    std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + std::chrono::hours(12);

/// Keys that nobody else has, in a folder of their own.
class TestKeyring {
 public:
  explicit TestKeyring(const Clock& clock)
      : keyring_(*Keyring::Open(folder(), "test", clock, true)) {}

  operator Keyring&() { return *keyring_; }
  Keyring* operator->() { return keyring_.get(); }
  std::string folder() const { return folder_.path().string(); }

 private:
  const TestFolder folder_;
  const std::unique_ptr<Keyring> keyring_;
};

}  // namespace lethe
