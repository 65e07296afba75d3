#pragma once

// Weight matrices of 8 bits, in the layout the kernels read.
//
// A matrix called X with n outputs and k inputs is stored as four tensors, outputs padded to a
// multiple of 16 and inputs to a multiple of 4 with weights that are zero:
//   X.weight I8 [n/16, k/4, 16, 4]   element (p, g, j, r) belongs to output 16p + j and input 4g +
//   r X.scale  F32 [n], X.zero I32 [n] true weight = scale * (q - zero) X.bias   F32 [n] when there
//   is one

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "kernels/kernels.h"
#include "tensor/safetensors.h"

namespace lethe {

/// The least multiple of `to` that is no less than n.
constexpr int RoundUp(int n, int to) { return (n + to - 1) / to * to; }

/// A matrix viewed in its file; what is not stored (PackedWeights::correction) is owned.
/// Lifetime: no longer than the file
struct QuantizedLinear {
  PackedWeights weights;
  std::vector<std::int32_t> correction;
};

/// A matrix on its way into a file: q [n, k] row by row, a scale and zero point per output.
struct LinearToPack {
  int n = 0;
  int k = 0;
  std::vector<std::int8_t> q;
  std::vector<float> scale;
  std::vector<std::int32_t> zero;
  std::vector<float> bias;  // [n] or empty
};

/// Quantises w [n, k] to 8 bits, symmetric, with a scale per output: scale = max |w| / 127.
LinearToPack QuantizePerOutput(std::span<const float> w, int n, int k);

/// scale * (q - zero) of every weight, [n, k].
std::vector<float> TrueWeights(const LinearToPack& linear);

/// Puts one matrix below another: the outputs of `top`, then those of `bottom`; both with k inputs.
LinearToPack StackOutputs(const LinearToPack& top, const LinearToPack& bottom);

/// Adds the tensors of `linear` to a file under `name`.
void AddLinear(const std::string& name, const LinearToPack& linear, SafetensorsWriter* writer);

/// Views the matrix called `name`, which must have n outputs, k inputs and a bias or none.
/// Errors: kDataLoss, naming the tensor
Result<QuantizedLinear> ViewLinear(const SafetensorsFile& file, const std::string& name, int n,
                                   int k, bool bias);

/// The true weights of a matrix, [n, k]: for tests and exports.
std::vector<float> UnpackLinear(const PackedWeights& weights);

}  // namespace lethe
