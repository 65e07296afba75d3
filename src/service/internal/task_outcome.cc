#include "service/internal/task_outcome.h"

#include <nlohmann/json.hpp>

namespace lethe {
namespace {

using Json = nlohmann::json;

constexpr int kOtherFailure = 10005;

// The contract's code for a callback (section 4.1), kept with the task.
int CallbackCode(const Status& status, bool fetching) {
  if (status.ok()) return 0;
  if (fetching) return 10007;
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
  const std::string error =
      fetching ? "Failed to download audio file! " + status.message() : status.message();
  return {.state = TaskState::kFailed,
          .result = Json({{"code", CallbackCode(status, fetching)}}).dump(),
          .error = error.substr(0, kMaxTaskText)};
}

TaskOutcome CancelledOutcome() {
  return {.state = TaskState::kFailed,
          .result = Json({{"code", kOtherFailure}, {"cancelled", true}}).dump(),
          .error = "the task was cancelled on request before it was done"};
}

std::string FailureCode(const std::string& result) {
  const Json json = Json::parse(result, nullptr, false);
  if (json.is_object() && json.value("cancelled", false)) return "cancelled";
  switch (json.is_object() ? json.value("code", 0) : 0) {
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

}  // namespace lethe
