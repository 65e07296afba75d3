#include "model/silero/silero.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

#include "base/aligned_vector.h"
#include "base/finite.h"
#include "model/internal/packed_matrices.h"
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
// Up to 94 Hz, where an offset and most of what mains hum with are: they may be far louder than a
// voice, which would have few of 8 bits, so these have a product of their own.
constexpr int kLowBins = 2;
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

constexpr std::array<Layer, 4> kLayers = {
    {{kBins, 128, kFftFrames, 1}, {128, 64, kFftFrames, 2}, {64, 64, 2, 2}, {64, kHidden, 1, 1}}};

struct Weights {
  std::array<float, kFftSize> window{}, turns{};  // as KernelTable::spectrum takes them
  // A layer's, by the first tap and the end of those that an output hears.
  using OfTaps = std::array<std::array<PackedMatrices, 4>, 2>;
  std::array<OfTaps, 4> weight;
  OfTaps low_weight;  // the first layer's, of the lowest bins
  // Magnitudes times these are what the first layer takes and its weights expect; of the lowest, 0.
  std::array<float, kBins> bin_scale{}, no_shift{};
  std::array<const float*, 4> bias{};
  PackedMatrices input_gates, hidden_gates;  // the latter in two halves
  const float* gate_bias = nullptr;
  const float* output = nullptr;
  const float* output_bias = nullptr;
};

std::size_t FrameStride(std::size_t layer) {
  return static_cast<std::size_t>(kLayers[layer].frames_in) * kLayers[layer].inputs;
}

// Of any product, of one window.
constexpr int kMostInputs = RoundUp(3 * kLayers[0].inputs, kActivationAlign);

// What a batch of windows needs while it runs, 200 kB: a thread's, or thousands of streams would
// each have their own.
struct Scratch {
  Scratch()
      : buffers(std::size_t{kBatch} * kBuffer),
        transform(std::size_t{2} * kBatch * kFftSize),
        quantized(std::size_t{kBatch} * kMostInputs),
        low(std::size_t{kBatch} * kFftFrames * kLowBins + kLanes),
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
  AlignedVector<std::uint8_t> quantized;  // what a product takes, [batch, inputs]
  std::array<RowScale, kBatch> rows;
  std::array<AlignedVector<float>, 4> frames;  // of each layer, [batch, frames_in, inputs]
  AlignedVector<float> low;  // what is taken out of the first layer's, [batch, frames_in, kLowBins]
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
    Transform(samples, windows);
    Convolve(windows);
    PackedWeights input_gates = w_.input_gates.View(0);
    input_gates.bias = w_.gate_bias;
    Multiply(scratch.features.data(), windows, kHidden, input_gates, scratch.gates.data(),
             4 * kHidden, false);
    for (int i = 0; i < windows; ++i) {
      float* gates = scratch.gates.data() + std::size_t{4} * kHidden * i;
      AddHidden(i % 2 == 0, gates);
      kernels_.lstm_cell(gates, kHidden, cell_.data(), hidden_.data());
      probabilities->push_back(Probability());
    }
  }

  // scratch.frames[0] and scratch.low = magnitudes.
  void Transform(const float* samples, int windows) {
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
                        scratch.frames[0].data() + std::size_t{kBins} * f,
                        static_cast<std::int64_t>(FrameStride(0)));
    }
    for (int i = 0; i < windows * kFftFrames; ++i) {
      const float* frame = scratch.frames[0].data() + std::size_t{kBins} * i;
      std::copy_n(frame, kLowBins, scratch.low.data() + std::size_t{kLowBins} * i);
    }
    kernels_.scale_columns(scratch.frames[0].data(), windows * kFftFrames, kBins,
                           w_.bin_scale.data(), w_.no_shift.data());
    // Somebody's voice would stay until this thread hears the next one.
    std::fill_n(scratch.buffers.begin(), std::size_t{kBuffer} * windows, 0.0f);
    std::fill(scratch.transform.begin(), scratch.transform.end(), 0.0f);
  }

  // scratch.features = what the layers make of the magnitudes.
  void Convolve(int windows) {
    Scratch& scratch = Scratch::OfThisThread();
    for (std::size_t l = 0; l < kLayers.size(); ++l) {
      const Layer& layer = kLayers[l];
      const bool last = l + 1 == kLayers.size();
      float* to = last ? scratch.features.data() : scratch.frames[l + 1].data();
      const std::size_t to_stride = last ? kHidden : FrameStride(l + 1);
      const auto ldy = static_cast<std::int64_t>(to_stride);
      for (int f = 0; f < layer.frames_out(); ++f) {
        float* out = to + std::size_t(f) * layer.outputs;
        const Taps taps(layer, f);
        const int from = taps.from + taps.first;
        PackedWeights weights = w_.weight[l][taps.first][taps.end].View(0);
        weights.bias = w_.bias[l];
        Multiply(scratch.frames[l].data() + from * layer.inputs, windows,
                 static_cast<std::int64_t>(FrameStride(l)), weights, out, ldy, false);
        if (l == 0) {
          Multiply(scratch.low.data() + from * kLowBins, windows, kFftFrames * kLowBins,
                   w_.low_weight[taps.first][taps.end].View(0), out, ldy, true);
        }
        for (int i = 0; i < windows; ++i) kernels_.relu(out + to_stride * i, layer.outputs);
      }
    }
    // What can be made a voice again, and what the first layer makes of it. The others tell when
    // somebody spoke, and stay until the next one does.
    for (const std::size_t l : {0, 1}) {
      std::fill_n(scratch.frames[l].begin(), FrameStride(l) * windows, 0.0f);
    }
    std::fill(scratch.low.begin(), scratch.low.end(), 0.0f);
    std::fill(scratch.quantized.begin(), scratch.quantized.end(), std::uint8_t{0});
  }

  // gates += what is hidden * weights. Both halves of those do not fit the first-level cache: what
  // came last is still there, and comes first the next time.
  void AddHidden(bool in_order, float* gates) {
    Scratch& scratch = Scratch::OfThisThread();
    kernels_.quantize_rows(hidden_.data(), 1, kHidden, kHidden, scratch.quantized.data(), kHidden,
                           scratch.rows.data());
    for (const int half : {in_order ? 0 : 1, in_order ? 1 : 0}) {
      kernels_.gemm_u8s8(scratch.quantized.data(), 1, kHidden, scratch.rows.data(),
                         w_.hidden_gates.View(half), gates + std::size_t{2} * kHidden * half,
                         2 * kHidden, true);
    }
  }

  // In lanes, so that no addition waits for all before it.
  float Probability() const {
    float lanes[kLanes] = {};
    for (int j = 0; j < kHidden; j += kLanes) {
      for (int i = 0; i < kLanes; ++i) {
        lanes[i] += std::max(hidden_[j + i], 0.0f) * w_.output[j + i];
      }
    }
    double sum = *w_.output_bias;
    for (const float lane : lanes) sum += lane;
    return static_cast<float>(1.0 / (1.0 + std::exp(-sum)));
  }

  // y = x * weights, of m windows; accumulate adds what is there.
  void Multiply(const float* x, int m, std::int64_t ldx, const PackedWeights& weights, float* y,
                std::int64_t ldy, bool accumulate) {
    Scratch& scratch = Scratch::OfThisThread();
    const int lda = RoundUp(weights.k, kActivationAlign);
    kernels_.quantize_rows(x, m, weights.k, ldx, scratch.quantized.data(), lda,
                           scratch.rows.data());
    kernels_.gemm_u8s8(scratch.quantized.data(), m, lda, scratch.rows.data(), weights, y, ldy,
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
      if (!AllFinite(values)) return DataLoss(name + " holds what is no number");
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
      const int parts = to == &w_.hidden_gates ? 2 : 1, outputs = 4 * kHidden / parts;
      to->Resize(parts, outputs, kHidden);
      for (int i = 0; i < parts; ++i) {
        to->PackInputs(kernels_, i, weight + std::ptrdiff_t{outputs} * i, 4 * kHidden);
      }
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
    const std::size_t tap = std::size_t(layer.inputs) * layer.outputs;
    const auto pack = [&](const float* from, int inputs, PackedMatrices* to) {
      to->Resize(1, layer.outputs, inputs);
      to->PackInputs(kernels_, 0, from, layer.outputs);
    };
    std::vector<float> scaled(weight, weight + 3 * tap);
    if (l == 0) ScaleBins(&scaled);
    for (int f = 0; f < layer.frames_out(); ++f) {
      const Taps taps(layer, f);
      const int count = taps.end - taps.first;
      pack(scaled.data() + taps.first * tap, count * layer.inputs,
           &w_.weight[l][taps.first][taps.end]);
      if (l != 0) continue;
      std::vector<float> low;
      for (int t = taps.first; t < taps.end; ++t) {
        const float* from = weight + t * tap;
        low.insert(low.end(), from, from + std::ptrdiff_t{kLowBins} * layer.outputs);
      }
      pack(low.data(), count * kLowBins, &w_.low_weight[taps.first][taps.end]);
    }
  }

  // Magnitudes, and the weights [3, kBins, outputs] of the first layer, so that 8 bits are enough:
  // a bin gets as many steps as its weights are large, which are equally large then, and as it
  // takes to have speech, which falls with the frequency, as loud in all.
  void ScaleBins(std::vector<float>* weight) {
    const auto outputs = static_cast<std::size_t>(kLayers[0].outputs);
    for (std::size_t bin = 0; bin < kBins; ++bin) {
      double squares = 0;
      for (std::size_t i = 0; i < 3 * outputs; ++i) {
        const double v = (*weight)[(i / outputs * kBins + bin) * outputs + i % outputs];
        squares += v * v;
      }
      const bool is_heard = bin >= kLowBins && squares > 0;
      constexpr double kMost = std::numeric_limits<float>::max();
      const auto scale =
          static_cast<float>(std::min(std::sqrt(squares * static_cast<double>(bin)), kMost));
      w_.bin_scale[bin] = is_heard ? scale : 0.0f;
      for (std::size_t i = 0; i < 3 * outputs; ++i) {
        float& v = (*weight)[(i / outputs * kBins + bin) * outputs + i % outputs];
        v = is_heard ? v / scale : 0.0f;
      }
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
