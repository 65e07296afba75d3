#include "service/subtitle_lines.h"

#include <algorithm>
#include <string_view>

#include "base/encoding.h"
#include "service/internal/phrase_ends.h"
#include "service/internal/post_process.h"

namespace lethe {
namespace {

using internal::EndBehind;
using internal::PhraseEnd;

// Where each word begins in a segment's text. Empty if the words are not in it, in their order.
std::vector<std::size_t> PlacesOfWords(const Segment& segment) {
  std::vector<std::size_t> places;
  std::size_t at = 0;
  for (const Word& word : segment.words) {
    at = segment.text.find(word.text, at);
    if (at == std::string::npos) return {};
    places.push_back(at);
    at += word.text.size();
  }
  return places;
}

// The words [first, last) of a segment. What is written between words, or not, stays.
Segment Line(const Segment& segment, const std::vector<std::size_t>& places, std::size_t first,
             std::size_t last) {
  Segment line{.channel = segment.channel, .confidence = segment.confidence};
  const std::size_t end = places[last - 1] + segment.words[last - 1].text.size();
  line.text = segment.text.substr(places[first], end - places[first]);
  line.words.assign(segment.words.begin() + static_cast<std::ptrdiff_t>(first),
                    segment.words.begin() + static_cast<std::ptrdiff_t>(last));
  line.start = first == 0 ? segment.start : line.words.front().start;
  line.end = last == segment.words.size() ? segment.end : line.words.back().end;
  return line;
}

void Cut(const Segment& segment, std::size_t max_length, std::vector<Segment>* lines) {
  const std::vector<std::size_t> places = PlacesOfWords(segment);
  if (places.empty()) {
    lines->push_back(segment);
    return;
  }
  const std::vector<Word>& words = segment.words;
  std::size_t first = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto line = std::string_view(segment.text)
                          .substr(places[first], places[i] + words[i].text.size() - places[first]);
    if (max_length > 0 && i > first && CountCharacters(line) > max_length) {
      lines->push_back(Line(segment, places, first, i));
      first = i;
    }
    const bool last = i + 1 == words.size();
    if (last || EndBehind(words[i].text, words[i + 1].text) != PhraseEnd::kNone) {
      lines->push_back(Line(segment, places, first, i + 1));
      first = i + 1;
    }
  }
}

}  // namespace

std::vector<Segment> CutIntoLines(const Transcript& transcript, int max_length,
                                  PunctuationFilter punctuation) {
  std::vector<Segment> lines;
  for (const Segment& segment : transcript.segments) {
    Cut(segment, static_cast<std::size_t>(std::max(max_length, 0)), &lines);
  }
  const PostOptions options{.punctuation = punctuation};
  const auto processor = PostProcessor::ForLanguage(transcript.language, options);
  if (processor.ok() && !options.ChangesNothing()) internal::PostProcess(*processor, &lines);
  return lines;
}

}  // namespace lethe
