#include "service/internal/post_process.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>

namespace lethe::internal {
namespace {

Word Merged(std::span<const Word> words, std::string text) {
  double logarithms = 0;
  for (const Word& word : words) logarithms += std::log(static_cast<double>(word.confidence));
  const double mean = std::exp(logarithms / static_cast<double>(words.size()));
  return {.text = std::move(text),
          .start = words.front().start,
          .end = words.back().end,
          // A word by itself keeps its number to the last bit.
          .confidence = words.size() == 1 ? words.front().confidence : static_cast<float>(mean)};
}

void PostProcessWords(const PostProcessor& processor, Segment* segment) {
  std::vector<std::string> texts;
  texts.reserve(segment->words.size());
  for (const Word& word : segment->words) texts.push_back(word.text);
  const std::vector<PostWord> written = processor.Apply(texts);
  segment->text = processor.Join(written);
  std::vector<Word> words;
  words.reserve(written.size());
  for (const PostWord& word : written) {
    const auto covered = std::span(segment->words).subspan(word.first, word.last - word.first);
    words.push_back(Merged(covered, word.text));
  }
  segment->words = std::move(words);
}

// The first is the segment itself, and stays what that became.
void PostProcessAlternatives(const PostProcessor& processor, Segment* segment) {
  std::vector<Alternative> written;
  for (Alternative& alternative : segment->alternatives) {
    alternative.text = written.empty() ? segment->text : processor.ApplyToText(alternative.text);
    const bool there = std::any_of(written.begin(), written.end(), [&](const Alternative& other) {
      return other.text == alternative.text;
    });
    if (!there && !alternative.text.empty()) written.push_back(std::move(alternative));
  }
  segment->alternatives = std::move(written);
}

}  // namespace

void PostProcess(const PostProcessor& processor, std::vector<Segment>* segments) {
  for (Segment& segment : *segments) {
    if (segment.words.empty()) {
      segment.text = processor.ApplyToText(segment.text);
    } else {
      PostProcessWords(processor, &segment);
    }
    if (!segment.text.empty()) PostProcessAlternatives(processor, &segment);
  }
  std::erase_if(*segments, [](const Segment& segment) { return segment.text.empty(); });
}

}  // namespace lethe::internal
