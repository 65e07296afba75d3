#include "model/silero/silero.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "base/aligned_vector.h"
#include "model/internal/packed_matrices.h"
#include "model/internal/short_matrix.h"
#include "tensor/quantized_linear.h"
#include "tensor/safetensors.h"

namespace lethe {
namespace {

constexpr int kWindow = 512;
constexpr int kContext = 64;
// The transform's right edge is padded by reflection; the left edge is the context.
constexpr int kPad = 64;
constexpr int kBuffer = kContext + kWindow + kPad;
constexpr int kFftSize = 256, kFftHop = 128;
constexpr int kFftFrames = (kBuffer - kFftSize) / kFftHop + 1;
constexpr int kBins = kFftSize / 2 + 1;
constexpr int kFilters = 272;  // 2 * kBins, padded to whole vectors
constexpr int kHidden = 128;
// Windows that run together, so that each weight is fetched once for all of them, and a lane each
// transforms them.
constexpr int kBatch = kLanes;
static_assert(kHidden % kActivationAlign == 0);

// How far an element of the transform may be from the formula; the largest is 1.
constexpr double kBasisTolerance = 1e-5;

// The convolutions: three taps, padding of one frame on both sides.
struct Layer {
  int inputs, outputs, frames_in, step;
  constexpr int frames_out() const { return (frames_in + 2 - 3) / step + 1; }
  // Of a frame, as they lie: products of shorts take two inputs at a time.
  constexpr int places() const { return inputs + inputs % 2; }
};

// The taps that an output hears: those that fall on the padding are left out.
struct Taps {
  constexpr Taps(const Layer& layer, int frame)
      : from(frame * layer.step - 1),
        first(from < 0 ? 1 : 0),
        end(from + 3 > layer.frames_in ? layer.frames_in - from : 3) {}
  int from;        // the frame of tap 0
  int first, end;  // of the three
};

// Inputs of a convolution are in 14 bits, so that weights have 12 or more.
constexpr int kLargest = 8191;
constexpr std::array<Layer, 4> kLayers = {
    {{kBins, 128, kFftFrames, 1}, {128, 64, kFftFrames, 2}, {64, 64, 2, 2}, {64, kHidden, 1, 1}}};

struct Weights {
  std::array<float, kFftSize> window{}, turns{};  // as KernelTable::spectrum takes them
  // A layer's, by the first tap and the end of those that an output hears.
  std::array<std::array<std::array<ShortMatrix, 4>, 2>, 4> weight;
  std::array<const float*, 4> bias{};
  // In 8 bits: a step of the cell reads all of those for what is hidden.
  PackedMatrices input_gates, hidden_gates;
  const float* gate_bias = nullptr;
  const float* output = nullptr;
  const float* output_bias = nullptr;
};

std::size_t FrameStride(std::size_t layer) {
  return static_cast<std::size_t>(kLayers[layer].frames_in) * kLayers[layer].places();
}

// Of a window's inputs in 16 bits, whole vectors.
constexpr int kShortStride = RoundUp(kLayers[0].frames_in * kLayers[0].places(), kLanes);

// What a batch of windows needs while it runs, 200 kB: a thread's, or thousands of streams would
// each have their own.
struct Scratch {
  Scratch()
      : buffers(std::size_t{kBatch} * kBuffer),
        transform(std::size_t{2} * kBatch * kFftSize),
        shorts(std::size_t{kBatch} * kShortStride),
        features(std::size_t{kBatch} * kHidden),
        gates(std::size_t{kBatch} * 4 * kHidden) {
    for (std::size_t i = 0; i < kLayers.size(); ++i) {
      frames[i].resize(std::size_t{kBatch} * FrameStride(i));
    }
  }
  static Scratch& OfThisThread() {
    thread_local Scratch scratch;
    return scratch;
  }

  AlignedVector<float> buffers, transform;
  AlignedVector<std::int16_t> shorts;  // a layer's inputs, [batch, stride]
  std::array<float, kBatch> scales{};
  std::array<AlignedVector<float>, 4> frames;  // of each layer, [batch, frames_in, places]
  AlignedVector<float> features, gates;
};

class SileroState final : public VoiceActivityState {
 public:
  SileroState(const Weights& weights, const KernelTable& kernels) : w_(weights), kernels_(kernels) {
    pending_.assign(kContext, 0.0f);
  }

  void Push(std::span<const float> samples, std::vector<float>* probabilities) override {
    pending_.insert(pending_.end(), samples.begin(), samples.end());
    const std::size_t windows = (pending_.size() - kContext) / kWindow;
    for (std::size_t i = 0; i < windows; i += kBatch) {
      Run(pending_.data() + i * kWindow,
          static_cast<int>(std::min<std::size_t>(kBatch, windows - i)), probabilities);
    }
    pending_.erase(pending_.begin(),
                   pending_.begin() + static_cast<std::ptrdiff_t>(windows * kWindow));
  }

 private:
  // Windows kWindow apart, each with its context before it.
  void Run(const float* samples, int windows, std::vector<float>* probabilities) {
    Scratch& scratch = Scratch::OfThisThread();
    for (int i = 0; i < windows; ++i) {
      float* buffer = scratch.buffers.data() + std::size_t{kBuffer} * i;
      std::copy_n(samples + std::size_t{kWindow} * i, kContext + kWindow, buffer);
      for (int j = 0; j < kPad; ++j) {
        buffer[kContext + kWindow + j] = buffer[kContext + kWindow - 2 - j];
      }
    }
    for (int f = 0; f < kFftFrames; ++f) {
      kernels_.spectrum(scratch.buffers.data() + f * kFftHop, windows, kFftSize, kBuffer,
                        w_.window.data(), w_.turns.data(), scratch.transform.data(),
                        scratch.frames[0].data() + std::size_t(f) * kLayers[0].places(),
                        static_cast<std::int64_t>(FrameStride(0)));
    }
    // Somebody's voice would stay until this thread hears the next one.
    std::fill_n(scratch.buffers.begin(), std::size_t{kBuffer} * windows, 0.0f);
    std::fill(scratch.transform.begin(), scratch.transform.end(), 0.0f);
    for (std::size_t l = 0; l < kLayers.size(); ++l) {
      const Layer& layer = kLayers[l];
      const bool last = l + 1 == kLayers.size();
      float* to = last ? scratch.features.data() : scratch.frames[l + 1].data();
      const std::size_t to_stride = last ? kHidden : FrameStride(l + 1);
      // A window by itself: what a window gives does not depend on those beside it.
      kernels_.quantize_shorts(scratch.frames[l].data(), windows, static_cast<int>(FrameStride(l)),
                               static_cast<std::int64_t>(FrameStride(l)), kLargest,
                               scratch.shorts.data(), kShortStride, scratch.scales.data());
      for (int f = 0; f < layer.frames_out(); ++f) {
        float* out = to + std::size_t(f) * layer.outputs;
        const Taps taps(layer, f);
        kernels_.gemm_s16(scratch.shorts.data() + (taps.from + taps.first) * layer.places(),
                          windows, kShortStride, scratch.scales.data(),
                          w_.weight[l][taps.first][taps.end].View(w_.bias[l]), out,
                          static_cast<std::int64_t>(to_stride));
        for (int i = 0; i < windows; ++i) kernels_.relu(out + to_stride * i, layer.outputs);
      }
    }
    // What can be made a voice again.
    std::fill_n(scratch.frames[0].begin(), FrameStride(0) * windows, 0.0f);
    std::fill(scratch.shorts.begin(), scratch.shorts.end(), std::int16_t{0});
    PackedWeights input_gates = w_.input_gates.View(0);
    input_gates.bias = w_.gate_bias;
    Multiply(scratch.features.data(), windows, input_gates, scratch.gates.data(), false);
    for (int i = 0; i < windows; ++i) {
      float* gates = scratch.gates.data() + std::size_t{4} * kHidden * i;
      Multiply(hidden_.data(), 1, w_.hidden_gates.View(0), gates, true);
      kernels_.lstm_cell(gates, kHidden, cell_.data(), hidden_.data());
      probabilities->push_back(Probability());
    }
  }

  // In lanes, so that no addition waits for all before it.
  float Probability() const {
    double lanes[kLanes] = {};
    for (int j = 0; j < kHidden; j += kLanes) {
      for (int i = 0; i < kLanes; ++i) {
        lanes[i] += static_cast<double>(std::max(hidden_[j + i], 0.0f)) * w_.output[j + i];
      }
    }
    double sum = *w_.output_bias;
    for (const double lane : lanes) sum += lane;
    return static_cast<float>(1.0 / (1.0 + std::exp(-sum)));
  }

  // gates = x * weights, of m rows of kHidden; accumulate adds what is there.
  void Multiply(const float* x, int m, const PackedWeights& weights, float* gates,
                bool accumulate) {
    std::array<std::uint8_t, std::size_t{kBatch} * kHidden> quantized;
    std::array<RowScale, kBatch> rows;
    kernels_.quantize_rows(x, m, kHidden, kHidden, quantized.data(), kHidden, rows.data());
    kernels_.gemm_u8s8(quantized.data(), m, kHidden, rows.data(), weights, gates, 4 * kHidden,
                       accumulate);
  }

  const Weights& w_;
  const KernelTable& kernels_;
  std::vector<float> pending_;  // the context, then what does not fill a window yet
  alignas(64) std::array<float, kHidden> cell_{}, hidden_{};
};

class Silero final : public VoiceActivityModel {
 public:
  Silero(SafetensorsFile file, const KernelTable& kernels)
      : file_(std::move(file)), kernels_(kernels) {}

  Status View() {
    if (file_.Metadata("lethe.family") != "silero-vad") {
      return DataLoss("this model file holds no Silero voice activity model, but \"" +
                      std::string(file_.Metadata("lethe.family")) + "\"");
    }
    const auto view = [this](const std::string& name, const std::vector<std::int64_t>& shape,
                             const float** to) -> Status {
      ASSIGN_OR_RETURN(const std::span<const float> values, file_.Floats(name, shape));
      *to = values.data();
      return OkStatus();
    };
    const float* basis = nullptr;
    RETURN_IF_ERROR(view("stft.basis", {kFftSize, kFilters}, &basis));
    RETURN_IF_ERROR(TakeApart(basis));
    for (std::size_t i = 0; i < kLayers.size(); ++i) {
      const std::string name = "encoder." + std::to_string(i);
      const float* weight = nullptr;
      RETURN_IF_ERROR(view(name + ".weight", {3 * kLayers[i].inputs, kLayers[i].outputs}, &weight));
      RETURN_IF_ERROR(view(name + ".bias", {kLayers[i].outputs}, &w_.bias[i]));
      Pack(weight, i);
    }
    for (const auto& [name, to] : {std::pair("lstm.weight_ih", &w_.input_gates),
                                   std::pair("lstm.weight_hh", &w_.hidden_gates)}) {
      const float* weight = nullptr;
      RETURN_IF_ERROR(view(name, {kHidden, 4 * kHidden}, &weight));
      to->Resize(1, 4 * kHidden, kHidden);
      to->PackInputs(kernels_, 0, weight, 4 * kHidden);
    }
    RETURN_IF_ERROR(view("lstm.bias", {4 * kHidden}, &w_.gate_bias));
    RETURN_IF_ERROR(view("output.weight", {kHidden}, &w_.output));
    return view("output.bias", {1}, &w_.output_bias);
  }

  int window_samples() const override { return kWindow; }
  std::unique_ptr<VoiceActivityState> NewState() const override {
    return std::make_unique<SileroState>(w_, kernels_);
  }

 private:
  // The weights [3, inputs, outputs] of a layer, for each choice of taps that it needs.
  void Pack(const float* weight, std::size_t l) {
    const Layer& layer = kLayers[l];
    const std::size_t tap = std::size_t(layer.places()) * layer.outputs;
    std::vector<float> rows(3 * tap);
    for (std::size_t t = 0; t < 3; ++t) {
      const std::size_t size = std::size_t(layer.inputs) * layer.outputs;
      std::copy_n(weight + t * size, size, rows.data() + t * tap);
    }
    for (int f = 0; f < layer.frames_out(); ++f) {
      const Taps taps(layer, f);
      w_.weight[l][taps.first][taps.end] =
          ShortMatrix(std::span(rows).subspan(taps.first * tap, (taps.end - taps.first) * tap),
                      (taps.end - taps.first) * layer.places(), layer.outputs, kLargest);
    }
  }

  // The file has the transform as a matrix [256, 272], window included. What makes a fast transform
  // of it is the window, if nothing else was learnt.
  Status TakeApart(const float* basis) {
    for (int k = 0; k < kFftSize / 2; ++k) {
      const double angle = 2 * std::numbers::pi * k / kFftSize;
      w_.turns[2 * k] = static_cast<float>(std::cos(angle));
      w_.turns[2 * k + 1] = static_cast<float>(std::sin(angle));
    }
    for (int t = 0; t < kFftSize; ++t) {
      const float* row = basis + std::size_t{kFilters} * t;
      w_.window[t] = row[0];
      for (int k = 0; k < kBins; ++k) {
        const double angle = 2 * std::numbers::pi * (k * t % kFftSize) / kFftSize;
        // Not-a-numbers are off as well; the sign of the imaginary part does not matter.
        const double real = row[k] - row[0] * std::cos(angle);
        const double imaginary = std::abs(row[kBins + k]) - std::abs(row[0] * std::sin(angle));
        if (!(std::abs(real) < kBasisTolerance && std::abs(imaginary) < kBasisTolerance)) {
          return DataLoss("stft.basis is no windowed Fourier transform");
        }
      }
    }
    return OkStatus();
  }

  SafetensorsFile file_;
  const KernelTable& kernels_;
  Weights w_;
};

}  // namespace

Result<std::shared_ptr<const VoiceActivityModel>> LoadSilero(const std::string& path,
                                                             const KernelTable& kernels) {
  ASSIGN_OR_RETURN(SafetensorsFile file, SafetensorsFile::Load(path));
  auto model = std::make_shared<Silero>(std::move(file), kernels);
  if (Status status = model->View(); !status.ok()) return status.WithContext(path);
  return std::shared_ptr<const VoiceActivityModel>(std::move(model));
}

}  // namespace lethe
