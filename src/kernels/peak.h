#pragma once

// What a core can do at most: loops that do nothing but what a kernel is made of, on registers, and
// a loop that reads memory. A kernel's time is compared with them; see `lethe bench kernels`.
//
// The loops stand in the folders of their instruction sets, under the rules of kernels.h, and are
// used under the same condition: where AvailableKernels() has the table of that name.
//
// Source: Williams, Waterman and Patterson 2009, "Roofline: An Insightful Visual Performance Model
//         for Multicore Architectures", CACM 52(4).
// Thread: every function may run on any number of threads; none allocates.

#include <cstdint>

namespace lethe {

/// The loops of one instruction set. The caller takes the time.
struct PeakTable {
  const char* name;  // how the names of its tables begin, see KernelTable::name

  /// The instructions that gemm_u8s8, gemm_s16 and the float kernels of that table multiply with.
  const char* integer_instruction;
  const char* short_instruction;
  const char* float_instruction;

  /// Multiplies and adds 8-bit integers, 16-bit integers, or floats, `rounds` times some
  /// independent registers. Returns the operations done: a multiplication and an addition are two.
  std::int64_t (*multiply_integers)(std::int64_t rounds);
  std::int64_t (*multiply_shorts)(std::int64_t rounds);
  std::int64_t (*multiply_floats)(std::int64_t rounds);

  /// Reads `bytes`, a multiple of kReadBlock, once and in order; `data` aligned to 64. read_ahead()
  /// asks for what comes next besides, as the products do whose weights come from afar: hardware
  /// does not fetch ahead across a page. Which one is faster depends on where the data is.
  /// Returns something of the data, so that reading it cannot be left out.
  std::uint64_t (*read)(const void* data, std::int64_t bytes);
  std::uint64_t (*read_ahead)(const void* data, std::int64_t bytes);
};

inline constexpr int kReadBlock = 512;

const PeakTable& ScalarPeak();
const PeakTable& Avx2Peak();
const PeakTable& AvxVnniPeak();
const PeakTable& Avx512Peak();
const PeakTable& AmxPeak();

}  // namespace lethe
