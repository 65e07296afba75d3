#pragma once

// What may be held about a call, and for how long at most (the agreement's data tables). Nothing is
// stored that does not name its class.

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/units.h"

namespace lethe {

/// The numbers are written into what is stored and signed: they stay.
enum class DataClass : std::uint8_t {
  kAudio = 1,         // what end users upload or stream
  kResult = 2,        // texts, with application, account, times and engine
  kOperationLog = 3,  // what happened in a call, step by step, desensitised
  kMonitoring = 4,    // application, interface, result code, call id, times, region, fee, volume
};
inline constexpr std::array kDataClasses = {DataClass::kAudio, DataClass::kResult,
                                            DataClass::kOperationLog, DataClass::kMonitoring};

/// As long as anything of a class may be held; an application may shorten it, never lengthen it.
/// Monitoring: two months, and no two months are shorter than this.
constexpr Millis MaxLifetime(DataClass data_class) {
  switch (data_class) {
    case DataClass::kAudio:
      return std::chrono::hours(24);
    case DataClass::kResult:
    case DataClass::kOperationLog:
      return std::chrono::days(7);
    case DataClass::kMonitoring:
      return std::chrono::days(59);
  }
  return Millis(0);
}

/// How long the key of an hour lives, from the hour's beginning. Of results not as long as the
/// class may be held: texts go with their tasks, within a day, and what opens nothing any more is
/// not kept.
constexpr Millis KeyLifetime(DataClass data_class) {
  return data_class == DataClass::kResult ? std::chrono::hours(25) : MaxLifetime(data_class);
}

/// How long a sealed thing surely opens: keys are destroyed by the hour (seal/key_store.h), and
/// none late.
constexpr Millis SealedLifetime(DataClass data_class) {
  return KeyLifetime(data_class) - std::chrono::hours(1);
}

/// As configuration, exports and metrics spell it: "audio", "result", "operation_log",
/// "monitoring".
constexpr std::string_view DataClassName(DataClass data_class) {
  switch (data_class) {
    case DataClass::kAudio:
      return "audio";
    case DataClass::kResult:
      return "result";
    case DataClass::kOperationLog:
      return "operation_log";
    case DataClass::kMonitoring:
      return "monitoring";
  }
  return "";
}

constexpr std::optional<DataClass> DataClassNamed(std::string_view name) {
  for (const DataClass data_class : kDataClasses) {
    if (DataClassName(data_class) == name) return data_class;
  }
  return std::nullopt;
}

}  // namespace lethe
