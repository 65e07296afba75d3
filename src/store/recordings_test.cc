// Goal:   a recording comes back as it went in, to whom it belongs, while its time lasts; on the
//         disk there is nothing of it; what is half written, changed or past its time is never
//         given out.
// Method: objects in a folder, a key store in another, a clock that is moved by hand.

#include "store/recordings.h"

#include <fstream>
#include <iterator>

#include <gmock/gmock.h>

#include "base/encoding.h"
#include "seal/file_key_store.h"
#include "seal/sealed_pieces.h"
#include "store/directory_objects.h"
#include "tests/support/test_store.h"

namespace lethe {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr TenantId kTenant = 1'300'000'001;
constexpr std::uint64_t kMost = std::uint64_t{1} << 30;

class RecordingsTest : public testing::Test {
 protected:
  std::vector<fs::path> Files() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "objects")) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
    return files;
  }
  static std::string Contents(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static void Overwrite(const fs::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }

  const TestFolder folder_;
  ManualClock clock_{kNoon};
  const MasterKey master_key_ = MasterKey::Random();
  const std::unique_ptr<KeyStore> keys_ = *OpenFileKeyStore(folder_ / "keys", master_key_);
  const std::unique_ptr<ObjectStore> objects_ = *OpenDirectoryObjects(folder_ / "objects");
  Sealer sealer_{*keys_, "eu", clock_};
  Recordings recordings_{*objects_, sealer_, clock_};
};

TEST_F(RecordingsTest, ARecordingComesBackAndLeavesNothingPlain) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{7}, kPlainPiece, 5 * kPlainPiece + 3}) {
    std::string audio;
    while (audio.size() < size) audio += "pattern " + std::to_string(audio.size()) + " ";
    audio.resize(size);
    const auto stored = recordings_.Put(kTenant, "task/1", audio);
    ASSERT_THAT(stored, IsOk());
    const auto files = Files();
    ASSERT_THAT(files, SizeIs(1));
    EXPECT_EQ(fs::file_size(files[0]), SealedSize(size));
    EXPECT_THAT(Contents(files[0]), Not(HasSubstr("pattern")));
    EXPECT_THAT(files[0].string(), Not(HasSubstr(std::to_string(kTenant))));
    const auto back = recordings_.Get(kTenant, "task/1", *stored, kMost);
    ASSERT_THAT(back, IsOk());
    EXPECT_EQ(*back, audio);
    ASSERT_THAT(recordings_.Remove(stored->name), IsOk());
    EXPECT_THAT(Files(), IsEmpty());
    EXPECT_THAT(recordings_.Get(kTenant, "task/1", *stored, kMost), HasCode(StatusCode::kNotFound));
    EXPECT_THAT(recordings_.Remove(stored->name), IsOk());
  }
}

TEST_F(RecordingsTest, NobodyElseGetsIt) {
  const auto stored = recordings_.Put(kTenant, "task/1", "audio");
  ASSERT_THAT(stored, IsOk());
  EXPECT_THAT(recordings_.Get(kTenant + 1, "task/1", *stored, kMost),
              HasCode(StatusCode::kDataLoss));
  EXPECT_THAT(recordings_.Get(kTenant, "task/2", *stored, kMost), HasCode(StatusCode::kDataLoss));
  const auto other = recordings_.Put(kTenant, "task/1", "other");
  EXPECT_THAT(recordings_.Get(kTenant, "task/1", {stored->name, other->key}, kMost),
              HasCode(StatusCode::kDataLoss));
  EXPECT_THAT(recordings_.Get(kTenant, "task/1", *stored, 4),
              HasCode(StatusCode::kResourceExhausted));
}

TEST_F(RecordingsTest, WhatIsDamagedIsNotGivenOut) {
  const std::string audio(2 * kPlainPiece, 'a');
  const auto stored = recordings_.Put(kTenant, "x", audio);
  const fs::path file = Files()[0];
  const std::string whole = Contents(file);
  const auto get = [&] { return recordings_.Get(kTenant, "x", *stored, kMost); };
  for (const std::size_t cut : {std::size_t{0}, std::size_t{5}, kSealedPiece, whole.size() - 1}) {
    Overwrite(file, whole.substr(0, cut));
    EXPECT_THAT(get(), HasCode(StatusCode::kDataLoss)) << cut;
  }
  for (const std::size_t at : {std::size_t{0}, kSealedPiece, whole.size() - 1}) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    Overwrite(file, changed);
    EXPECT_THAT(get(), HasCode(StatusCode::kDataLoss)) << at;
  }
  Overwrite(file, whole + "x");
  EXPECT_THAT(get(), HasCode(StatusCode::kDataLoss));
  Overwrite(file, whole);
  EXPECT_THAT(get(), IsOk());
  for (const StoredRecording& wrong :
       {StoredRecording{"", stored->key}, StoredRecording{"audio/1/2", stored->key},
        StoredRecording{stored->name, "?"}, StoredRecording{stored->name, ""}}) {
    EXPECT_THAT(recordings_.Get(kTenant, "x", wrong, kMost), HasCode(StatusCode::kDataLoss));
  }
}

// Rule 2: past its time it is not found, whether or not it was removed.
TEST_F(RecordingsTest, PastItsTimeItIsNotFoundAndIsRemoved) {
  const auto old = recordings_.Put(kTenant, "x", "old");
  clock_.Advance(std::chrono::minutes(90));
  const auto young = recordings_.Put(kTenant, "x", "young");
  clock_.Set(kNoon + Recordings::kLifetime - Millis(1));
  EXPECT_THAT(recordings_.Get(kTenant, "x", *old, kMost), IsOk());
  EXPECT_EQ(*recordings_.RemoveExpired(10), 0);
  clock_.Advance(Millis(1));
  EXPECT_THAT(recordings_.Get(kTenant, "x", *old, kMost), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(Files(), SizeIs(2));
  EXPECT_EQ(*recordings_.RemoveExpired(10), 1);
  EXPECT_THAT(Files(), SizeIs(1));
  EXPECT_EQ(*recordings_.Get(kTenant, "x", *young, kMost), "young");
}

// An object store that does nothing but say why.
class RefusingObjects : public ObjectStore {
 public:
  explicit RefusingObjects(StatusCode code) : refused_(code, "the bucket ours at s3.internal") {}
  Status Put(const std::string&, std::uint64_t, const ObjectSource&) override { return refused_; }
  Status Get(const std::string&, const ObjectSink&) override { return refused_; }
  Status Remove(const std::string&) override { return refused_; }
  Result<std::vector<std::string>> List(const std::string&, int) override { return refused_; }

 private:
  const Status refused_;
};

TEST_F(RecordingsTest, WhatTheObjectStoreRefusesIsNotTheCallersFaultAndSaysNothingOfIt) {
  const auto stored = recordings_.Put(kTenant, "x", "audio");
  for (const StatusCode code :
       {StatusCode::kPermissionDenied, StatusCode::kResourceExhausted, StatusCode::kUnavailable,
        StatusCode::kFailedPrecondition, StatusCode::kUnimplemented}) {
    RefusingObjects objects(code);
    Recordings refused(objects, sealer_, clock_);
    const auto put = refused.Put(kTenant, "x", "audio");
    const auto got = refused.Get(kTenant, "x", *stored, kMost);
    for (const Status& status : {put.status(), got.status()}) {
      EXPECT_THAT(status, HasCode(StatusCode::kUnavailable));
      EXPECT_THAT(status.message(), Not(HasSubstr("bucket")));
    }
  }
}

TEST_F(RecordingsTest, TheSweepTakesAsManyAsItMay) {
  for (int i = 0; i < 5; ++i) ASSERT_THAT(recordings_.Put(kTenant, "x", "a"), IsOk());
  clock_.Advance(std::chrono::hours(24));
  EXPECT_EQ(*recordings_.RemoveExpired(2), 2);
  EXPECT_EQ(*recordings_.RemoveExpired(100), 3);
  EXPECT_EQ(*recordings_.RemoveExpired(100), 0);
}

}  // namespace
}  // namespace lethe
