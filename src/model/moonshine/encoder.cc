#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "model/internal/level.h"
#include "model/moonshine/internal/frame_merging.h"
#include "model/moonshine/internal/worker.h"

namespace lethe::moonshine {
namespace {

// The stem's convolutions: width and step.
constexpr int kWidth1 = 127, kStep1 = 64;
constexpr int kWidth2 = 7, kStep2 = 3;
constexpr int kWidth3 = 3, kStep3 = 2;

// Rows that go through a block of matrices together: what is between the matrices stays in the
// second-level cache.
constexpr int kBlockRows = 96;
// And those that are made and quantised together, in the first-level cache: kernels go over four
// rows side by side.
constexpr int kPreparedRows = 4;

// So many of a hundred frames are the second of a pair, or as many as greedy pairing finds; and of
// those that are left before the last layer.
constexpr int kMergedPercent = 40, kMergedLastPercent = 45;

// Buffers keep what they once had: a shorter utterance must not make the next one zero them anew.
template <class T>
void Grow(AlignedVector<T>* buffer, std::size_t size) {
  if (buffer->size() < size) buffer->resize(size);
}

constexpr int Outputs(std::int64_t inputs, int width, int step) {
  return inputs < width ? 0 : static_cast<int>((inputs - width) / step + 1);
}

// Frames that the stem needs to give one: 3 outputs of the second, so 13 of the first.
constexpr int kMinFrames1 = (kWidth3 - 1) * kStep2 + kWidth2;
constexpr int kMinSamples = (kMinFrames1 - 1) * kStep1 + kWidth1;

}  // namespace

void Worker::Apply(const PackedWeights& weights, const float* x, int m, std::int64_t ldx, float* y,
                   std::int64_t ldy, bool accumulate) {
  const int lda = RoundUp(weights.k_padded, kActivationAlign);
  Grow(&quantized_, static_cast<std::size_t>(std::min(m, kBlockRows)) * lda);
  row_scales_.resize(std::max<std::size_t>(row_scales_.size(), kBlockRows));
  for (int i = 0; i < m; i += kBlockRows) {
    const int rows = std::min(kBlockRows, m - i);
    kernels_.quantize_rows(x + i * ldx, rows, weights.k, ldx, quantized_.data(), lda,
                           row_scales_.data());
    kernels_.gemm_u8s8(quantized_.data(), rows, lda, row_scales_.data(), weights, y + i * ldy, ldy,
                       accumulate);
  }
}

template <class Prepare>
void Worker::ApplyPrepared(const PackedWeights& weights, const float* x, int m, float* y,
                           std::int64_t ldy, bool accumulate, const Prepare& prepare) {
  LETHE_CHECK(m <= kBlockRows);
  const int lda = RoundUp(weights.k_padded, kActivationAlign);
  Grow(&quantized_, std::size_t{kBlockRows} * lda);
  row_scales_.resize(std::max<std::size_t>(row_scales_.size(), kBlockRows));
  for (int i = 0; i < m; i += kPreparedRows) {
    const int rows = std::min(kPreparedRows, m - i);
    prepare(i, rows);
    kernels_.quantize_rows(x + std::int64_t{i} * weights.k, rows, weights.k, weights.k,
                           quantized_.data() + std::int64_t{i} * lda, lda, row_scales_.data() + i);
  }
  kernels_.gemm_u8s8(quantized_.data(), m, lda, row_scales_.data(), weights, y, ldy, accumulate);
}

void Worker::BeginEncode(std::span<const float> samples, SpeechSequence* base) {
  auto* sequence = static_cast<Sequence*>(base);
  if (samples.size() < kMinSamples) {
    padded_.assign(kMinSamples, 0.0f);
    std::copy(samples.begin(), samples.end(), padded_.begin());
    samples = padded_;
  }
  const float gain = GainOfQuiet(kernels_, samples);
  if (gain > 1) {
    raised_.assign(samples.begin(), samples.end());
    for (float& v : raised_) v *= gain;
    samples = raised_;
  }
  EncodeStem(samples, sequence);
  // They are seldom used, and would keep somebody's voice until then.
  for (AlignedVector<float>* copy : {&padded_, &raised_}) {
    std::fill(copy->begin(), copy->end(), 0.0f);
    copy->clear();
  }
  sequence->frames_ = 0;
  sequence->tokens_ = 0;
  sequence->encoded_layers_ = 0;
  sequence->first_.resize(static_cast<std::size_t>(frames_) + 1);
  std::iota(sequence->first_.begin(), sequence->first_.end(), std::uint16_t{0});
  Probe("encoder.stem", sequence->x_.data(), frames_, w_.config.hidden);
}

void Worker::ReserveEncoder(int frames) {
  const Config& c = w_.config;
  const auto rows = static_cast<std::size_t>(frames);
  Grow(&norm_, rows * c.hidden);
  // Values of the last head are read in whole vectors.
  Grow(&qkv_, rows * c.hidden * 3 + kLanes);
  Grow(&context_, rows * c.hidden);
  Grow(&fc_, std::size_t{kBlockRows} * c.encoder_intermediate);
  Grow(&means_, rows * c.hidden);
  Grow(&scratch_, static_cast<std::size_t>(AttendScratchBytes(frames, c.head_dim)));
}

bool Worker::EncodeMore(SpeechSequence* base) {
  auto* sequence = static_cast<Sequence*>(base);
  const Config& c = w_.config;
  const auto layers = static_cast<int>(w_.encoder.size());
  LETHE_CHECK(sequence->frames_ == 0 && sequence->encoded_layers_ <= layers);
  frames_ = static_cast<int>(sequence->x_.size()) / c.hidden;
  float* x = sequence->x_.data();
  if (sequence->encoded_layers_ < layers) {
    ReserveEncoder(frames_);
    const int layer = sequence->encoded_layers_++;
    EncodeLayer(w_.encoder[layer], merges_frames_ ? SharedByPairs(layer, layers) : Shared::kNothing,
                sequence);
    Probe("encoder.block.", layer, x, frames_, c.hidden);
    if (merges_frames_ && layer + 1 == layers / 2) {
      MergeFrames(layer, context_.data(), kMergedPercent, sequence);
    } else if (merges_frames_ && layer + 2 == layers) {
      MergeFrames(layer, x, kMergedLastPercent, sequence);
    }
    return true;
  }
  kernels_.layer_norm(x, frames_, c.hidden, w_.encoder_norm, norm_.data());
  Probe("encoder.out", norm_.data(), frames_, c.hidden);
  FillCross(sequence);
  // Kept by none: a stream of partials would hold it for every sequence it ever used.
  sequence->x_ = {};
  return false;
}

void Worker::MergeFrames(int layer, const float* vectors, int percent, Sequence* sequence) {
  const int h = w_.config.hidden;
  Probe("encoder.likeness.", layer, vectors, frames_, h);
  MergePairs(LikePairs(kernels_, vectors, frames_, h, frames_ * percent / 100), h, &sequence->x_,
             &sequence->first_);
  const int frames = static_cast<int>(sequence->first_.size()) - 1;
  Probe("encoder.merged.", layer, sequence->x_.data(), frames, h);
  if (probe_) {
    const std::vector<float> places(sequence->first_.begin(), sequence->first_.end());
    Probe("encoder.places.", layer, places.data(), frames + 1, 1);
  }
}

void Worker::EncodeStem(std::span<const float> samples, Sequence* sequence) {
  const int h = w_.config.hidden;
  const int t1 = Outputs(static_cast<std::int64_t>(samples.size()), kWidth1, kStep1);
  const int t2 = Outputs(t1, kWidth2, kStep2);
  frames_ = Outputs(t2, kWidth3, kStep3);
  LETHE_CHECK(frames_ > 0 && frames_ <= rotary_.positions());
  AlignedVector<float>& x = sequence->x_;
  x.resize(static_cast<std::size_t>(frames_) * h);
  conv2_.resize(std::size_t{kWidth3 - 1 + kBlockRows} * 2 * h);

  FirstConvolution(samples, t1);
  PackedWeights conv2 = w_.conv2.weights;
  if (w_.ReducesChannels()) {
    conv2 = w_.conv2_taps.weights;
    conv2.bias = conv2_bias_.data();
  }
  const int channels = conv2.k / kWidth2;
  // With time first and channels last, a convolution's window is one run of memory.
  int normalized = 0, encoded = 0;
  int waiting = 0;  // rows of the second convolution that the third one has not done with
  for (int t = 0; t < t2; t += kBlockRows) {
    const int rows = std::min(kBlockRows, t2 - t);
    const int end = (t + rows - 1) * kStep2 + kWidth2;
    kernels_.scale_columns(conv1_.data() + std::int64_t{normalized} * channels, end - normalized,
                           channels, channel_scale_.data(), channel_shift_.data());
    normalized = end;
    float* out = conv2_.data() + std::int64_t{waiting} * 2 * h;
    Apply(conv2, conv1_.data() + std::int64_t{t} * kStep2 * channels, rows,
          std::int64_t{kStep2} * channels, out, 2 * h, false);
    kernels_.gelu(out, std::int64_t{rows} * 2 * h);
    waiting += rows;
    const int count = Outputs(waiting, kWidth3, kStep3);
    float* to = x.data() + std::int64_t{encoded} * h;
    Apply(w_.conv3.weights, conv2_.data(), count, std::int64_t{kStep3} * 2 * h, to, h, false);
    kernels_.gelu(to, std::int64_t{count} * h);
    encoded += count;
    waiting -= count * kStep3;
    std::copy_n(conv2_.data() + std::int64_t{count} * kStep3 * 2 * h,
                static_cast<std::size_t>(waiting) * 2 * h, conv2_.data());
  }
  LETHE_CHECK(encoded == frames_);
}

// conv1_ = tanh(convolution), [rows, h], or what its channels are reduced to; and what normalises
// it as one group: mean and variance run over channels and time, so frame 0 depends on the last
// sample, and the stem cannot run incrementally. Reducing is linear, so it need not wait for them.
// Source: Wu and He 2018, arXiv:1803.08494, with one group
void Worker::FirstConvolution(std::span<const float> samples, int rows) {
  const int h = w_.config.hidden;
  const bool reduces = w_.ReducesChannels();
  const int channels = reduces ? w_.conv2_reduce.weights.n : h;
  Grow(&conv1_, static_cast<std::size_t>(rows) * channels);
  if (reduces) Grow(&block_, std::size_t{kBlockRows} * h);
  double sum = 0, squares = 0;
  for (int t = 0; t < rows; t += kBlockRows) {
    const int count = std::min(kBlockRows, rows - t);
    float* reduced = conv1_.data() + std::int64_t{t} * channels;
    float* out = reduces ? block_.data() : reduced;
    // The loudest of a block's samples has all 16 bits.
    const int size = (count - 1) * kStep1 + kWidth1;
    const auto room = static_cast<std::size_t>(RoundUp(size, kLanes));
    Grow(&shorts_, room);
    float loudness = 0;
    kernels_.quantize_shorts(samples.data() + std::int64_t{t} * kStep1, 1, size, size, 32767,
                             shorts_.data(), size, &loudness);
    row_loudness_.assign(static_cast<std::size_t>(count), loudness);
    kernels_.gemm_s16(shorts_.data(), count, kStep1, row_loudness_.data(), w_.conv1.View(), out, h);
    const auto finish = [&](int first, int rows_now) {
      float* x = out + std::int64_t{first} * h;
      kernels_.tanh(x, std::int64_t{rows_now} * h);
      for (int i = 0; i < rows_now; ++i) {
        float row = 0, row_squares = 0;
        kernels_.moments(x + std::int64_t{i} * h, h, &row, &row_squares);
        sum += row;
        squares += row_squares;
      }
      // Channels that count for little must not decide how coarsely the others are rounded.
      if (reduces) kernels_.scale_columns(x, rows_now, h, w_.group_norm_weight, w_.no_shift.data());
    };
    if (reduces) {
      ApplyPrepared(w_.conv2_reduce.weights, out, count, reduced, channels, false, finish);
    } else {
      finish(0, count);
    }
  }
  std::fill(shorts_.begin(), shorts_.end(), std::int16_t{0});
  const double count = static_cast<double>(rows) * h;
  const double mean = sum / count;
  const double variance = std::max(0.0, squares / count - mean * mean);
  const float scale = static_cast<float>(1.0 / std::sqrt(variance + 1e-5));
  const float shift = static_cast<float>(-mean) * scale;
  channel_scale_.resize(static_cast<std::size_t>(channels));
  channel_shift_.resize(static_cast<std::size_t>(channels));
  const float* weight = reduces ? w_.reduced_norm_weight.data() : w_.group_norm_weight;
  const float* bias = reduces ? w_.reduced_norm_bias.data() : w_.group_norm_bias;
  for (int j = 0; j < channels; ++j) {
    channel_scale_[j] = reduces ? scale : scale * weight[j];
    channel_shift_[j] = shift * weight[j] + bias[j];
  }
  if (!reduces) return;
  conv2_bias_.resize(w_.lost_norm_weight.size());
  for (std::size_t i = 0; i < conv2_bias_.size(); ++i) {
    conv2_bias_[i] =
        shift * w_.lost_norm_weight[i] + w_.lost_norm_bias[i] + w_.conv2_taps.weights.bias[i];
  }
}

void Worker::EncodeLayer(const EncoderLayer& layer, Shared shared, Sequence* sequence) {
  float* x = sequence->x_.data();
  if (shared != Shared::kLayer) {
    AddAttention(layer, sequence->first_.data(), frames_, x);
    if (shared == Shared::kNothing) return AddFeedForward(layer, frames_, x);
  }
  const int h = w_.config.hidden;
  const std::vector<std::uint8_t> begins_pair =
      LikePairs(kernels_, x, frames_, h, frames_ * kMergedPercent / 100);
  const int means = PairMeans(begins_pair, h, x, means_.data());
  if (shared == Shared::kLayer) {
    // A pair is where its first frame is.
    std::vector<std::uint16_t> places = sequence->first_;
    MergePlaces(begins_pair, &places);
    AddAttention(layer, places.data(), means, means_.data());
  }
  AddFeedForward(layer, means, means_.data());
  SpreadMeans(begins_pair, h, means_.data(), x);
}

void Worker::AddAttention(const EncoderLayer& layer, const std::uint16_t* places, int frames,
                          float* x) {
  const Config& c = w_.config;
  const int h = c.hidden, d = c.head_dim;
  const float scale = 1.0f / std::sqrt(static_cast<float>(d));
  for (int first = 0; first < frames; first += kBlockRows) {
    const int rows = std::min(kBlockRows, frames - first);
    float* qkv = qkv_.data() + std::int64_t{first} * 3 * h;
    ApplyPrepared(layer.qkv.weights, norm_.data(), rows, qkv, 3 * h, false, [&](int i, int count) {
      kernels_.layer_norm(x + std::int64_t{first + i} * h, count, h, layer.input_norm,
                          norm_.data() + std::int64_t{i} * h);
    });
    for (int t = first; t < first + rows; ++t, qkv += 3 * h) {
      const float* angles = rotary_.Angles(places[t]);
      kernels_.rotate(qkv, c.heads, d, angles, c.rotary_dim, scale);
      kernels_.rotate(qkv + h, c.heads, d, angles, c.rotary_dim, 1.0f);
    }
  }
  // Scores and weighted sums are integer products, with keys and values in the part of the weights.
  const std::int64_t ld = std::int64_t{3} * h;
  head_keys_.Resize(1, frames, d);
  head_values_.Resize(1, d, frames);
  for (int head = 0; head < c.heads; ++head) {
    const float* query = qkv_.data() + head * d;
    head_keys_.PackOutputs(kernels_, 0, query + h, ld);
    head_values_.PackInputs(kernels_, 0, query + 2 * h, ld);
    kernels_.attend_frames(query, frames, ld, head_keys_.View(0), head_values_.View(0),
                           scratch_.data(), context_.data() + head * d, h);
  }
  Apply(layer.output.weights, context_.data(), frames, h, x, h, true);
}

void Worker::AddFeedForward(const EncoderLayer& layer, int frames, float* x) {
  const int h = w_.config.hidden, wide = w_.config.encoder_intermediate;
  for (int first = 0; first < frames; first += kBlockRows, x += std::int64_t{kBlockRows} * h) {
    const int rows = std::min(kBlockRows, frames - first);
    ApplyPrepared(layer.fc1.weights, norm_.data(), rows, fc_.data(), wide, false,
                  [&](int i, int count) {
                    kernels_.layer_norm(x + std::int64_t{i} * h, count, h, layer.attention_norm,
                                        norm_.data() + std::int64_t{i} * h);
                  });
    ApplyPrepared(layer.fc2.weights, fc_.data(), rows, x, h, true, [&](int i, int count) {
      kernels_.gelu(fc_.data() + std::int64_t{i} * wide, std::int64_t{count} * wide);
    });
  }
}

void Worker::FillCross(Sequence* sequence) {
  const Config& c = w_.config;
  const int h = c.hidden;
  const auto frames = static_cast<std::size_t>(frames_);
  sequence->frames_ = sequence->first_.back();
  // Copies of the sequence keep what it was.
  if (sequence->cross_.use_count() > 1) {
    sequence->cross_ = std::make_shared<Sequence::FrameCache>();
  }
  sequence->cross_->first = std::move(sequence->first_);
  PackedMatrices& keys = sequence->cross_->keys;
  PackedMatrices& values = sequence->cross_->values;
  keys.Resize(c.decoder_layers * c.heads, frames_, c.head_dim);
  values.Resize(c.decoder_layers * c.heads, c.head_dim, frames_);
  // fc_ is free by now, and holds [frames, 2h].
  Grow(&fc_, frames * 2 * h + kLanes);
  // All layers multiply the same.
  const int lda = RoundUp(h, kActivationAlign);
  Grow(&quantized_, frames * lda);
  row_scales_.resize(std::max(row_scales_.size(), frames));
  kernels_.quantize_rows(norm_.data(), frames_, h, h, quantized_.data(), lda, row_scales_.data());
  for (int layer = 0; layer < c.decoder_layers; ++layer) {
    kernels_.gemm_u8s8(quantized_.data(), frames_, lda, row_scales_.data(),
                       w_.decoder[layer].cross_key_value.weights, fc_.data(), 2 * h, false);
    for (int head = 0; head < c.heads; ++head) {
      const float* key = fc_.data() + head * c.head_dim;
      const int i = layer * c.heads + head;
      keys.PackOutputs(kernels_, i, key, 2 * h);
      values.PackInputs(kernels_, i, key + h, 2 * h);
    }
  }
}

void Worker::Probe(const char* stage, const float* values, int rows, int columns) {
  if (probe_) probe_(stage, {values, static_cast<std::size_t>(rows) * columns}, columns);
}

void Worker::Probe(const char* part, int index, const float* values, int rows, int columns) {
  if (probe_) Probe((part + std::to_string(index)).c_str(), values, rows, columns);
}

}  // namespace lethe::moonshine
