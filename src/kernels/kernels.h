#pragma once

// The arithmetic of the models: what each kernel computes, whatever the instruction set.
//
// A KernelTable is a set of functions for one instruction set. All tables give the same bits for
// the same input, so a transcript does not depend on the machine it was made on:
//   - integer sums are exact;
//   - a float sum has a fixed order: along a row it is kept in 16 lanes (element i goes to lane
//     i % 16), which are then added pairwise: 16 to 8 (i with i + 8), to 4, to 2, to 1;
//   - exp, erf, tanh and the sigmoid are fixed polynomials evaluated with fused multiply-adds.
// internal/float_kernels.h spells the float kernels once, over a vector of 16 lanes; a folder for
// each instruction set supplies that vector and its integer product.
//
// Sources that are compiled for one instruction set include nothing but this header, the internal
// ones, <cstdint>, <cstddef> and intrinsics: an inline std:: function compiled there could be the
// copy that the linker keeps for everybody, and an older CPU would stop on it. Inline functions of
// our own are static there, or templates over a type of the file, or always inline;
// tests/kernel_symbols.py looks.
//
// Thread: every function may run on any number of threads; none allocates.

#include <cstdint>

namespace lethe {

/// Rows of quantised activations are this many bytes apart at least, or a multiple of it; bytes
/// between k and the row's end are zero, so a product may run over whole blocks of them.
inline constexpr int kActivationAlign = 64;
/// Outputs and columns come in groups of this many.
inline constexpr int kLanes = 16;
/// The largest k of GemmU8S8(): 255 * 128 * k must stay below 2^31, and a block of rows on the
/// stack.
inline constexpr int kMaxGemmDepth = 8192;

/// The largest k of pack_outputs().
inline constexpr int kMaxPackDepth = 1024;

/// Memory that attend_frames() works in, for so many frames and dimensions.
[[gnu::always_inline]] constexpr std::int64_t AttendScratchBytes(int frames, int d) {
  // Of 48 queries scores and weights, and copies of keys and values in 16 bits.
  return 48 * (std::int64_t{frames} * 5 + std::int64_t{d} * 6) +
         (std::int64_t{frames} + d) * (4 * d + 64) + 64 * 1024;
}

/// How one row of activations was quantised: x = scale * (q - zero).
struct RowScale {
  float scale;
  std::int32_t zero;  // 0 to 255
  std::int32_t sum;   // of the row's q
};

/// A weight matrix of n outputs by k inputs, w = scale[n] * (q - zero[n]), q in s8.
///
/// Shapes: weight [n_padded/16, k_padded/4, 16, 4] s8: element (p, g, j, r) belongs to output 16p +
/// j
///         and input 4g + r; scale, zero, correction, bias [n_padded]
/// Lifetime: views; up to 1,024 bytes behind `weight` must be readable.
struct PackedWeights {
  int n = 0, k = 0, n_padded = 0, k_padded = 0;
  const std::int8_t* weight = nullptr;
  const float* scale = nullptr;
  const std::int32_t* zero = nullptr;        // -256 to 256
  const std::int32_t* correction = nullptr;  // sum over k of (q - zero), per output
  const float* bias = nullptr;               // or null
};

/// What tells most of the outputs of a PackedWeights that are not the largest: of each weight one
/// bit, on which side of its input's mean it is.
///
/// w is taken for mean + scale * sign, with the scale that makes the product with an input vector x
/// right in the mean: |c|^2 over the sum of |c_i|, c = w - mean. Where x has nothing to do with
/// what that leaves of c, the product is off by `error` * |x| in the root of the mean square.
///
/// Shapes:   code [n_padded/256, k_padded/6, 256] u8: the low six bits of a byte are the signs of
///           inputs 6g to 6g+5, the lowest that of the first, 1 is positive; where an output's byte
///           is, SignByte() says; mean [k]; scale [n_padded]; error [n_padded], no less than half
///           of scale; weight [n, SignRowBytes(k)] s8, the PackedWeights row by row: k weights, and
///           a SignRowEnd at the end; k_padded is a multiple of kSignInputs, n_padded of
///           kSignOutputs
/// Lifetime: views
/// Source:   Gao and Long 2024, "RaBitQ", for the estimate; Andre et al. 2015, "Cache locality is
///           not enough", for sums by tables in registers
struct SignWeights {
  int n = 0, k = 0, n_padded = 0, k_padded = 0;
  const std::uint8_t* code = nullptr;
  const float* mean = nullptr;
  const float* scale = nullptr;
  const float* error = nullptr;
  const std::int8_t* weight = nullptr;
};

/// What else belongs to an output, as PackedWeights has it: rows lie here and there, and with this
/// in it nothing but the row has to be fetched.
struct SignRowEnd {
  float scale;
  std::int32_t zero, correction;
};

/// Whole cache lines.
[[gnu::always_inline]] constexpr int SignRowBytes(int k) {
  return (k + static_cast<int>(sizeof(SignRowEnd)) + 63) / 64 * 64;
}

/// A weight matrix of n outputs by k inputs in 16 bits, w = scale[n] * q, for what 8 bits would
/// spoil.
///
/// Shapes:   weight [n/16, k/2, 16, 2] s16: element (p, g, j, r) belongs to output 16p + j, input
///           2g + r; scale, bias [n]; n is a multiple of 16, k of 2
/// Lifetime: views
struct ShortWeights {
  int n = 0, k = 0;
  const std::int16_t* weight = nullptr;
  const float* scale = nullptr;
  const float* bias = nullptr;  // or null
};

/// Outputs of a SignWeights that lie together, and inputs whose bytes are added up together.
inline constexpr int kSignOutputs = 256;
inline constexpr int kSignInputs = 24;

/// Which of these bytes has the signs of the n-th of these outputs: of 64 of them sums are made of
/// the even and the odd bytes apart, and then become vectors of sixteen.
[[gnu::always_inline]] constexpr int SignByte(int n) {
  const int vector = n % 64 / kLanes;
  return n / 64 * 64 + vector % 2 * 32 + n % kLanes * 2 + vector / 2;
}

/// The largest k of a SignWeights.
inline constexpr int kMaxSignDepth = 1056;
/// refine_largest() takes no product of signs to be off by more than so many times its error. One
/// in 300,000 of a normal distribution is, and products are off normally where no few inputs make
/// up most of an error; whoever makes a SignWeights has to see to that. RaBitQ turns its vectors at
/// random instead.
inline constexpr float kSignDeviations = 4.5f;

struct KernelTable {
  const char* name;

  /// Quantises m rows of k floats to u8, each with its own scale and zero point.
  ///
  /// Shapes:   x [m, k] (rows ldx apart) -> a [m, lda] u8, zero behind k; rows [m]
  /// Accuracy: q = round_to_even(x * 255 / (max - min)) + zero, the range widened to hold 0
  void (*quantize_rows)(const float* x, int m, int k, std::int64_t ldx, std::uint8_t* a, int lda,
                        RowScale* rows);

  /// y[m, n] = x[m, k] * w[n, k]^T + bias, out of quantised x; accumulate adds y to what is there.
  ///
  /// Shapes:   a [m, lda] u8 and rows [m] as quantize_rows() leaves them -> y [m, ldy], of which
  ///           columns 0..n_padded-1 are written
  /// Accuracy: the integer product is exact for k <= kMaxGemmDepth; then one multiplication and one
  ///           fused multiply-add per element
  void (*gemm_u8s8)(const std::uint8_t* a, int m, int lda, const RowScale* rows,
                    const PackedWeights& w, float* y, std::int64_t ldy, bool accumulate);

  /// Quantises m rows of k floats to s16, each with its own scale: x = scale * q, |q| <= largest.
  ///
  /// Shapes:   x [m, k], rows ldx apart -> q [m, k up to a multiple of 16], zero behind k, rows ldq
  ///           apart; scale [m]
  /// Accuracy: q = round_to_even(x * largest / max |x|); what is no number becomes -largest, what
  ///           is infinite the largest number
  void (*quantize_shorts)(const float* x, int m, int k, std::int64_t ldx, int largest,
                          std::int16_t* q, std::int64_t ldq, float* scale);

  /// y[m, n] = scale[m] * x[m, k] * w[n, k]^T + bias, of integers x.
  ///
  /// Shapes:   x [m, k], rows ldx apart, which may overlap; scale [m] -> y [m, n], rows ldy apart
  /// Accuracy: the integer product is exact if the sum of its absolute values is below 2^31; then
  ///           one multiplication and one fused multiply-add per element
  void (*gemm_s16)(const std::int16_t* x, int m, std::int64_t ldx, const float* scale,
                   const ShortWeights& w, float* y, std::int64_t ldy);

  /// y[m, n] = about x[m, k] * w[n, k]^T, out of quantised x and the signs of w.
  ///
  /// Shapes: a [m, lda] u8 and rows [m] as quantize_rows() leaves them -> y [m, ldy], of which
  ///         columns 0..n-1 are written
  void (*gemm_u8u1)(const std::uint8_t* a, int m, int lda, const RowScale* rows,
                    const SignWeights& w, float* y, std::int64_t ldy);

  /// Makes a row y of gemm_u8u1() what gemm_u8s8() gives with the matrix that the signs are of and
  /// no bias, in every output that may be the largest, as far as kSignDeviations can tell; the
  /// largest of these is the largest in y. The others stay near.
  void (*refine_largest)(const std::uint8_t* a, const RowScale& row, const SignWeights& signs,
                         float* y);

  /// y = weight * (x - mean) / sqrt(variance + 1e-5), row by row; no bias. x and y may be the same.
  void (*layer_norm)(const float* x, int m, int n, const float* weight, float* y);

  /// The sum of n values and that of their squares.
  void (*moments)(const float* x, int n, float* sum, float* squares);

  /// Each row's product with itself, and with the row behind it.
  ///
  /// Shapes: x [m, n] -> squares [m], products [m - 1]
  void (*neighbour_products)(const float* x, int m, int n, float* squares, float* products);

  /// x = x * scale + shift, fused, of m rows of n, by column.
  void (*scale_columns)(float* x, int m, int n, const float* scale, const float* shift);

  /// The magnitudes of the discrete Fourier transforms of m <= 16 real signals, windowed first:
  /// y[k] = |sum over t of x[t] * window[t] * exp(-2 pi i k t / size)|, 0 <= k <= size / 2.
  ///
  /// Shapes: x [m, size], rows ldx apart, size a power of two, at least 4; window [size]; turns
  ///         [size / 2, 2]: (cos, sin) of 2 pi k / size; scratch [2 * size, 16] -> y [m, size / 2 +
  ///         1], rows ldy apart
  /// Source: Cooley and Tukey 1965, "An algorithm for the machine calculation of complex Fourier
  ///         series", decimated in frequency
  void (*spectrum)(const float* x, int m, int size, std::int64_t ldx, const float* window,
                   const float* turns, float* scratch, float* y, std::int64_t ldy);

  /// Replaces those of n values that are negative by 0.
  void (*relu)(float* x, std::int64_t n);

  /// Turns the first `turned` values of each of `heads` heads of d values, in pairs (2i, 2i + 1),
  /// by angles given as (cos, sin), and multiplies all d by `scale`. Source: Su et al. 2021,
  /// arXiv:2104.09864, in the interleaved form
  void (*rotate)(float* x, int heads, int d, const float* angles, int turned, float scale);

  /// Replaces each of n values by x / 2 * (1 + erf(x / sqrt 2)): |error| <= 8e-5, and
  /// 1e-7 * |x| where that is more.
  /// Source: Hendrycks and Gimpel 2016, arXiv:1606.08415
  void (*gelu)(float* x, std::int64_t n);

  /// Replaces each of n values by tanh(x). |error| <= 3e-7.
  void (*tanh)(float* x, std::int64_t n);

  /// y[i] = value[i] * gate[i] / (1 + exp(-gate[i])), over n values. Source: Shazeer 2020,
  /// arXiv:2002.05202 (SwiGLU).
  void (*silu_multiply)(const float* value, const float* gate, std::int64_t n, float* y);

  /// Softmax along m rows of n, quantised on the way: p = q / (sum of the row's q).
  ///
  /// Shapes:   s [m, n] (rows ld apart) -> a [m, lda] u8, zero behind n; rows [m], with zero point
  ///           0
  /// Accuracy: q = round_to_even(255 * exp(s - the row's largest) * (1 + e)), |e| < 5e-6
  void (*softmax_quantize)(const float* s, int m, int n, std::int64_t ld, std::uint8_t* a, int lda,
                           RowScale* rows);

  /// Quantises x [n, k] (rows ldx apart) to the packed layout of a weight matrix, a row an output.
  ///
  /// Shapes:   -> weight, scale and correction as in PackedWeights, zero points 0; k <=
  ///           kMaxPackDepth
  /// Accuracy: symmetric, scale = the output's largest magnitude / 127, rounded to even
  void (*pack_outputs)(const float* x, int n, int k, std::int64_t ldx, std::int8_t* weight,
                       float* scale, std::int32_t* correction);

  /// The same out of the transpose: x [k, n] (rows ldx apart), a column an output. Columns are
  /// read, and packed, up to the next multiple of 16 of n.
  void (*pack_inputs)(const float* x, int k, int n, std::int64_t ldx, std::int8_t* weight,
                      float* scale, std::int32_t* correction);

  /// Attention of m queries of a head over all frames: out = softmax(query * keys) * values, in 8
  /// bits.
  ///
  /// Shapes:   query [m, d], scaled, rows ldq apart; keys [frames, d] and values [d, frames] as
  ///           pack_outputs() and pack_inputs() make them; scratch of AttendScratchBytes(), aligned
  ///           to 64 -> out [m, d], rows ldo apart
  /// Accuracy: the bits of quantize_rows(), gemm_u8s8(), softmax_quantize() and gemm_u8s8()
  void (*attend_frames)(const float* query, int m, std::int64_t ldq, const PackedWeights& keys,
                        const PackedWeights& values, void* scratch, float* out, std::int64_t ldo);

  /// Converts n values to half precision (IEEE 754 binary16), rounded to even.
  void (*to_half)(const float* x, int n, std::uint16_t* y);

  /// One head's attention of one query: out = softmax(query * keys) * values.
  ///
  /// Shapes:   query [d], scaled; keys [ceil(count / 16), d, 16] f16: element (b, i, j) belongs to
  ///           place 16b + j; values [count, d] f16, 64 more readable behind them -> scores
  ///           [count], padded with zeros to a multiple of 16; out [d], padded with anything up to
  ///           d + 47; 1 <= count
  /// Accuracy: a score is one chain of fused multiply-adds over ascending d; a sum over places is
  ///           four such chains (place t goes to chain t % 4), added as (0 + 2) + (1 + 3)
  void (*attend)(const float* query, int d, const std::uint16_t* keys, const std::uint16_t* values,
                 int count, float* scores, float* out);

  /// The index of the largest of n values (the first of equals), and log of the sum of exp(x),
  /// which is off by 1e-5 at most besides what a float rounds.
  void (*argmax_logsumexp)(const float* x, int n, int* index, float* log_sum);

  /// One step of an LSTM cell: gates [4h] in the order i, f, g, o, biases included.
  /// Updates cell [h] and hidden [h]; h a multiple of 16.
  void (*lstm_cell)(const float* gates, int h, float* cell, float* hidden);
};

/// The tables of this program. A table may only be used where AvailableKernels() has it, see
/// dispatch.h; the plain code of ScalarKernels() runs everywhere and is the oracle of the others.
const KernelTable& ScalarKernels();
const KernelTable& Avx2Kernels();
const KernelTable& AvxVnniKernels();
const KernelTable& Avx512Kernels();
const KernelTable& Avx512VbmiKernels();
const KernelTable& AmxKernels();

}  // namespace lethe
