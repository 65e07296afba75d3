#include "service/internal/subtitles.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "base/encoding.h"
#include "service/internal/phrase_ends.h"

namespace lethe::internal {
namespace {

// What is shorter than this cannot be read, or looks torn off.
constexpr Millis kShortDuration{1'000};
constexpr std::size_t kShortCharacters = 20;
// A pause of this length is as good a place as a comma.
constexpr Millis kPause{250};

// What a cue costs, and what it costs to cut behind a word; the cheapest cuts are taken. Only their
// order of magnitude matters: to cut no phrase is worth a cue more, though not two.
constexpr double kCue = 1.0;
constexpr double kCutInPhrase = 2.0;
constexpr double kCutBehindComma = 0.5;
constexpr double kShortCue = 0.9;
constexpr double kEmptySpace = 0.5;
constexpr double kTooMuch = 1e6;

std::string Join(const std::vector<Word>& words, std::size_t first, std::size_t last) {
  std::string text;
  for (std::size_t i = first; i < last; ++i) {
    if (i > first) text += ' ';
    text += words[i].text;
  }
  return text;
}

// Cuts the words of one segment. cheapest[i] is what words [0, i) cost, begin[i] where the last of
// their cues begins.
class Cutter {
 public:
  explicit Cutter(const Segment& segment)
      : segment_(segment), words_(segment.words), lengths_(words_.size() + 1, 0) {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      lengths_[i + 1] = lengths_[i] + CountCharacters(words_[i].text) + 1;
    }
  }

  std::vector<Cue> Cut() const {
    const std::size_t count = words_.size();
    std::vector<double> cheapest(count + 1, std::numeric_limits<double>::infinity());
    std::vector<std::size_t> begin(count + 1, 0);
    cheapest[0] = 0;
    for (std::size_t last = 1; last <= count; ++last) {
      for (std::size_t first = last; first-- > 0;) {
        const double cost = cheapest[first] + CueCost(first, last) + CutCost(last);
        if (cost < cheapest[last]) {
          cheapest[last] = cost;
          begin[last] = first;
        }
        if (!Fits(first, last)) break;  // what begins earlier is longer still
      }
    }
    std::vector<Cue> cues;
    for (std::size_t last = count; last > 0; last = begin[last]) {
      cues.push_back({.start = Start(begin[last]),
                      .end = End(last),
                      .channel = segment_.channel,
                      .text = Join(words_, begin[last], last)});
    }
    std::reverse(cues.begin(), cues.end());
    return cues;
  }

  bool Fits(std::size_t first, std::size_t last) const {
    return Length(first, last) <= kMaxCueCharacters && End(last) - Start(first) <= kMaxCueDuration;
  }

 private:
  Millis Start(std::size_t first) const {
    return first == 0 ? segment_.start : words_[first].start;
  }
  Millis End(std::size_t last) const {
    return last == words_.size() ? segment_.end : words_[last - 1].end;
  }
  std::size_t Length(std::size_t first, std::size_t last) const {
    return lengths_[last] - lengths_[first] - 1;
  }

  double CueCost(std::size_t first, std::size_t last) const {
    if (!Fits(first, last) && last - first > 1) return kTooMuch;
    const std::size_t length = Length(first, last);
    const double filled = std::min(1.0, static_cast<double>(length) / kMaxCueCharacters);
    double cost = kCue + kEmptySpace * (1 - filled) * (1 - filled);
    if (length < kShortCharacters || End(last) - Start(first) < kShortDuration) cost += kShortCue;
    return cost;
  }

  double CutCost(std::size_t last) const {
    if (last == words_.size()) return 0;
    const PhraseEnd end = EndBehind(words_[last - 1].text, words_[last].text);
    if (end == PhraseEnd::kSentence) return 0;
    const Millis pause = words_[last].start - words_[last - 1].end;
    return end == PhraseEnd::kPhrase || pause >= kPause ? kCutBehindComma : kCutInPhrase;
  }

  const Segment& segment_;
  const std::vector<Word>& words_;
  std::vector<std::size_t> lengths_;  // of the first so many words, a space behind each
};

}  // namespace

std::vector<Cue> CutIntoCues(const Transcript& transcript) {
  std::vector<Cue> cues;
  for (const Segment& segment : transcript.segments) {
    if (segment.words.empty() || Join(segment.words, 0, segment.words.size()) != segment.text) {
      cues.push_back({segment.start, segment.end, segment.channel, segment.text});
      continue;
    }
    std::vector<Cue> more = Cutter(segment).Cut();
    cues.insert(cues.end(), std::make_move_iterator(more.begin()),
                std::make_move_iterator(more.end()));
  }
  // With channels apart, what another speaker says meanwhile comes between.
  std::stable_sort(cues.begin(), cues.end(),
                   [](const Cue& a, const Cue& b) { return a.start < b.start; });
  return cues;
}

}  // namespace lethe::internal
