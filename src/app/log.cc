#include "app/log.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <ctime>

#include <nlohmann/json.hpp>

#include "base/json.h"

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
  const std::string line = LogLine(event, current_format, SystemClock().Now());
  std::fputs(line.c_str(), stderr);
}

void SetLogFormat(LogFormat format) { current_format = format; }
LogFormat CurrentLogFormat() { return current_format; }

}  // namespace lethe
