#pragma once

// Standard output whose failures are noticed, and standard error for people.

#include <chrono>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "base/status.h"

namespace lethe {

/// What the program returns to its caller.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;  // something asked for was not done; standard error says what
inline constexpr int kExitUsage = 2;   // the command line was wrong; nothing was done

/// Writes all of `text` to standard output, at once and unbuffered, so that a full disk or a closed
/// pipe is seen here and not lost at exit.
/// Errors: kResourceExhausted (full), kUnavailable (closed pipe and the like).
Status WriteStandardOutput(std::string_view text);

/// Prints "lethe: message" on standard error, control characters made visible as '?'; a progress
/// line is cleared first. Thread: any.
void PrintError(std::string_view message);
void PrintError(std::string_view what, const Status& status);

/// As PrintError(), for what goes well: a step of long work, where nobody looks at a progress line.
void PrintNote(std::string_view message);

/// The end of a command: an error is said on standard error. Returns the exit code, which is the
/// command's own where it gives one.
int ExitCode(const Status& status);
int ExitCode(const Result<int>& exit_code);

/// One line on standard error that is redrawn in place, at most a few times a second.
///
/// Thread: any
class ProgressLine {
 public:
  explicit ProgressLine(bool enabled) : enabled_(enabled) {}
  ~ProgressLine() { Clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  bool enabled() const { return enabled_; }
  /// Says whether Show() would draw now; spares the caller from building text nobody sees.
  bool Due() const;
  void Show(std::string_view text);
  void Clear();

 private:
  const bool enabled_;
  mutable Mutex mutex_;
  std::chrono::steady_clock::time_point last_drawn_ GUARDED_BY(mutex_){};
};

/// Whether a person looks at standard error: progress is for them.
bool StandardErrorIsTerminal();

/// "1:02:03" or "2:03".
std::string ShowDuration(double seconds);
/// "28.2 MB".
std::string ShowBytes(double bytes);
/// With so many digits behind the point.
std::string ShowNumber(double value, int digits);

}  // namespace lethe
