// SentenceRecognition (contract, section 3.1).

#include <algorithm>
#include <array>

#include "server/internal/api3_actions.h"
#include "service/recording_result.h"

namespace lethe::server_internal {
namespace {

constexpr std::size_t kMaxData = std::size_t{3} << 20;
constexpr std::uint64_t kMaxFetch = std::uint64_t{3} << 20;
constexpr Millis kMaxDuration = std::chrono::seconds(60);
constexpr Millis kFetchTime = std::chrono::seconds(30);
constexpr std::array<std::string_view, 9> kFormats = {"wav", "pcm", "ogg-opus", "speex", "silk",
                                                      "mp3", "m4a", "aac",      "amr"};

// Whoever was erased is told something else instead, and whoever left nothing.
ApiError Ended(const ApiCall& call) {
  if (call.under_way.cut_off()) {
    return {"ServiceUnavailable", "the service is stopping; try again elsewhere"};
  }
  return ClientGone();
}

ApiResult<std::string> Fetch(ApiCall& call) {
  const std::string url = call.arguments.Text("Url", true).value_or("");
  if (call.arguments.error()) return *call.arguments.error();
  if (const Status checked = call.outbound.CheckUrl(url); !checked.ok()) {
    return ApiError{"InvalidParameterValue.ErrorInvalidUrl", checked.message()};
  }
  std::string bytes;
  const Status fetched =
      call.outbound.Fetch(url,
                          {.max_bytes = kMaxFetch,
                           .total_time = kFetchTime,
                           .cancelled = [&call] { return call.under_way.over(); }},
                          [&](std::span<const std::byte> piece) {
                            bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
                            return OkStatus();
                          });
  if (fetched.code() == StatusCode::kResourceExhausted) {
    return ApiError{"InvalidParameterValue.ErrorVoicedataTooLong", fetched.message()};
  }
  if (fetched.code() == StatusCode::kCancelled) return Ended(call);
  if (!fetched.ok()) return ApiError{"FailedOperation.ErrorDownFile", fetched.message()};
  return bytes;
}

ApiError RecognitionError(const ApiCall& call, const Status& status) {
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
    case StatusCode::kUnimplemented:
      return {"InvalidParameterValue.ErrorInvalidVoicedata", "The audio " + status.message()};
    case StatusCode::kResourceExhausted:
      return {"InvalidParameterValue.ErrorVoicedataTooLong", "The audio " + status.message()};
    case StatusCode::kUnavailable:
      return {"ResourceInsufficient", status.message()};
    case StatusCode::kCancelled:
      return Ended(call);
    default:
      return {"InternalError.ErrorRecognize", status.message()};
  }
}

}  // namespace

ApiAnswer SentenceRecognition(ApiCall& call) {
  ApiArguments& arguments = call.arguments;
  const std::int64_t source = arguments.Number("SourceType", true).value_or(0);
  const std::string format = arguments.Text("VoiceFormat", true).value_or("");
  const std::int64_t word_info = arguments.Choice("WordInfo", 0, 2, 0);
  const std::int64_t sample_rate = arguments.Number("InputSampleRate").value_or(0);
  auto read = ReadRecognition(call, "EngSerViceType", 1);
  if (const auto* error = std::get_if<ApiError>(&read)) return *error;
  const auto& recognition = std::get<ApiRecognition>(read);
  if (source != 0 && source != 1) {
    return ApiError{"InvalidParameterValue.ErrorInvalidSourcetype",
                    "`SourceType` is 0 for a URL or 1 for data."};
  }
  if (std::find(kFormats.begin(), kFormats.end(), format) == kFormats.end() || format == "silk") {
    return ApiError{"InvalidParameterValue.ErrorInvalidVoiceFormat",
                    "`VoiceFormat` is one of wav, pcm, ogg-opus, speex, mp3, m4a, aac, amr; silk "
                    "cannot be decoded here."};
  }
  if (sample_rate != 0 && (sample_rate != 8000 || format != "pcm")) {
    return ApiError{"InvalidParameterValue", "`InputSampleRate` is 8000, and for pcm only."};
  }
  auto hot_words =
      call.context.word_lists.Resolve(call.application.id, *recognition.engine.speech,
                                      recognition.hot_word_list, recognition.vocabulary_id);
  if (!hot_words.ok()) return WordListError(hot_words.status());
  auto audio = source == 1 ? ReadData(call, kMaxData) : Fetch(call);
  if (const auto* error = std::get_if<ApiError>(&audio)) return *error;
  const auto& bytes = std::get<std::string>(audio);
  call.usage.facts = {{"source", source == 1 ? Label("data") : Label("url")},
                      {"hot_words", *hot_words != nullptr},
                      {"words", word_info > 0}};
  const auto begun = std::chrono::steady_clock::now();
  const auto transcript = call.context.recognizer.Recognize(
      {.engine = recognition.engine,
       .audio = std::as_bytes(std::span(bytes.data(), bytes.size())),
       .format = format,
       .pcm_rate = static_cast<int>(sample_rate),
       .words = word_info > 0,
       .post = recognition.post,
       .hot_words = *hot_words,
       .max_duration = kMaxDuration,
       .cancelled = [&call] { return call.under_way.over(); }});
  call.usage.facts.push_back({"recognise_ms", MillisSince(begun)});
  if (!transcript.ok()) return RecognitionError(call, transcript.status());
  call.usage.audio = transcript->duration;
  call.usage.facts.push_back({"segments", transcript->segments.size()});
  ApiFields words = nullptr;
  if (word_info > 0) {
    words = ApiFields::array();
    for (const Segment& segment : transcript->segments) {
      for (const Word& word : segment.words) {
        const std::string text = word_info == 1 ? WithoutPunctuation(word.text) : word.text;
        if (text.empty()) continue;
        words.push_back(
            {{"Word", text}, {"StartTime", word.start.count()}, {"EndTime", word.end.count()}});
      }
    }
  }
  const std::size_t num_words = words.is_array() ? words.size() : 0;
  return ApiFields{{"Result", transcript->Text()},
                   {"AudioDuration", transcript->duration.count()},
                   {"WordSize", num_words},
                   {"WordList", std::move(words)}};
}

}  // namespace lethe::server_internal
