#include "app/kernel_cases.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "base/aligned_vector.h"
#include "tensor/quantized_linear.h"

namespace lethe {
namespace {

// Moonshine tiny.
constexpr int kHidden = 288;
constexpr int kInner = 1152;  // of a feed-forward part
constexpr int kHeadDim = 36;
constexpr int kVocabulary = 32768;
constexpr int kConvWidth = 127, kConvStep = 64;
// A segment of 10.8 s: frames, and the outputs of the two convolutions before them.
constexpr int kFrames = 450;
constexpr int kFrames2 = (kFrames - 1) * 2 + 3;
constexpr int kFrames1 = (kFrames2 - 1) * 3 + 7;
constexpr int kSums = 128;                  // that the second convolution goes over, of a frame
constexpr int kHeard = kFrames * 33 / 100;  // by the decoder, of the frames
constexpr int kHeads = 8;
constexpr int kBlockRows = 96;  // quantised together
constexpr int kTokens = 40;     // in the decoder's memory, half way through the segment
// One pass of the decoder reads all of its weights and the signs of the output layer before it
// comes back to the first: 10.6 MB; with every logit the whole of the output layer, 18.4 MB.
constexpr double kDecoderPass = 10.6e6, kDecoderPassWithLogits = 18.4e6;
constexpr std::size_t kLargest = std::size_t{kVocabulary} * kHidden;  // of all matrices
// Readers may run this far over an end.
constexpr std::size_t kSlack = 1024;

// Operations of the formulas in kernels/internal/float_kernels.h, for each value.
constexpr int kExp = 23, kSigmoid = kExp + 3, kTanh = kExp + 7, kGelu = 23;
constexpr int kSilu = kSigmoid + 2, kLayerNorm = 7, kQuantize = 8, kPack = 5;
constexpr int kByteExp = 16, kSoftmax = kByteExp + 2, kLogSumExp = kByteExp + 2,
              kLstm = 3 * kSigmoid + 2 * kTanh + 4;

// The same numbers every time, of either sign, none of them zero or tiny.
float Sample(std::size_t i) {
  const auto hash = static_cast<std::uint32_t>(i * 2654435761U);
  return static_cast<float>(static_cast<int>(hash >> 20) - 2048) / 1024.0f + 0.0003f;
}

// Memory that a case and the copies of its function share.
std::shared_ptr<AlignedVector<float>> Floats(double count) {
  auto values = std::make_shared<AlignedVector<float>>(static_cast<std::size_t>(count) + kSlack);
  for (std::size_t i = 0; i < values->size(); ++i) (*values)[i] = Sample(i);
  return values;
}

std::string Shape(std::initializer_list<int> sizes) {
  std::string text;
  for (const int size : sizes) text += (text.empty() ? "" : " x ") + std::to_string(size);
  return text;
}

class Cases {
 public:
  explicit Cases(const KernelTable& kernels)
      : kernels_(kernels),
        weights_(std::make_shared<AlignedVector<std::int8_t>>(
            static_cast<std::size_t>(kDecoderPassWithLogits) + kLargest + kSlack)) {
    for (std::size_t i = 0; i < weights_->size(); ++i) {
      (*weights_)[i] = static_cast<std::int8_t>(60 * Sample(i));
    }
  }

  std::vector<KernelCase> Take() { return std::move(cases_); }

  // m rows by a matrix. With a working set beyond the matrix, every run takes the next of many.
  void Product(const char* where, int m, int n, int k, double working_set = 0) {
    struct Memory {
      std::shared_ptr<const AlignedVector<std::int8_t>> weights;
      AlignedVector<float> scale, y;
      AlignedVector<std::int32_t> sums;
      AlignedVector<std::uint8_t> a;
      std::vector<RowScale> rows;
      std::size_t at = 0;
    };
    const int n_padded = RoundUp(n, kLanes), k_padded = RoundUp(k, 4);
    const int lda = RoundUp(k, kActivationAlign);
    const auto size = static_cast<std::size_t>(n_padded) * k_padded;
    // As many as it takes to come to the working set.
    const std::size_t copies = static_cast<std::size_t>(working_set) / size + 1;
    auto memory = std::make_shared<Memory>();
    memory->weights = weights_;
    memory->scale.resize(static_cast<std::size_t>(n_padded), 0.01f);
    memory->sums.resize(static_cast<std::size_t>(n_padded), 3);
    memory->y.resize(static_cast<std::size_t>(m) * n_padded);
    memory->a.resize(static_cast<std::size_t>(m) * lda);
    memory->rows.resize(static_cast<std::size_t>(m));
    const auto x = Floats(1.0 * m * k);
    kernels_.quantize_rows(x->data(), m, k, k, memory->a.data(), lda, memory->rows.data());
    const auto run = [table = &kernels_, memory, m, n, k, n_padded, k_padded, lda, size, copies] {
      const PackedWeights w{.n = n,
                            .k = k,
                            .n_padded = n_padded,
                            .k_padded = k_padded,
                            .weight = memory->weights->data() + size * memory->at,
                            .scale = memory->scale.data(),
                            .zero = memory->sums.data(),
                            .correction = memory->sums.data()};
      memory->at = (memory->at + 1) % copies;
      table->gemm_u8s8(memory->a.data(), m, lda, memory->rows.data(), w, memory->y.data(), n_padded,
                       false);
    };
    const double bytes = 1.0 * n * k + 1.0 * m * (k + 4.0 * n);
    cases_.push_back({.kernel = "gemm_u8s8",
                      .where = where,
                      .shape = Shape({m, n, k}),
                      .arithmetic = Arithmetic::kIntegers,
                      .operations = 2.0 * m * n * k,
                      .bytes = bytes,
                      .working_set = std::max(working_set, bytes),
                      .run = run});
  }

  // A head of all frames; what is attainable is that of its two products, without the softmax.
  void AttendFrames(const char* where) {
    struct Memory {
      AlignedVector<float> scale;
      AlignedVector<std::int32_t> zero, correction;
      AlignedVector<float> scratch;
    };
    const int frames = RoundUp(kFrames, kLanes), dims = RoundUp(kHeadDim, kLanes);
    const auto memory = std::make_shared<Memory>();
    memory->scale.resize(static_cast<std::size_t>(frames), 0.01f);
    memory->zero.resize(static_cast<std::size_t>(frames));
    memory->correction.resize(static_cast<std::size_t>(frames), 3);
    memory->scratch.resize(static_cast<std::size_t>(AttendScratchBytes(kFrames, kHeadDim)) / 4 +
                           16);
    const auto x = Floats(3.0 * kFrames * kHidden), out = Floats(1.0 * kFrames * kHidden);
    const auto run = [=, table = &kernels_, weights = weights_] {
      const PackedWeights keys{.n = kFrames,
                               .k = kHeadDim,
                               .n_padded = frames,
                               .k_padded = kHeadDim,
                               .weight = weights->data(),
                               .scale = memory->scale.data(),
                               .zero = memory->zero.data(),
                               .correction = memory->correction.data()};
      PackedWeights values = keys;
      values.n = kHeadDim;
      values.k = kFrames;
      values.n_padded = dims;
      values.k_padded = RoundUp(kFrames, 4);
      void* scratch = memory->scratch.data();
      std::size_t room = memory->scratch.size() * sizeof(float);
      scratch = std::align(64, room - 64, scratch, room);
      table->attend_frames(x->data(), kFrames, 3 * kHidden, keys, values, scratch, out->data(),
                           kHidden);
    };
    const double bytes = 4.0 * 2 * kFrames * kHeadDim + 2.0 * kFrames * kHeadDim;
    cases_.push_back({.kernel = "attend_frames",
                      .where = where,
                      .shape = Shape({kFrames, kFrames, kHeadDim}),
                      .arithmetic = Arithmetic::kIntegers,
                      .operations = 4.0 * kFrames * kFrames * kHeadDim,
                      .bytes = bytes,
                      .working_set = bytes,
                      .run = run});
  }

  // The signs of the output layer. What is counted is what they take at least: to look up six of
  // them and to add what is found are two operations on bytes.
  void Signs(const char* where, int m, int n, int k, double working_set) {
    const int lda = RoundUp(k, kActivationAlign);
    const auto a = Bytes(1.0 * m * lda), code = Bytes(1.0 * n * k / 6);
    for (std::size_t i = 0; i < code->size(); ++i)
      (*code)[i] = static_cast<std::uint8_t>(i * 167 % 64);
    const auto rows = Rows(m);
    const auto x = Floats(1.0 * m * k), mean = Floats(k), scale = Floats(n),
               y = Floats(1.0 * m * n);
    kernels_.quantize_rows(x->data(), m, k, k, a->data(), lda, rows->data());
    const double bytes = 1.0 * n * k / 6 + 4.0 * n + 4.0 * m * n;
    cases_.push_back({.kernel = "gemm_u8u1",
                      .where = where,
                      .shape = Shape({m, n, k}),
                      .arithmetic = Arithmetic::kIntegers,
                      .operations = 2.0 / 6 * m * n * k,
                      .bytes = bytes,
                      .working_set = working_set,
                      .run = [=, table = &kernels_] {
                        const SignWeights w{.n = n,
                                            .k = k,
                                            .n_padded = n,
                                            .k_padded = k,
                                            .code = code->data(),
                                            .mean = mean->data(),
                                            .scale = scale->data()};
                        table->gemm_u8u1(a->data(), m, lda, rows->data(), w, y->data(), n);
                      }});
  }

  // Of 16-bit integers; rows of x lie `stride` apart and may overlap.
  void ShortProduct(const char* where, int m, int n, int k, int stride) {
    const double inputs = 1.0 * (m - 1) * stride + k;
    const auto x = Shorts(inputs), weight = Shorts(1.0 * k * n);
    const auto scale = Floats(n), rows = Floats(m), y = Floats(1.0 * m * n);
    const double bytes = 2 * (inputs + 1.0 * k * n) + 4.0 * m * n;
    cases_.push_back({.kernel = "gemm_s16",
                      .where = where,
                      .shape = Shape({m, n, k}),
                      .arithmetic = Arithmetic::kShorts,
                      .operations = 2.0 * m * n * k,
                      .bytes = bytes,
                      .working_set = bytes,
                      .run = [=, table = &kernels_] {
                        const ShortWeights w{
                            .n = n, .k = k, .weight = weight->data(), .scale = scale->data()};
                        table->gemm_s16(x->data(), m, stride, rows->data(), w, y->data(), n);
                      }});
  }

  // Of sixteen signals; what is counted are butterflies, windows and magnitudes.
  void Spectrum(const char* where, int size, int stride) {
    const auto x = Floats(16.0 * stride + size), window = Floats(size), turns = Floats(size);
    const auto scratch = Floats(32.0 * size), y = Floats(16.0 * (size / 2 + 1));
    const double points = size / 2.0;
    const double each = points / 2 * std::log2(points) * 10 + size + points / 2 * 24;
    Add("spectrum", where, Shape({16, size}), 16 * each, 4.0 * 16 * (size + points),
        [=, table = &kernels_] {
          table->spectrum(x->data(), 16, size, stride, window->data(), turns->data(),
                          scratch->data(), y->data(), size / 2 + 1);
        });
  }

  void QuantizeRows(const char* where, int m, int k, int stride) {
    const int lda = RoundUp(k, kActivationAlign);
    const auto x = Floats(1.0 * m * stride + k);
    const auto a = Bytes(1.0 * m * lda);
    const auto rows = Rows(m);
    Add("quantize_rows", where, Shape({m, k}), double{kQuantize} * m * k,
        4.0 * ((m - 1.0) * std::min(stride, k) + k) + 1.0 * m * k, [=, table = &kernels_] {
          table->quantize_rows(x->data(), m, k, stride, a->data(), lda, rows->data());
        });
  }

  void QuantizeShorts(const char* where, int m, int k) {
    const int ld = RoundUp(k, kLanes);
    const auto x = Floats(1.0 * m * k), scale = Floats(m);
    const auto q = Shorts(1.0 * m * ld);
    Add("quantize_shorts", where, Shape({m, k}), double{kQuantize} * m * k, 6.0 * m * k,
        [=, table = &kernels_] {
          table->quantize_shorts(x->data(), m, k, k, 32767, q->data(), ld, scale->data());
        });
  }

  void SoftmaxQuantize(const char* where, int m, int n) {
    const int ld = RoundUp(n, kLanes), lda = RoundUp(n, kActivationAlign);
    const auto s = Floats(1.0 * m * ld);
    const auto a = Bytes(1.0 * m * lda);
    const auto rows = Rows(m);
    Add("softmax_quantize", where, Shape({m, n}), double{kSoftmax} * m * n, 5.0 * m * n,
        [=, table = &kernels_] {
          table->softmax_quantize(s->data(), m, n, ld, a->data(), lda, rows->data());
        });
  }

  void LayerNorm(const char* where, int m, int n) {
    const auto x = Floats(1.0 * m * n), y = Floats(1.0 * m * n), weight = Floats(n);
    Add("layer_norm", where, Shape({m, n}), double{kLayerNorm} * m * n, 8.0 * m * n,
        [=, table = &kernels_] { table->layer_norm(x->data(), m, n, weight->data(), y->data()); });
  }

  // In place: what comes out is what goes in next time. From these values no number becomes so
  // small that it would be slow.
  void InPlace(const char* kernel, const char* where, void (*map)(float*, std::int64_t),
               double operations, int rows, int columns) {
    const double n = 1.0 * rows * columns;
    const auto x = Floats(n);
    for (float& v : *x) v += 8;
    Add(kernel, where, Shape({rows, columns}), operations * n, 8 * n,
        [=] { map(x->data(), static_cast<std::int64_t>(n)); });
  }

  void SiluMultiply(const char* where, int n) {
    const auto x = Floats(2.0 * n), y = Floats(n);
    Add("silu_multiply", where, Shape({n}), double{kSilu} * n, 12.0 * n,
        [=, table = &kernels_] { table->silu_multiply(x->data(), x->data() + n, n, y->data()); });
  }

  // Keys and values of a head after each other; every run takes the next head of many.
  void Attend(const char* where, int count) {
    const int size = 2 * RoundUp(count, kLanes) * kHeadDim;
    const auto query = Floats(kHeadDim), scores = Floats(count), out = Floats(kHeadDim);
    const auto one = Floats(size);
    AlignedVector<std::uint16_t> half(static_cast<std::size_t>(size));
    kernels_.to_half(one->data(), size, half.data());
    const int heads = static_cast<int>(kDecoderPass / (2 * size));
    const auto cache = std::make_shared<AlignedVector<std::uint16_t>>();
    for (int i = 0; i < heads; ++i) cache->insert(cache->end(), half.begin(), half.end());
    cache->resize(cache->size() + kSlack);
    const auto at = std::make_shared<int>(0);
    Add("attend", where, Shape({count, kHeadDim}), count * (4.0 * kHeadDim + kExp + 4),
        2.0 * 2 * count * kHeadDim, [=, table = &kernels_] {
          const std::uint16_t* keys = cache->data() + std::int64_t{*at} * size;
          *at = (*at + 1) % heads;
          table->attend(query->data(), kHeadDim, keys, keys + size / 2, count, scores->data(),
                        out->data());
        });
    cases_.back().working_set = kDecoderPass;
  }

  void Pack(const char* where, int frames, int stride) {
    const auto x = Floats(1.0 * frames * stride);
    const int padded = RoundUp(frames, kLanes), dims = RoundUp(kHeadDim, kLanes);
    const auto weight =
        std::make_shared<AlignedVector<std::int8_t>>(static_cast<std::size_t>(padded) * dims);
    const auto scale = Floats(padded);
    const auto correction =
        std::make_shared<AlignedVector<std::int32_t>>(static_cast<std::size_t>(padded));
    const double n = 1.0 * frames * kHeadDim;
    Add("pack_outputs", where, Shape({frames, kHeadDim}), kPack * n, 5 * n, [=, table = &kernels_] {
      table->pack_outputs(x->data(), frames, kHeadDim, stride, weight->data(), scale->data(),
                          correction->data());
    });
    Add("pack_inputs", where, Shape({kHeadDim, frames}), kPack * n, 5 * n, [=, table = &kernels_] {
      table->pack_inputs(x->data(), frames, kHeadDim, stride, weight->data(), scale->data(),
                         correction->data());
    });
  }

  void ToHalf(const char* where, int n) {
    const auto x = Floats(n);
    const auto y = std::make_shared<AlignedVector<std::uint16_t>>(static_cast<std::size_t>(n));
    Add("to_half", where, Shape({n}), n, 6.0 * n,
        [=, table = &kernels_] { table->to_half(x->data(), n, y->data()); });
  }

  void ArgmaxLogSumExp(const char* where, int n) {
    const auto x = Floats(n);
    Add("argmax_logsumexp", where, Shape({n}), double{kLogSumExp} * n, 4.0 * n,
        [=, table = &kernels_] {
          int index = 0;
          float log_sum = 0;
          table->argmax_logsumexp(x->data(), n, &index, &log_sum);
        });
  }

  void LstmCell(const char* where, int h) {
    const auto gates = Floats(4.0 * h), cell = Floats(h), hidden = Floats(h);
    Add("lstm_cell", where, Shape({h}), double{kLstm} * h, 4.0 * 7 * h, [=, table = &kernels_] {
      table->lstm_cell(gates->data(), h, cell->data(), hidden->data());
    });
  }

 private:
  static std::shared_ptr<AlignedVector<std::uint8_t>> Bytes(double count) {
    return std::make_shared<AlignedVector<std::uint8_t>>(static_cast<std::size_t>(count) + kSlack);
  }
  static std::shared_ptr<AlignedVector<std::int16_t>> Shorts(double count) {
    auto values =
        std::make_shared<AlignedVector<std::int16_t>>(static_cast<std::size_t>(count) + kSlack);
    for (std::size_t i = 0; i < values->size(); ++i) {
      (*values)[i] = static_cast<std::int16_t>(100 * Sample(i));
    }
    return values;
  }
  static std::shared_ptr<std::vector<RowScale>> Rows(int m) {
    return std::make_shared<std::vector<RowScale>>(static_cast<std::size_t>(m));
  }

  void Add(const char* kernel, const char* where, std::string shape, double operations,
           double bytes, std::function<void()> run) {
    cases_.push_back({.kernel = kernel,
                      .where = where,
                      .shape = std::move(shape),
                      .operations = operations,
                      .bytes = bytes,
                      .working_set = bytes,
                      .run = std::move(run)});
  }

  const KernelTable& kernels_;
  const std::shared_ptr<AlignedVector<std::int8_t>> weights_;  // of all matrices, as many as fit
  std::vector<KernelCase> cases_;
};

}  // namespace

std::vector<KernelCase> KernelCases(const KernelTable& kernels) {
  Cases cases(kernels);
  cases.Product("encoder conv2 sums", kFrames1, kSums, kHidden);
  cases.Product("encoder conv2", kFrames2, 2 * kHidden, 7 * kSums);
  cases.Product("encoder conv3", kFrames, kHidden, 3 * 2 * kHidden);
  cases.Product("encoder qkv", kFrames, 3 * kHidden, kHidden);
  cases.AttendFrames("encoder");
  cases.Product("encoder output", kFrames, kHidden, kHidden);
  cases.Product("encoder fc1", kFrames, kInner, kHidden);
  cases.Product("encoder fc2", kFrames, kHidden, kInner);
  for (const int rows : {1, 8, 32}) {
    cases.Product("decoder qkv", rows, 3 * kHidden, kHidden, kDecoderPass);
    cases.Product("decoder output", rows, kHidden, kHidden, kDecoderPass);
    cases.Product("decoder fc1", rows, 2 * kInner, kHidden, kDecoderPass);
    cases.Product("decoder fc2", rows, kHidden, kInner, kDecoderPass);
    cases.Product("output layer", rows, kVocabulary, kHidden, kDecoderPassWithLogits);
  }
  // Keys and values of the frames belong to the sequence; a row has its own.
  cases.Product("decoder scores", 1, kHeard, kHeadDim, kDecoderPass);
  cases.Product("decoder values", 1, kHeadDim, kHeard, kDecoderPass);

  for (const int m : {1, 8}) cases.Signs("output layer", m, kVocabulary, kHidden, kDecoderPass);

  cases.ShortProduct("encoder conv1", kFrames1, kHidden, kConvWidth + 1, kConvStep);
  // Silero, sixteen windows of 512 samples at a time, or one of a live stream.
  cases.Spectrum("activity", 256, 640);
  for (const int windows : {1, 16}) {
    cases.Product("activity layer 1", windows, 128, 3 * 129);
    cases.Product("activity layer 2", windows, 64, 3 * 128);
    cases.Product("activity layer 3", windows, 64, 2 * 64);
    cases.Product("activity layer 4", windows, 128, 64);
  }
  cases.Product("activity lowest bins", 16, 128, 3 * 2);
  cases.Product("activity inputs", 16, 512, 128);
  cases.Product("activity hidden, half", 1, 256, 128);

  cases.QuantizeShorts("encoder conv1", 1, (kBlockRows - 1) * kConvStep + kConvWidth);
  cases.QuantizeRows("activity layer 1", 16, 3 * 129, 4 * 129);
  cases.QuantizeRows("encoder conv2", kBlockRows, 7 * kSums, 3 * kSums);
  cases.QuantizeRows("encoder fc1", kBlockRows, kHidden, kHidden);
  cases.QuantizeRows("encoder fc2", kBlockRows, kInner, kInner);
  cases.QuantizeRows("decoder fc1", 1, kHidden, kHidden);
  cases.SoftmaxQuantize("decoder", kHeads, kHeard);
  cases.LayerNorm("encoder", kFrames, kHidden);
  cases.LayerNorm("decoder", 1, kHidden);
  cases.InPlace("tanh", "encoder conv1", kernels.tanh, kTanh, kFrames1, kHidden);
  cases.InPlace("gelu", "encoder conv2", kernels.gelu, kGelu, kFrames2, 2 * kHidden);
  cases.InPlace("gelu", "encoder fc1", kernels.gelu, kGelu, kFrames, kInner);
  cases.SiluMultiply("decoder fc1", kInner);
  cases.Attend("decoder", kTokens);
  cases.ToHalf("decoder", 2 * kHidden);
  cases.Pack("encoder", kFrames, 3 * kHidden);
  cases.ArgmaxLogSumExp("output layer", kVocabulary);
  cases.LstmCell("activity", 128);
  return cases.Take();
}

}  // namespace lethe
