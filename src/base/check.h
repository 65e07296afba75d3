#pragma once

// LETHE_CHECK(condition): our own mistakes stop the program at once, with file, line and condition.
// What a caller or the world can cause is never CHECKed; it is a Status (base/status.h).

namespace lethe {

/// Prints "file:line: CHECK failed: what" to standard error and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* what);

}  // namespace lethe

#define LETHE_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::lethe::CheckFailed(__FILE__, __LINE__, #condition))
