// Goal: an object store says for ever which one it is and of which region; another one is another.
// Method: folders as object stores, opened again and again.

#include "store/recordings_place.h"

#include <fstream>

#include <gmock/gmock.h>

#include "store/directory_objects.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_folder.h"

namespace lethe {
namespace {

TEST(RecordingsPlaceTest, AStoreKeepsItsMarkAndHasItAlone) {
  const TestFolder folder;
  const auto one = *OpenDirectoryObjects(folder / "one");
  const auto two = *OpenDirectoryObjects(folder / "two");
  const auto mark = MarkOfPlace(*one, "north");
  ASSERT_THAT(mark.status(), IsOk());
  EXPECT_EQ(*MarkOfPlace(*one, "north"), *mark);
  EXPECT_EQ(*MarkOfPlace(**OpenDirectoryObjects(folder / "one"), "north"), *mark);
  EXPECT_NE(*MarkOfPlace(*two, "north"), *mark);
}

TEST(RecordingsPlaceTest, AnotherRegionIsRefused) {
  const TestFolder folder;
  const auto objects = *OpenDirectoryObjects(folder / "one");
  ASSERT_THAT(MarkOfPlace(*objects, "north").status(), IsOk());
  EXPECT_THAT(MarkOfPlace(*objects, "south").status(), HasCode(StatusCode::kFailedPrecondition));
}

TEST(RecordingsPlaceTest, WhatIsNoMarkIsNotTakenForOne) {
  const TestFolder folder;
  const auto objects = *OpenDirectoryObjects(folder / "one");
  std::ofstream(folder / "one/region") << std::string(1000, 'x');
  EXPECT_THAT(MarkOfPlace(*objects, "north").status(), HasCode(StatusCode::kDataLoss));
}

}  // namespace
}  // namespace lethe
