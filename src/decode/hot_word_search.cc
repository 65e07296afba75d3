#include "decode/hot_word_search.h"

#include <algorithm>

#include "decode/internal/hot_word_bonus.h"

namespace lethe {
namespace {

// Tokens in a row that have to be the same before a trial is back on the hypothesis, and how far
// behind the word it looks for them.
constexpr int kSame = 3;
constexpr int kReturnWindow = 8;
// A trial is given up when all of its bonus would not make up for what it lost against the
// hypothesis up to so many tokens behind it.
constexpr int kCredit = 4;
constexpr float kForbidden = -1e30f;

}  // namespace

void HotWordSearch::Begin(const HotWords& words, const GreedyOptions& options) {
  words_ = &words;
  options_ = options;
  position_ = 0;
  heard_.clear();
  end_ = 0;
  changed_ = trying_ = adopting_ = false;
}

const HotWords::Spelling& HotWordSearch::spelling() const {
  return words_->spellings()[static_cast<std::size_t>(now_.spelling)];
}

const HotWords::Word& HotWordSearch::word() const {
  return words_->words()[static_cast<std::size_t>(spelling().word)];
}

void HotWordSearch::BeginTrials(const GreedySearch& greedy) {
  base_.tokens.assign(greedy.tokens().begin(), greedy.tokens().end());
  base_.log_probabilities.assign(greedy.log_probabilities().begin(),
                                 greedy.log_probabilities().end());
  base_.end = end_;
  cursor_ = 0;
  shared_ = static_cast<int>(base_.tokens.size());
  ReadText();
  ListCandidates();
}

bool HotWordSearch::Hopeless(const Candidate& candidate, int tokens, double sum) const {
  const auto begin = static_cast<std::size_t>(candidate.begin);
  const std::size_t end =
      std::min(base_sum_.size() - 1, begin + static_cast<std::size_t>(tokens + kCredit));
  return sum + candidate.bonus <= base_sum_[end] - base_sum_[begin];
}

void HotWordSearch::BeginTrial(const Candidate& candidate, bool adopt) {
  trying_ = true;
  adopting_ = adopt;
  now_ = candidate;
  rest_at_ = -1;
  fed_ = std::min(now_.begin, shared_);
  shared_ = fed_;
  sum_ = now_.first;
  draft_.assign(base_.tokens.begin() + now_.replaced_end, base_.tokens.end());
  draft_at_ = 0;
  trial_.Begin(options_);
  for (std::size_t i = 0; i < static_cast<std::size_t>(now_.begin); ++i) {
    trial_.Take(base_.tokens[i], base_.log_probabilities[i]);
  }
  const int token = spelling().tokens[0];
  if (trial_.Take(token, now_.first) != token) GiveUp();  // repeats what is there, or is too long
  if (!trying_ || !adopting_) return;
  std::erase_if(heard_, [this](const Heard& heard) { return heard.position > now_.begin; });
}

bool HotWordSearch::Next(int max_rows, int* keep, std::vector<int>* rows) {
  while (!trying_) {
    if (next_candidate_ < candidates_.size()) {
      BeginTrial(candidates_[next_candidate_++], false);
    } else if (!gains_.empty()) {
      // The leftmost, or what gains more in its place.
      Candidate best = gains_.back();
      const int end = best.replaced_end;
      for (const Candidate& other : gains_) {
        if (other.begin < end && other.gain > best.gain) best = other;
      }
      BeginTrial(best, true);
    } else {
      return false;
    }
  }
  const std::span<const int> taken = trial_.tokens();
  const std::vector<int>& forced = spelling().tokens;
  planned_.clear();
  planned_at_ = 0;
  std::size_t draft_at = draft_at_;
  for (std::size_t i = static_cast<std::size_t>(fed_);
       planned_.size() < static_cast<std::size_t>(max_rows); ++i) {
    const std::size_t of_word = i - static_cast<std::size_t>(now_.begin);
    if (i < taken.size()) {
      planned_.push_back(taken[i]);
    } else if (of_word < forced.size()) {
      planned_.push_back(forced[of_word]);
    } else if (draft_at < draft_.size()) {
      planned_.push_back(draft_[draft_at++]);
    } else {
      break;
    }
  }
  *keep = 1 + fed_;
  rows->assign(planned_.begin(), planned_.end());
  return true;
}

bool HotWordSearch::Take(const KernelTable& kernels, std::span<float> logits) {
  ++fed_;
  ++planned_at_;
  if (fed_ <= now_.begin) return true;  // known already
  const int n = static_cast<int>(base_.tokens.size());
  float log_probability = 0;
  const int token = ChooseNext(kernels, logits, &log_probability);
  sum_ += log_probability;
  bool complete = token == options_.end_token;
  end_ = complete ? log_probability : 0;
  if (!complete) complete = trial_.Take(token, log_probability) == options_.end_token;
  if (trial_.repeated()) {
    GiveUp();
    return false;
  }
  if (complete) {
    adopting_ ? Adopt() : Judge(n + 1, 0);
    return false;
  }
  const int length = static_cast<int>(trial_.tokens().size()) - now_.begin;
  if (!adopting_ && Hopeless(now_, length, sum_)) {
    GiveUp();
    return false;
  }
  if (rest_at_ < 0 && length > static_cast<int>(spelling().tokens.size())) {
    FollowDraft(token);
    rest_at_ = FindReturn();
    if (rest_at_ >= 0 && !adopting_) {
      Judge(rest_at_, kSame);
      return false;
    }
    if (rest_at_ >= 0) {
      draft_.assign(base_.tokens.begin() + rest_at_, base_.tokens.end());
      draft_at_ = 0;
    }
  }
  return planned_at_ < planned_.size() && planned_[planned_at_] == token;
}

// The word's own token, what the hypothesis has, or what the model likes best.
int HotWordSearch::ChooseNext(const KernelTable& kernels, std::span<float> logits,
                              float* log_probability) {
  const int size = static_cast<int>(logits.size());
  int token = 0;
  float log_sum = 0;
  kernels.argmax_logsumexp(logits.data(), size, &token, &log_sum);
  const std::vector<int>& forced = spelling().tokens;
  const int behind = now_.begin + static_cast<int>(forced.size());
  if (fed_ < behind) {
    token = forced[static_cast<std::size_t>(fed_ - now_.begin)];
  } else {
    if (adopting_) Hear(fed_, logits, log_sum);
    if (rest_at_ >= 0) {
      const auto at = static_cast<std::size_t>(rest_at_++);
      token = at < base_.tokens.size() ? base_.tokens[at] : options_.end_token;
      if (draft_at_ < draft_.size()) ++draft_at_;
    } else if (fed_ == behind && word().ends_in_letter &&
               words_->kind(token) == TokenCodec::Kind::kContinuesWord) {
      // The word has to end here.
      for (int i = 0; i < size; ++i) {
        if (words_->kind(i) != TokenCodec::Kind::kContinuesWord) continue;
        logits[static_cast<std::size_t>(i)] = kForbidden;
      }
      float ignored = 0;
      kernels.argmax_logsumexp(logits.data(), size, &token, &ignored);
    }
  }
  *log_probability = logits[static_cast<std::size_t>(token)] - log_sum;
  return token;
}

// Keeps the draft on what the hypothesis had behind the same token.
void HotWordSearch::FollowDraft(int token) {
  if (draft_at_ < draft_.size() && draft_[draft_at_] == token) {
    ++draft_at_;
    return;
  }
  draft_.clear();
  draft_at_ = 0;
  const auto from = base_.tokens.begin() + now_.begin + 1;
  const auto to =
      base_.tokens.begin() +
      std::min<std::ptrdiff_t>(std::ssize(base_.tokens), now_.replaced_end + kReturnWindow);
  if (from >= to) return;
  if (const auto found = std::find(from, to, token); found != to) {
    draft_.assign(found + 1, base_.tokens.end());
  }
}

int HotWordSearch::FindReturn() const {
  const std::span<const int> taken = trial_.tokens();
  const int behind =
      static_cast<int>(taken.size()) - now_.begin - static_cast<int>(spelling().tokens.size());
  if (behind < kSame) return -1;
  const std::span<const int> last = taken.last(kSame);
  const int n = static_cast<int>(base_.tokens.size());
  const int end = std::min(n, now_.replaced_end + behind + kReturnWindow);
  for (int i = now_.begin + 1; i + kSame <= end; ++i) {
    if (std::equal(last.begin(), last.end(), base_.tokens.begin() + i)) return i + kSame;
  }
  return -1;
}

void HotWordSearch::GiveUp() {
  trying_ = false;
  if (!adopting_) return;
  std::erase_if(gains_, [this](const Candidate& gain) {
    return gain.begin == now_.begin && gain.spelling == now_.spelling;
  });
}

void HotWordSearch::Adopt() {
  trying_ = false;
  changed_ = true;
  cursor_ = now_.begin + static_cast<int>(spelling().tokens.size());
  base_.tokens.assign(trial_.tokens().begin(), trial_.tokens().end());
  base_.log_probabilities.assign(trial_.log_probabilities().begin(),
                                 trial_.log_probabilities().end());
  base_.end = end_;
  shared_ = static_cast<int>(base_.tokens.size());
  ReadText();
  ListCandidates();
}

// What the trial changes of the hypothesis before `base_end`, but for the last `shared` tokens,
// which are the same.
HotWordChange HotWordSearch::ChangeOfTrial(int base_end, int shared) const {
  const auto text = [this](std::span<const int> tokens, int from, int to) {
    to = std::min(to, static_cast<int>(tokens.size()));
    if (from >= to) return std::string();
    return decode_(
        tokens.subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from)));
  };
  const std::span<const int> base = base_.tokens, trial = trial_.tokens();
  const int end = base_end - shared, trial_end = static_cast<int>(trial.size()) - shared;
  // With its genitive, as the words of the hypothesis have theirs.
  int word_end = now_.begin + static_cast<int>(spelling().tokens.size());
  while (word_end < trial_end &&
         words_->kind(trial[static_cast<std::size_t>(word_end)]) != TokenCodec::Kind::kBeginsWord) {
    ++word_end;
  }
  const int replaced_end = std::min(now_.replaced_end, end);
  const auto replaced = std::count_if(text_.begin(), text_.end(), [&](const TextWord& at) {
    return at.begin >= now_.begin && at.begin < replaced_end;
  });
  return {.replaced = text(base, now_.begin, replaced_end),
          .written = text(trial, now_.begin, std::min(word_end, trial_end)),
          .behind = text(base, replaced_end, end),
          .behind_now = text(trial, word_end, trial_end),
          .replaced_words = static_cast<int>(replaced)};
}

// Weighs a trial against the hypothesis before `base_end`; the last `shared` tokens of both are the
// same.
void HotWordSearch::Judge(int base_end, int shared) {
  trying_ = false;
  const auto end = static_cast<std::size_t>(base_end);
  // What the model finds better without any bonus is no evidence for the word, greedy search just
  // missed it; so it does not add up.
  const double change = sum_ - (base_sum_[end] - base_sum_[static_cast<std::size_t>(now_.begin)]);
  double gain = std::min(change, 0.0) + now_.bonus;
  for (const TextWord& at : text_) {
    if (at.hot_word < 0 || at.begin < now_.begin || at.begin >= base_end - shared) continue;
    // The word is there, a little further on.
    if (at.hot_word == spelling().word) return;
    gain -= HotWordBonus(words_->words()[static_cast<std::size_t>(at.hot_word)]);
  }
  if (gain <= 0) return;
  const float bonus = HotWordBonus(word(), ChangeOfTrial(base_end, shared));
  gain -= std::max(0.0f, now_.bonus - bonus);
  if (gain <= 0) return;
  now_.gain = static_cast<float>(gain);
  gains_.push_back(now_);
}

}  // namespace lethe
