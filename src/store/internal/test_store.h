#pragma once

// What the tests of the store share: a store of either kind with a clock that stands, and a folder
// that goes away.

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include <unistd.h>

#include <gmock/gmock.h>

#include "base/clock.h"
#include "base/random.h"
#include "store/store.h"

namespace lethe {

/// 2026-11-24 12:00:00 UTC.
inline constexpr WallTime kNoon =
    std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + std::chrono::hours(12);

class TestFolder {
 public:
  TestFolder()
      : path_(std::filesystem::path(testing::TempDir()) /
              ("lethe_records_" + std::to_string(getpid()) + "_" + RandomHex(8))) {
    std::filesystem::create_directories(path_);
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  const std::filesystem::path path_;
};

/// Expects success of a Status or a Result, and shows the message otherwise.
MATCHER(IsOk, "is ok") {
  if constexpr (requires { arg.status(); }) {
    if (!arg.ok()) *result_listener << arg.status().message();
  } else {
    if (!arg.ok()) *result_listener << arg.message();
  }
  return arg.ok();
}

/// Expects a Status or a Result of that code.
MATCHER_P(HasCode, code, "has the code " + std::string(StatusCodeName(code))) {
  if constexpr (requires { arg.status(); }) {
    *result_listener << StatusCodeName(arg.status().code()) << ": " << arg.status().message();
    return arg.status().code() == code;
  } else {
    *result_listener << StatusCodeName(arg.code()) << ": " << arg.message();
    return arg.code() == code;
  }
}

}  // namespace lethe
