#pragma once

// What the two importers of Moonshine share.

#include <vector>

#include "model/tokenizer.h"
#include "tensor/quantized_linear.h"
#include "tensor/safetensors.h"

namespace lethe {

struct MoonshineShape {
  int hidden = 0;
  int encoder_layers = 0;
  int decoder_layers = 0;
  int heads = 0;
  int rotary_dim = 0;
  int encoder_intermediate = 0;
  int decoder_intermediate = 0;
  int vocabulary = 0;
  int begin = 1;
  int end = 2;
  int max_positions = 194;
};

/// Writes the family and the configuration that LoadMoonshine() reads.
void WriteMoonshineMetadata(const MoonshineShape& shape, SafetensorsWriter* writer);

/// What lies between the samples and the second convolution's outputs, as it was read.
struct MoonshineStem {
  std::vector<float> conv1;  // [127, hidden]
  std::vector<float> norm_weight, norm_bias;
  LinearToPack conv2;
};

/// Writes it, with the second convolution in two products too where that spares much.
void AddMoonshineStem(const MoonshineStem& stem, int hidden, SafetensorsWriter* writer);

}  // namespace lethe
