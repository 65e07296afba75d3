// Goal: a file that is removed or replaced while somebody writes to it is noticed, and that it was
// put back. Method: files of a folder of its own.

#include "app/standing_files.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "tests/support/test_folder.h"

namespace lethe {
namespace {

namespace fs = std::filesystem;

class StandingFilesTest : public testing::Test {
 protected:
  StandingFilesTest() {
    std::ofstream(path_) << "rows";
    files_.Watch("records", path_);
    files_.Watch("ledger", folder_ / "none");
  }

  const TestFolder folder_;
  const std::string path_ = folder_ / "records.db", away_ = folder_ / "away";
  StandingFiles files_;
};

TEST_F(StandingFilesTest, WhatIsWrittenToStandsAndWhatWasNotThereIsNotMissed) {
  std::ofstream(path_, std::ios::app) << "more";
  EXPECT_EQ(files_.Lost(), std::nullopt);
}

TEST_F(StandingFilesTest, OneThatIsMovedAwayIsLostUntilItIsBack) {
  fs::rename(path_, away_);
  EXPECT_EQ(files_.Lost(), Label("records"));
  fs::rename(away_, path_);
  EXPECT_EQ(files_.Lost(), std::nullopt);
}

TEST_F(StandingFilesTest, OneThatIsReplacedIsLost) {
  fs::copy_file(path_, away_);
  fs::rename(away_, path_);
  EXPECT_EQ(files_.Lost(), Label("records"));
}

}  // namespace
}  // namespace lethe
