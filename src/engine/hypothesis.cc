#include "engine/internal/hypothesis.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>

#include "base/trim.h"
#include "decode/pauses.h"
#include "decode/word_timing.h"

namespace lethe {
namespace {

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

// Where the model looked when it wrote a full stop is the pause, or what is said behind it.
bool IsSpoken(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) {
    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
}

// [tokens]; an empty span, where the one before it ends, for what is not spoken.
std::vector<FrameSpan> AlignSpoken(const Tokenizer& tokenizer, const Hypothesis& hypothesis) {
  const int num_tokens = static_cast<int>(hypothesis.tokens.size()), frames = hypothesis.frames;
  // Where the model looked when it wrote the end, or what was dropped, is behind the last word:
  // without that row the word would last until the utterance does.
  const int rows = frames > 0 ? static_cast<int>(hypothesis.attention.size()) / frames : 0;
  std::vector<int> spoken;
  std::vector<float> attention;
  for (int i = 0; i < std::min(rows, num_tokens + 1); ++i) {
    if (i < num_tokens) {
      if (!IsSpoken(tokenizer.Decode(std::span(hypothesis.tokens).subspan(i, 1)))) continue;
      spoken.push_back(i);
    }
    const auto row = hypothesis.attention.begin() + std::ptrdiff_t{i} * frames;
    attention.insert(attention.end(), row, row + frames);
  }
  const int aligned = frames > 0 ? static_cast<int>(attention.size()) / frames : 0;
  const std::vector<FrameSpan> found = AlignTokens(attention, aligned, frames);
  std::vector<FrameSpan> spans(hypothesis.tokens.size());
  int end = 0;
  for (std::size_t i = 0, next = 0; i < spans.size(); ++i) {
    const bool is_spoken = next < spoken.size() && spoken[next] == static_cast<int>(i);
    spans[i] = is_spoken ? found[next++] : FrameSpan{end, end};
    end = spans[i].last;
  }
  return spans;
}

std::vector<Word> TimeWords(const SpeechModel& model, const Request& request,
                            const Hypothesis& hypothesis) {
  const std::span<const int> tokens = hypothesis.tokens;
  const std::span<const float> probabilities = hypothesis.log_probabilities;
  const std::vector<FrameSpan> spans = AlignSpoken(model.tokenizer(), hypothesis);
  const Utterance& utterance = request.utterance;
  const auto place = [&](int frame) {
    const SampleIndex at = SampleIndex{frame} * model.traits().frame_samples - hypothesis.lead;
    const auto last = static_cast<SampleIndex>(utterance.samples.size());
    return utterance.start + std::clamp(at, SampleIndex{0}, last);
  };
  std::vector<Word> words;
  std::vector<SampleSpan> places;
  for (std::size_t begin = 0; begin < tokens.size();) {
    std::size_t end = begin + 1;
    while (end < tokens.size() && !model.tokenizer().BeginsWord(tokens[end])) ++end;
    const std::string text(Trim(model.tokenizer().Decode(tokens.subspan(begin, end - begin))));
    if (!text.empty()) {
      words.push_back(
          {.text = text, .confidence = Confidence(probabilities.subspan(begin, end - begin))});
      places.push_back({place(spans[begin].first), place(spans[end - 1].last)});
    }
    begin = end;
  }
  TakeOutPauses(utterance.speech, places);
  for (std::size_t i = 0; i < words.size(); ++i) {
    words[i].start = SamplesToMillis(places[i].start);
    words[i].end = SamplesToMillis(places[i].end);
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
