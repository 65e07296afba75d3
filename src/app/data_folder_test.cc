// Goal: a folder becomes a service's own in one step, begins with keys that work, and is not given
// new keys or a new master key later. Method: folders in every state of being begun.

#include "app/data_folder.h"

#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "base/random.h"

namespace lethe {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

namespace fs = std::filesystem;

class DataFolderTest : public testing::Test {
 protected:
  DataFolderTest() { fs::create_directories(root_); }
  ~DataFolderTest() override { fs::remove_all(root_); }

  Result<DataFolder> Open(bool may_create) {
    return OpenDataFolder({.data = root_ / "a/b"}, SystemClock(), may_create);
  }

  const fs::path root_ = fs::path(testing::TempDir()) / ("lethe_data_" + RandomHex(16));
};

TEST_F(DataFolderTest, IsMadeOnlyWhenAskedToAndForItsOwner) {
  const auto missing = Open(false);
  EXPECT_EQ(missing.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(missing.status().message(), HasSubstr("lethe apps create NAME"));
  EXPECT_FALSE(fs::exists(root_ / "a"));
  ASSERT_TRUE(Open(true).ok());
  EXPECT_EQ(fs::status(root_ / "a/b").permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(root_ / "a/b/keys").permissions(), fs::perms::owner_all);
  EXPECT_TRUE(Open(false).ok());
  EXPECT_TRUE(OpenDataFolder({.data = root_ / "a/b/"}, SystemClock(), false).ok());
}

TEST_F(DataFolderTest, NobodyElseMayWriteToItOrAboveItWhateverTheUmask) {
  const mode_t mask = ::umask(0);
  const bool made = Open(true).ok();
  ::umask(mask);
  ASSERT_TRUE(made);
  EXPECT_EQ(fs::status(root_ / "a").permissions() & fs::perms(0777), fs::perms(0755));
  for (const auto& entry : fs::recursive_directory_iterator(root_ / "a")) {
    EXPECT_EQ(entry.status().permissions() & fs::perms(0077), fs::perms::none) << entry.path();
  }
}

TEST_F(DataFolderTest, OneServiceHasAFolderAndCommandsBesideIt) {
  const RecordsOptions serves{.serves = true, .data = root_ / "a/b"};
  auto service = OpenDataFolder(serves, SystemClock(), true);
  ASSERT_TRUE(service.ok());
  const auto second = OpenDataFolder(serves, SystemClock(), true);
  EXPECT_EQ(second.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(second.status().message(), HasSubstr("another service"));
  EXPECT_TRUE(Open(false).ok());
  service = Unavailable("stopped");
  EXPECT_TRUE(OpenDataFolder(serves, SystemClock(), true).ok());
}

TEST_F(DataFolderTest, RecordsWithoutTheirMasterKeyAreNotGivenAnother) {
  ASSERT_TRUE(Open(true).ok());
  fs::remove(root_ / "a/b/keys/master.key");
  const auto folder = Open(true);
  EXPECT_EQ(folder.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(folder.status().message(), HasSubstr("restore"));
  EXPECT_FALSE(fs::exists(root_ / "a/b/keys/master.key"));
}

TEST_F(DataFolderTest, FirstStartMakesKeysThatWorkAndOnlyTheFirst) {
  auto folder = Open(true);
  ASSERT_TRUE(folder.ok());
  Store& store = *folder->store;
  auto first = FirstStart(store);
  ASSERT_TRUE(first.ok() && first->has_value());
  const FirstKeys& keys = **first;
  EXPECT_EQ(keys.application.name, "default");
  const auto pair = store.keys().FindPair(keys.secret_id);
  ASSERT_TRUE(pair.ok());
  EXPECT_TRUE(pair->secret.Reveal() == keys.secret_key.Reveal());
  const auto bearer = store.keys().FindBearer(keys.bearer_key.Reveal());
  ASSERT_TRUE(bearer.ok());
  EXPECT_EQ(bearer->application.id, keys.application.id);
  EXPECT_TRUE(*store.keys().CheckConsolePassword(keys.console_password.Reveal()));

  const auto again = FirstStart(store);
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(again->has_value());
  // Nor when the operator has removed what it made.
  ASSERT_TRUE(store.applications().Remove(keys.application.id).ok());
  EXPECT_FALSE(FirstStart(store)->has_value());
}

TEST_F(DataFolderTest, FirstStartLeavesBegunRecordsAlone) {
  auto folder = Open(true);
  ASSERT_TRUE(folder.ok());
  ASSERT_TRUE(folder->store->applications().Create({.name = "mine"}).ok());
  EXPECT_FALSE(FirstStart(*folder->store)->has_value());
  EXPECT_THAT(*folder->store->applications().List(), SizeIs(1));
}

TEST(RandomPasswordTest, CanBeTypedAndDiffers) {
  const Secret a = RandomPassword(), b = RandomPassword();
  EXPECT_THAT(std::string(a.Reveal()),
              MatchesRegex("[a-z2-9]{5}-[a-z2-9]{5}-[a-z2-9]{5}-[a-z2-9]{4}"));
  EXPECT_FALSE(a.Reveal() == b.Reveal());
}

}  // namespace
}  // namespace lethe
