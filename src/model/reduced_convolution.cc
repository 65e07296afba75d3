#include "model/internal/reduced_convolution.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include "base/check.h"
#include "kernels/kernels.h"

namespace lethe {
namespace {

// The order of all sums is fixed, and the compiler may not fuse products into them
// (-ffp-contract=off): the catalogue has the hash of what comes out.
constexpr int kWindow = 127;
constexpr int kTaps = 7;
constexpr int kRank = kReducedChannels;

constexpr int kWindows = 6000;
// So many samples until the noise has forgotten that it began with silence.
constexpr int kRunIn = 65;
// Each sample is so much of the one before: speech is coloured, consonants less than vowels.
constexpr double kColours[] = {0.8, 0.9, 0.97};
constexpr int kLoudnesses = 8;  // each half the one before, from 1/2
// What is rounded to 8 bits is not known better than that.
constexpr double kRounding = 1e-4;

// One window in so many hears a microphone's offset, too, as large as half of full scale.
constexpr int kWindowsAnOffset = 8;
constexpr double kLargestOffset = 0.5;

constexpr int kRounds = 20;
constexpr double kMostLost = 5e-4;

// A matrix of doubles, row by row.
class Matrix {
 public:
  Matrix(int rows, int columns)
      : columns_(columns), values_(static_cast<std::size_t>(rows) * columns) {}
  double* operator[](int row) { return values_.data() + static_cast<std::size_t>(row) * columns_; }
  const double* operator[](int row) const {
    return values_.data() + static_cast<std::size_t>(row) * columns_;
  }

 private:
  int columns_;
  std::vector<double> values_;
};

void AddScaled(const double* from, double by, int n, double* to) {
  for (int i = 0; i < n; ++i) to[i] += by * from[i];
}

double Product(const double* a, const double* b, int n) {
  double sum = 0;
  for (int i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

// Of every library's numbers none are promised to stay: a linear congruential generator, and the
// sum of four uniform numbers for a normal one, of variance 1.
class Noise {
 public:
  double Next() {
    double sum = -2;
    for (int i = 0; i < 4; ++i) sum += Uniform();
    return sum * 1.7320508075688772;
  }
  double Uniform() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state_ >> 32) * 0x1p-32;
  }

 private:
  std::uint64_t state_ = 1;
};

// What the group norm puts out for each window of noise: [kWindows, hidden].
std::vector<float> ChannelsOfNoise(const StemWeights& stem) {
  const int h = stem.hidden;
  std::vector<float> channels(static_cast<std::size_t>(kWindows) * h);
  Noise noise;
  for (int i = 0; i < kWindows; ++i) {
    const int colour = i % static_cast<int>(std::size(kColours));
    const int loudness = i / static_cast<int>(std::size(kColours)) % kLoudnesses;
    const double keeps = kColours[colour], adds = std::sqrt(1 - keeps * keeps);
    const double amplitude = 1.0 / (2 << loudness);
    float* out = channels.data() + static_cast<std::size_t>(i) * h;
    const bool has_offset = i % kWindowsAnOffset == kWindowsAnOffset - 1;
    const double offset = has_offset ? kLargestOffset * (2 * noise.Uniform() - 1) : 0;
    double sample = 0;
    for (int t = -kRunIn; t < kWindow; ++t) {
      sample = keeps * sample + adds * noise.Next();
      if (t < 0) continue;
      const auto s = static_cast<float>(amplitude * sample + offset);
      const float* weights = stem.conv1.data() + static_cast<std::size_t>(t) * h;
      for (int j = 0; j < h; ++j) out[j] += s * weights[j];
    }
  }
  ScalarKernels().tanh(channels.data(), static_cast<std::int64_t>(channels.size()));
  double sum = 0, squares = 0;
  for (const double v : channels) {
    sum += v;
    squares += v * v;
  }
  const auto count = static_cast<double>(channels.size());
  const double mean = sum / count, scale = 1 / std::sqrt(squares / count - mean * mean + 1e-5);
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const std::size_t j = i % static_cast<std::size_t>(h);
    channels[i] =
        static_cast<float>((channels[i] - mean) * scale) * stem.norm_weight[j] + stem.norm_bias[j];
  }
  return channels;
}

// The lower triangle of the sum of each row's products with itself, [n, n].
Matrix SecondMoments(std::span<const float> rows, int n) {
  Matrix sums(n, n);
  std::vector<double> row(static_cast<std::size_t>(n));
  for (std::size_t at = 0; at < rows.size(); at += row.size()) {
    for (int i = 0; i < n; ++i) row[i] = rows[at + i];
    for (int i = 0; i < n; ++i) AddScaled(row.data(), row[i], i + 1, sums[i]);
  }
  return sums;
}

// L of A = L Lᵀ, in the place of the lower triangle of A; false if A is not positive definite.
bool Cholesky(int n, Matrix* a) {
  for (int i = 0; i < n; ++i) {
    double* row = (*a)[i];
    for (int j = 0; j < i; ++j) row[j] = (row[j] - Product(row, (*a)[j], j)) / (*a)[j][j];
    const double left = row[i] - Product(row, row, i);
    if (!(left > 0)) return false;
    row[i] = std::sqrt(left);
  }
  return true;
}

// Rows that are orthogonal and of length 1, the first ones least changed.
void Orthonormalize(int rows, int n, Matrix* q) {
  for (int i = 0; i < rows; ++i) {
    double* row = (*q)[i];
    // Twice is enough (Giraud et al. 2005).
    for (int time = 0; time < 2; ++time) {
      for (int j = 0; j < i; ++j) AddScaled((*q)[j], -Product(row, (*q)[j], n), n, row);
    }
    const double length = std::sqrt(Product(row, row, n));
    for (int j = 0; j < n; ++j) row[j] /= length;
  }
}

// The leading eigenvectors of a symmetric matrix as rows [kRank, n], largest first, and their
// eigenvalues: orthogonal iteration.
Matrix LeadingEigenvectors(const Matrix& a, int n, std::vector<double>* values) {
  Matrix q(kRank, n), product(kRank, n);
  Noise noise;
  for (int i = 0; i < kRank; ++i) {
    for (int j = 0; j < n; ++j) q[i][j] = noise.Uniform() - 0.5;
  }
  values->assign(kRank, 0.0);
  for (int round = 0; round < kRounds; ++round) {
    Orthonormalize(kRank, n, &q);
    product = Matrix(kRank, n);
    for (int i = 0; i < kRank; ++i) {
      for (int j = 0; j < n; ++j) AddScaled(a[j], q[i][j], n, product[i]);
      (*values)[i] = Product(product[i], q[i], n);
    }
    if (round + 1 < kRounds) std::swap(q, product);
  }
  return q;
}

// How much of the outputs' energy the two products lose, as they are in 8 bits, for channels whose
// second moments are L Lᵀ.
double LostEnergy(std::span<const float> conv2, const ReducedConvolution& reduced, const Matrix& l,
                  int hidden) {
  const std::vector<float> reduce = TrueWeights(reduced.reduce), taps = TrueWeights(reduced.taps);
  std::vector<double> row(static_cast<std::size_t>(hidden)), lost = row;
  const auto energy = [&](const std::vector<double>& weights) {
    std::vector<double> sums(weights.size());
    for (int k = 0; k < hidden; ++k) AddScaled(l[k], weights[k], k + 1, sums.data());
    return Product(sums.data(), sums.data(), hidden);
  };
  double whole_energy = 0, lost_energy = 0;
  const float* tap = taps.data();
  for (std::size_t at = 0; at < conv2.size(); at += row.size(), tap += kRank) {
    for (int i = 0; i < hidden; ++i) row[i] = lost[i] = conv2[at + i];
    for (int i = 0; i < kRank; ++i) {
      const float* sum = reduce.data() + static_cast<std::size_t>(i) * row.size();
      for (int j = 0; j < hidden; ++j) lost[j] -= double{tap[i]} * sum[j];
    }
    whole_energy += energy(row);
    lost_energy += energy(lost);
  }
  return lost_energy / whole_energy;
}

}  // namespace

// With M the channels' second moments and W [hidden, taps * outputs]: M = L Lᵀ, and what rank r
// leaves the least error of is LᵀW = USVᵀ, whose U are the eigenvectors of LᵀWWᵀL. So W is nearly
// (L⁻ᵀ U D) (D⁻¹ Uᵀ LᵀW), for any D. Both factors and what is between them are rounded to 8 bits:
// D = √S spreads the rounding evenly, and a Hadamard matrix between them makes all sums of a size.
std::optional<ReducedConvolution> ReduceConvolution(const StemWeights& stem) {
  const int h = stem.hidden, outputs = 2 * h, wide = kTaps * outputs;
  LETHE_CHECK(stem.conv1.size() == static_cast<std::size_t>(kWindow) * h);
  LETHE_CHECK(stem.conv2.size() == static_cast<std::size_t>(wide) * h);
  // The step of the second convolution is three frames.
  if (3 * (3 * h * kRank + kTaps * kRank * outputs) > 2 * kTaps * h * outputs) return std::nullopt;

  Matrix moments = SecondMoments(ChannelsOfNoise(stem), h);
  double trace = 0;
  for (int i = 0; i < h; ++i) trace += moments[i][i];
  for (int i = 0; i < h; ++i) moments[i][i] += kRounding * trace / h;
  if (!Cholesky(h, &moments)) return std::nullopt;
  const Matrix& l = moments;

  // Each output's tap is a row of `stem.conv2`: WWᵀ is their second moments.
  Matrix weights = SecondMoments(stem.conv2, h);
  for (int i = 0; i < h; ++i) {
    for (int j = 0; j < i; ++j) weights[j][i] = weights[i][j];
  }
  Matrix half(h, h), g(h, h);  // Lᵀ WWᵀ, and Lᵀ WWᵀ L
  for (int k = 0; k < h; ++k) {
    for (int i = 0; i <= k; ++i) AddScaled(weights[k], l[k][i], h, half[i]);
  }
  for (int i = 0; i < h; ++i) {
    for (int k = 0; k < h; ++k) AddScaled(l[k], half[i][k], k + 1, g[i]);
  }
  std::vector<double> values;
  Matrix u = LeadingEigenvectors(g, h, &values);
  // Of weights with fewer dimensions than that the last ones are roundings, or no numbers, which
  // cannot become integers to be judged below.
  const auto positive = [](double value) { return value > 0; };
  if (!std::all_of(values.begin(), values.end(), positive)) return std::nullopt;

  // Rows of `u` become those of D⁻¹ Uᵀ Lᵀ (`right`) and D Uᵀ L⁻¹ (in its place).
  Matrix right(kRank, h);
  for (int i = 0; i < kRank; ++i) {
    const double d = std::sqrt(std::sqrt(values[i]));
    for (int k = 0; k < h; ++k) right[i][k] = Product(u[i], l[k], k + 1) / d;
    for (int k = h - 1; k >= 0; --k) {
      u[i][k] /= l[k][k];
      AddScaled(l[k], -u[i][k], k, u[i]);
    }
    for (int k = 0; k < h; ++k) u[i][k] *= d;
  }
  Matrix reduce(kRank, h), expand(kRank, h);
  const double size = 1 / std::sqrt(static_cast<double>(kRank));
  static_assert(std::has_single_bit(static_cast<unsigned>(kRank)));
  for (unsigned i = 0; i < kRank; ++i) {
    for (unsigned j = 0; j < kRank; ++j) {
      const double sign = std::popcount(i & j) % 2 == 0 ? size : -size;
      AddScaled(u[static_cast<int>(j)], sign, h, reduce[static_cast<int>(i)]);
      AddScaled(right[static_cast<int>(j)], sign, h, expand[static_cast<int>(i)]);
    }
  }

  std::vector<float> reduced, taps;
  for (int i = 0; i < kRank; ++i) reduced.insert(reduced.end(), reduce[i], reduce[i] + h);
  std::vector<double> row(static_cast<std::size_t>(h));
  for (std::size_t at = 0; at < stem.conv2.size(); at += row.size()) {
    for (int i = 0; i < h; ++i) row[i] = stem.conv2[at + i];
    for (int i = 0; i < kRank; ++i) {
      taps.push_back(static_cast<float>(Product(expand[i], row.data(), h)));
    }
  }
  ReducedConvolution result{.reduce = QuantizePerOutput(reduced, kRank, h),
                            .taps = QuantizePerOutput(taps, outputs, kTaps * kRank)};
  if (!(LostEnergy(stem.conv2, result, l, h) <= kMostLost)) return std::nullopt;
  result.taps.bias.assign(stem.conv2_bias.begin(), stem.conv2_bias.end());
  return result;
}

}  // namespace lethe
