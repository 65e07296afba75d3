#pragma once

// The AMX table's products on emulated tiles, for tests where there is no AMX. It needs AVX-512
// with VNNI, as the rest of that code does.
//
// The emulation is strict: what the instructions refuse, and what no correct kernel does, is noted
// as a fault (a tile read before it was loaded, tiles used when none are configured, a row read
// from outside the memory that was named).
//
// Thread: none of this may be used by two threads at once.

#include <cstdint>

#include "kernels/kernels.h"

namespace lethe {

/// The AMX table, its integer product and its attention on emulated tiles, the rest left out
/// (null).
const KernelTable& EmulatedAmxKernels();

/// What tiles may be loaded from, in bytes.
struct ReadableMemory {
  const void* begin;
  std::int64_t size;
};

/// Forgets earlier faults, and lets tiles be loaded from these parts and nothing else.
void WatchTiles(const ReadableMemory* parts, int count);

/// What was the first fault since, or null. Tiles that are still configured are one.
const char* TileFault();

/// How many products of two tiles there were since.
std::int64_t TileProducts();

/// Does with the emulated tiles what the AMX instruction at `code` says, that a CPU without AMX
/// stopped at. Returns its length, or 0 if it is none that the kernels have.
///
/// Shapes: registers [16], in the order of their numbers
int EmulateInstruction(const void* code, const std::int64_t* registers);

/// Things that are wrong, each with what TileFault() has to say of it. They may touch 4 KiB that
/// `memory` points to, aligned to 64, of which tiles may be loaded from the first 2.
struct TileMisuse {
  const char* fault;
  void (*commit)(char* memory);
};
const TileMisuse* TileMisuses(int* count);

}  // namespace lethe
