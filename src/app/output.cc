#include "app/output.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstdio>

#include <sys/ioctl.h>
#include <unistd.h>

#include "app/log.h"

namespace lethe {
namespace {

constexpr auto kRedrawEvery = std::chrono::milliseconds(200);

/// A progress line stands on the terminal and has to go before anything else is printed.
std::atomic<bool> line_is_drawn{false};

// As much of a line as stands in one row of the terminal: what goes on in the next one could not be
// cleared again. A character that is wider than one column is not known as such.
std::string_view CutToRow(std::string_view text) {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return text;
  std::size_t columns = 0, end = 0;
  for (; end < text.size(); ++end) {
    const bool begins_character = (static_cast<unsigned char>(text[end]) & 0xC0) != 0x80;
    // A terminal begins the next row only behind the last column, some do at once.
    if (begins_character && ++columns >= size.ws_col) break;
  }
  return text.substr(0, end);
}

void ClearDrawnLine() {
  if (line_is_drawn.exchange(false)) std::fputs("\r\033[K", stderr);
}

}  // namespace

Status WriteStandardOutput(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return ErrnoStatus(errno, "cannot write to standard output");
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return OkStatus();
}

void PrintError(std::string_view message) {
  const std::string line = LogLine(message, CurrentLogFormat(), SystemClock().Now());
  ClearDrawnLine();
  std::fputs(line.c_str(), stderr);
}

void PrintNote(std::string_view message) { PrintError(message); }

void PrintError(std::string_view what, const Status& status) {
  PrintError(std::string(what) + ": " + status.message());
}

int ExitCode(const Status& status) {
  if (status.ok()) return kExitOk;
  PrintError(status.message());
  return kExitFailed;
}

int ExitCode(const Result<int>& exit_code) {
  return exit_code.ok() ? *exit_code : ExitCode(exit_code.status());
}

bool ProgressLine::Due() const {
  if (!enabled_) return false;
  const MutexLock lock(mutex_);
  return std::chrono::steady_clock::now() - last_drawn_ >= kRedrawEvery;
}

void ProgressLine::Show(std::string_view text) {
  if (!Due()) return;
  const MutexLock lock(mutex_);
  last_drawn_ = std::chrono::steady_clock::now();
  const std::string line = "\r\033[K" + std::string(CutToRow(text));
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
  line_is_drawn = true;
}

void ProgressLine::Clear() {
  if (enabled_) ClearDrawnLine();
}

bool StandardErrorIsTerminal() { return ::isatty(STDERR_FILENO) == 1; }

std::string ShowDuration(double seconds) {
  const long long total = std::llround(std::max(0.0, seconds));
  std::array<char, 48> text{};
  if (total >= 3600) {
    std::snprintf(text.data(), text.size(), "%lld:%02lld:%02lld", total / 3600, total / 60 % 60,
                  total % 60);
  } else {
    std::snprintf(text.data(), text.size(), "%lld:%02lld", total / 60, total % 60);
  }
  return text.data();
}

std::string ShowBytes(double bytes) { return ShowNumber(bytes / 1e6, 1) + " MB"; }

std::string ShowNumber(double value, int digits) {
  std::array<char, 400> text{};  // the largest number has 309 digits before the point
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

}  // namespace lethe
