#include <algorithm>
#include <cmath>
#include <cstring>

#include "model/moonshine/internal/state.h"

namespace lethe::moonshine {
namespace {

// The vector of a token, out of the packed output layer: [n / 16, k / 4, 16, 4].
void UnpackRow(const PackedWeights& w, int row, float* out) {
  const std::int8_t* panel =
      w.weight + static_cast<std::int64_t>(row / kLanes) * w.k_padded * kLanes + (row % kLanes) * 4;
  for (int i = 0; i < w.k; ++i) {
    out[i] = w.scale[row] * static_cast<float>(panel[(i / 4) * 64 + i % 4] - w.zero[row]);
  }
}

}  // namespace

std::span<float> State::Step(int token) {
  const Config& c = w_.config;
  LETHE_CHECK(frames_ > 0);
  LETHE_CHECK(token >= 0 && token < c.vocabulary);
  LETHE_CHECK(position_ < c.max_positions);
  UnpackRow(w_.embedding.weights, token, token_x_.data());
  if (record_attention_) std::fill(attention_.begin(), attention_.end(), 0.0f);
  for (std::size_t i = 0; i < w_.decoder.size(); ++i) {
    DecodeLayer(static_cast<int>(i), w_.decoder[i]);
    Probe("decoder.block.", static_cast<int>(i), token_x_.data(), 1, c.hidden);
  }
  ++position_;
  kernels_.layer_norm(token_x_.data(), 1, c.hidden, w_.decoder_norm, token_norm_.data());
  Apply(w_.embedding, token_norm_.data(), 1, c.hidden, logits_.data(), 0, false);
  Probe("logits", logits_.data(), 1, c.vocabulary);
  return {logits_.data(), static_cast<std::size_t>(c.vocabulary)};
}

void State::Attend(const float* query, const float* keys, std::int64_t key_stride,
                   const float* values, std::int64_t value_stride, int count, float* out) {
  const int d = w_.config.head_dim;
  const auto round_up = [](int n) { return (n + kLanes - 1) / kLanes * kLanes; };
  kernels_.sgemm(1, round_up(count), d, query, 0, 1, keys, key_stride, nullptr, scores_.data(), 0);
  kernels_.softmax_row(scores_.data(), count);
  // The lanes behind head_dim hold the next head's business; it overwrites them, or they fall into
  // the slack.
  kernels_.sgemm(1, round_up(d), count, scores_.data(), 0, 1, values, value_stride, nullptr, out,
                 0);
}

void State::DecodeLayer(int index, const DecoderLayer& layer) {
  const Config& c = w_.config;
  const int h = c.hidden, d = c.head_dim;
  const float scale = 1.0f / std::sqrt(static_cast<float>(d));

  kernels_.layer_norm(token_x_.data(), 1, h, layer.input_norm, token_norm_.data());
  Apply(layer.qkv, token_norm_.data(), 1, h, token_qkv_.data(), 0, false);
  float* query = token_qkv_.data();
  float* key = query + h;
  float* self_keys = self_keys_.data() + std::int64_t{index} * h * positions_padded_;
  float* self_values = self_values_.data() + std::int64_t{index} * positions_padded_ * h;
  for (int head = 0; head < c.heads; ++head) {
    rotary_.Rotate(query + head * d, position_);
    rotary_.Rotate(key + head * d, position_);
  }
  for (int i = 0; i < h; ++i) {
    query[i] *= scale;
    self_keys[std::int64_t{i} * positions_padded_ + position_] = key[i];
  }
  std::memcpy(self_values + std::int64_t{position_} * h, key + h, sizeof(float) * h);
  for (int head = 0; head < c.heads; ++head) {
    Attend(query + head * d, self_keys + std::int64_t{head} * d * positions_padded_,
           positions_padded_, self_values + head * d, h, position_ + 1,
           token_context_.data() + head * d);
  }
  Apply(layer.output, token_context_.data(), 1, h, token_x_.data(), 0, true);

  kernels_.layer_norm(token_x_.data(), 1, h, layer.attention_norm, token_norm_.data());
  Apply(layer.cross_query, token_norm_.data(), 1, h, query, 0, false);
  for (int i = 0; i < h; ++i) query[i] *= scale;
  const float* keys = cross_keys_.data() + std::int64_t{index} * h * frames_padded_;
  const float* values = cross_values_.data() + std::int64_t{index} * frames_ * h;
  for (int head = 0; head < c.heads; ++head) {
    Attend(query + head * d, keys + std::int64_t{head} * d * frames_padded_, frames_padded_,
           values + head * d, h, frames_, token_context_.data() + head * d);
    if (record_attention_) {
      const float share = 1.0f / static_cast<float>(c.heads * c.decoder_layers);
      for (int t = 0; t < frames_; ++t) attention_[t] += share * scores_[t];
    }
  }
  Apply(layer.cross_output, token_context_.data(), 1, h, token_x_.data(), 0, true);

  kernels_.layer_norm(token_x_.data(), 1, h, layer.final_norm, token_norm_.data());
  Apply(layer.fc1, token_norm_.data(), 1, h, token_fc_.data(), 0, false);
  kernels_.silu_multiply(token_fc_.data(), token_fc_.data() + c.decoder_intermediate,
                         c.decoder_intermediate, token_gated_.data());
  Apply(layer.fc2, token_gated_.data(), 1, c.decoder_intermediate, token_x_.data(), 0, true);
}

}  // namespace lethe::moonshine
