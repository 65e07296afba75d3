// Goal: the master key is made once, is nobody else's to read, and what it sealed opens with it and
// with nothing else. Method: files of every wrong kind; many threads that start at once; every byte
// of a sealed secret changed.

#include "seal/master_key.h"

#include <fstream>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

#include <sys/stat.h>

#include "base/encoding.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_folder.h"

namespace lethe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

namespace fs = std::filesystem;

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class MasterKeyTest : public testing::Test {
 protected:
  int Mode() const {
    struct stat about;
    EXPECT_EQ(::stat(path_.c_str(), &about), 0);
    return static_cast<int>(about.st_mode & 0777);
  }

  TestFolder folder_;
  const std::string path_ = folder_ / "master.key";
};

TEST_F(MasterKeyTest, IsMadeOnceAndReadAgain) {
  const auto made = MasterKey::Load(path_, /*may_create=*/true);
  ASSERT_THAT(made, IsOk());
  EXPECT_EQ(Mode(), 0600);
  EXPECT_THAT(Contents(path_), SizeIs(32));
  EXPECT_NE(Contents(path_), std::string(32, '\0'));
  EXPECT_THAT(std::distance(fs::directory_iterator(folder_.path()), {}), 1);
  const auto again = MasterKey::Load(path_, /*may_create=*/false);
  ASSERT_THAT(again, IsOk());
  const std::string sealed = made->Seal(Secret("a secret"), "id");
  const auto opened = again->Open(sealed, "id");
  ASSERT_THAT(opened, IsOk());
  EXPECT_TRUE(opened->Reveal() == "a secret");
}

TEST_F(MasterKeyTest, MissingKeyIsNotReplacedUnlessAskedTo) {
  EXPECT_THAT(MasterKey::Load(path_, false), HasCode(StatusCode::kFailedPrecondition));
  EXPECT_FALSE(fs::exists(path_));
  EXPECT_THAT(MasterKey::Load(folder_ / "nowhere/master.key", true),
              HasCode(StatusCode::kNotFound));
}

TEST_F(MasterKeyTest, KeyThatOthersMayReadOrWriteIsRefused) {
  ASSERT_THAT(MasterKey::Load(path_, true), IsOk());
  for (const mode_t mode : {0640U, 0604U, 0620U, 0602U, 0666U}) {
    ASSERT_EQ(::chmod(path_.c_str(), mode), 0);
    const auto key = MasterKey::Load(path_, true);
    EXPECT_THAT(key, HasCode(StatusCode::kPermissionDenied)) << mode;
    EXPECT_THAT(key.status().message(), AllOf(HasSubstr("chmod 600"), HasSubstr(path_)));
  }
  ASSERT_EQ(::chmod(path_.c_str(), 0400), 0);
  EXPECT_THAT(MasterKey::Load(path_, true), IsOk());
}

TEST_F(MasterKeyTest, FileOfTheWrongSizeOrKindIsRefusedAndLeftAlone) {
  for (const std::size_t size : {0U, 1U, 31U, 33U, 4096U}) {
    std::ofstream(path_, std::ios::binary) << std::string(size, 'k');
    fs::permissions(path_, fs::perms::owner_read | fs::perms::owner_write);
    const auto key = MasterKey::Load(path_, true);
    EXPECT_THAT(key, HasCode(StatusCode::kDataLoss)) << size;
    EXPECT_THAT(key.status().message(), AllOf(HasSubstr(path_), Not(HasSubstr("kk"))));
    EXPECT_EQ(Contents(path_).size(), size);
  }
  fs::remove(path_);
  fs::create_directory(path_);
  EXPECT_THAT(MasterKey::Load(path_, true), HasCode(StatusCode::kDataLoss));
}

TEST_F(MasterKeyTest, ManyWhoStartAtOnceGetTheSameKey) {
  std::vector<std::thread> threads;
  std::vector<std::optional<MasterKey>> keys(8);
  for (auto& key : keys) {
    threads.emplace_back([&] {
      auto loaded = MasterKey::Load(path_, true);
      if (loaded.ok()) key = *std::move(loaded);
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(keys[0].has_value());
  const std::string sealed = keys[0]->Seal(Secret("a secret"), "id");
  for (const auto& key : keys) {
    ASSERT_TRUE(key.has_value());
    EXPECT_THAT(key->Open(sealed, "id"), IsOk());
  }
  EXPECT_THAT(std::distance(fs::directory_iterator(folder_.path()), {}), 1);
}

TEST_F(MasterKeyTest, WhatWasChangedMovedOrSealedByAnotherDoesNotOpen) {
  const MasterKey key = MasterKey::Random(), other = MasterKey::Random();
  const std::string sealed = key.Seal(Secret("a secret"), "id");
  EXPECT_NE(key.Seal(Secret("a secret"), "id"), sealed);
  EXPECT_THAT(sealed, Not(HasSubstr("secret")));
  EXPECT_THAT(key.Open(sealed, "id"), IsOk());
  EXPECT_THAT(key.Open(sealed, "ie"), HasCode(StatusCode::kDataLoss));
  EXPECT_THAT(other.Open(sealed, "id"), HasCode(StatusCode::kDataLoss));
  const std::string bytes = *Base64Decode(sealed);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_THAT(key.Open(Base64Encode(changed), "id"), HasCode(StatusCode::kDataLoss)) << i;
    EXPECT_THAT(key.Open(Base64Encode(bytes.substr(0, i)), "id"), HasCode(StatusCode::kDataLoss));
  }
  EXPECT_THAT(key.Open("no base64!", "id"), HasCode(StatusCode::kDataLoss));
  EXPECT_TRUE(key.Open(key.Seal(Secret(), ""), "")->empty());
}

}  // namespace
}  // namespace lethe
