#pragma once

// Attention of many queries over all frames, in 8 bits: AttendByProducts() out of a table's other
// kernels, which says what it is; AttendFrames() the same bits in one go.
//
// AttendFrames() turns the products round: lanes are queries, and what is broadcast are keys and
// values. So no lane is padding, however small a head; the softmax needs no sum across lanes; and
// its bytes lie as the next product reads them.
//
// T is a type of an unnamed namespace in the file of an instruction set:
//   V                the vector of 16 lanes, as vector.h has it
//   kVectors         how many of them the queries of a block fill
//   kTilesApart      whether a tile is a function of its own
//   kStep            inputs that one step of a product takes; kRows, broadcast rows of a tile
//   Ints             16 numbers: Zero(), Add(a, b), Less(sum, zero, n): sum - zero * n; Byte(n):
//                    n within 0..255; Rounded(V), Floats(): from and to floats
//   Register         one of those that Ints consists of; Zero(); Load(p), of kStep inputs of each
//   of
//                    its queries; Broadcast(p), the kStep inputs of a row, 4 bytes
//   MultiplyAdd(sum, queries, row) of registers
//   PrepareRows(w, to)             a packed matrix as [n_padded / 16, steps, 16, kStep], 4 bytes
//                                  for each row; where it lies, which is `to` or the matrix
//   ByteExp(s, offset)             kernels_internal::ByteExp(), rounded
//   StoreSteps(q, to, total)       4 vectors of bytes in Ints, an input each: 4 / kStep steps,
//                                  kVectors * 64 bytes apart; adds the four to the total

#include <cstdint>

#include "kernels/internal/float_kernels.h"
#include "kernels/internal/unroll.h"
#include "kernels/kernels.h"

namespace lethe::kernels_internal {

inline constexpr int kScoreQueries = 48;

static constexpr int RoundUpTo(int n, int to) { return (n + to - 1) / to * to; }

namespace {

// Takes its parts out of scratch memory, each at a whole cache line.
class ScratchParts {
 public:
  explicit ScratchParts(void* scratch) : at_(static_cast<char*>(scratch)) {}
  template <class X>
  X* Take(std::int64_t count) {
    X* part = reinterpret_cast<X*>(at_);
    at_ += (count * static_cast<std::int64_t>(sizeof(X)) + 63) / 64 * 64;
    return part;
  }

 private:
  char* at_;
};

}  // namespace

template <auto kQuantizeRows, auto kGemm, auto kSoftmaxQuantize>
void AttendByProducts(const float* query, int m, std::int64_t ldq, const PackedWeights& keys,
                      const PackedWeights& values, void* scratch, float* out, std::int64_t ldo) {
  const int d = keys.k, frames = keys.n;
  const int query_bytes = RoundUpTo(d, kActivationAlign);
  const int score_bytes = RoundUpTo(frames, kActivationAlign);
  ScratchParts parts(scratch);
  auto* bytes = parts.Take<std::uint8_t>(std::int64_t{kScoreQueries} * query_bytes);
  auto* scores = parts.Take<float>(std::int64_t{kScoreQueries} * keys.n_padded);
  auto* weights = parts.Take<std::uint8_t>(std::int64_t{kScoreQueries} * score_bytes);
  auto* sums = parts.Take<float>(std::int64_t{kScoreQueries} * values.n_padded);
  RowScale query_scales[kScoreQueries], weight_scales[kScoreQueries];
  for (int t = 0; t < m; t += kScoreQueries, query += kScoreQueries * ldq) {
    const int count = m - t < kScoreQueries ? m - t : kScoreQueries;
    kQuantizeRows(query, count, d, ldq, bytes, query_bytes, query_scales);
    kGemm(bytes, count, query_bytes, query_scales, keys, scores, keys.n_padded, false);
    kSoftmaxQuantize(scores, count, frames, keys.n_padded, weights, score_bytes, weight_scales);
    kGemm(weights, count, score_bytes, weight_scales, values, sums, values.n_padded, false);
    for (int j = 0; j < count; ++j, out += ldo) {
      __builtin_memcpy(out, sums + std::int64_t{j} * values.n_padded,
                       static_cast<std::size_t>(d) * sizeof(float));
    }
  }
}

// kRows rows by the queries of a block; take.operator()<j>(sums of vector j, a row each).
template <class T, int kRows, int kVectors, class Take>
[[gnu::always_inline]] inline void AttendTileHere(const char* a, const char* rows, int steps,
                                                  const Take& take) {
  // Of bare registers, which GCC 12 keeps out of memory, as it does not those of a struct.
  using Register = typename T::Register;
  constexpr int kEach = 64 / sizeof(Register), kRegisters = kVectors * kEach;
  Register sum[kRows][kRegisters];
  Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
    Unroll<kRegisters>([&]<int j>() __attribute__((always_inline)) { sum[i][j] = T::Zero(); });
  });
  for (int s = 0; s < steps; ++s, a += T::kVectors * 64, rows += 64) {
    Register queries[kRegisters];
    Unroll<kRegisters>([&]<int j>() __attribute__((always_inline)) {
      queries[j] = T::Load(a + j * sizeof(Register));
    });
    Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
      const Register row = T::Broadcast(rows + 4 * i);
      Unroll<kRegisters>([&]<int j>() __attribute__((always_inline)) {
        T::MultiplyAdd(&sum[i][j], queries[j], row);
      });
    });
  }
  Unroll<kVectors>([&]<int j>() __attribute__((always_inline)) {
    typename T::Ints column[kRows];
    Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
      if constexpr (kEach == 1) {
        column[i] = {sum[i][j]};
      } else {
        column[i] = {sum[i][2 * j], sum[i][2 * j + 1]};
      }
    });
    take.template operator()<j>(column);
  });
}

template <class T, int kRows, int kVectors, class Take>
[[gnu::noinline]] void AttendTileApart(const char* a, const char* rows, int steps,
                                       const Take& take) {
  AttendTileHere<T, kRows, kVectors>(a, rows, steps, take);
}

// A large tile in a function of its own, or GCC 12 keeps it in memory.
template <class T, int kRows, int kVectors, class Take>
[[gnu::always_inline]] inline void AttendTile(const char* a, const char* rows, int steps,
                                              const Take& take) {
  if constexpr (T::kTilesApart) {
    AttendTileApart<T, kRows, kVectors>(a, rows, steps, take);
  } else {
    AttendTileHere<T, kRows, kVectors>(a, rows, steps, take);
  }
}

// What AttendBlock() works with; the parts of the scratch memory.
struct AttendParts {
  const char* keys;
  const char* values;
  char* queries;   // [steps, kVectors, 64]
  char* weights;   // [steps, kVectors, 64]
  float* scores;   // [frames, kVectors, 16]
  float* columns;  // [d, kVectors, 16]
};

// Quantises 16 queries, columns [d, 16]. Returns their scales and zero points.
template <class T>
inline void QuantizeColumns(const float* columns, int d, char* to, typename T::V* scale,
                            typename T::Ints* zero) {
  using V = typename T::V;
  using Ints = typename T::Ints;
  V low = V::Set(0.0f), high = low;
  for (int i = 0; i < d; ++i) {
    const V v = V::Load(columns + i * kLanes);
    low = V::Min(low, v);
    high = V::Max(high, v);
  }
  float lowest[kLanes], highest[kLanes], inverse[kLanes], scales[kLanes], zeros[kLanes];
  low.Store(lowest);
  high.Store(highest);
  for (int j = 0; j < kLanes; ++j) {
    RowScale row;
    inverse[j] = ScaleOfRange(lowest[j], highest[j], &row);
    scales[j] = row.scale;
    zeros[j] = static_cast<float>(row.zero);
  }
  *scale = V::Load(scales);
  *zero = Ints::Rounded(V::Load(zeros));
  const V factor = V::Load(inverse);
  Ints total = Ints::Zero();
  for (int i = 0; i < d; i += 4, to += 4 / T::kStep * T::kVectors * 64) {
    Ints q[4];
    Unroll<4>([&]<int r>() __attribute__((always_inline)) {
      q[r] = Ints::Zero();
      if (i + r >= d) return;
      const Ints n = Ints::Rounded(V::Load(columns + (i + r) * kLanes) * factor);
      q[r] = Ints::Byte(Ints::Add(n, *zero));
    });
    T::StoreSteps(q, to, &total);
  }
}

// `count` queries, at most kVectors * 16.
template <class T, int kVectors>
void AttendBlock(const AttendParts& parts, const float* query, int count, std::int64_t ldq,
                 const PackedWeights& keys, const PackedWeights& values) {
  using V = typename T::V;
  using Ints = typename T::Ints;
  constexpr int kRows = T::kRows;
  constexpr int kLine = T::kVectors * kLanes;
  const int frames = keys.n, d = keys.k;
  V scale[kVectors], top[kVectors];
  Ints zero[kVectors];
  for (int j = 0; j < kVectors; ++j) {
    const int queries = count - j * kLanes < kLanes ? count - j * kLanes : kLanes;
    // Lanes without a query hold what was there.
    V::StoreTransposed(query + j * kLanes * ldq, ldq, queries, d, parts.columns, kLanes);
    QuantizeColumns<T>(parts.columns, d, parts.queries + 64 * j, &scale[j], &zero[j]);
    top[j] = V::Set(-3.0e38f);
  }

  const int key_steps = keys.k_padded / T::kStep;
  for (int t = 0; t < frames; t += kRows) {
    AttendTile<T, kRows, kVectors>(
        parts.queries, parts.keys + (t / kLanes * key_steps * kLanes + t % kLanes) * 4,
        key_steps, [&]<int j>(const Ints(&sums)[kRows]) __attribute__((always_inline)) {
          const V query_scale = scale[j];
          const Ints query_zero = zero[j];
          V largest = top[j];
          float* to = parts.scores + std::int64_t{t} * kLine + j * kLanes;
          Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
            if (t + i >= frames) return;
            const V score = Ints::Less(sums[i], query_zero, keys.correction[t + i]).Floats() *
                            (query_scale * V::Set(keys.scale[t + i]));
            largest = V::Max(largest, score);
            score.Store(to + i * kLine);
          });
          top[j] = largest;
        });
  }

  for (int j = 0; j < kVectors; ++j) {
    const V offset = ByteExpOffset(top[j]);
    const float* from = parts.scores + j * kLanes;
    char* to = parts.weights + 64 * j;
    Ints total = Ints::Zero();
    const auto four = [&](int rest) __attribute__((always_inline)) {
      Ints q[4];
      Unroll<4>([&]<int r>() __attribute__((always_inline)) {
        q[r] = r < rest ? T::ByteExp(V::Load(from + r * kLine), offset) : Ints::Zero();
      });
      T::StoreSteps(q, to, &total);
      from += 4 * kLine;
      to += 4 / T::kStep * T::kVectors * 64;
    };
    int t = 0;
    for (; t + 4 <= frames; t += 4) four(4);
    if (t < frames) four(frames - t);
    // A sum of small integers, and 255 at least.
    scale[j] = V::Set(1.0f) / total.Floats();
  }

  const int value_steps = values.k_padded / T::kStep;
  const auto columns = [&]<int kColumns>(int n) __attribute__((always_inline)) {
    AttendTile<T, kColumns, kVectors>(
        parts.weights, parts.values + (n / kLanes * value_steps * kLanes + n % kLanes) * 4,
        value_steps, [&]<int j>(const Ints(&sums)[kColumns]) __attribute__((always_inline)) {
          const V weight_scale = scale[j];
          float* to = parts.columns + std::int64_t{n} * kLine + j * kLanes;
          Unroll<kColumns>([&]<int i>() __attribute__((always_inline)) {
            (sums[i].Floats() * (weight_scale * V::Set(values.scale[n + i]))).Store(to + i * kLine);
          });
        });
  };
  int n = 0;
  for (; n + kRows / 2 < values.n; n += kRows) columns.template operator()<kRows>(n);
  if (n < values.n) columns.template operator()<kRows / 2>(n);
}

template <class T>
void AttendFrames(const float* query, int m, std::int64_t ldq, const PackedWeights& keys,
                  const PackedWeights& values, void* scratch, float* out, std::int64_t ldo) {
  constexpr int kQueries = T::kVectors * kLanes;
  constexpr int kWords = 4 / T::kStep;  // of 4 bytes, for four inputs
  ScratchParts memory(scratch);
  AttendParts parts;
  parts.queries = memory.Take<char>(std::int64_t{kWords} * kQueries * keys.k_padded);
  parts.weights = memory.Take<char>(std::int64_t{kWords} * kQueries * values.k_padded);
  parts.scores = memory.Take<float>(std::int64_t{kQueries} * keys.n);
  parts.columns = memory.Take<float>(std::int64_t{kQueries} * values.n_padded);
  const auto prepared = [&memory](const PackedWeights& w) {
    return T::PrepareRows(w, memory.Take<char>(std::int64_t{kWords} * w.n_padded * w.k_padded));
  };
  parts.keys = prepared(keys);
  parts.values = prepared(values);
  for (std::int64_t i = 0; i < kQueries * values.n_padded; ++i) parts.columns[i] = 0.0f;
  for (int t = 0; t < m; t += kQueries, query += kQueries * ldq, out += kQueries * ldo) {
    const int count = m - t < kQueries ? m - t : kQueries;
    const int vectors = (count + kLanes - 1) / kLanes;
    Unroll<T::kVectors>([&]<int j>() __attribute__((always_inline)) {
      if (j + 1 == vectors) {
        AttendBlock<T, j + 1>(parts, query, count, ldq, keys, values);
      }
    });
    T::V::StoreTransposed(parts.columns, kQueries, keys.k, count, out, ldo);
  }
}

}  // namespace lethe::kernels_internal
