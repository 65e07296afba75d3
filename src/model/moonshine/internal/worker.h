#pragma once

// The two memories of Moonshine: a sequence's keys and values, and a worker's scratch space.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/aligned_vector.h"
#include "model/internal/packed_matrices.h"
#include "model/moonshine/internal/frame_merging.h"
#include "model/moonshine/internal/rotary.h"
#include "model/moonshine/internal/weights.h"
#include "model/speech_model.h"

namespace lethe::moonshine {

/// Keys and values of one utterance, small: a decoder pass is bound by the bytes it reads. Those of
/// the encoder's frames are in 8 bits, those of the tokens, which are few and come one by one, in
/// half precision.
class Sequence final : public SpeechSequence {
 public:
  int num_frames() const override { return frames_; }
  int num_tokens() const override { return tokens_; }
  void Truncate(int num_tokens) override;
  void CopyFrom(const SpeechSequence& other) override;

 private:
  friend class Worker;

  // Half precision, each head in a run of memory of its own, in the order in which
  // KernelTable::attend reads it: keys [layers, heads, padded / 16, head_dim, 16] and values
  // [layers, heads, padded, head_dim].
  struct TokenCache {
    int heads = 0, head_dim = 0, padded = 0;
    AlignedVector<std::uint16_t> keys, values;

    void Resize(const Config& config, int places);
    // Makes room for `places`, of which the first `used` stay.
    void Reserve(const Config& config, int used, int places);
    std::int64_t At(int layer, int head) const {
      return (std::int64_t{layer} * heads + head) * padded * head_dim;
    }
    // Puts a key and a value [heads, head_dim] f16 at a place.
    void Put(int layer, int place, const std::uint16_t* key, const std::uint16_t* value);
    // Asks for the first places to come into the second-level cache.
    void Prefetch(int layer, int places) const;
    // Becomes as large as `other` and has its first places.
    void CopyFrom(const TokenCache& other, int layers, int places);
    // Has room for them already.
    void CopyPlaces(const TokenCache& other, int layers, int places);
  };

  int frames_ = 0;  // of the stem, once they are encoded
  int tokens_ = 0;
  int encoded_layers_ = 0;
  int layers_ = 0;  // of the decoder, once there is a token
  // Until the encoder is through: its residual stream [frames, hidden], and of each frame the first
  // of the stem's that is in it; behind the last, how many those are.
  AlignedVector<float> x_;
  std::vector<std::uint16_t> first_;
  // [layers, heads] of the encoder's frames, and `first_`; copies of a sequence have the same.
  struct FrameCache {
    PackedMatrices keys, values;
    std::vector<std::uint16_t> first;
  };
  std::shared_ptr<FrameCache> cross_ = std::make_shared<FrameCache>();
  TokenCache self_;
};

class Worker final : public SpeechModelWorker {
 public:
  Worker(const Weights& weights, const KernelTable& kernels, const RotaryTable& rotary,
         bool merges_frames);

  void BeginEncode(std::span<const float> samples, SpeechSequence* sequence) override;
  bool EncodeMore(SpeechSequence* sequence) override;
  void Step(std::span<const DecoderRow> rows) override;
  std::span<float> Logits(int row) override;
  std::span<const float> Attention(int row) const override;
  void RecordAttention(bool record) override { record_attention_ = record; }
  void SetProbe(StageProbe probe) override { probe_ = std::move(probe); }

 private:
  // y = weights x for m rows ldx apart, quantising as many rows at a time as fit a fixed buffer.
  void Apply(const PackedWeights& weights, const float* x, int m, std::int64_t ldx, float* y,
             std::int64_t ldy, bool accumulate);
  // The same of a block of rows that lie behind each other, which prepare(first, count) makes or
  // changes: a few, which are still in the first-level cache when they are quantised.
  template <class Prepare>
  void ApplyPrepared(const PackedWeights& weights, const float* x, int m, float* y,
                     std::int64_t ldy, bool accumulate, const Prepare& prepare);
  void ReserveEncoder(int frames);
  void EncodeStem(std::span<const float> samples, Sequence* sequence);
  void FirstConvolution(std::span<const float> samples, int rows);
  void EncodeLayer(const EncoderLayer& layer, Shared shared, Sequence* sequence);
  // x += what the layer makes of it, for frames that are at these places.
  void AddAttention(const EncoderLayer& layer, const std::uint16_t* places, int frames, float* x);
  void AddFeedForward(const EncoderLayer& layer, int frames, float* x);
  // Of the frames whose `vectors` [frames, hidden] are most alike. Directly behind EncodeLayer() of
  // `layer`, which leaves what attention found in context_.
  void MergeFrames(int layer, const float* vectors, int percent, Sequence* sequence);
  void FillCross(Sequence* sequence);
  // Leaves in token_norm_ what the output layer takes, and in outputs_ what is wanted of it.
  void ChooseOutputs(std::span<const DecoderRow> rows);
  // What comes after each row that has an output.
  void ComputeLogits();
  void DecodeLayer(int index, const DecoderLayer& layer);
  // context = what a row's heads see in the tokens up to its own, or in all frames; `next` is whose
  // row comes then, or null.
  void AttendTokens(const float* query, const Sequence::TokenCache& cache, int layer, int count,
                    float* context);
  void AttendFrames(const float* query, const Sequence& sequence, const Sequence* next, int layer,
                    float* context, float* attention);
  void Probe(const char* stage, const float* values, int rows, int columns);
  void Probe(const char* part, int index, const float* values, int rows, int columns);

  const Weights& w_;
  const KernelTable& kernels_;
  const RotaryTable& rotary_;
  const bool merges_frames_;
  StageProbe probe_;
  bool record_attention_ = false;

  // Quantised rows on their way into a product; the decoder's scores and what comes of them.
  AlignedVector<std::uint8_t> quantized_, probabilities_;
  std::vector<RowScale> row_scales_;
  AlignedVector<float> scores_;

  // The encoder's; a layer of one utterance at a time.
  int frames_ = 0;
  AlignedVector<float> padded_, raised_;  // the samples, when too few or too quiet
  AlignedVector<std::int16_t> shorts_;    // samples of a block
  std::vector<float> row_loudness_;       // what they were quantised with, for each row
  AlignedVector<float> conv1_;            // [t1, h], or [t1, kReducedChannels]
  AlignedVector<float> block_;            // [kBlockRows, h] on their way to those
  AlignedVector<float> conv2_;            // [kBlockRows + 2, 2h]
  AlignedVector<float> channel_scale_, channel_shift_;  // of conv1_'s columns: its normalisation
  AlignedVector<float> conv2_bias_;                     // with what reducing the channels loses
  AlignedVector<float> norm_;  // the residual stream, normalised: a block's, or [frames, h]
  AlignedVector<float> qkv_, context_;  // [frames, 3h], [frames, h]
  AlignedVector<float> means_;          // of pairs, and frames that are in none: [frames, h]
  AlignedVector<float> fc_;             // a block's [rows, intermediate], or [frames, 2h]
  AlignedVector<std::byte> scratch_;    // of KernelTable::attend_frames
  PackedMatrices head_keys_, head_values_;

  // The decoder's, a line for each row of the pass.
  struct Row {
    Sequence* sequence = nullptr;
    int position = 0;
    std::size_t attention = 0;  // where its part of attention_ begins
    int output = -1;            // which of the pass' logits are its own
  };
  std::vector<Row> rows_;
  // Of each row that has logits, what is wanted of them; and how many those are.
  struct Output {
    bool every_logit = false;
    int forbidden = -1, wanted = -1;
  };
  std::vector<Output> outputs_;
  AlignedVector<float> token_x_, token_norm_, token_qkv_, token_context_, token_fc_, token_gated_;
  AlignedVector<std::uint16_t> half_;  // a key and a value
  AlignedVector<float> attention_;
  AlignedVector<float> logits_;  // [outputs, vocabulary padded]
};

}  // namespace lethe::moonshine
