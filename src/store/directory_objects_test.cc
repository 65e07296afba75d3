// Goal:   what a crash left of an object goes, once it is nobody's work.
// Method: files as a crash leaves them. The tests of the interface itself run in
//         objects_contract_test.cc.

#include "store/directory_objects.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"
#include "tests/support/test_folder.h"

namespace lethe {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;

TEST(DirectoryObjectsTest, WhatACrashLeftIsRemovedOnceItIsNobodysWork) {
  const TestFolder root;
  const auto objects = *OpenDirectoryObjects(root / "objects");
  const fs::path folder = fs::path(root / "objects") / "a";
  fs::create_directories(folder);
  for (const char* name : {"old-1.part", "new-1.part"}) std::ofstream(folder / name) << "half";
  fs::last_write_time(folder / "old-1.part",
                      fs::file_time_type::clock::now() - std::chrono::hours(2));
  EXPECT_THAT(*objects->List("a", 10), IsEmpty());
  ASSERT_THAT(OpenDirectoryObjects(root / "objects"), IsOk());
  EXPECT_FALSE(fs::exists(folder / "old-1.part"));
  EXPECT_TRUE(fs::exists(folder / "new-1.part"));
}

}  // namespace
}  // namespace lethe
