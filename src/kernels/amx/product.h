#pragma once

// The integer product on tiles: 16 rows x 64 inputs times 64 inputs x 16 outputs in one
// instruction. The packed layout of a panel, [k/4, 16, 4], is the tile's own.
//
// Tiles is AmxTiles of tiles.h, or the emulation of it that is tested where there is no AMX.

#include <cstdint>

#include <immintrin.h>

#include "kernels/amx/tiles.h"
#include "kernels/avx512/integer.h"
#include "kernels/avx512/vector.h"
#include "kernels/internal/attend_frames.h"
#include "kernels/internal/float_kernels.h"
#include "kernels/internal/unroll.h"
#include "kernels/kernels.h"

namespace lethe {
namespace {

constexpr int kTileRows = 16, kTileBytes = 64;

// Tiles take 1,650 cycles for 288 by 288 weights, however few the rows: 90 products of 16, and the
// configuration. VNNI takes 650 for each row; but with so few, both wait for weights.
constexpr int kFewestTileRows = 8;

// Sums become outputs as struct Outputs has it, to the bit. But a product of 32 bits, which takes
// two instructions' time, is made of two products of 16 bits that VPDPWSSD adds at once: one factor
// is cut in two, the other is there as it is and times the place of the cut. All of them are below
// 2^15:
//   zero * row.sum          row.sum = 64 * high + low;     high <= 255 * 8192 / 64, 64 * 256
//   correction * row.zero   correction = 128 * high + low; |high| <= 384 * 8192 / 128, 128 * 255
struct TileRow {
  TileRow() = default;
  explicit TileRow(const RowScale& row)
      : sum((row.sum >> 6) << 16 | (row.sum & 63)),
        zero(row.zero << 23 | row.zero),
        scale(row.scale) {}
  std::int32_t sum, zero;
  float scale;
};

struct TileColumns {
  TileColumns() = default;
  TileColumns(const PackedWeights& w, int n) {
    const __m512i none = _mm512_setzero_si512();
    const __m512i z = _mm512_sub_epi32(none, _mm512_loadu_si512(w.zero + n));
    const __m512i c = _mm512_sub_epi32(none, _mm512_loadu_si512(w.correction + n));
    zero =
        _mm512_or_si512(_mm512_slli_epi32(z, 22), _mm512_and_si512(z, _mm512_set1_epi32(0xffff)));
    correction = _mm512_or_si512(_mm512_slli_epi32(_mm512_srai_epi32(c, 7), 16),
                                 _mm512_and_si512(c, _mm512_set1_epi32(127)));
    scale = _mm512_loadu_ps(w.scale + n);
    bias = w.bias != nullptr ? _mm512_loadu_ps(w.bias + n) : _mm512_setzero_ps();
  }
  __m512i zero, correction;
  __m512 scale, bias;
};

// The sums of up to 16 rows by one panel or two side by side, that are to become outputs.
struct TileSums {
  const std::int32_t* sums;  // [panels, 16, 16]; the first row that counts
  const TileRow* rows;
  const TileColumns* columns;  // [panels]
  float* y;
  int lines, panels;
};

template <int kPanels, bool kAccumulate>
[[gnu::noinline]] void StoreLines(const TileSums& t, int from, int to, std::int64_t ldy) {
  const TileColumns first = t.columns[0], second = t.columns[kPanels - 1];
  const std::int32_t* sums = t.sums + from * kLanes;
  const TileRow* const end = t.rows + to;
  float* y = t.y + from * ldy;
  for (const TileRow* row = t.rows + from; row < end; ++row, sums += kLanes, y += ldy) {
    const __m512i row_sum = _mm512_set1_epi32(row->sum);
    const __m512i row_zero = _mm512_set1_epi32(row->zero);
    const __m512 row_scale = _mm512_set1_ps(row->scale);
    kernels_internal::Unroll<kPanels>([&]<int p>() __attribute__((always_inline)) {
      const TileColumns& columns = p == 0 ? first : second;
      __m512i sum = _mm512_load_si512(sums + p * kTileRows * kLanes);
      sum = _mm512_dpwssd_epi32(sum, columns.zero, row_sum);
      sum = _mm512_dpwssd_epi32(sum, columns.correction, row_zero);
      __m512 value = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum),
                                     _mm512_mul_ps(row_scale, columns.scale), columns.bias);
      if constexpr (kAccumulate) value = _mm512_add_ps(_mm512_loadu_ps(y + p * kLanes), value);
      _mm512_storeu_ps(y + p * kLanes, value);
    });
  }
}

// One product, of 8 rows or more. The caller has configured the tiles: for m rows if these are less
// than 16, else for 16.
//
// A block is up to two tiles of rows by two panels, or one by four: four tiles of sums (0 to 3),
// because one is ready 52 cycles after it was begun, and begun every 16. While the tiles multiply,
// the vector units make outputs of the block before.
template <class Tiles>
class TileProduct {
 public:
  TileProduct(const PackedWeights& w, std::int64_t ldy, bool accumulate, bool fetch)
      : w_(w),
        ldy_(ldy),
        panel_(std::int64_t{w.k_padded} * kLanes),
        steps_((w.k_padded + kTileBytes - 1) / kTileBytes),
        accumulate_(accumulate),
        fetch_(fetch) {}

  void Multiply(const std::uint8_t* a, int m, int lda, const RowScale* rows, float* y) {
    lda_ = lda;
    for (int first = 0; first < m; first += count_) {
      // What is left over has 16 rows too.
      count_ = m - first <= kMostRows ? m - first : kMostRows - kTileRows;
      a_ = a + std::int64_t{first} * lda;
      y_ = y + first * ldy_;
      for (int i = 0; i < count_; ++i) rows_[i] = TileRow(rows[first + i]);
      MultiplyRows();
      while (StorePiece()) continue;
    }
  }

 private:
  // Rows that go over two panels (32 k bytes) while these stay in the first-level cache.
  static constexpr int kMostRows = 112;

  void MultiplyRows() {
    const int tiles = (count_ + kTileRows - 1) / kTileRows, pairs = tiles / 2;
    for (int n = 0; pairs > 0 && n < w_.n_padded; n += 2 * kLanes) {
      const int panels = n + kLanes < w_.n_padded ? 2 : 1;
      BeginPanels(n, panels);
      for (int i = 0; i < pairs; ++i) {
        FetchPart(i, pairs);
        panels == 2 ? Block<2, 2>(2 * i, n) : Block<2, 1>(2 * i, n);
      }
    }
    if (tiles % 2 == 0) return;
    FetchPart(0, pairs == 0 ? 1 : 0);
    for (int n = 0; n < w_.n_padded; n += 4 * kLanes) {
      const int rest = (w_.n_padded - n) / kLanes, panels = rest < 4 ? rest : 4;
      BeginPanels(n, panels);
      switch (panels) {
        case 1:
          Block<1, 1>(tiles - 1, n);
          break;
        case 2:
          Block<1, 2>(tiles - 1, n);
          break;
        case 3:
          Block<1, 3>(tiles - 1, n);
          break;
        default:
          Block<1, 4>(tiles - 1, n);
          break;
      }
    }
  }

  void BeginPanels(int n, int panels) {
    // The others may still be needed by the block before.
    columns_ = columns_ == all_columns_[0] ? all_columns_[1] : all_columns_[0];
    for (int p = 0; p < panels; ++p) columns_[p] = TileColumns(w_, n + p * kLanes);
  }

  // The last tile overlaps its predecessor instead of being shorter; the rows they share are
  // written once.
  int FirstRow(int tile) const {
    const int last = count_ < kTileRows ? 0 : count_ - kTileRows;
    return tile * kTileRows < last ? tile * kTileRows : last;
  }

  template <int kRows, int kPanels>
  void Block(int tile, int n) {
    using kernels_internal::Unroll;
    Unroll<kRows * kPanels>([&]<int i>()
                                __attribute__((always_inline)) { Tiles::template Zero<i>(); });
    const std::int64_t lda = lda_, panel = panel_;
    const std::uint8_t* a0 = a_ + FirstRow(tile) * lda;
    const std::uint8_t* a1 = a_ + FirstRow(tile + kRows - 1) * lda;
    const std::int8_t* b = w_.weight + n / kLanes * panel;
    const std::int64_t fetch_from = kPanels * panel + fetch_from_,
                       fetched = fetch_to_ - fetch_from_;
    // If k is no multiple of 64, the last step reads weights of the next panel against activations
    // that are zero.
    for (int s = 0; s < steps_; ++s, a0 += kTileBytes, a1 += kTileBytes, b += kStepBytes) {
      Tiles::template Load<kA>(a0, lda);
      Unroll<kPanels>([&]<int p>() __attribute__((always_inline)) {
        Tiles::template Load<B<kPanels>(p)>(b + p * panel, kTileBytes);
        Tiles::template MultiplyAdd<p, kA, B<kPanels>(p)>();
      });
      if constexpr (kRows == 2) {
        Tiles::template Load<kA + 1>(a1, lda);
        Unroll<kPanels>([&]<int p>() __attribute__((always_inline)) {
          Tiles::template MultiplyAdd<kPanels + p, kA + 1, B<kPanels>(p)>();
        });
      }
      for (std::int64_t i = 0; i < fetched; i += 64) {
        Unroll<kPanels>([&]<int p>() __attribute__((always_inline)) {
          const std::int8_t* next = b + p * panel + fetch_from + i;
          _mm_prefetch(reinterpret_cast<const char*>(next), _MM_HINT_T1);
        });
      }
      StorePiece();
    }
    while (StorePiece()) continue;
    Unroll<kRows * kPanels>([&]<int i>() __attribute__((always_inline)) {
      Tiles::template Store<i>(sums_[i], kTileBytes);
    });
    Unroll<kRows>([&]<int r>() __attribute__((always_inline)) {
      Unroll<(kPanels + 1) / 2>([&]<int pair>() __attribute__((always_inline)) {
        constexpr int kFirst = 2 * pair, kCount = kPanels - kFirst < 2 ? 1 : 2;
        const int row = (tile + r) * kTileRows, left = count_ - row;
        const int shared = row - FirstRow(tile + r);
        waiting_[num_waiting_++] = {sums_[r * kPanels + kFirst] + shared * kLanes,
                                    rows_ + row,
                                    columns_ + kFirst,
                                    y_ + row * ldy_ + n + kFirst * kLanes,
                                    left < kTileRows ? left : kTileRows,
                                    kCount};
      });
    });
  }

  // Makes outputs of up to 8 rows that wait for it. Returns whether there were any.
  [[gnu::always_inline]] bool StorePiece() {
    if (num_waiting_ == 0) return false;
    const TileSums& t = waiting_[num_waiting_ - 1];
    const int to = stored_ + 8 < t.lines ? stored_ + 8 : t.lines;
    if (t.panels == 2) {
      accumulate_ ? StoreLines<2, true>(t, stored_, to, ldy_)
                  : StoreLines<2, false>(t, stored_, to, ldy_);
    } else {
      accumulate_ ? StoreLines<1, true>(t, stored_, to, ldy_)
                  : StoreLines<1, false>(t, stored_, to, ldy_);
    }
    stored_ = to;
    if (to == t.lines) {
      stored_ = 0;
      --num_waiting_;
    }
    return true;
  }

  // Hardware does not fetch ahead across a page: the same place of the next panels is asked for
  // while these are used, a part of it by each of the blocks that use them first.
  void FetchPart(int part, int parts) {
    constexpr int kLines = kStepBytes / 64;
    fetch_from_ = fetch_to_ = 0;
    if (!fetch_ || parts == 0) return;
    fetch_from_ = kLines * part / parts * 64;
    fetch_to_ = kLines * (part + 1) / parts * 64;
  }

  static constexpr int kStepBytes = kTileBytes * kLanes;  // of a panel
  // Tiles of rows, and of panels, as TileConfig has their rows.
  static constexpr int kA = 4;
  template <int kPanels>
  static constexpr int B(int p) {
    return kPanels <= 2 ? 6 + p : 5 + p % 3;
  }

  alignas(64) std::int32_t sums_[4][kTileRows * kLanes];
  TileColumns all_columns_[2][4];
  TileRow rows_[kMostRows];
  TileColumns* columns_ = all_columns_[0];
  TileSums waiting_[2];
  int num_waiting_ = 0, stored_ = 0;

  const PackedWeights& w_;
  const std::int64_t ldy_, panel_;
  const int steps_;
  const bool accumulate_, fetch_;
  const std::uint8_t* a_ = nullptr;
  float* y_ = nullptr;
  std::int64_t lda_ = 0;
  int count_ = 0;
  std::int64_t fetch_from_ = 0, fetch_to_ = 0;
};

template <class Tiles>
void TileGemmU8S8(const std::uint8_t* a, int m, int lda, const RowScale* rows,
                  const PackedWeights& w, float* y, std::int64_t ldy, bool accumulate) {
  if (m < kFewestTileRows) return VnniGemmU8S8(a, m, lda, rows, w, y, ldy, accumulate);
  const TileScope<Tiles> scope(m < kTileRows ? m : kTileRows);
  TileProduct<Tiles>(w, ldy, accumulate, /*fetch=*/true).Multiply(a, m, lda, rows, y);
}

// A product of attention, in tiles that are configured for it; its weights were just packed.
template <class Tiles>
void TileGemmOfAttention(const std::uint8_t* a, int m, int lda, const RowScale* rows,
                         const PackedWeights& w, float* y, std::int64_t ldy, bool accumulate) {
  TileProduct<Tiles>(w, ldy, accumulate, /*fetch=*/false).Multiply(a, m, lda, rows, y);
}

template <class Tiles>
void TileAttendFrames(const float* query, int m, std::int64_t ldq, const PackedWeights& keys,
                      const PackedWeights& values, void* scratch, float* out, std::int64_t ldo) {
  using namespace kernels_internal;
  using Softmax = void (*)(const float*, int, int, std::int64_t, std::uint8_t*, int, RowScale*);
  constexpr Softmax kSoftmax = SoftmaxQuantize<Avx512Vector>;
  constexpr auto kOnTiles = AttendByProducts<QuantizeRows, TileGemmOfAttention<Tiles>, kSoftmax>;
  // Blocks of queries are of 48; the last may be less than a tile.
  const int last = m % kScoreQueries, whole = last < kTileRows ? m - last : m;
  if (whole > 0) {
    const TileScope<Tiles> scope(kTileRows);
    kOnTiles(query, whole, ldq, keys, values, scratch, out, ldo);
  }
  if (whole == m) return;
  query += whole * ldq;
  out += whole * ldo;
  if (last < kFewestTileRows) {
    AttendByProducts<QuantizeRows, VnniGemmU8S8, kSoftmax>(query, last, ldq, keys, values, scratch,
                                                           out, ldo);
  } else {
    const TileScope<Tiles> scope(last);
    kOnTiles(query, last, ldq, keys, values, scratch, out, ldo);
  }
}

}  // namespace
}  // namespace lethe
