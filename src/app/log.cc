#include "app/log.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <ctime>

#include <nlohmann/json.hpp>
#include <poll.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mutex.h"

namespace lethe {
namespace {

using Json = nlohmann::ordered_json;

std::atomic<LogFormat> current_format{LogFormat::kText};

std::string ShowTime(WallTime now) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  const std::time_t time = seconds.time_since_epoch().count();
  std::tm utc{};
  (void)gmtime_r(&time, &utc);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  const std::string fraction =
      std::to_string(1'000 + std::chrono::floor<Millis>(now - seconds).count());
  return std::string(text.data(), size) + "." + fraction.substr(1) + "Z";
}

std::string Visible(std::string_view message) {
  std::string line;
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    line += byte < 0x20 || byte == 0x7F ? '?' : c;
  }
  return line;
}

Json ValueOf(const Fact& fact) {
  if (const auto* number = std::get_if<std::int64_t>(&fact.value)) return *number;
  if (const auto* yes = std::get_if<bool>(&fact.value)) return *yes;
  if (const auto* word = std::get_if<Label>(&fact.value)) return word->text();
  return std::get<Millis>(fact.value).count();
}

std::string TextOf(const Fact& fact) {
  std::string text = std::string(fact.name.text()) + " ";
  if (const auto* word = std::get_if<Label>(&fact.value)) return text.append(word->text());
  if (const auto* yes = std::get_if<bool>(&fact.value)) return text + (*yes ? "yes" : "no");
  text += WriteJson(ValueOf(fact));
  return std::holds_alternative<Millis>(fact.value) ? text + " ms" : text;
}

std::string JsonLine(const Json& object) { return WriteLossyJson(object) + "\n"; }

// Standard error, for a service that must not wait for whoever reads it: then it would not stop.
class ErrorOutput {
 public:
  void Write(const LogEvent& event) {
    const MutexLock lock(mutex_);
    if (dropped_ > 0 && Put({.level = "warning",
                             .event = "log_lines_dropped",
                             .sentence = "lines were not written, because nobody read them",
                             .facts = {{"lines", dropped_}}})) {
      dropped_ = 0;
    }
    if (dropped_ > 0 || !Put(event)) ++dropped_;
  }

 private:
  // For a reader that is busy; one that does not read is not waited for again and again.
  static constexpr int kPatienceMillis = 100;

  // False where nobody takes it. A line that is too long may have been begun then.
  bool Put(const LogEvent& event) REQUIRES(mutex_) {
    const std::string line = LogLine(event, current_format, SystemClock().Now());
    for (std::string_view rest = line; !rest.empty();) {
      pollfd room{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
      if (::poll(&room, 1, dropped_ > 0 ? 0 : kPatienceMillis) == 0) return false;
      // What has room takes as much without waiting. What cannot be written at all is nobody's.
      const ssize_t written =
          ::write(STDERR_FILENO, rest.data(), std::min<std::size_t>(rest.size(), PIPE_BUF));
      if (written < 0 && errno != EINTR) return errno != EAGAIN;
      if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }

  Mutex mutex_;
  std::int64_t dropped_ GUARDED_BY(mutex_) = 0;
};

}  // namespace

Result<LogFormat> ParseLogFormat(std::string_view name) {
  if (name == "text") return LogFormat::kText;
  if (name == "json") return LogFormat::kJson;
  return InvalidArgument("log.format has to be text or json: " + std::string(name));
}

std::string LogLine(const LogEvent& event, LogFormat format, WallTime now) {
  if (format == LogFormat::kJson) {
    Json object = {{"time", ShowTime(now)},
                   {"level", event.level.text()},
                   {"event", event.event.text()},
                   {"message", event.sentence.text()}};
    for (const Fact& fact : event.facts) object[std::string(fact.name.text())] = ValueOf(fact);
    if (!event.error.ok()) object["error"] = Visible(event.error.message());
    return JsonLine(object);
  }
  std::string facts;
  for (const Fact& fact : event.facts) facts += (facts.empty() ? " (" : ", ") + TextOf(fact);
  if (!facts.empty()) facts += ")";
  const std::string error = event.error.ok() ? "" : ": " + Visible(event.error.message());
  return "lethe: " + std::string(event.sentence.text()) + facts + error + "\n";
}

std::string LogLine(std::string_view message, LogFormat format, WallTime now) {
  if (format == LogFormat::kText) return "lethe: " + Visible(message) + "\n";
  return JsonLine({{"time", ShowTime(now)},
                   {"level", "warning"},
                   {"event", "message"},
                   {"message", Visible(message)}});
}

void Log(const LogEvent& event) {
  static ErrorOutput output;
  output.Write(event);
}

void SetLogFormat(LogFormat format) { current_format = format; }
LogFormat CurrentLogFormat() { return current_format; }

}  // namespace lethe
