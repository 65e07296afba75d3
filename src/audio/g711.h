#pragma once

// The two telephone laws: 8 bits a sample, finer where it is quiet.

#include <array>
#include <cstdint>

namespace lethe {

/// A sample for each of the 256 codes, in (-1, 1).
using LawTable = std::array<float, 256>;

/// Source: ITU-T G.711 (11/88), tables 1a-2b
const LawTable& ALawTable();
const LawTable& MuLawTable();

}  // namespace lethe
