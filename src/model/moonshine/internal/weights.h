#pragma once

// Moonshine's tensors by their place in the network, as views of the mapped file.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/aligned_vector.h"
#include "base/status.h"
#include "model/internal/short_matrix.h"
#include "model/moonshine/internal/sign_matrix.h"
#include "tensor/quantized_linear.h"
#include "tensor/safetensors.h"

namespace lethe::moonshine {

struct Config {
  int hidden = 0;
  int encoder_layers = 0;
  int decoder_layers = 0;
  int heads = 0;
  int head_dim = 0;
  int rotary_dim = 0;
  int encoder_intermediate = 0;
  int decoder_intermediate = 0;
  int vocabulary = 0;
  int begin = 0;
  int end = 0;
  int max_positions = 0;
};

using Linear = QuantizedLinear;

struct EncoderLayer {
  const float* input_norm;
  const float* attention_norm;  // "post_attention_layernorm"
  Linear qkv, output, fc1, fc2;
};

struct DecoderLayer {
  const float* input_norm;
  const float* attention_norm;  // before cross-attention
  const float* final_norm;      // before the feed-forward part
  Linear qkv, output;
  Linear cross_query, cross_key_value, cross_output;
  Linear fc1, fc2;
};

struct Weights {
  Config config;
  ShortMatrix conv1;  // [127, hidden]
  const float* group_norm_weight;
  const float* group_norm_bias;
  Linear conv2;         // over all channels, where there is no `conv2_reduce`
  Linear conv2_reduce;  // [kReducedChannels, hidden], n = 0 if there is none
  Linear conv2_taps;    // over what `conv2_reduce` makes of each frame
  // What `conv2_reduce` makes of the group norm's weight and bias, and what of both is lost on the
  // way to the outputs, [2 hidden]: it is known, so it can be given back.
  AlignedVector<float> reduced_norm_weight, reduced_norm_bias;
  AlignedVector<float> lost_norm_weight, lost_norm_bias;
  AlignedVector<float> no_shift;  // [hidden] zeros
  Linear conv3;
  std::vector<EncoderLayer> encoder;
  const float* encoder_norm;
  Linear embedding;  // rows are the tokens' vectors, and the output layer
  SignMatrix embedding_signs;
  std::vector<DecoderLayer> decoder;
  const float* decoder_norm;
  std::vector<float> inverse_frequency;  // [rotary_dim / 2]

  bool ReducesChannels() const { return conv2_reduce.weights.n > 0; }
};

/// Views all tensors of `file`, which must outlive them.
/// Errors: kDataLoss, naming the tensor or setting that is missing or has the wrong shape.
Result<Weights> ViewWeights(const SafetensorsFile& file);

}  // namespace lethe::moonshine
