#include "engine/internal/utterance.h"

#include <algorithm>
#include <cmath>

#include "decode/word_timing.h"

namespace lethe {
namespace {

// A word or two fits into the shortest segment; the rate only bounds longer ones.
constexpr int kSpareTokens = 6;

std::string_view Trim(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

float Confidence(std::span<const float> log_probabilities) {
  if (log_probabilities.empty()) return 0;
  double sum = 0;
  for (float p : log_probabilities) sum += p;
  return static_cast<float>(std::exp(sum / static_cast<double>(log_probabilities.size())));
}

}  // namespace

UtteranceTranscriber::UtteranceTranscriber(const SpeechModel& model)
    : model_(model), state_(model.NewState()) {}

Segment UtteranceTranscriber::Transcribe(const Utterance& utterance, const StreamOptions& options) {
  const ModelTraits& traits = model_.traits();
  const double seconds = static_cast<double>(utterance.samples.size()) / kSampleRate;
  const int by_rate =
      static_cast<int>(std::ceil(seconds * traits.max_tokens_per_second)) + kSpareTokens;
  state_->Encode(utterance.samples);
  state_->RecordAttention(options.words);
  const int most = std::min(by_rate, traits.max_tokens - 1);
  search_.Begin(
      {.end_token = traits.end_token, .max_tokens = most, .forbid_empty = utterance.certain});
  const auto frames = static_cast<std::size_t>(state_->num_frames());
  attention_.clear();
  if (options.words) attention_.reserve(frames * static_cast<std::size_t>(most + 1));
  for (int token = traits.begin_token;;) {
    const std::span<float> logits = state_->Step(token);
    if (options.words) {
      const std::span<const float> row = state_->Attention();
      attention_.insert(attention_.end(), row.begin(), row.end());
    }
    token = search_.Choose(model_.kernels(), logits);
    if (token == traits.end_token) break;
  }
  Segment segment;
  segment.channel = options.channel;
  segment.start = SamplesToMillis(utterance.start);
  segment.end =
      SamplesToMillis(utterance.start + static_cast<SampleIndex>(utterance.samples.size()));
  segment.text = Trim(model_.tokenizer().Decode(search_.tokens()));
  segment.num_tokens = static_cast<int>(search_.tokens().size());
  segment.confidence = Confidence(search_.log_probabilities());
  if (options.words) segment.words = TimeWords(utterance);
  return segment;
}

std::vector<Word> UtteranceTranscriber::TimeWords(const Utterance& utterance) {
  const std::span<const int> tokens = search_.tokens();
  const std::span<const float> probabilities = search_.log_probabilities();
  const std::vector<FrameSpan> spans =
      AlignTokens(attention_, static_cast<int>(tokens.size()), state_->num_frames());
  const Tokenizer& tokenizer = model_.tokenizer();
  const auto time = [&](int frame) {
    const SampleIndex at = std::min(SampleIndex{frame} * model_.traits().frame_samples,
                                    static_cast<SampleIndex>(utterance.samples.size()));
    return SamplesToMillis(utterance.start + at);
  };
  std::vector<Word> words;
  for (std::size_t begin = 0; begin < tokens.size();) {
    std::size_t end = begin + 1;
    while (end < tokens.size() && !tokenizer.BeginsWord(tokens[end])) ++end;
    const std::string text(Trim(tokenizer.Decode(tokens.subspan(begin, end - begin))));
    if (!text.empty()) {
      words.push_back({.text = text,
                       .start = time(spans[begin].first),
                       .end = time(spans[end - 1].last),
                       .confidence = Confidence(probabilities.subspan(begin, end - begin))});
    }
    begin = end;
  }
  return words;
}

}  // namespace lethe
