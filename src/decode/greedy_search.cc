#include "decode/greedy_search.h"

#include <algorithm>

#include "base/check.h"

namespace lethe {
namespace {

// A phrase of up to this many tokens, this often in a row, is the decoder running in circles.
// Single tokens get more patience: "no no no no" is said, and digits repeat.
constexpr int kLongestPhrase = 12;
constexpr int kMostSingles = 8;
constexpr int kMostPhrases = 4;

}  // namespace

void GreedySearch::Begin(const GreedyOptions& options) {
  LETHE_CHECK(options.max_tokens > 0);
  options_ = options;
  tokens_.clear();
  log_probabilities_.clear();
  tokens_.reserve(static_cast<std::size_t>(options.max_tokens));
  log_probabilities_.reserve(static_cast<std::size_t>(options.max_tokens));
  end_log_probability_ = 0;
  repeated_ = false;
}

int GreedySearch::Choose(const KernelTable& kernels, std::span<float> logits) {
  if (tokens_.empty() && options_.forbid_empty) logits[options_.end_token] = -1e30f;
  int token = 0;
  kernels.argmax_logsumexp(logits.data(), static_cast<int>(logits.size()), &token, &log_sum_);
  if (tokens_.size() < options_.promised.size()) token = options_.promised[tokens_.size()];
  if (options_.promised_whole && tokens_.size() == options_.promised.size()) {
    token = options_.end_token;
  }
  if (token == options_.end_token) {
    end_log_probability_ = logits[token] - log_sum_;
    return token;
  }
  return Take(token, logits[token] - log_sum_);
}

int GreedySearch::Take(int token, float log_probability) {
  tokens_.push_back(token);
  log_probabilities_.push_back(log_probability);
  if (DropRepetition() || static_cast<int>(tokens_.size()) >= options_.max_tokens) {
    return options_.end_token;
  }
  return token;
}

bool GreedySearch::DropRepetition() {
  const std::size_t left = UnrepeatedTokens(tokens_);
  if (left == tokens_.size()) return false;
  tokens_.resize(std::max(left, options_.promised.size()));
  log_probabilities_.resize(tokens_.size());
  repeated_ = true;
  return true;
}

std::size_t UnrepeatedTokens(std::span<const int> tokens) {
  const std::size_t count = tokens.size();
  for (std::size_t length = 1; length <= kLongestPhrase; ++length) {
    const std::size_t times = length == 1 ? kMostSingles : kMostPhrases;
    if (count < length * times) break;
    const auto repeats = [&] {
      for (std::size_t i = count - length * (times - 1); i < count; ++i) {
        if (tokens[i] != tokens[i - length]) return false;
      }
      return true;
    };
    if (repeats()) return count - length * (times - 1);
  }
  return count;
}

}  // namespace lethe
