#include "engine/internal/hypothesis.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>

#include "decode/word_timing.h"

namespace lethe {
namespace {

std::string_view Trim(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

// Phrases reach over words, so all of them are respelled as one text, whose length stays.
void RespellWords(const HotWords& hot_words, std::vector<Word>* words) {
  std::string text;
  for (const Word& word : *words) text += (text.empty() ? "" : " ") + word.text;
  hot_words.Respell(&text);
  std::size_t at = 0;
  for (Word& word : *words) {
    word.text = text.substr(at, word.text.size());
    at += word.text.size() + 1;
  }
}

std::vector<Word> TimeWords(const SpeechModel& model, const Request& request,
                            const Hypothesis& hypothesis) {
  const std::span<const int> tokens = hypothesis.tokens;
  const std::span<const float> probabilities = hypothesis.log_probabilities;
  // Where the model looked when it wrote the end, or what was dropped, is behind the last word:
  // without that row the word would last until the utterance does.
  const int frames = hypothesis.frames;
  const int rows = frames > 0 ? static_cast<int>(hypothesis.attention.size()) / frames : 0;
  const int num_tokens = static_cast<int>(tokens.size());
  const std::vector<FrameSpan> spans = AlignTokens(
      hypothesis.attention, std::max(num_tokens, std::min(rows, num_tokens + 1)), frames);
  const Tokenizer& tokenizer = model.tokenizer();
  const Utterance& utterance = request.utterance;
  const auto time = [&](int frame) {
    const SampleIndex at = SampleIndex{frame} * model.traits().frame_samples - hypothesis.lead;
    const auto last = static_cast<SampleIndex>(utterance.samples.size());
    return SamplesToMillis(utterance.start + std::clamp(at, SampleIndex{0}, last));
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
  if (request.hot_words) RespellWords(*request.hot_words, &words);
  return words;
}

}  // namespace

double SumOf(std::span<const float> log_probabilities) {
  return std::accumulate(log_probabilities.begin(), log_probabilities.end(), 0.0);
}

float Confidence(std::span<const float> log_probabilities) {
  if (log_probabilities.empty()) return 0;
  return static_cast<float>(
      std::exp(SumOf(log_probabilities) / static_cast<double>(log_probabilities.size())));
}

std::string WrittenText(const SpeechModel& model, const Request& request,
                        std::span<const int> tokens) {
  std::string text(Trim(model.tokenizer().Decode(tokens)));
  if (request.hot_words) request.hot_words->Respell(&text);
  return text;
}

Segment SegmentOf(const SpeechModel& model, const Request& request, const Hypothesis& hypothesis) {
  const Utterance& utterance = request.utterance;
  const auto length = static_cast<SampleIndex>(utterance.samples.size());
  Segment segment;
  segment.start = SamplesToMillis(utterance.start);
  segment.end = SamplesToMillis(utterance.start + length);
  segment.text = WrittenText(model, request, hypothesis.tokens);
  segment.num_tokens = static_cast<int>(hypothesis.tokens.size());
  segment.confidence = hypothesis.confidence;
  if (request.words) segment.words = TimeWords(model, request, hypothesis);
  return segment;
}

}  // namespace lethe
