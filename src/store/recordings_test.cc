// Goal:   a recording comes back as it went in, to whom it belongs, while its time lasts; on the
//         disk there is nothing of it; what is half written, changed or past its time is never
//         given out; objects appear whole or not at all.
// Method: objects in a folder, a key store in another, a clock that is moved by hand.

#include "store/recordings.h"

#include <fstream>
#include <iterator>
#include <thread>

#include <gmock/gmock.h>

#include "base/encoding.h"
#include "seal/file_key_store.h"
#include "seal/sealed_pieces.h"
#include "store/directory_objects.h"
#include "tests/support/test_store.h"

namespace lethe {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
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

TEST_F(RecordingsTest, TheSweepTakesAsManyAsItMay) {
  for (int i = 0; i < 5; ++i) ASSERT_THAT(recordings_.Put(kTenant, "x", "a"), IsOk());
  clock_.Advance(std::chrono::hours(24));
  EXPECT_EQ(*recordings_.RemoveExpired(2), 2);
  EXPECT_EQ(*recordings_.RemoveExpired(100), 3);
  EXPECT_EQ(*recordings_.RemoveExpired(100), 0);
}

// ---- Objects in a folder.

class DirectoryObjectsTest : public testing::Test {
 protected:
  Status Put(const std::string& name, const std::string& bytes, std::uint64_t size) {
    std::string_view left = bytes;
    return objects_->Put(name, size, [&](std::span<char> block) -> Result<std::size_t> {
      const std::size_t n = std::min(left.size(), std::min<std::size_t>(block.size(), 1000));
      std::copy_n(left.begin(), n, block.begin());
      left.remove_prefix(n);
      return n;
    });
  }
  Result<std::string> Get(const std::string& name) {
    std::string bytes;
    RETURN_IF_ERROR(objects_->Get(name, [&](std::string_view more) {
      bytes += more;
      return OkStatus();
    }));
    return bytes;
  }

  const TestFolder folder_;
  const std::unique_ptr<ObjectStore> objects_ = *OpenDirectoryObjects(folder_ / "objects");
};

TEST_F(DirectoryObjectsTest, AnObjectIsWholeOrNotThere) {
  ASSERT_THAT(Put("a/b", std::string(200'000, 'x'), 200'000), IsOk());
  EXPECT_EQ(*Get("a/b"), std::string(200'000, 'x'));
  EXPECT_THAT(Put("a/short", "x", 2), HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(Put("a/long", "xxx", 2), HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(objects_->Put(
                  "a/failed", 5,
                  [](std::span<char>) -> Result<std::size_t> { return Unavailable("the source"); }),
              HasCode(StatusCode::kUnavailable));
  EXPECT_FALSE(Put("a/b", "y", 1).ok());
  EXPECT_EQ(Get("a/b")->size(), 200'000u);
  EXPECT_THAT(*objects_->List("a", 10), ElementsAre("a/b"));
  EXPECT_THAT(Get("a/short"), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(objects_->Get("a/b", [](std::string_view) { return Cancelled("enough"); }),
              HasCode(StatusCode::kCancelled));
}

TEST_F(DirectoryObjectsTest, NamesLeadNowhereElse) {
  for (const char* name :
       {"", "/", "a/", "/a", "a//b", "..", "../x", "a/../b", "a/.part", "A", "a b", "a\n", "é"}) {
    EXPECT_THAT(Put(name, "", 0), HasCode(StatusCode::kInvalidArgument)) << name;
    EXPECT_THAT(Get(name), HasCode(StatusCode::kInvalidArgument)) << name;
    EXPECT_THAT(objects_->Remove(name), HasCode(StatusCode::kInvalidArgument)) << name;
    EXPECT_THAT(objects_->List(name, 1), HasCode(StatusCode::kInvalidArgument)) << name;
  }
  EXPECT_THAT(Put(std::string(201, 'a'), "", 0), HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(*objects_->List("nothing", 5), IsEmpty());
}

TEST_F(DirectoryObjectsTest, WhatACrashLeftIsRemovedOnceItIsNobodysWork) {
  const fs::path folder = fs::path(folder_ / "objects") / "a";
  fs::create_directories(folder);
  for (const char* name : {"old-1.part", "new-1.part"}) std::ofstream(folder / name) << "half";
  fs::last_write_time(folder / "old-1.part",
                      fs::file_time_type::clock::now() - std::chrono::hours(2));
  EXPECT_THAT(*objects_->List("a", 10), IsEmpty());
  ASSERT_THAT(OpenDirectoryObjects(folder_ / "objects"), IsOk());
  EXPECT_FALSE(fs::exists(folder / "old-1.part"));
  EXPECT_TRUE(fs::exists(folder / "new-1.part"));
}

TEST_F(DirectoryObjectsTest, WritersAndRemoversOfOneFolderDoNotDisturbEachOther) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        const std::string name = "a/" + std::to_string(t) + "-" + std::to_string(i);
        EXPECT_THAT(Put(name, "x", 1), IsOk());
        EXPECT_EQ(*Get(name), "x");
        EXPECT_THAT(objects_->List("a", 100), IsOk());
        EXPECT_THAT(objects_->Remove(name), IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(*objects_->List("a", 10), IsEmpty());
}

}  // namespace
}  // namespace lethe
