#include "server/internal/realtime_parameters.h"

#include <charconv>
#include <cmath>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "base/encoding.h"
#include "server/internal/contract_filters.h"

namespace lethe::server_internal {
namespace {

constexpr std::size_t kMaxVoiceId = 128;
constexpr std::size_t kMaxNonceDigits = 10;
constexpr std::size_t kMaxSpeakerContextId = 128;

// What `voice_format` may say.
constexpr int kPcm = 1, kSpeex = 4, kSilk = 6, kMp3 = 8, kOpus = 10, kWav = 12, kM4a = 14,
              kAac = 16;

template <class Number>
std::optional<Number> ParseNumber(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Reads parameters and keeps the first complaint.
class Reader {
 public:
  explicit Reader(const NamedValues& query) : query_(query) {}

  std::string Text(std::string_view name) const { return FindValue(query_, name).value_or(""); }

  void Complain(std::string_view name, std::string_view what) {
    if (!status_.ok()) return;
    status_ = InvalidArgument(std::string(name) + " " + std::string(what));
  }

  std::string Required(std::string_view name) {
    std::string text = Text(name);
    if (text.empty()) Complain(name, "is missing");
    return text;
  }

  int OneOf(std::string_view name, int otherwise, std::initializer_list<int> allowed) {
    const std::string text = Text(name);
    if (text.empty()) return otherwise;
    const auto number = ParseNumber<int>(text);
    std::string choices;
    for (const int value : allowed) {
      if (number == value) return value;
      choices += (choices.empty() ? "" : ", ") + std::to_string(value);
    }
    Complain(name, "must be one of " + choices);
    return otherwise;
  }

  // 0 stands for the default too: an official client always sends it.
  Millis Duration(std::string_view name, Millis otherwise, int least, int most) {
    const std::string text = Text(name);
    if (text.empty()) return otherwise;
    const auto number = ParseNumber<int>(text);
    if (number == 0) return otherwise;
    if (number && *number >= least && *number <= most) return Millis(*number);
    Complain(name, "must be from " + std::to_string(least) + " to " + std::to_string(most));
    return otherwise;
  }

  float Float(std::string_view name, float otherwise, float least, float most) {
    const std::string text = Text(name);
    if (text.empty()) return otherwise;
    const auto number = ParseNumber<float>(text);
    // NaN lies between nothing.
    if (number && *number >= least && *number <= most) return *number;
    Complain(name, "must be a number from " + std::to_string(std::lround(least)) + " to " +
                       std::to_string(std::lround(most)));
    return otherwise;
  }

  const Status& status() const { return status_; }

 private:
  const NamedValues& query_;
  Status status_;
};

bool IsNonce(std::string_view text) {
  const auto number = ParseNumber<std::int64_t>(text);
  return text.size() <= kMaxNonceDigits && number && *number > 0;
}

void ReadFormat(Reader& reader, RealtimeParameters* parameters) {
  // Speex unless something else is said.
  switch (
      reader.OneOf("voice_format", kSpeex, {kPcm, kSpeex, kSilk, kMp3, kOpus, kWav, kM4a, kAac})) {
    case kPcm:
      parameters->format = LiveFormat::kPcm;
      break;
    case kWav:
      parameters->format = LiveFormat::kWav;
      break;
    case kOpus:
      parameters->format = LiveFormat::kOpusFrames;
      break;
    case kM4a:
      parameters->format = LiveFormat::kRecordings;
      break;
    case kSilk:
      reader.Complain("voice_format",
                      "6 (silk) cannot be decoded here; send pcm (1), wav (12), mp3 (8), opus "
                      "(10), m4a (14), aac (16) or speex in Ogg (4)");
      break;
    default:
      parameters->format = LiveFormat::kMedia;
  }
  const int rate = reader.OneOf("input_sample_rate", 0, {8'000, 16'000});
  if (parameters->format == LiveFormat::kPcm) parameters->pcm_rate = rate;
}

void ReadPostOptions(Reader& reader, PostOptions* post) {
  post->profanity = ContractProfanity(reader.OneOf("filter_dirty", 0, {0, 1, 2}));
  post->fillers = ContractFillers(reader.OneOf("filter_modal", 0, {0, 1, 2}));
  post->punctuation = ContractPunctuation(reader.OneOf("filter_punc", 0, {0, 1, 2}));
  post->numbers = ContractNumbers(reader.OneOf("convert_num_mode", 1, {0, 1, 3}));
}

void ReadSentenceMode(Reader& reader, RealtimeParameters* parameters) {
  const bool wanted = reader.OneOf("result_mod", 0, {0, 1}) == 1;
  reader.OneOf("sentence_strategy", 0, {0, 1});
  reader.OneOf("speaker_diarization", 0, {0, 1});
  // The engines that tell speakers apart answer in sentences whether asked to or not.
  const bool speakers = parameters->engine.find("_speaker") != std::string::npos;
  parameters->sentence_mode = wanted || speakers;
  parameters->speaker_context = reader.OneOf("enable_speaker_context", 0, {0, 1}) == 1;
  parameters->speaker_context_id = reader.Text("speaker_context_id");
  if (parameters->speaker_context_id.size() > kMaxSpeakerContextId ||
      !IsUtf8(parameters->speaker_context_id)) {
    reader.Complain("speaker_context_id", "is none of ours");
  }
}

}  // namespace

std::string VoiceId(const NamedValues& query) {
  std::string id = FindValue(query, "voice_id").value_or("");
  if (id.size() > kMaxVoiceId || !IsUtf8(id)) id.clear();
  return id;
}

Result<RealtimeParameters> ParseRealtimeParameters(const NamedValues& query) {
  Reader reader(query);
  RealtimeParameters parameters;
  parameters.engine = reader.Required("engine_model_type");
  reader.Required("voice_id");
  parameters.voice_id = VoiceId(query);
  if (parameters.voice_id.empty()) {
    reader.Complain("voice_id", "must be text of at most 128 characters");
  }
  if (!IsNonce(reader.Required("nonce"))) {
    reader.Complain("nonce", "must be a positive number of at most 10 digits");
  }
  ReadFormat(reader, &parameters);
  reader.OneOf("needvad", 0, {0, 1});
  parameters.hot_word_list = reader.Text("hotword_list");
  parameters.vocabulary_id = reader.Text("hotword_id");
  ReadPostOptions(reader, &parameters.post);
  parameters.filter_empty = reader.OneOf("filter_empty_result", 1, {0, 1}) == 1;
  constexpr WordInfo kWords[] = {WordInfo::kNone, WordInfo::kPlain, WordInfo::kPunctuated};
  const int words = reader.OneOf("word_info", 0, {0, 1, 2, 100});
  parameters.word_info = kWords[words == 100 ? 2 : words];
  parameters.confidence = reader.OneOf("lethe_confidence", 0, {0, 1}) == 1;
  // The least of an older page of the contract.
  parameters.trailing_silence =
      reader.Duration("vad_silence_time", parameters.trailing_silence, 240, 2'000);
  parameters.max_utterance =
      reader.Duration("max_speak_time", parameters.max_utterance, 5'000, 90'000);
  parameters.noise_threshold = reader.Float("noise_threshold", 0, -2, 2);
  if (reader.OneOf("emotion_recognition", 0, {0, 1, 2}) != 0) {
    reader.Complain("emotion_recognition", "is not available here; leave it out or send 0");
  }
  ReadSentenceMode(reader, &parameters);
  if (!reader.status().ok()) return reader.status();
  return parameters;
}

}  // namespace lethe::server_internal
