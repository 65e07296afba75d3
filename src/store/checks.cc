#include "store/internal/checks.h"

#include <array>
#include <span>

#include "base/encoding.h"
#include "base/random.h"

namespace lethe {
namespace {

constexpr std::size_t kMaxCallText = 1024;
constexpr std::size_t kMaxRegion = 64;

bool HasControlCharacter(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  }
  return false;
}

Status CheckText(std::string_view what, std::string_view text, std::size_t max_bytes) {
  if (text.size() > max_bytes) {
    return InvalidArgument(std::string(what) + " has more than " + std::to_string(max_bytes) +
                           " bytes: " + std::to_string(text.size()));
  }
  if (!IsUtf8(text)) return InvalidArgument(std::string(what) + " is no UTF-8");
  return OkStatus();
}

Status CheckLine(std::string_view what, std::string_view text, std::size_t max_bytes) {
  RETURN_IF_ERROR(CheckText(what, text, max_bytes));
  if (text.empty()) return InvalidArgument(std::string(what) + " is empty");
  if (HasControlCharacter(text)) {
    return InvalidArgument(std::string(what) + " has a control character");
  }
  return OkStatus();
}

}  // namespace

Status CheckApplicationName(std::string_view name) {
  return CheckLine("the name of the application", name, kMaxApplicationName);
}

Status CheckQuota(const Quota& quota) {
  for (const std::optional<int>& number : {quota.calls_per_second, quota.concurrency}) {
    if (number && (*number < 0 || *number > kMaxQuota)) {
      return InvalidArgument("a quota lies between 0 and " + std::to_string(kMaxQuota) +
                             ", not: " + std::to_string(*number));
    }
  }
  return OkStatus();
}

Status CheckVocabulary(std::string_view name, std::string_view description,
                       const std::vector<WeightedWord>& words) {
  RETURN_IF_ERROR(CheckText("the name of the vocabulary", name, kMaxVocabularyName));
  RETURN_IF_ERROR(
      CheckText("the description of the vocabulary", description, kMaxVocabularyDescription));
  if (words.size() > kMaxVocabularyWords) return TooMany("words", kMaxVocabularyWords);
  for (const WeightedWord& word : words) {
    RETURN_IF_ERROR(CheckLine("a word of the vocabulary", word.word, kMaxVocabularyWord));
  }
  return OkStatus();
}

Status CheckKeywordLibrary(std::string_view name, const std::vector<std::string>& words) {
  RETURN_IF_ERROR(CheckLine("the name of the keyword library", name, kMaxKeywordLibraryName));
  if (words.size() > kMaxKeywords) return TooMany("keywords", kMaxKeywords);
  for (const std::string& word : words) {
    RETURN_IF_ERROR(CheckLine("a keyword", word, kMaxKeyword));
  }
  return OkStatus();
}

Status CheckNewTask(const NewTask& task) {
  RETURN_IF_ERROR(CheckText("the request of the task", task.request, kMaxTaskRequest));
  RETURN_IF_ERROR(CheckText("the request id of the task", task.request_id, kMaxTaskText));
  RETURN_IF_ERROR(CheckText("the engine of the task", task.engine, kMaxTaskText));
  if (task.upload_holder) RETURN_IF_ERROR(CheckHolder(*task.upload_holder));
  return CheckText("the callback of the task", task.callback_url, kMaxTaskText);
}

Status CheckHolder(const TaskHolder& holder) {
  RETURN_IF_ERROR(CheckLine("the name of the node", holder.node, kMaxNodeName));
  if (holder.lease <= Millis(0)) return InvalidArgument("a lease takes some time");
  return OkStatus();
}

Status CheckOutcome(const TaskOutcome& outcome) {
  if (outcome.state != TaskState::kSuccess && outcome.state != TaskState::kFailed) {
    return InvalidArgument("a task ends in success or failure");
  }
  if (outcome.result.size() > kMaxTaskResult) return TooMany("bytes of a result", kMaxTaskResult);
  return CheckText("the error of the task", outcome.error, kMaxTaskText);
}

Status CheckCallbackNote(const CallbackNote& note) {
  if (note.next == CallbackState::kNone) {
    return InvalidArgument("a callback is tried again, delivered or given up");
  }
  return CheckText("the outcome of the callback", note.outcome, kMaxCallbackOutcome);
}

Status CheckFinishedCalls(std::span<const FinishedCall> calls) {
  for (const FinishedCall& call : calls) {
    RETURN_IF_ERROR(CheckText("the id of the call", call.call_id, kMaxCallText));
    RETURN_IF_ERROR(CheckText("the result code of the call", call.result_code, kMaxCallText));
    RETURN_IF_ERROR(CheckText("the region of the call", call.region, kMaxRegion));
  }
  return OkStatus();
}

Status CheckUsageQuery(const UsageQuery& query) {
  if (query.last < query.first) return InvalidArgument("the last day lies before the first");
  if (query.last - query.first >= std::chrono::days(kMaxUsageDays)) {
    return InvalidArgument("usage is told for at most " + std::to_string(kMaxUsageDays) +
                           " days at once");
  }
  return OkStatus();
}

Status CheckCallQuery(const CallQuery& query) {
  if (query.end < query.begin) return InvalidArgument("the end lies before the begin");
  return OkStatus();
}

Status CheckLimit(int limit) {
  if (limit < 1) return InvalidArgument("a limit is at least 1, not: " + std::to_string(limit));
  return OkStatus();
}

Status CheckSubject(std::string_view subject) {
  return CheckLine("the name of the person", subject, kMaxSubject);
}

Status CheckNewConsent(const NewConsent& consent, WallTime now) {
  if (!consent.subject.empty()) RETURN_IF_ERROR(CheckSubject(consent.subject));
  if (consent.subject.empty() != (consent.basis == ConsentBasis::kCustomer)) {
    return InvalidArgument(
        "the customer's representation is for everyone, and a person's or parent's consent for one "
        "person");
  }
  const auto is_letter = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (consent.jurisdiction.size() != 2 || !is_letter(consent.jurisdiction[0]) ||
      !is_letter(consent.jurisdiction[1])) {
    return InvalidArgument("a jurisdiction is two capital letters of ISO 3166, as in DE");
  }
  if (consent.age_of_consent < 0 || consent.age_of_consent > kMaxAgeOfConsent) {
    return InvalidArgument("an age of consent lies between 0 and " +
                           std::to_string(kMaxAgeOfConsent) +
                           ", not: " + std::to_string(consent.age_of_consent));
  }
  if (consent.expires <= now) return InvalidArgument("a consent expires at some time to come");
  return OkStatus();
}

Status NoSuchApplication() { return NotFound("there is no such application"); }
Status NoSuchAccount() { return NotFound("no application has that account"); }
Status NoSuchKey() { return NotFound("there is no such key"); }
Status NoSuchVocabulary() { return NotFound("there is no such vocabulary"); }
Status NoSuchKeywordLibrary() { return NotFound("there is no such keyword library"); }
Status NoSuchTask() { return NotFound("there is no such task, or no longer"); }

Status NameIsTaken(std::string_view what) {
  return FailedPrecondition("there is " + std::string(what) + " of that name already");
}

Status TooMany(std::string_view what, std::size_t limit) {
  return ResourceExhausted("there may be at most " + std::to_string(limit) + " " +
                           std::string(what));
}

Status ApplicationIsDisabled(AppId id) {
  return PermissionDenied("the application is disabled: " + std::to_string(id));
}

Status NotRunningUnderLease() {
  return FailedPrecondition("the task does not run under that lease");
}

Status NoCallbackPending() { return FailedPrecondition("the task has no callback to be made"); }

std::string_view TaskStateName(TaskState state) {
  constexpr std::array<std::string_view, 4> kNames = {"waiting", "running", "success", "failed"};
  return kNames[static_cast<std::size_t>(state)];
}

TaskId NewTaskId() {
  for (;;) {
    std::array<std::byte, 6> bytes;
    FillRandom(bytes);
    TaskId id = 0;
    for (const std::byte byte : bytes) id = id << 8 | std::to_integer<TaskId>(byte);
    if (id != 0) return id;
  }
}

std::uint64_t CountedSeconds(const FinishedCall& call) {
  if (!call.succeeded) return 0;
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(call.audio).count();
  return seconds < 1 ? 1 : static_cast<std::uint64_t>(seconds);
}

}  // namespace lethe
