// Goal:   a recording in a bucket comes back as it went in, and of what it holds there is nothing
// in
//         the server's files, neither while it is stored nor when it was removed.
// Method: an S3 server that is not ours, whose folder is searched.

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>

#include "seal/file_key_store.h"
#include "store/recordings.h"
#include "tests/support/s3_server.h"
#include "tests/support/test_store.h"

namespace lethe {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr TenantId kTenant = 1'300'000'001;

class S3ServerRecordingsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!S3Server::IsInstalled()) GTEST_SKIP() << "s3rver is missing";
    objects_ = *OpenS3Objects(S3Server::Instance().Options(prefix_));
    recordings_ = std::make_unique<Recordings>(*objects_, sealer_, clock_);
  }

  // All that the server has of them: names and contents.
  std::string Everything() const {
    std::string all;
    const fs::path folder = S3Server::Instance().folder() / S3Server::kBucket / prefix_;
    if (!fs::exists(folder)) return all;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      all += entry.path().string();
      all.append(std::istreambuf_iterator<char>(file), {});
    }
    return all;
  }

  const std::string prefix_ = "recordings-" + RandomHex(8);
  const TestFolder folder_;
  ManualClock clock_{kNoon};
  const MasterKey master_key_ = MasterKey::Random();
  const std::unique_ptr<KeyStore> keys_ = *OpenFileKeyStore(folder_ / "keys", master_key_);
  Sealer sealer_{*keys_, "eu", clock_};
  std::unique_ptr<ObjectStore> objects_;
  std::unique_ptr<Recordings> recordings_;
};

TEST_F(S3ServerRecordingsTest, ComeBackAndLeaveNothing) {
  std::string audio;
  while (audio.size() < 2'500'000) audio += "pattern " + std::to_string(audio.size()) + " ";
  const auto stored = recordings_->Put(kTenant, "task/1", audio);
  ASSERT_THAT(stored, IsOk());
  const std::string kept = Everything();
  EXPECT_GT(kept.size(), audio.size());
  EXPECT_THAT(kept, Not(HasSubstr("pattern")));
  EXPECT_THAT(kept, Not(HasSubstr(std::to_string(kTenant))));
  EXPECT_TRUE(*recordings_->Get(kTenant, "task/1", *stored, audio.size()) == audio);
  ASSERT_THAT(recordings_->Remove(stored->name), IsOk());
  EXPECT_THAT(Everything(), IsEmpty());
  EXPECT_THAT(recordings_->Get(kTenant, "task/1", *stored, audio.size()),
              HasCode(StatusCode::kNotFound));
}

TEST_F(S3ServerRecordingsTest, PastTheirTimeAreSwept) {
  ASSERT_THAT(recordings_->Put(kTenant, "x", "old"), IsOk());
  ASSERT_THAT(recordings_->Put(kTenant, "x", "old"), IsOk());
  clock_.Advance(Recordings::kLifetime);
  const auto young = recordings_->Put(kTenant, "x", "young");
  EXPECT_EQ(*recordings_->RemoveExpired(1), 1);
  EXPECT_EQ(*recordings_->RemoveExpired(100), 1);
  EXPECT_EQ(*recordings_->RemoveExpired(100), 0);
  EXPECT_EQ(*recordings_->Get(kTenant, "x", *young, 100), "young");
}

}  // namespace
}  // namespace lethe
