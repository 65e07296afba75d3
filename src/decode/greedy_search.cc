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
// Where there were more tokens than so much audio can hold, two copies are enough, of phrases of
// any length, if they are so many tokens together.
constexpr std::size_t kLeastAtLimit = 6;

}  // namespace

void GreedySearch::Begin(const GreedyOptions& options) {
  LETHE_CHECK(options.max_tokens > 0);
  options_ = options;
  tokens_.clear();
  log_probabilities_.clear();
  tokens_.reserve(static_cast<std::size_t>(options.max_tokens));
  log_probabilities_.reserve(static_cast<std::size_t>(options.max_tokens));
  end_log_probability_ = 0;
  repeated_ = ended_ = false;
}

int GreedySearch::Forbidden() const {
  return tokens_.empty() && options_.forbid_empty ? options_.end_token : -1;
}

int GreedySearch::Choose(const KernelTable& kernels, std::span<float> logits) {
  if (Forbidden() >= 0) logits[Forbidden()] = -1e30f;
  int token = 0;
  kernels.argmax_logsumexp(logits.data(), static_cast<int>(logits.size()), &token, &log_sum_);
  if (tokens_.size() < options_.promised.size()) token = options_.promised[tokens_.size()];
  if (options_.promised_whole && tokens_.size() == options_.promised.size()) {
    token = options_.end_token;
  }
  if (token == options_.end_token) {
    end_log_probability_ = logits[token] - log_sum_;
    ended_ = true;
    return token;
  }
  return Take(token, logits[token] - log_sum_);
}

int GreedySearch::Take(int token, float log_probability) {
  tokens_.push_back(token);
  log_probabilities_.push_back(log_probability);
  const bool at_limit = static_cast<int>(tokens_.size()) >= options_.max_tokens;
  return DropRepetition(at_limit) || at_limit ? options_.end_token : token;
}

bool GreedySearch::DropRepetition(bool at_limit) {
  // What was promised is written to its end first.
  if (!at_limit && tokens_.size() < options_.promised.size()) return false;
  const std::size_t left = UnrepeatedTokens(tokens_, at_limit);
  if (left == tokens_.size()) return false;
  // A promise holds as far as there is room for it.
  tokens_.resize(std::min(tokens_.size(), std::max(left, options_.promised.size())));
  log_probabilities_.resize(tokens_.size());
  repeated_ = true;
  return true;
}

namespace {

// Copies of a phrase at the end, the last of which may not be whole.
std::size_t UnrepeatedAtLimit(std::span<const int> tokens) {
  const std::size_t count = tokens.size();
  for (std::size_t length = 1; 2 * length <= count; ++length) {
    std::size_t same = 0;
    while (same + length < count && tokens[count - 1 - same] == tokens[count - 1 - same - length]) {
      ++same;
    }
    if (same >= length && same + length >= kLeastAtLimit) return count - same;
  }
  return count;
}

}  // namespace

std::size_t UnrepeatedTokens(std::span<const int> tokens, bool at_limit) {
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
  return at_limit ? UnrepeatedAtLimit(tokens) : count;
}

}  // namespace lethe
