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
  const fs::path folder = fs::path(root / "objects") / "a" / "b";
  const auto leave = [&](const char* name, std::chrono::minutes ago) {
    fs::create_directories(folder);
    std::ofstream(folder / name) << "half";
    fs::last_write_time(folder / name, fs::file_time_type::clock::now() - ago);
  };
  leave("old-1.part", std::chrono::minutes(61));
  leave("new-1.part", std::chrono::minutes(59));
  EXPECT_THAT(*objects->List("a", 10), IsEmpty());
  ASSERT_THAT(objects->RemoveAbandoned(), IsOk());
  EXPECT_FALSE(fs::exists(folder / "old-1.part"));
  EXPECT_TRUE(fs::exists(folder / "new-1.part"));
  fs::remove_all(folder);
  leave("old-2.part", std::chrono::minutes(61));
  ASSERT_THAT(objects->RemoveAbandoned(), IsOk());
  EXPECT_FALSE(fs::exists(folder));
}

}  // namespace
}  // namespace lethe
