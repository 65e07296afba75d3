#pragma once

// Reads an AMX instruction of compiled code and does with emulated tiles what it says.
//
// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2: 2.1.3 (ModR/M and
//         SIB), 2.3.5 (VEX prefix), and the pages of the instructions.

#include <cstdint>

#include "kernels/amx_emulated/tiles.h"

namespace lethe {
namespace {

// An instruction with a VEX prefix of three bytes, map 0F 38.
struct VexInstruction {
  explicit VexInstruction(const std::uint8_t* at) : code(at) {
    known = at[0] == 0xc4 && (at[1] & 0x1f) == 2 && (at[2] & 0x84) == 0;
    prefix = at[2] & 3;
    third = ~(at[2] >> 3) & 15;
    opcode = at[3];
    mod = at[4] >> 6;
    reg = (at[4] >> 3 & 7) + (at[1] & 0x80 ? 0 : 8);
    rm = (at[4] & 7) + (at[1] & 0x20 ? 0 : 8);
    length = 5;
    if (mod == 3) return;
    const bool sib = (at[4] & 7) == 4;
    if (sib) {
      scale = at[5] >> 6;
      index = (at[5] >> 3 & 7) + (at[1] & 0x40 ? 0 : 8);
      base = (at[5] & 7) + (at[1] & 0x20 ? 0 : 8);
      ++length;
    } else {
      base = rm;
    }
    if (mod == 0 && (base & 7) == 5) {  // an address without a register, or from here
      from_here = !sib;
      base = -1;
      displacement_bytes = 4;
    } else {
      displacement_bytes = mod == 1 ? 1 : mod == 2 ? 4 : 0;
    }
    if (displacement_bytes == 1) displacement = SignExtended(at[length]);
    if (displacement_bytes == 4) __builtin_memcpy(&displacement, at + length, 4);
    length += displacement_bytes;
  }

  // The place in memory, without the index: of tiles that is what rows are apart.
  char* Place(const std::int64_t* registers) const {
    const std::int64_t from = from_here  ? reinterpret_cast<std::int64_t>(code) + length
                              : base < 0 ? 0
                                         : registers[base];
    return reinterpret_cast<char*>(from + displacement);
  }
  std::int64_t Index(const std::int64_t* registers) const {
    return index < 0 || index == 4 ? 0 : registers[index] * (1 << scale);
  }

  const std::uint8_t* code;
  bool known, from_here = false;
  int prefix, third, opcode, mod, reg, rm, length, scale = 0, index = -1, base = -1;
  int displacement_bytes = 0;
  std::int32_t displacement = 0;
};

int Emulate(const std::uint8_t* code, const std::int64_t* registers) {
  using T = EmulatedTiles;
  constexpr int kNone = 0, k66 = 1, kF3 = 2, kF2 = 3;
  const VexInstruction i(code);
  if (!i.known) return 0;
  const auto is = [&i](int opcode, int prefix, bool memory) {
    return i.opcode == opcode && i.prefix == prefix && (i.mod != 3) == memory;
  };
  if (is(0x49, kNone, true)) {
    TileConfig config(0);
    __builtin_memcpy(&config, i.Place(registers) + i.Index(registers), sizeof(config));
    T::Configure(config);
  } else if (is(0x49, kNone, false)) {
    T::Release();
  } else if (is(0x49, kF2, false)) {
    T::Zero(i.reg);
  } else if (is(0x4b, kF2, true)) {
    T::Load(i.reg, i.Place(registers), i.Index(registers));
  } else if (is(0x4b, kF3, true)) {
    T::Store(i.reg, i.Place(registers), i.Index(registers));
  } else if (is(0x5e, k66, false)) {
    T::MultiplyAdd(i.reg, i.rm, i.third);
  } else {
    return 0;
  }
  return i.length;
}

}  // namespace
}  // namespace lethe
