// What of a hypothesis could be a hot word: what was heard while it was found, its text, and the
// candidates that are tried (hot_word_search.cc).

#include <algorithm>
#include <string>
#include <tuple>

#include "decode/hot_word_search.h"
#include "decode/internal/hot_word_bonus.h"
#include "decode/internal/word_bytes.h"
#include "text/sound.h"

namespace lethe {
namespace {

// A first token less probable than this (logarithm) begins nothing.
constexpr float kLeastFirst = -16;
// For one hypothesis; the most promising are tried. Lists of a thousand names seldom reach a dozen.
constexpr std::size_t kMaxTrials = 64;
constexpr std::size_t kMaxReplaced = 8;  // words of the hypothesis that a hot word may replace

// A word without the signs around it, and without a genitive.
std::string_view Bare(std::string_view word) {
  while (!word.empty() && !IsWordByte(word.front())) word.remove_prefix(1);
  while (!word.empty() && !IsWordByte(word.back())) word.remove_suffix(1);
  if (word.size() > 2 && word.ends_with("'s")) word.remove_suffix(2);
  return word;
}

}  // namespace

void HotWordSearch::Hear(int position, std::span<const float> logits, float log_sum) {
  const std::span<const HotWords::Start> starts = words_->starts();
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const float log_probability = logits[static_cast<std::size_t>(starts[i].token)] - log_sum;
    if (log_probability > kLeastFirst) {
      heard_.push_back({position, static_cast<int>(i), log_probability});
    }
  }
}

void HotWordSearch::Listen(std::span<const float> logits, float log_sum, int token) {
  Hear(position_++, logits, log_sum);
  if (token == options_.end_token) {
    end_ = logits[static_cast<std::size_t>(token)] - log_sum;
  }
}

void HotWordSearch::ReadText() {
  const int n = static_cast<int>(base_.tokens.size());
  base_sum_.assign(1, 0);
  for (const float p : base_.log_probabilities) base_sum_.push_back(base_sum_.back() + p);
  base_sum_.push_back(base_sum_.back() + base_.end);
  text_.clear();
  std::vector<std::string> bare;
  for (int begin = 0; begin < n;) {
    int end = begin + 1;
    while (end < n && words_->kind(base_.tokens[end]) != TokenCodec::Kind::kBeginsWord) ++end;
    const std::string text =
        decode_(std::span(base_.tokens).subspan(begin, static_cast<std::size_t>(end - begin)));
    text_.push_back({.begin = begin, .end = end, .sound = SoundOf(text)});
    bare.emplace_back(Bare(text));
    begin = end;
  }
  for (std::size_t i = 0; i < bare.size(); ++i) {
    std::string phrase;
    const std::size_t last =
        std::min(bare.size(), i + static_cast<std::size_t>(words_->max_words()));
    for (std::size_t j = i; j < last; ++j) {
      phrase.append(j > i ? " " : "").append(bare[j]);
      if (const int found = words_->Find(phrase); found >= 0) {
        text_[i].hot_word = found;
        text_[i].hot_end = text_[j].end;
      }
    }
  }
}

float HotWordSearch::bonus() const {
  float sum = 0;
  for (const TextWord& at : text_) {
    if (at.hot_word >= 0)
      sum += HotWordBonus(words_->words()[static_cast<std::size_t>(at.hot_word)]);
  }
  return sum;
}

// From right to left: then the sequence holds the hypothesis up to the next trial's word already.
void HotWordSearch::ListCandidates() {
  candidates_.clear();
  next_candidate_ = 0;
  gains_.clear();
  for (std::size_t i = text_.size(); i-- > 0 && text_[i].begin >= cursor_;) ListAt(i);
  const auto order = [](const Candidate& c) { return std::tuple(-c.begin, c.spelling); };
  if (candidates_.size() > kMaxTrials) {
    std::sort(candidates_.begin(), candidates_.end(), [&](const Candidate& a, const Candidate& b) {
      return std::tuple(-(a.first + a.bonus), order(a)) <
             std::tuple(-(b.first + b.bonus), order(b));
    });
    candidates_.resize(kMaxTrials);
  }
  std::sort(candidates_.begin(), candidates_.end(),
            [&](const Candidate& a, const Candidate& b) { return order(a) < order(b); });
}

void HotWordSearch::ListAt(std::size_t text_word) {
  const TextWord& at = text_[text_word];
  std::string sound;
  struct End {
    std::size_t sounds = 0;
    int token = 0;
  };
  std::vector<End> ends;
  const std::size_t last = std::min(text_.size(), text_word + kMaxReplaced);
  for (std::size_t i = text_word; i < last; ++i) {
    sound += text_[i].sound;
    ends.push_back({sound.size(), text_[i].end});
  }
  for (const Heard& heard : heard_) {
    if (heard.position != at.begin) continue;
    const HotWords::Start& start = words_->starts()[static_cast<std::size_t>(heard.start)];
    // Without a space a word begins a text only.
    if (at.begin > 0 && words_->kind(start.token) != TokenCodec::Kind::kBeginsWord) continue;
    for (int s = start.begin; s < start.end; ++s) {
      const HotWords::Spelling& spelling = words_->spellings()[static_cast<std::size_t>(s)];
      if (at.hot_word == spelling.word) continue;
      const HotWords::Word& word = words_->words()[static_cast<std::size_t>(spelling.word)];
      Candidate candidate{.spelling = s,
                          .begin = at.begin,
                          .first = heard.log_probability,
                          .bonus = HotWordBonus(word)};
      if (Hopeless(candidate, 1, candidate.first) || Writes(candidate)) continue;
      const std::vector<float> distances = SoundDistances(word.sound, sound);
      float likeness = -1;
      for (const End& end : ends) {
        const float alike = SoundLikeness(distances[end.sounds], word.sound.size(), end.sounds);
        if (alike > likeness) likeness = alike, candidate.replaced_end = end.token;
      }
      candidate.bonus *= HotWordShare(likeness);
      if (candidate.bonus <= 0 || Hopeless(candidate, 1, candidate.first)) continue;
      candidates_.push_back(candidate);
    }
  }
}

// Whether the hypothesis is this spelling already, as a part of a compound perhaps.
bool HotWordSearch::Writes(const Candidate& candidate) const {
  const std::vector<int>& tokens =
      words_->spellings()[static_cast<std::size_t>(candidate.spelling)].tokens;
  const std::size_t begin = static_cast<std::size_t>(candidate.begin), end = begin + tokens.size();
  if (end > base_.tokens.size()) return false;
  if (!std::equal(tokens.begin(), tokens.end(), base_.tokens.begin() + candidate.begin))
    return false;
  return end == base_.tokens.size() ||
         words_->kind(base_.tokens[end]) != TokenCodec::Kind::kContinuesWord;
}

}  // namespace lethe
