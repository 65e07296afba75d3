// Every table that this CPU runs has loops to be measured with, which run and say how much they
// did. How fast they are is for `lethe bench kernels` to say.

#include "kernels/peak.h"

#include <cstring>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/dispatch.h"

namespace lethe {
namespace {

TEST(PeakTest, EachTableHasLoopsOfItsNameThatCountWhatTheyDid) {
  for (const KernelTable* table : AvailableKernels()) {
    const PeakTable& peak = PeakOf(*table);
    EXPECT_EQ(peak.name, std::string_view(table->name).substr(0, std::strlen(peak.name)));
    for (const auto multiply :
         {peak.multiply_integers, peak.multiply_shorts, peak.multiply_floats}) {
      EXPECT_EQ(multiply(0), 0);
      const std::int64_t once = multiply(1);
      EXPECT_GT(once, 0);
      EXPECT_EQ(multiply(1000), 1000 * once);
    }
  }
}

// Reading joins by exclusive or what it reads and gives the first 64 bits of that, whatever the
// width.
TEST(PeakTest, ReadingReadsEveryBlock) {
  constexpr std::size_t kBlocks = 9, kWords = kReadBlock / sizeof(std::uint64_t);
  struct alignas(64) Line {
    std::uint64_t words[8] = {};
  };
  std::vector<Line> data(kBlocks * kWords / 8);
  const auto bytes = static_cast<std::int64_t>(data.size() * sizeof(Line));
  for (const KernelTable* table : AvailableKernels()) {
    for (const auto read : {PeakOf(*table).read, PeakOf(*table).read_ahead}) {
      EXPECT_EQ(read(data.data(), bytes), 0U);
      std::uint64_t expected = 0;
      for (std::size_t i = 0; i < data.size(); ++i) {
        data[i].words[0] = std::uint64_t{1} << (i % 64);
        expected ^= data[i].words[0];
      }
      EXPECT_EQ(read(data.data(), bytes), expected) << table->name;
      for (Line& line : data) line = {};
    }
  }
}

}  // namespace
}  // namespace lethe
