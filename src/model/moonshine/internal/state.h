#pragma once

// One utterance on its way through Moonshine.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/moonshine/internal/weights.h"
#include "model/speech_model.h"

namespace lethe::moonshine {

/// cos and sin of position * inverse_frequency, in pairs: [positions, rotary_dim / 2, 2].
class RotaryTable {
 public:
  RotaryTable(const std::vector<float>& inverse_frequency, int positions);

  int positions() const { return positions_; }
  /// Turns the first rotary_dim values of a head, as pairs (2i, 2i + 1), by their position's
  /// angles. Source: Su et al. 2021, arXiv:2104.09864, in the interleaved form.
  void Rotate(float* head, int position) const;

 private:
  int pairs_;
  int positions_;
  std::vector<float> table_;
};

class State final : public SpeechModelState {
 public:
  State(const Weights& weights, const KernelTable& kernels, const RotaryTable& rotary)
      : w_(weights), kernels_(kernels), rotary_(rotary) {}

  void Encode(std::span<const float> samples) override;
  std::span<float> Step(int token) override;
  int num_frames() const override { return frames_; }
  std::span<const float> Attention() const override { return {attention_.data(), NumFrames()}; }
  void RecordAttention(bool record) override { record_attention_ = record; }
  void SetProbe(StageProbe probe) override { probe_ = std::move(probe); }

 private:
  std::size_t NumFrames() const { return static_cast<std::size_t>(frames_); }
  // y = linear(x) for m rows ldx apart, quantising as many rows at a time as fit a fixed buffer.
  void Apply(const Linear& linear, const float* x, int m, std::int64_t ldx, float* y,
             std::int64_t ldy, bool accumulate);
  void EncodeStem(std::span<const float> samples);
  void EncodeLayer(const EncoderLayer& layer);
  void AttendEncoder(int head);
  void FillCrossAttention();
  void DecodeLayer(int index, const DecoderLayer& layer);
  // out[head_dim + slack] = softmax(query keys) values for one head; returns with scores_ the
  // weights.
  void Attend(const float* query, const float* keys, std::int64_t key_stride, const float* values,
              std::int64_t value_stride, int count, float* out);
  void Probe(const char* stage, const float* values, int rows, int columns);
  void Probe(const char* part, int index, const float* values, int rows, int columns);

  const Weights& w_;
  const KernelTable& kernels_;
  const RotaryTable& rotary_;
  StageProbe probe_;
  bool record_attention_ = false;

  // Quantised rows on their way into a product.
  std::vector<std::uint8_t> quantized_;
  std::vector<RowScale> row_scales_;

  int frames_ = 0;
  std::vector<float> padded_;         // the samples, when too few
  std::vector<float> conv1_, conv2_;  // [t1, h], [t2, 2h]
  std::vector<float> x_, norm_;       // [frames, h] the residual stream; its normalised copy
  std::vector<float> qkv_, context_;  // [frames, 3h], [frames, h]
  std::vector<float> fc_;             // [frames, intermediate]
  std::vector<float> query_tile_, score_tile_, context_tile_;

  // What the decoder attends to, a layer and head at a time. Keys are transposed, so that scores of
  // neighbouring frames are neighbours: keys [layers, heads, head_dim, frames_padded], values
  // [layers, frames, h]; behind both is room for a vector that starts at the last value.
  int frames_padded_ = 0;
  std::vector<float> cross_keys_, cross_values_;
  int position_ = 0;
  int positions_padded_ = 0;
  std::vector<float> self_keys_, self_values_;

  std::vector<float> token_x_, token_norm_, token_qkv_, token_context_, token_fc_, token_gated_;
  std::vector<float> scores_;
  std::vector<float> attention_;
  std::vector<float> logits_;
};

}  // namespace lethe::moonshine
