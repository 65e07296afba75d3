#include "engine/internal/promise.h"

#include <algorithm>

namespace lethe {
namespace {

constexpr int kAgreeing = 4;        // guesses
constexpr std::size_t kMargin = 4;  // tokens behind the newest
constexpr float kSure = -0.2231f;   // log 0.8: the probability of each promised token, at least

}  // namespace

bool Promise::Add(std::span<const int> tokens, std::span<const float> log_probabilities,
                  const Tokenizer& tokenizer, bool may_promise) {
  const auto common = static_cast<std::size_t>(
      std::mismatch(guess_.begin(), guess_.end(), tokens.begin(), tokens.end()).first -
      guess_.begin());
  // The guards against repetition may have cut it short; then it says nothing new.
  if (common < promised_) return false;
  guess_.assign(tokens.begin(), tokens.end());
  same_for_.resize(common);
  for (int& times : same_for_) ++times;
  same_for_.resize(tokens.size(), 1);
  const std::size_t most = may_promise && tokens.size() > kMargin ? tokens.size() - kMargin : 0;
  for (std::size_t i = promised_; i < most; ++i) {
    if (same_for_[i] < kAgreeing || log_probabilities[i] < kSure) break;
    if (tokenizer.BeginsWord(tokens[i + 1])) promised_ = i + 1;
  }
  return true;
}

void Promise::SetGuess(std::span<const int> tokens) {
  Clear();
  guess_.assign(tokens.begin(), tokens.end());
}

void Promise::Clear() {
  guess_.clear();
  same_for_.clear();
  promised_ = 0;
}

}  // namespace lethe
