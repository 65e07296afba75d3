#include "tensor/quantized_linear.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/check.h"

namespace lethe {
namespace {

constexpr int kGroup = 4;

// Where the weight of an output and an input lies in a packed matrix.
std::size_t PackedAt(int output, int input, int k_padded) {
  return static_cast<std::size_t>(output / kLanes) * k_padded * kLanes +
         static_cast<std::size_t>(input / kGroup) * kLanes * kGroup +
         static_cast<std::size_t>(output % kLanes) * kGroup + input % kGroup;
}

// Adds to each of 16 outputs its k weights, read in the order in which they lie.
void AddPanel(const std::int8_t* weight, int k, std::int32_t* sums) {
  constexpr int kColumns = kLanes * kGroup;
  std::array<std::int32_t, kColumns> columns{};
  const int whole = k / kGroup;
  for (int g = 0; g < whole; ++g, weight += kColumns) {
    for (int i = 0; i < kColumns; ++i) columns[i] += weight[i];
  }
  for (int i = 0; i < kColumns; ++i) {
    if (i % kGroup < k % kGroup) columns[i] += weight[i];
    sums[i / kGroup] += columns[i];
  }
}

template <class T>
std::vector<T> Padded(std::vector<T> values, int n, T with) {
  values.resize(static_cast<std::size_t>(n), with);
  return values;
}

}  // namespace

LinearToPack QuantizePerOutput(std::span<const float> w, int n, int k) {
  LETHE_CHECK(w.size() == static_cast<std::size_t>(n) * k);
  LinearToPack linear{.n = n, .k = k, .q = {}, .scale = {}, .zero = {}, .bias = {}};
  linear.q.resize(w.size());
  linear.zero.assign(static_cast<std::size_t>(n), 0);
  for (int i = 0; i < n; ++i) {
    const std::span<const float> row = w.subspan(static_cast<std::size_t>(i) * k, k);
    float largest = 0;
    for (float v : row) largest = std::max(largest, std::abs(v));
    const float scale = largest > 0 ? largest / 127.0f : 1.0f;
    linear.scale.push_back(scale);
    for (int j = 0; j < k; ++j) {
      linear.q[static_cast<std::size_t>(i) * k + j] =
          static_cast<std::int8_t>(std::clamp(std::nearbyint(row[j] / scale), -127.0f, 127.0f));
    }
  }
  return linear;
}

std::vector<float> TrueWeights(const LinearToPack& linear) {
  std::vector<float> weights;
  weights.reserve(linear.q.size());
  for (std::size_t i = 0; i < linear.q.size(); ++i) {
    const std::size_t output = i / static_cast<std::size_t>(linear.k);
    weights.push_back(linear.scale[output] * static_cast<float>(linear.q[i] - linear.zero[output]));
  }
  return weights;
}

LinearToPack StackOutputs(const LinearToPack& top, const LinearToPack& bottom) {
  LETHE_CHECK(top.k == bottom.k && top.bias.empty() == bottom.bias.empty());
  LinearToPack both = top;
  both.n += bottom.n;
  both.q.insert(both.q.end(), bottom.q.begin(), bottom.q.end());
  both.scale.insert(both.scale.end(), bottom.scale.begin(), bottom.scale.end());
  both.zero.insert(both.zero.end(), bottom.zero.begin(), bottom.zero.end());
  both.bias.insert(both.bias.end(), bottom.bias.begin(), bottom.bias.end());
  return both;
}

void AddLinear(const std::string& name, const LinearToPack& linear, SafetensorsWriter* writer) {
  const int n = RoundUp(linear.n, kLanes), k = RoundUp(linear.k, kGroup);
  std::vector<std::int8_t> packed(static_cast<std::size_t>(n) * k);
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < k; ++j) {
      std::int8_t q = 0;
      if (i < linear.n) {
        q = j < linear.k ? linear.q[static_cast<std::size_t>(i) * linear.k + j]
                         : static_cast<std::int8_t>(std::clamp(linear.zero[i], -128, 127));
      }
      packed[PackedAt(i, j, k)] = q;
    }
  }
  writer->Add(name + ".weight", DataType::kI8, {n / kLanes, k / kGroup, kLanes, kGroup}, packed);
  writer->Add(name + ".scale", DataType::kF32, {n}, Padded(linear.scale, n, 0.0f));
  writer->Add(name + ".zero", DataType::kI32, {n}, Padded(linear.zero, n, 0));
  if (!linear.bias.empty()) {
    writer->Add(name + ".bias", DataType::kF32, {n}, Padded(linear.bias, n, 0.0f));
  }
}

Result<QuantizedLinear> ViewLinear(const SafetensorsFile& file, const std::string& name, int n,
                                   int k, bool bias) {
  QuantizedLinear linear;
  PackedWeights& w = linear.weights;
  w.n = n;
  w.k = k;
  w.n_padded = RoundUp(n, kLanes);
  w.k_padded = RoundUp(k, kGroup);
  if (k > kMaxGemmDepth) {
    return DataLoss("damaged model file: " + name + " is deeper than " +
                    std::to_string(kMaxGemmDepth));
  }
  ASSIGN_OR_RETURN(
      const auto weight,
      file.Int8s(name + ".weight", {w.n_padded / kLanes, w.k_padded / kGroup, kLanes, kGroup}));
  ASSIGN_OR_RETURN(const auto scale, file.Floats(name + ".scale", {w.n_padded}));
  ASSIGN_OR_RETURN(const auto zero, file.Int32s(name + ".zero", {w.n_padded}));
  w.weight = weight.data();
  w.scale = scale.data();
  w.zero = zero.data();
  if (bias) {
    ASSIGN_OR_RETURN(const auto values, file.Floats(name + ".bias", {w.n_padded}));
    w.bias = values.data();
  }
  linear.correction.resize(static_cast<std::size_t>(w.n_padded));
  for (int i = 0; i < w.n_padded; ++i) {
    if (zero[i] < -256 || zero[i] > 256 || !std::isfinite(scale[i])) {
      return DataLoss("damaged model file: " + name + " has a zero point or scale out of range");
    }
    linear.correction[i] = -k * zero[i];
  }
  for (int i = 0; i < w.n_padded; i += kLanes) {
    AddPanel(weight.data() + PackedAt(i, 0, w.k_padded), k, linear.correction.data() + i);
  }
  // The vector's storage does not move with the struct.
  w.correction = linear.correction.data();
  return linear;
}

std::vector<float> UnpackLinear(const PackedWeights& w) {
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(w.n) * w.k);
  for (int i = 0; i < w.n; ++i) {
    for (int j = 0; j < w.k; ++j) {
      values.push_back(w.scale[i] *
                       static_cast<float>(w.weight[PackedAt(i, j, w.k_padded)] - w.zero[i]));
    }
  }
  return values;
}

}  // namespace lethe
