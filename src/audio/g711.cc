#include "audio/g711.h"

#include <cstddef>

namespace lethe {
namespace {

// A segment is 16 steps; steps double from segment to segment, save that the first two of the A-law
// are alike. 13 bits for the A-law, 14 for the mu-law, both scaled to 16 here.
float ALawSample(std::uint8_t code) {
  const int bits = code ^ 0x55;
  const int segment = (bits >> 4) & 7;
  int magnitude = ((bits & 15) << 4) + 8;
  if (segment > 0) magnitude = (magnitude + 256) << (segment - 1);
  return static_cast<float>((bits & 0x80) != 0 ? magnitude : -magnitude) / 32768.0F;
}

float MuLawSample(std::uint8_t code) {
  const int bits = code ^ 0xff;
  const int magnitude = ((((bits & 15) << 3) + 132) << ((bits >> 4) & 7)) - 132;
  return static_cast<float>((bits & 0x80) != 0 ? -magnitude : magnitude) / 32768.0F;
}

LawTable MakeLawTable(float (*sample)(std::uint8_t)) {
  LawTable table{};
  for (std::size_t code = 0; code < table.size(); ++code) {
    table[code] = sample(static_cast<std::uint8_t>(code));
  }
  return table;
}

}  // namespace

const LawTable& ALawTable() {
  static const LawTable table = MakeLawTable(ALawSample);
  return table;
}

const LawTable& MuLawTable() {
  static const LawTable table = MakeLawTable(MuLawSample);
  return table;
}

}  // namespace lethe
