#include "server/internal/api3_actions.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "base/encoding.h"
#include "server/internal/contract_filters.h"

namespace lethe::server_internal {
namespace {

// What Lethe has no model or no purpose for is said, with the documented error that fits best.
template <const char* const& kWhat>
ApiAnswer NotOffered(ApiCall&) {
  return ApiError{"UnsupportedOperation", std::string(kWhat)};
}

const char* const kNoCustomization =
    "Lethe has no self-learning models: use a vocabulary (CreateAsrVocab) for names and terms.";
const char* const kNoLiveStreams =
    "Lethe does not fetch live streams: send the audio to /asr/v2/ as it is spoken.";
const char* const kNoVoicePrints =
    "Lethe recognises speech and not who speaks: it makes and keeps no voiceprints.";

// Base64 of 5 MB of audio; of 1 MB of words, or as many as a vocabulary holds in JSON; names and
// numbers.
constexpr std::size_t kAudioBody = std::size_t{10} << 20;
constexpr std::size_t kWordsBody = std::size_t{2} << 20;
constexpr std::size_t kSmallBody = std::size_t{64} << 10;

constexpr std::array kActions = {
    ApiAction{"SentenceRecognition", Interface::kSentence, true, kAudioBody, SentenceRecognition},
    ApiAction{"CreateRecTask", Interface::kRecording, false, kAudioBody, CreateRecTask},
    ApiAction{"DescribeTaskStatus", Interface::kRecordingStatus, false, kSmallBody,
              DescribeTaskStatus},
    ApiAction{"CreateAsrVocab", Interface::kManagement, false, kWordsBody, CreateAsrVocab},
    ApiAction{"UpdateAsrVocab", Interface::kManagement, false, kWordsBody, UpdateAsrVocab},
    ApiAction{"DeleteAsrVocab", Interface::kManagement, false, kSmallBody, DeleteAsrVocab},
    ApiAction{"GetAsrVocab", Interface::kManagement, false, kSmallBody, GetAsrVocab},
    ApiAction{"GetAsrVocabList", Interface::kManagement, false, kSmallBody, GetAsrVocabList},
    ApiAction{"SetVocabState", Interface::kManagement, false, kSmallBody, SetVocabState},
    ApiAction{"DownloadAsrVocab", Interface::kManagement, false, kSmallBody, DownloadAsrVocab},
    ApiAction{"CreateAsrKeyWordLib", Interface::kManagement, false, kWordsBody,
              CreateAsrKeyWordLib},
    ApiAction{"UpdateAsrKeyWordLib", Interface::kManagement, false, kWordsBody,
              UpdateAsrKeyWordLib},
    ApiAction{"DeleteAsrKeyWordLib", Interface::kManagement, false, kSmallBody,
              DeleteAsrKeyWordLib},
    ApiAction{"GetAsrKeyWordLibList", Interface::kManagement, false, kSmallBody,
              GetAsrKeyWordLibList},
    ApiAction{"GetUsageByDate", Interface::kManagement, false, kSmallBody, GetUsageByDate},
    ApiAction{"CreateCustomization", Interface::kManagement, false, kSmallBody,
              NotOffered<kNoCustomization>},
    ApiAction{"ModifyCustomization", Interface::kManagement, false, kSmallBody,
              NotOffered<kNoCustomization>},
    ApiAction{"ModifyCustomizationState", Interface::kManagement, false, kSmallBody,
              NotOffered<kNoCustomization>},
    ApiAction{"DeleteCustomization", Interface::kManagement, false, kSmallBody,
              NotOffered<kNoCustomization>},
    ApiAction{"DownloadCustomization", Interface::kManagement, false, kSmallBody,
              NotOffered<kNoCustomization>},
    ApiAction{"GetCustomizationList", Interface::kManagement, false, kSmallBody,
              NotOffered<kNoCustomization>},
    ApiAction{"GetModelInfo", Interface::kManagement, false, kSmallBody,
              NotOffered<kNoCustomization>},
    ApiAction{"CreateAsyncRecognitionTask", Interface::kManagement, false, kSmallBody,
              NotOffered<kNoLiveStreams>},
    ApiAction{"CloseAsyncRecognitionTask", Interface::kManagement, false, kSmallBody,
              NotOffered<kNoLiveStreams>},
    ApiAction{"DescribeAsyncRecognitionTasks", Interface::kManagement, false, kSmallBody,
              NotOffered<kNoLiveStreams>},
    ApiAction{"VoicePrintEnroll", Interface::kManagement, false, kAudioBody,
              NotOffered<kNoVoicePrints>},
    ApiAction{"VoicePrintUpdate", Interface::kManagement, false, kAudioBody,
              NotOffered<kNoVoicePrints>},
    ApiAction{"VoicePrintVerify", Interface::kManagement, false, kAudioBody,
              NotOffered<kNoVoicePrints>},
    ApiAction{"VoicePrintCompare", Interface::kManagement, false, kAudioBody,
              NotOffered<kNoVoicePrints>},
    ApiAction{"VoicePrintGroupVerify", Interface::kManagement, false, kAudioBody,
              NotOffered<kNoVoicePrints>},
    ApiAction{"VoicePrintDelete", Interface::kManagement, false, kAudioBody,
              NotOffered<kNoVoicePrints>},
    ApiAction{"VoicePrintCount", Interface::kManagement, false, kAudioBody,
              NotOffered<kNoVoicePrints>},
    ApiAction{"VoicePrintGroupList", Interface::kManagement, false, kAudioBody,
              NotOffered<kNoVoicePrints>},
};
static_assert(kActions.size() == 33);

}  // namespace

const ApiAction* FindApiAction(std::string_view name) {
  const auto* found = std::find_if(kActions.begin(), kActions.end(),
                                   [&](const ApiAction& action) { return action.name == name; });
  return found == kActions.end() ? nullptr : found;
}

ApiResult<ApiRecognition> ReadRecognition(ApiCall& call, const char* engine_name,
                                          std::int64_t most_number_mode) {
  ApiArguments& arguments = call.arguments;
  const std::string name = arguments.Text(engine_name, true).value_or("");
  ApiRecognition read;
  const auto dirty = static_cast<int>(arguments.Choice("FilterDirty", 0, 2, 0));
  const auto modal = static_cast<int>(arguments.Choice("FilterModal", 0, 2, 0));
  const auto punc = static_cast<int>(arguments.Choice("FilterPunc", 0, 2, 0));
  const auto numbers = static_cast<int>(arguments.Choice("ConvertNumMode", 0, most_number_mode, 1));
  read.hot_word_list = arguments.Text("HotwordList").value_or("");
  read.vocabulary_id = arguments.Text("HotwordId").value_or("");
  if (numbers == 2) arguments.Note({"InvalidParameterValue", "`ConvertNumMode` is 0, 1 or 3."});
  if (arguments.error()) return *arguments.error();
  read.post = {.profanity = ContractProfanity(dirty),
               .fillers = ContractFillers(modal),
               .punctuation = ContractPunctuation(punc),
               .numbers = ContractNumbers(numbers)};
  auto engine = call.context.engines.Find(name);
  if (!engine.ok()) {
    return ApiError{"InvalidParameterValue.ErrorInvalidEngservice", engine.status().message()};
  }
  read.engine = *std::move(engine);
  return read;
}

ApiResult<std::string> ReadData(ApiCall& call, std::size_t most) {
  const std::string text = call.arguments.Text("Data", true).value_or("");
  if (call.arguments.error()) return *call.arguments.error();
  if (text.size() > most) {
    return ApiError{"InvalidParameterValue.ErrorVoicedataTooLong",
                    "`Data` is larger than allowed, in bytes of base64: " +
                        std::to_string(text.size()) + " of " + std::to_string(most)};
  }
  auto bytes = Base64Decode(text);
  if (!bytes || bytes->empty()) {
    return ApiError{"InvalidParameterValue.ErrorInvalidVoicedata",
                    bytes ? "`Data` is empty." : "`Data` is not base64."};
  }
  return *std::move(bytes);
}

ApiError StoreError(const Status& status) {
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
      return {"InvalidParameterValue", status.message()};
    case StatusCode::kResourceExhausted:
      return {"LimitExceeded", status.message()};
    default:
      return {"InternalError.FailAccessDatabase", status.message()};
  }
}

ApiError ProcessingError(const ProcessingRefusal& refusal) {
  switch (refusal.reason) {
    case ProcessingRefusal::Reason::kConsent:
      return {"AuthFailure.UnauthorizedOperation", refusal.message};
    case ProcessingRefusal::Reason::kSubject:
      return {"InvalidParameterValue", "X-Lethe-Subject: " + refusal.message};
    case ProcessingRefusal::Reason::kSpent:
      return {"FailedOperation.UserHasNoFreeAmount", refusal.message};
    case ProcessingRefusal::Reason::kOverdue:
      return {"FailedOperation.ServiceIsolate", refusal.message};
    case ProcessingRefusal::Reason::kUnavailable:
      break;
  }
  return {"InternalError.FailAccessDatabase", refusal.message};
}

ApiError GateError(GateRefusal) {
  return {"RequestLimitExceeded",
          "More calls than this application may make; wait, or raise its quota."};
}

ApiError ClientGone() { return {"FailedOperation", "The client left."}; }

ApiError WordListError(const Status& status) {
  switch (status.code()) {
    case StatusCode::kNotFound:
      return {"InvalidParameterValue.InvalidVocabId", status.message()};
    case StatusCode::kInvalidArgument:
      return {"InvalidParameterValue.InvalidWordWeightStr", status.message()};
    default:
      return StoreError(status);
  }
}

std::string ShowTime(WallTime time) {
  using namespace std::chrono;
  constexpr hours kOffset{8};
  const auto local = floor<seconds>(time) + kOffset;
  const auto day = floor<days>(local);
  const year_month_day date(day);
  const hh_mm_ss clock(local - day);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d+08:00",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

}  // namespace lethe::server_internal
