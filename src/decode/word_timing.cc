#include "decode/word_timing.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

namespace lethe {
namespace {

// Attention jitters from frame to frame; the median over seven (168 ms) is Whisper's choice.
constexpr int kMedian = 7;

void SmoothRow(std::span<float> row, std::vector<float>* scratch) {
  const int n = static_cast<int>(row.size());
  scratch->assign(row.begin(), row.end());
  std::array<float, kMedian> window;
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < kMedian; ++j) {
      window[j] = (*scratch)[std::clamp(i + j - kMedian / 2, 0, n - 1)];
    }
    std::nth_element(window.begin(), window.begin() + kMedian / 2, window.end());
    row[i] = window[kMedian / 2];
  }
}

}  // namespace

std::vector<FrameSpan> AlignTokens(std::span<const float> attention, int tokens, int frames) {
  std::vector<FrameSpan> spans(static_cast<std::size_t>(tokens));
  if (tokens == 0 || frames == 0) return spans;
  std::vector<float> weight(attention.begin(), attention.begin() + std::ptrdiff_t{tokens} * frames);
  const auto at = [frames](int token, int frame) {
    return static_cast<std::size_t>(token) * frames + frame;
  };
  for (int t = 0; t < frames; ++t) {
    double sum = 0, squares = 0;
    for (int i = 0; i < tokens; ++i) {
      sum += weight[at(i, t)];
      squares += static_cast<double>(weight[at(i, t)]) * weight[at(i, t)];
    }
    const double mean = sum / tokens;
    const double deviation = std::sqrt(std::max(0.0, squares / tokens - mean * mean)) + 1e-9;
    for (int i = 0; i < tokens; ++i) {
      weight[at(i, t)] = static_cast<float>((weight[at(i, t)] - mean) / deviation);
    }
  }
  std::vector<float> scratch;
  for (int i = 0; i < tokens; ++i) {
    SmoothRow({weight.data() + at(i, 0), static_cast<std::size_t>(frames)}, &scratch);
  }

  // best[i][t]: the most that a path from (0, 0) to (i, t) gathers. It moves on by a frame, and to
  // the next token or not; the token changes at most once a frame, unless there are more tokens
  // than frames.
  enum class Step : std::uint8_t { kStay, kAdvance, kSkip };
  const float kNever = -std::numeric_limits<float>::infinity();
  std::vector<float> before(static_cast<std::size_t>(tokens), kNever), now(before);
  std::vector<Step> steps(static_cast<std::size_t>(tokens) * frames);
  for (int t = 0; t < frames; ++t) {
    for (int i = 0; i < tokens; ++i) {
      float stay = t > 0 ? before[i] : (i == 0 ? 0.0f : kNever);
      float advance = t > 0 && i > 0 ? before[i - 1] : kNever;
      float skip = i > 0 ? now[i - 1] : kNever;
      // Skipping within a frame costs what the frame gives, so it is only taken when frames are
      // few.
      skip -= tokens > frames ? 0.0f : 1e6f;
      Step step = Step::kStay;
      float best = stay;
      if (advance > best) best = advance, step = Step::kAdvance;
      if (skip > best) best = skip, step = Step::kSkip;
      now[i] = best + weight[at(i, t)];
      steps[at(i, t)] = step;
    }
    std::swap(before, now);
  }
  int i = tokens - 1, t = frames - 1;
  for (FrameSpan& span : spans) span = {frames, 0};
  while (true) {
    spans[i].first = std::min(spans[i].first, t);
    spans[i].last = std::max(spans[i].last, t + 1);
    const Step step = steps[at(i, t)];
    if (step == Step::kSkip) {
      --i;
    } else {
      if (t == 0) break;
      if (step == Step::kAdvance) --i;
      --t;
    }
  }
  for (FrameSpan& span : spans) {
    if (span.first > span.last) span = {0, 0};
  }
  return spans;
}

}  // namespace lethe
