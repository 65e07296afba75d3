#pragma once

// What the engine knows of voice activity detection: windows of samples in, probabilities of speech
// out.

#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "kernels/kernels.h"

namespace lethe {

/// Follows one stream. Thread: one at a time.
class VoiceActivityState {
 public:
  virtual ~VoiceActivityState() = default;

  /// Takes any number of samples (16 kHz mono) and appends to `probabilities` one value in [0, 1]
  /// for each window that is now complete. The same samples give the same values however they are
  /// cut.
  virtual void Push(std::span<const float> samples, std::vector<float>* probabilities) = 0;
};

class VoiceActivityModel {
 public:
  virtual ~VoiceActivityModel() = default;
  /// Samples per probability.
  virtual int window_samples() const = 0;
  virtual std::unique_ptr<VoiceActivityState> NewState() const = 0;
};

}  // namespace lethe
