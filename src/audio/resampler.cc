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

uint64_t OutputFrames(uint64_t input_frames, uint64_t input_rate) {
  return (input_frames * kSampleRate + input_rate / 2) / input_rate;
}

}  // namespace

struct Resampler::State {
  uint64_t input_rate = 0;
  size_t channels = 0;
  Soxr soxr;                     // null: the rate is right already
  std::span<const float> input;  // pushed and not taken yet
  uint64_t frames_in = 0;
  uint64_t frames_out = 0;
  bool finished = false;

  // Runs the filter once: from `input`, or to its end if `flush`. Returns the frames given.
  Result<size_t> Run(bool flush, std::vector<float>& output) {
    output.resize(kMaxPull * channels);
    // A null pointer means the end, and an empty span may have one.
    const float nothing = 0.0F;
    const float* from = input.empty() ? &nothing : input.data();
    size_t taken = 0;
    size_t given = 0;
    const soxr_error_t error =
        soxr_process(soxr.get(), flush ? nullptr : from, input.size() / channels, &taken,
                     output.data(), kMaxPull, &given);
    output.resize(given * channels);
    if (error != nullptr) return ResourceExhausted(std::string("cannot resample: ") + error);
    input = input.subspan(taken * channels);
    return given;
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

void Resampler::Push(std::span<const float> interleaved) {
  State& state = *state_;
  LETHE_CHECK(!state.finished && state.input.empty());
  LETHE_CHECK(interleaved.size() % state.channels == 0);
  state.input = interleaved;
  state.frames_in += interleaved.size() / state.channels;
}

void Resampler::Finish() {
  LETHE_CHECK(!state_->finished && state_->input.empty());
  state_->finished = true;
}

Result<size_t> Resampler::Pull(std::vector<float>& output) {
  State& state = *state_;
  output.clear();
  size_t given = 0;
  if (state.soxr == nullptr) {
    const auto piece = state.input.first(std::min(state.input.size(), kMaxPull * state.channels));
    output.assign(piece.begin(), piece.end());
    state.input = state.input.subspan(piece.size());
    given = piece.size() / state.channels;
  } else if (!state.finished) {
    do {
      ASSIGN_OR_RETURN(given, state.Run(false, output));
    } while (given == 0 && !state.input.empty());
  } else {
    const uint64_t expected = OutputFrames(state.frames_in, state.input_rate);
    const uint64_t missing = expected - std::min(expected, state.frames_out);
    if (missing == 0) return size_t{0};
    ASSIGN_OR_RETURN(given, state.Run(true, output));
    // The library rounds its length by rules of its own, a sample off at most.
    given = static_cast<size_t>(std::min<uint64_t>(missing, given > 0 ? given : kMaxPull));
    output.resize(given * state.channels, 0.0F);
  }
  state.frames_out += given;
  return given;
}

}  // namespace lethe
