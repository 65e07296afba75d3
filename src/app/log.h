#pragma once

// What a service says while it runs, on standard error: a sentence a line for people, or a JSON
// object a line for machines. What may be said is typed: words of ours, numbers, times, and an
// error's message, which has no caller's text in it (base/status.h).

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/fact.h"
#include "base/status.h"

namespace lethe {

enum class LogFormat { kText, kJson };

/// Errors: kInvalidArgument for a name that is none
Result<LogFormat> ParseLogFormat(std::string_view name);

struct LogEvent {
  Label level;     // "error": somebody has to act; "warning": it may come to that; "info"
  Label event;     // what machines look for: "sweep_failed"
  Label sentence;  // what people read: "what is over could not be removed"
  Facts facts = {};
  Status error = OkStatus();
};

/// The line, with its end. A text has the sentence, the facts and the error; an object `time` (RFC
/// 3339, UTC, milliseconds), `level`, `event`, `message` (the sentence), the facts by name, and
/// `error`. Control characters are made visible as '?'.
std::string LogLine(const LogEvent& event, LogFormat format, WallTime now);

/// The same for a message that stands by itself, such as the error that ends a command: its event
/// is "message".
std::string LogLine(std::string_view message, LogFormat format, WallTime now);

/// Writes the event to standard error. Where that is a pipe or a socket that nobody reads, the line
/// is dropped after a moment, and the next one that is written says how many were. Thread: any
void Log(const LogEvent& event);

/// In which format Log() and PrintError() write from now on. Thread: before there is a second one
void SetLogFormat(LogFormat format);
LogFormat CurrentLogFormat();

}  // namespace lethe
