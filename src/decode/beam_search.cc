#include "decode/beam_search.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace lethe {
namespace {

// Texts that are less probable than the best by more than this (22,000 times) are not waited for,
// nor given: what is left of a beam then rambles on behind the end.
constexpr double kFarBehind = 10;

}  // namespace

void BeamSearch::Begin(const GreedyOptions& options, const Options& beam) {
  LETHE_CHECK(options.max_tokens > 0 && beam.width > 0);
  LETHE_CHECK(beam.wanted > 0 && beam.wanted <= 2 * beam.width);
  options_ = options;
  width_ = static_cast<std::size_t>(beam.width);
  wanted_ = static_cast<std::size_t>(beam.wanted);
  margin_ = beam.margin;
  live_.assign(1, {});
  candidates_.clear();
  parents_.clear();
  found_.clear();
  settled_ = false;
}

// All live hypotheses are of one length.
int BeamSearch::Forbidden() const {
  return live_[0].tokens.empty() && options_.forbid_empty ? options_.end_token : -1;
}

int BeamSearch::Promised() const {
  const std::size_t taken = live_[0].tokens.size();
  return taken < options_.promised.size() ? options_.promised[taken] : -1;
}

void BeamSearch::Take(const KernelTable& kernels, int hypothesis, std::span<float> logits,
                      std::span<float> other) {
  const Hypothesis& live = live_[static_cast<std::size_t>(hypothesis)];
  // The log-probabilities' mean is the logits' mean and a constant.
  double log_sum = 0;
  float written_log_sum = 0;
  int largest = 0;
  for (const std::span<float> heard : {logits, other}) {
    if (heard.empty()) continue;
    if (Forbidden() >= 0) heard[Forbidden()] = -1e30f;
    kernels.argmax_logsumexp(heard.data(), static_cast<int>(heard.size()), &largest,
                             &written_log_sum);
    log_sum += written_log_sum;
  }
  const std::span<const float> written = other.empty() ? logits : other;
  if (!other.empty()) {
    LETHE_CHECK(other.size() == logits.size());
    for (std::size_t i = 0; i < logits.size(); ++i) logits[i] = 0.5f * (logits[i] + other[i]);
    log_sum *= 0.5;
  }
  const auto add = [&](int token) {
    const Candidate candidate{live.sum + (logits[token] - log_sum), hypothesis, token,
                              written[token] - written_log_sum};
    const auto worse = [](const Candidate& a, const Candidate& b) { return a.sum > b.sum; };
    candidates_.insert(std::upper_bound(candidates_.begin(), candidates_.end(), candidate, worse),
                       candidate);
    // As many may end here as there are hypotheses, and as many go on.
    if (candidates_.size() > 2 * width_) candidates_.pop_back();
  };
  if (Promised() >= 0) {
    add(Promised());
    return;
  }
  const float nearest =
      other.empty() ? logits[static_cast<std::size_t>(largest)] - static_cast<float>(margin_)
                    : -1e30f;
  const auto limit = [&] {
    const bool full = candidates_.size() >= 2 * width_;
    return full ? std::max(nearest, static_cast<float>(candidates_.back().sum - live.sum + log_sum))
                : nearest;
  };
  float least = limit();
  const auto take = [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      if (logits[i] < least) continue;
      add(static_cast<int>(i));
      least = limit();
    }
  };
  // Nearly all are too small, and a loop that only says so is made of vectors.
  constexpr std::size_t kStretch = 128;
  std::size_t begin = 0;
  for (; begin + kStretch <= logits.size(); begin += kStretch) {
    const float* some = logits.data() + begin;
    int any = 0;
    for (std::size_t i = 0; i < kStretch; ++i) any |= some[i] >= least ? 1 : 0;
    if (any != 0) take(begin, begin + kStretch);
  }
  take(begin, logits.size());
}

bool BeamSearch::Advance() {
  next_.clear();
  parents_.clear();
  for (const Candidate& candidate : candidates_) {
    if (next_.size() == width_ || candidate.sum < candidates_.front().sum - margin_) break;
    Hypothesis hypothesis = live_[static_cast<std::size_t>(candidate.parent)];
    hypothesis.sum = candidate.sum;
    if (candidate.token == options_.end_token) {
      Complete(std::move(hypothesis));
      continue;
    }
    hypothesis.tokens.push_back(candidate.token);
    hypothesis.written += candidate.written;
    const bool at_limit = static_cast<int>(hypothesis.tokens.size()) >= options_.max_tokens;
    if (UnrepeatedTokens(hypothesis.tokens, at_limit) < hypothesis.tokens.size()) continue;
    if (at_limit) {
      Complete(std::move(hypothesis));
      continue;
    }
    parents_.push_back(candidate.parent);
    next_.push_back(std::move(hypothesis));
  }
  candidates_.clear();
  std::swap(live_, next_);
  // What goes on can only become less probable.
  settled_ =
      settled_ || (!found_.empty() && (live_.empty() || found_.front().sum >= live_.front().sum));
  if (live_.empty() || FoundAllWanted()) {
    live_.clear();
    std::erase_if(found_, [this](const Hypothesis& hypothesis) {
      return found_.front().sum - hypothesis.sum > kFarBehind;
    });
    return false;
  }
  return true;
}

bool BeamSearch::FoundAllWanted() const {
  if (!settled_) return false;
  const double next = live_.front().sum;
  return found_.front().sum - next > kFarBehind ||
         (found_.size() >= wanted_ && found_[wanted_ - 1].sum >= next);
}

void BeamSearch::Complete(Hypothesis hypothesis) {
  // Of equals the first; and rounding, too, changes nothing that is settled.
  const auto before = [](const Hypothesis& a, const Hypothesis& b) { return a.sum > b.sum; };
  const auto at =
      std::upper_bound(found_.begin() + (settled_ ? 1 : 0), found_.end(), hypothesis, before);
  found_.insert(at, std::move(hypothesis));
  if (found_.size() > 2 * width_) found_.pop_back();
}

}  // namespace lethe
