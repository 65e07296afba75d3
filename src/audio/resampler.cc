#include "audio/resampler.h"

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>

#include <soxr.h>

#include "audio/audio_source.h"
#include "base/check.h"

namespace lethe {
namespace {

struct SoxrDeleter {
  void operator()(soxr_t soxr) const { soxr_delete(soxr); }
};
using Soxr = std::unique_ptr<std::remove_pointer_t<soxr_t>, SoxrDeleter>;

constexpr size_t kOutputBlock = 8192;

uint64_t OutputFrames(uint64_t input_frames, uint64_t input_rate) {
  return (input_frames * kSampleRate + input_rate / 2) / input_rate;
}

}  // namespace

struct Resampler::State {
  uint64_t input_rate = 0;
  size_t channels = 0;
  Soxr soxr;  // null: the rate is right already
  uint64_t frames_in = 0;
  uint64_t frames_out = 0;
  bool finished = false;

  // Runs the filter once; `input` null means that no more will come. Returns {taken, given} frames.
  Result<std::pair<size_t, size_t>> Run(const float* input, size_t frames,
                                        std::vector<float>& output) {
    const size_t before = output.size();
    output.resize(before + kOutputBlock * channels);
    size_t taken = 0;
    size_t given = 0;
    const soxr_error_t error = soxr_process(soxr.get(), input, frames, &taken,
                                            output.data() + before, kOutputBlock, &given);
    output.resize(before + given * channels);
    if (error != nullptr) return ResourceExhausted(std::string("cannot resample: ") + error);
    frames_out += given;
    return std::pair(taken, given);
  }
};

Resampler::Resampler(std::unique_ptr<State> state) : state_(std::move(state)) {}
Resampler::~Resampler() = default;
Resampler::Resampler(Resampler&& other) noexcept = default;
Resampler& Resampler::operator=(Resampler&& other) noexcept = default;

Result<Resampler> Resampler::Create(int input_rate, int channels) {
  if (input_rate < 1 || input_rate > kMaxAudioSampleRate) {
    return InvalidArgument("cannot resample from this many samples per second: " +
                           std::to_string(input_rate));
  }
  if (channels < 1 || channels > kMaxAudioChannels) {
    return InvalidArgument("cannot resample this many channels: " + std::to_string(channels));
  }
  auto state = std::make_unique<State>();
  state->input_rate = static_cast<uint64_t>(input_rate);
  state->channels = static_cast<size_t>(channels);
  if (input_rate != kSampleRate) {
    const soxr_io_spec_t samples = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
    const soxr_runtime_spec_t one_thread = soxr_runtime_spec(1);
    soxr_error_t error = nullptr;
    state->soxr.reset(soxr_create(input_rate, kSampleRate, static_cast<unsigned>(channels), &error,
                                  &samples, &quality, &one_thread));
    if (error != nullptr || state->soxr == nullptr) {
      return ResourceExhausted(std::string("cannot resample: ") +
                               (error != nullptr ? error : "no memory"));
    }
  }
  return Resampler(std::move(state));
}

Status Resampler::Push(std::span<const float> interleaved, std::vector<float>& output) {
  State& state = *state_;
  LETHE_CHECK(!state.finished && interleaved.size() % state.channels == 0);
  size_t left = interleaved.size() / state.channels;
  state.frames_in += left;
  if (state.soxr == nullptr) {
    output.insert(output.end(), interleaved.begin(), interleaved.end());
    state.frames_out += left;
    return OkStatus();
  }
  const float* input = interleaved.data();
  size_t given = 0;
  while (left > 0 || given == kOutputBlock) {
    // A null pointer would mean the end, and an empty remainder may be one.
    const float nothing = 0.0F;
    ASSIGN_OR_RETURN(const auto step, state.Run(left > 0 ? input : &nothing, left, output));
    input += step.first * state.channels;
    left -= step.first;
    given = step.second;
  }
  return OkStatus();
}

Status Resampler::Finish(std::vector<float>& output) {
  State& state = *state_;
  LETHE_CHECK(!state.finished);
  state.finished = true;
  if (state.soxr == nullptr) return OkStatus();
  const uint64_t expected = OutputFrames(state.frames_in, state.input_rate);
  while (state.frames_in > 0 && state.frames_out < expected) {
    ASSIGN_OR_RETURN(const auto step, state.Run(nullptr, 0, output));
    if (step.second == 0) break;
  }
  // The library rounds its length by rules of its own, a sample off at most.
  const auto channels = static_cast<int64_t>(state.channels);
  const int64_t missing =
      (static_cast<int64_t>(expected) - static_cast<int64_t>(state.frames_out)) * channels;
  const int64_t size = std::max<int64_t>(static_cast<int64_t>(output.size()) + missing, 0);
  output.resize(static_cast<size_t>(size), 0.0F);
  return OkStatus();
}

}  // namespace lethe
