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

UtteranceTranscriber::UtteranceTranscriber(const SpeechModel& model, const HearingOptions& hearing)
    : model_(model), hearing_(hearing), state_(model.NewState()) {}

void UtteranceTranscriber::Hear(std::span<const float> samples, SampleIndex lead, bool certain,
                                bool words, Hypothesis* hypothesis) {
  const ModelTraits& traits = model_.traits();
  const double seconds = static_cast<double>(samples.size()) / kSampleRate;
  const int by_rate =
      static_cast<int>(std::ceil(seconds * traits.max_tokens_per_second)) + kSpareTokens;
  state_->Encode(samples);
  state_->RecordAttention(words);
  const int most = std::min(by_rate, traits.max_tokens - 1);
  search_.Begin({.end_token = traits.end_token, .max_tokens = most, .forbid_empty = certain});
  const auto frames = static_cast<std::size_t>(state_->num_frames());
  hypothesis->frames = state_->num_frames();
  hypothesis->lead = lead;
  hypothesis->attention.clear();
  if (words) hypothesis->attention.reserve(frames * static_cast<std::size_t>(most + 1));
  for (int token = traits.begin_token;;) {
    const std::span<float> logits = state_->Step(token);
    if (words) {
      const std::span<const float> row = state_->Attention();
      hypothesis->attention.insert(hypothesis->attention.end(), row.begin(), row.end());
    }
    token = search_.Choose(model_.kernels(), logits);
    if (token == traits.end_token) break;
  }
  hypothesis->tokens.assign(search_.tokens().begin(), search_.tokens().end());
  hypothesis->log_probabilities.assign(search_.log_probabilities().begin(),
                                       search_.log_probabilities().end());
}

Segment UtteranceTranscriber::Transcribe(const Utterance& utterance, const StreamOptions& options) {
  Hear(utterance.samples, 0, utterance.certain, options.words, &best_);
  float confidence = Confidence(best_.log_probabilities);
  if (!best_.tokens.empty() && confidence < hearing_.unsure) {
    const SampleIndex silence = MillisToSamples(hearing_.silence);
    surrounded_.assign(utterance.samples.size() + 2 * static_cast<std::size_t>(silence), 0.0f);
    std::copy(utterance.samples.begin(), utterance.samples.end(), surrounded_.begin() + silence);
    Hear(surrounded_, silence, utterance.certain, options.words, &other_);
    if (const float again = Confidence(other_.log_probabilities); again > confidence) {
      confidence = again;
      std::swap(best_, other_);
    }
  }
  Segment segment;
  segment.channel = options.channel;
  segment.start = SamplesToMillis(utterance.start);
  segment.end =
      SamplesToMillis(utterance.start + static_cast<SampleIndex>(utterance.samples.size()));
  segment.text = Trim(model_.tokenizer().Decode(best_.tokens));
  segment.num_tokens = static_cast<int>(best_.tokens.size());
  segment.confidence = confidence;
  if (options.words) segment.words = TimeWords(utterance);
  return segment;
}

std::vector<Word> UtteranceTranscriber::TimeWords(const Utterance& utterance) const {
  const std::span<const int> tokens = best_.tokens;
  const std::span<const float> probabilities = best_.log_probabilities;
  const std::vector<FrameSpan> spans =
      AlignTokens(best_.attention, static_cast<int>(tokens.size()), best_.frames);
  const Tokenizer& tokenizer = model_.tokenizer();
  const auto time = [&](int frame) {
    const SampleIndex at =
        std::clamp(SampleIndex{frame} * model_.traits().frame_samples - best_.lead, SampleIndex{0},
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
