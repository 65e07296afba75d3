#include <algorithm>
#include <cmath>
#include <cstring>

#include "model/moonshine/internal/worker.h"

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

// Whatever else there is, is larger; the exponential is 0.
constexpr float kForbiddenLogit = -1e30f;
// Larger than all there is.
constexpr float kWantedLogit = 1e30f;

// Readers of a cache may run this far over a row's end.
constexpr int kSlack = 4 * kLanes;

}  // namespace

void Sequence::Truncate(int num_tokens) {
  LETHE_CHECK(num_tokens >= 0 && num_tokens <= tokens_);
  tokens_ = num_tokens;
}

void Sequence::CopyFrom(const SpeechSequence& base) {
  const auto& other = static_cast<const Sequence&>(base);
  frames_ = other.frames_;
  tokens_ = other.tokens_;
  cross_ = other.cross_;
  self_.CopyFrom(other.self_, other.layers_, tokens_);
  layers_ = other.layers_;
}

void Sequence::TokenCache::Resize(const Config& config, int places) {
  heads = config.heads;
  head_dim = config.head_dim;
  padded = RoundUp(places, kLanes);
  const std::int64_t size = At(config.decoder_layers, 0) + kSlack;
  keys.resize(static_cast<std::size_t>(size));
  values.resize(static_cast<std::size_t>(size));
}

void Sequence::TokenCache::Reserve(const Config& config, int used, int places) {
  // Some thirty words; few sentences are longer, and memory that nobody needed would be zeroed and
  // given back with each of them.
  constexpr int kFirstPlaces = 3 * kLanes;
  if (places <= padded) return;
  const int wanted = std::max({places, 2 * padded, kFirstPlaces});
  TokenCache larger;
  larger.Resize(config, std::min(wanted, std::max(places, config.max_positions)));
  if (used > 0) larger.CopyPlaces(*this, config.decoder_layers, used);
  *this = std::move(larger);
}

void Sequence::TokenCache::CopyFrom(const TokenCache& other, int layers, int places) {
  heads = other.heads;
  head_dim = other.head_dim;
  padded = other.padded;
  keys.resize(other.keys.size());
  values.resize(other.values.size());
  CopyPlaces(other, layers, places);
}

void Sequence::TokenCache::CopyPlaces(const TokenCache& other, int layers, int places) {
  for (int layer = 0; layer < layers; ++layer) {
    for (int head = 0; head < heads; ++head) {
      const std::int64_t from = other.At(layer, head), to = At(layer, head);
      std::copy_n(other.keys.data() + from, RoundUp(places, kLanes) * head_dim, keys.data() + to);
      std::copy_n(other.values.data() + from, places * head_dim, values.data() + to);
    }
  }
}

void Sequence::TokenCache::Put(int layer, int place, const std::uint16_t* key,
                               const std::uint16_t* value) {
  for (int head = 0; head < heads; ++head, key += head_dim, value += head_dim) {
    std::uint16_t* to = keys.data() + At(layer, head) +
                        std::int64_t{place / kLanes} * head_dim * kLanes + place % kLanes;
    for (int i = 0; i < head_dim; ++i) to[i * kLanes] = key[i];
    std::copy_n(value, head_dim, values.data() + At(layer, head) + std::int64_t{place} * head_dim);
  }
}

void Sequence::TokenCache::Prefetch(int layer, int places) const {
  constexpr int kLine = 64 / static_cast<int>(sizeof(std::uint16_t)), kIntoSecondLevel = 2;
  for (int head = 0; head < heads; ++head) {
    const std::uint16_t* key = keys.data() + At(layer, head);
    const std::uint16_t* value = values.data() + At(layer, head);
    for (int i = 0; i < RoundUp(places, kLanes) * head_dim; i += kLine) {
      __builtin_prefetch(key + i, 0, kIntoSecondLevel);
    }
    for (int i = 0; i < places * head_dim; i += kLine) {
      __builtin_prefetch(value + i, 0, kIntoSecondLevel);
    }
  }
}

Worker::Worker(const Weights& weights, const KernelTable& kernels, const RotaryTable& rotary,
               bool merges_frames)
    : w_(weights), kernels_(kernels), rotary_(rotary), merges_frames_(merges_frames) {
  const Config& c = w_.config;
  const auto rows = static_cast<std::size_t>(kMaxRows);
  const auto h = static_cast<std::size_t>(c.hidden);
  rows_.reserve(rows);
  outputs_.reserve(rows);
  token_x_.resize(rows * h);
  token_norm_.resize(rows * h);
  token_qkv_.resize(rows * 3 * h);
  token_context_.resize(rows * h + kSlack);
  token_fc_.resize(rows * 2 * c.decoder_intermediate);
  token_gated_.resize(rows * c.decoder_intermediate);
  half_.resize(2 * h);
  // Sized for the longest utterance and the widest pass: a sequence may have been encoded
  // elsewhere.
  const int places = RoundUp(std::max(rotary.positions(), c.max_positions), kActivationAlign);
  scores_.resize(static_cast<std::size_t>(c.heads) * places);
  probabilities_.resize(scores_.size());
  quantized_.resize(static_cast<std::size_t>(c.heads) * RoundUp(c.head_dim, kActivationAlign));
  row_scales_.resize(std::max(c.heads, kMaxRows));
  logits_.resize(rows * w_.embedding.weights.n_padded);
}

std::span<float> Worker::Logits(int row) {
  LETHE_CHECK(row >= 0 && row < static_cast<int>(rows_.size()) && rows_[row].output >= 0);
  return {logits_.data() + std::int64_t{rows_[row].output} * w_.embedding.weights.n_padded,
          static_cast<std::size_t>(w_.config.vocabulary)};
}

std::span<const float> Worker::Attention(int row) const {
  LETHE_CHECK(record_attention_ && row >= 0 && row < static_cast<int>(rows_.size()));
  return {attention_.data() + rows_[row].attention,
          static_cast<std::size_t>(rows_[row].sequence->frames_)};
}

void Worker::Step(std::span<const DecoderRow> rows) {
  const Config& c = w_.config;
  const int h = c.hidden;
  LETHE_CHECK(!rows.empty() && rows.size() <= kMaxRows);
  rows_.clear();
  std::size_t attention = 0;
  for (const DecoderRow& row : rows) {
    auto* sequence = static_cast<Sequence*>(row.sequence);
    LETHE_CHECK(sequence->frames_ > 0 && sequence->tokens_ < c.max_positions);
    LETHE_CHECK(row.token >= 0 && row.token < c.vocabulary && row.forbidden < c.vocabulary);
    LETHE_CHECK(row.wanted < c.vocabulary && (!row.joint || !rows_.empty()));
    sequence->self_.Reserve(c, sequence->tokens_, sequence->tokens_ + 1);
    sequence->layers_ = c.decoder_layers;
    UnpackRow(w_.embedding.weights, row.token, token_x_.data() + rows_.size() * h);
    rows_.push_back({sequence, sequence->tokens_++, attention});
    attention += static_cast<std::size_t>(sequence->frames_);
  }
  if (record_attention_) attention_.assign(attention, 0.0f);
  const int m = static_cast<int>(rows_.size());
  for (std::size_t i = 0; i < w_.decoder.size(); ++i) {
    DecodeLayer(static_cast<int>(i), w_.decoder[i]);
    Probe("decoder.block.", static_cast<int>(i), token_x_.data(), m, h);
  }
  kernels_.layer_norm(token_x_.data(), m, h, w_.decoder_norm, token_norm_.data());
  ChooseOutputs(rows);
  ComputeLogits();
}

// The output layer is linear, so that the logits of two rows' mean are the mean of their logits.
void Worker::ChooseOutputs(std::span<const DecoderRow> rows) {
  const int h = w_.config.hidden;
  const bool trusted = w_.embedding_signs.trusted();
  outputs_.clear();
  float* to = token_norm_.data();
  const float* from = to;
  for (std::size_t r = 0; r < rows.size(); ++r, from += h) {
    const DecoderRow& row = rows[r];
    if (r + 1 < rows.size() && rows[r + 1].joint) continue;
    for (int i = 0; i < h; ++i) to[i] = row.joint ? 0.5f * (from[i - h] + from[i]) : from[i];
    to += h;
    rows_[r].output = static_cast<int>(outputs_.size());
    outputs_.push_back({row.every_logit || !trusted, row.forbidden, row.wanted});
  }
}

// The output layer is half of all weights that a pass reads. Mostly only the largest logit matters,
// and the signs of the weights tell which may be it.
void Worker::ComputeLogits() {
  const PackedWeights& w = w_.embedding.weights;
  const SignWeights signs = w_.embedding_signs.View();
  const int m = static_cast<int>(outputs_.size()), n = w.n_padded;
  const int lda = RoundUp(w.k_padded, kActivationAlign);
  const std::size_t bytes = static_cast<std::size_t>(m) * lda;
  if (quantized_.size() < bytes) quantized_.resize(bytes);
  kernels_.quantize_rows(token_norm_.data(), m, w.k, w.k, quantized_.data(), lda,
                         row_scales_.data());
  for (int first = 0, end = 0; first < m; first = end) {
    const bool every = outputs_[first].every_logit;
    while (end < m && outputs_[end].every_logit == every) ++end;
    const std::uint8_t* a = quantized_.data() + std::int64_t{first} * lda;
    const RowScale* scales = row_scales_.data() + first;
    float* y = logits_.data() + std::int64_t{first} * n;
    if (every) {
      kernels_.gemm_u8s8(a, end - first, lda, scales, w, y, n, false);
    } else {
      kernels_.gemm_u8u1(a, end - first, lda, scales, signs, y, n);
    }
    for (int i = first; i < end; ++i, a += lda, ++scales, y += n) {
      const Output& output = outputs_[i];
      if (output.forbidden >= 0) y[output.forbidden] = kForbiddenLogit;
      if (every) continue;
      // What looks best is made exact first.
      if (output.wanted >= 0) y[output.wanted] = kWantedLogit;
      kernels_.refine_largest(a, *scales, signs, y);
    }
  }
  for (int i = 0; probe_ && i < m; ++i) {
    Probe("logits", logits_.data() + std::int64_t{i} * n, 1, w_.config.vocabulary);
  }
}

void Worker::AttendTokens(const float* query, const Sequence::TokenCache& cache, int layer,
                          int count, float* context) {
  const int d = cache.head_dim;
  for (int head = 0; head < cache.heads; ++head) {
    const std::int64_t at = cache.At(layer, head);
    // The lanes behind head_dim hold the next head's business; it overwrites them, or they fall
    // into the slack.
    kernels_.attend(query + head * d, d, cache.keys.data() + at, cache.values.data() + at, count,
                    scores_.data(), context + head * d);
  }
}

// Heads wait for nothing of each other: one step of all of them, then the next, hides how long each
// takes to become one number. What a batch looks at does not fit the second-level cache and comes
// in pieces too short for hardware to fetch ahead, so it is asked for while the step before it
// runs, up to the keys of the row that is next.
void Worker::AttendFrames(const float* query, const Sequence& sequence, const Sequence* next,
                          int layer, float* context, float* attention) {
  const int heads = w_.config.heads, d = w_.config.head_dim;
  const std::vector<std::uint16_t>& first = sequence.cross_->first;
  const int frames = static_cast<int>(first.size()) - 1;
  const bool another = next != nullptr && next->cross_ != sequence.cross_;
  const int query_bytes = RoundUp(d, kActivationAlign);
  const int score_bytes = RoundUp(frames, kActivationAlign);
  kernels_.quantize_rows(query, heads, d, d, quantized_.data(), query_bytes, row_scales_.data());
  for (int head = 0; head < heads; ++head) {
    const PackedWeights keys = sequence.cross_->keys.View(layer * heads + head);
    kernels_.gemm_u8s8(quantized_.data() + std::int64_t{head} * query_bytes, 1, query_bytes,
                       &row_scales_[head], keys, scores_.data() + std::int64_t{head} * score_bytes,
                       score_bytes, false);
    sequence.cross_->values.Prefetch(layer * heads + head);
  }
  kernels_.softmax_quantize(scores_.data(), heads, frames, score_bytes, probabilities_.data(),
                            score_bytes, row_scales_.data());
  for (int head = 0; head < heads; ++head) {
    // As in AttendTokens(), the lanes behind head_dim are overwritten or fall into the slack.
    const PackedWeights values = sequence.cross_->values.View(layer * heads + head);
    kernels_.gemm_u8s8(probabilities_.data() + std::int64_t{head} * score_bytes, 1, score_bytes,
                       &row_scales_[head], values, context + head * d, values.n_padded, false);
    if (another) next->cross_->keys.Prefetch(layer * heads + head);
  }
  // The last third of the layers looks where the word is; those before it look around.
  const int timed = (w_.config.decoder_layers + 2) / 3;
  if (attention == nullptr || layer < w_.config.decoder_layers - timed) return;
  std::fill_n(scores_.data(), frames, 0.0f);
  for (int head = 0; head < heads; ++head) {
    const float share = row_scales_[head].scale / static_cast<float>(heads * timed);
    const std::uint8_t* probabilities = probabilities_.data() + std::int64_t{head} * score_bytes;
    for (int t = 0; t < frames; ++t) scores_[t] += share * static_cast<float>(probabilities[t]);
  }
  // Frames that became one were looked at alike.
  for (int t = 0; t < frames; ++t) {
    const float each = scores_[t] / static_cast<float>(first[t + 1] - first[t]);
    for (int i = first[t]; i < first[t + 1]; ++i) attention[i] += each;
  }
}

void Worker::DecodeLayer(int index, const DecoderLayer& layer) {
  const Config& c = w_.config;
  const int h = c.hidden, d = c.head_dim, m = static_cast<int>(rows_.size());
  const float scale = 1.0f / std::sqrt(static_cast<float>(d));
  float* x = token_x_.data();
  float* norm = token_norm_.data();
  float* context = token_context_.data();

  kernels_.layer_norm(x, m, h, layer.input_norm, norm);
  Apply(layer.qkv.weights, norm, m, h, token_qkv_.data(), 3 * h, false);
  // Every row's key and value first: a row of a draft attends to those before it.
  for (int r = 0; r < m; ++r) {
    const int position = rows_[r].position;
    float* query = token_qkv_.data() + std::int64_t{r} * 3 * h;
    float* key = query + h;
    const float* angles = rotary_.Angles(position);
    kernels_.rotate(query, c.heads, d, angles, c.rotary_dim, scale);
    kernels_.rotate(key, c.heads, d, angles, c.rotary_dim, 1.0f);
    kernels_.to_half(key, 2 * h, half_.data());
    if (r + 1 < m && rows_[r + 1].sequence != rows_[r].sequence) {
      rows_[r + 1].sequence->self_.Prefetch(index, rows_[r + 1].position + 1);
    }
    rows_[r].sequence->self_.Put(index, position, half_.data(), half_.data() + h);
  }
  for (int r = 0; r < m; ++r) {
    AttendTokens(token_qkv_.data() + std::int64_t{r} * 3 * h, rows_[r].sequence->self_, index,
                 rows_[r].position + 1, context + std::int64_t{r} * h);
  }
  Apply(layer.output.weights, context, m, h, x, h, true);

  kernels_.layer_norm(x, m, h, layer.attention_norm, norm);
  Apply(layer.cross_query.weights, norm, m, h, token_qkv_.data(), h, false);
  for (int r = 0; r < m; ++r) {
    float* query = token_qkv_.data() + std::int64_t{r} * h;
    for (int i = 0; i < h; ++i) query[i] *= scale;
    const Sequence* next = r + 1 < m ? rows_[r + 1].sequence : nullptr;
    AttendFrames(query, *rows_[r].sequence, next, index, context + std::int64_t{r} * h,
                 record_attention_ ? attention_.data() + rows_[r].attention : nullptr);
  }
  Apply(layer.cross_output.weights, context, m, h, x, h, true);

  const int wide = 2 * c.decoder_intermediate;
  kernels_.layer_norm(x, m, h, layer.final_norm, norm);
  Apply(layer.fc1.weights, norm, m, h, token_fc_.data(), wide, false);
  for (int r = 0; r < m; ++r) {
    const float* value = token_fc_.data() + std::int64_t{r} * wide;
    kernels_.silu_multiply(value, value + c.decoder_intermediate, c.decoder_intermediate,
                           token_gated_.data() + std::int64_t{r} * c.decoder_intermediate);
  }
  Apply(layer.fc2.weights, token_gated_.data(), m, c.decoder_intermediate, x, h, true);
}

}  // namespace lethe::moonshine
