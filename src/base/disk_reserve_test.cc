// Goal:   there is room for what has to be done on a full disk: it is really taken, nobody else may
//         read it, it is given back only when it is missed, and a disk that is nearly full is not
//         filled by it.
// Method: how much is free is said by hand.

#include "base/disk_reserve.h"

#include <cstdint>

#include <sys/stat.h>

#include <gmock/gmock.h>

#include "tests/support/test_folder.h"

namespace lethe {
namespace {

class DiskReserveTest : public testing::Test {
 protected:
  struct stat About() const {
    struct stat about {};
    EXPECT_EQ(stat(path_.c_str(), &about), 0);
    return about;
  }
  bool IsThere() const { return std::filesystem::exists(path_); }

  const TestFolder folder_;
  const std::string path_ = folder_ / "reserve";
  std::uint64_t free_ = std::uint64_t{1} << 30;
  DiskReserve reserve_{path_, [this] { return free_; }};
};

TEST_F(DiskReserveTest, ItIsAllocatedAndForItsOwnerOnly) {
  reserve_.Fill();
  EXPECT_EQ(About().st_size, DiskReserve::kSize);
  EXPECT_GE(static_cast<std::uint64_t>(About().st_blocks) * 512, DiskReserve::kSize);
  EXPECT_EQ(About().st_mode & 0777, 0600U);
}

TEST_F(DiskReserveTest, ItStaysWhileThereIsRoom) {
  reserve_.Fill();
  EXPECT_FALSE(reserve_.GiveUpIfFull());
  EXPECT_TRUE(IsThere());
}

TEST_F(DiskReserveTest, OnAFullDiskItIsGivenUpOnceAndMadeAnewLater) {
  reserve_.Fill();
  free_ = 0;
  EXPECT_TRUE(reserve_.GiveUpIfFull());
  EXPECT_FALSE(IsThere());
  EXPECT_FALSE(reserve_.GiveUpIfFull());
  reserve_.Fill();
  EXPECT_FALSE(IsThere());
  free_ = std::uint64_t{1} << 30;
  reserve_.Fill();
  EXPECT_EQ(About().st_size, DiskReserve::kSize);
}

TEST_F(DiskReserveTest, OfAnAlmostFullDiskItTakesHalfAndGrowsWithTheRoom) {
  free_ = DiskReserve::kSize;
  reserve_.Fill();
  EXPECT_EQ(About().st_size, DiskReserve::kSize / 2);
  free_ = 1000;
  reserve_.Fill();
  EXPECT_EQ(About().st_size, DiskReserve::kSize / 2);
  free_ = 2 * DiskReserve::kSize;
  reserve_.Fill();
  EXPECT_EQ(About().st_size, DiskReserve::kSize);
}

}  // namespace
}  // namespace lethe
