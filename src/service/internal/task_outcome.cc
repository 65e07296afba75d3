#include "service/internal/task_outcome.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/random.h"
#include "service/internal/too_short.h"

namespace lethe {
namespace {

using Json = nlohmann::json;

constexpr int kOtherFailure = 10005;
constexpr std::size_t kMarkDigits = 32;

// The contract's code for a callback (section 4.1), kept with the task.
int CallbackCode(const Status& status, bool fetching) {
  if (status.ok()) return 0;
  if (fetching) return 10007;
  if (IsTooShort(status)) return 10002;
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
      return 10004;
    case StatusCode::kResourceExhausted:
      return 10003;
    default:
      return kOtherFailure;
  }
}

}  // namespace

TaskOutcome FailedOutcome(const Status& status, bool fetching) {
  // Messages about a recording begin with their verb.
  const bool audio = status.code() == StatusCode::kInvalidArgument ||
                     status.code() == StatusCode::kResourceExhausted;
  const std::string error = fetching ? "Failed to download audio file! " + status.message()
                            : audio  ? "the audio " + status.message()
                                     : status.message();
  return {.state = TaskState::kFailed,
          .result = WriteJson(Json({{"code", CallbackCode(status, fetching)}})),
          .error = CutText(error, kMaxTaskText)};
}

TaskOutcome CancelledOutcome() {
  return {
      .state = TaskState::kFailed,
      .result = WriteJson(Json({{"code", kOtherFailure}, {"cancelled", RandomHex(kMarkDigits)}})),
      .error = "the task was cancelled on request before it was done"};
}

std::string FailureCode(const std::string& result) {
  const Json json = ParseJson<Json>(result);
  if (json.is_object() && json.contains("cancelled")) return "cancelled";
  switch (json.is_object() ? json.value("code", 0) : 0) {
    case 10002:
    case 10003:
    case 10004:
    case 10006:
      return "FailedOperation.ErrorRecognize";
    case 10007:
      return "FailedOperation.ErrorDownFile";
    default:
      return "InternalError.ErrorRecognize";
  }
}

std::string CutText(const std::string& text, std::size_t most_bytes) {
  if (text.size() <= most_bytes) return text;
  std::size_t end = most_bytes;
  // Bytes that continue a character begin with 10.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace lethe
