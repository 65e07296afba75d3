#include "model/automatic_gain.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "base/units.h"
#include "model/internal/level.h"

namespace lethe {
namespace {

constexpr int kWindow = SustainedLevel::kWindow;

// How fast the loudest speech so far is forgotten and the noise floor rises again, in dB a second.
constexpr float kSpeechFalls = 20;
constexpr float kNoiseRises = 6;
// No window, and no noise, is made louder than this. Noise that comes near to speech would hide it:
// the detector goes by what came before.
constexpr float kLoudest = 0.1f;
constexpr float kLoudestNoise = 0.001f;
// Less is no microphone's noise but the roundings of 16 bits.
constexpr float kLeastNoise = 1e-5f;

float PerWindow(float db_per_second) {
  return std::pow(10.0f, db_per_second / 20 * kWindow / kSampleRate);
}

class GainState final : public VoiceActivityState {
 public:
  GainState(std::unique_ptr<VoiceActivityState> detector, const KernelTable& kernels)
      : detector_(std::move(detector)), level_(kernels) {}

  void Push(std::span<const float> samples, std::vector<float>* probabilities) override {
    // A thread's, or thousands of streams would each have their own.
    thread_local std::vector<float> windows;
    windows.assign(begun_.begin(), begun_.end());
    windows.insert(windows.end(), samples.begin(), samples.end());
    const std::size_t whole = windows.size() / kWindow * kWindow;
    begun_.assign(windows.begin() + static_cast<std::ptrdiff_t>(whole), windows.end());
    for (std::size_t i = 0; i < whole; i += kWindow) Raise(std::span(windows).subspan(i, kWindow));
    detector_->Push(std::span(windows).first(whole), probabilities);
    // Somebody's voice would stay until this thread hears the next one.
    std::fill(windows.begin(), windows.end(), 0.0f);
  }

 private:
  void Raise(std::span<float> window) {
    static const float falls = PerWindow(-kSpeechFalls), rises = PerWindow(kNoiseRises);
    speech_ = std::max(level_.Add(window), speech_ * falls);
    const float level = std::max(kLeastNoise, level_.last());
    noise_ = noise_ > 0 ? std::min(level, noise_ * rises) : level;
    const float gain = std::min({GainOfQuiet(speech_), kLoudest / level, kLoudestNoise / noise_});
    if (gain <= 1) return;
    for (float& v : window) v *= gain;
  }

  const std::unique_ptr<VoiceActivityState> detector_;
  std::vector<float> begun_;  // of a window
  SustainedLevel level_;
  float speech_ = 0, noise_ = 0;
};

class AutomaticGain final : public VoiceActivityModel {
 public:
  AutomaticGain(std::shared_ptr<const VoiceActivityModel> detector, const KernelTable& kernels)
      : detector_(std::move(detector)), kernels_(kernels) {
    LETHE_CHECK(detector_->window_samples() == kWindow);
  }
  int window_samples() const override { return kWindow; }
  std::unique_ptr<VoiceActivityState> NewState() const override {
    return std::make_unique<GainState>(detector_->NewState(), kernels_);
  }

 private:
  const std::shared_ptr<const VoiceActivityModel> detector_;
  const KernelTable& kernels_;
};

}  // namespace

std::shared_ptr<const VoiceActivityModel> WithAutomaticGain(
    std::shared_ptr<const VoiceActivityModel> detector, const KernelTable& kernels) {
  return std::make_shared<AutomaticGain>(std::move(detector), kernels);
}

}  // namespace lethe
