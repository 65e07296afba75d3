#pragma once

// Samples on their way to who hears them.

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace lethe {

/// A queue of samples in one piece of memory, which it gives back when it is empty.
///
/// Thread: one at a time
class Inbox {
 public:
  std::size_t size() const { return samples_.size() - first_; }

  void Append(std::span<const float> samples) {
    if (samples_.size() + samples.size() > samples_.capacity()) {
      samples_.erase(samples_.begin(), samples_.begin() + static_cast<std::ptrdiff_t>(first_));
      first_ = 0;
    }
    samples_.insert(samples_.end(), samples.begin(), samples.end());
  }

  /// Moves the first of them, `most` or as many as there are, to the end of `to`.
  void Take(std::size_t most, std::vector<float>* to) {
    const auto begin = samples_.begin() + static_cast<std::ptrdiff_t>(first_);
    const std::size_t count = std::min(most, size());
    to->insert(to->end(), begin, begin + static_cast<std::ptrdiff_t>(count));
    first_ += count;
    if (size() > 0) return;
    samples_.clear();
    first_ = 0;
    if (samples_.capacity() > kKept) samples_.shrink_to_fit();
  }

 private:
  static constexpr std::size_t kKept = 16'000;

  std::vector<float> samples_;
  std::size_t first_ = 0;  // that was not taken
};

}  // namespace lethe
