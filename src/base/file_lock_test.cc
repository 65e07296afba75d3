// Goal: a lock keeps out whom it should, as long as it is held and no longer. Method: two holders
// in one process, which flock treats as two.

#include "base/file_lock.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"
#include "tests/support/test_folder.h"

namespace lethe {
namespace {

using Kind = FileLock::Kind;

TEST(FileLockTest, ManyShareItOrOneHasIt) {
  const TestFolder folder;
  const std::string path = folder / "lock";
  {
    const auto one = FileLock::Take(path, Kind::kShared);
    ASSERT_THAT(one.status(), IsOk());
    EXPECT_THAT(FileLock::Take(path, Kind::kShared).status(), IsOk());
    EXPECT_THAT(FileLock::Take(path, Kind::kExclusive).status(),
                HasCode(StatusCode::kFailedPrecondition));
  }
  auto alone = FileLock::Take(path, Kind::kExclusive);
  ASSERT_THAT(alone.status(), IsOk());
  EXPECT_THAT(FileLock::Take(path, Kind::kShared).status(),
              HasCode(StatusCode::kFailedPrecondition));
  // It goes with whoever holds it last.
  { const FileLock moved = *std::move(alone); }
  EXPECT_THAT(FileLock::Take(path, Kind::kShared).status(), IsOk());
}

TEST(FileLockTest, WithoutAFolderThereIsNone) {
  EXPECT_THAT(FileLock::Take("/nowhere/at/all", Kind::kShared).status(),
              HasCode(StatusCode::kNotFound));
}

}  // namespace
}  // namespace lethe
