// Goal:   what is sealed opens only as what it was, under its tenant's and its hour's key, while
// its
//         time lasts; whatever is changed, exchanged, cut or copied elsewhere opens nothing; what
//         is written down holds nothing of what was sealed.
// Method: a key store in a folder, and a clock that is moved by hand.

#include "seal/sealer.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>
#include <vector>

#include <sys/stat.h>

#include <gmock/gmock.h>

#include "seal/file_key_store.h"
#include "seal/internal/locked_slots.h"
#include "seal/sealed_pieces.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_folder.h"

namespace lethe {
namespace {

namespace fs = std::filesystem;
using std::chrono::days;
using std::chrono::hours;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr WallTime kStart = WallTime(days(20'000) + hours(9)) + Millis(1'234'567);
constexpr std::string_view kText = "the quick brown fox";
constexpr Identity kResult{DataClass::kResult, 1'300'000'001, "task/7", "result"};

class SealerTest : public testing::Test {
 protected:
  std::unique_ptr<KeyStore> OpenKeys() { return *OpenFileKeyStore(folder_, master_key_); }
  Sealer MakeSealer(const std::string& region = "eu-1") { return Sealer(*keys_, region, clock_); }
  std::string FilesOf(const std::string& folder) const {
    std::string all;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ + folder)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      all.append(std::istreambuf_iterator<char>(file), {});
    }
    return all;
  }

  const TestFolder test_folder_;
  const std::string folder_ = test_folder_ / "keys";
  ManualClock clock_{kStart};
  const MasterKey master_key_ = MasterKey::Random();
  std::unique_ptr<KeyStore> keys_ = OpenKeys();
};

StatusCode CodeOf(const Result<std::string>& result) { return result.status().code(); }

TEST_F(SealerTest, WhatIsSealedOpensAndShowsNothing) {
  Sealer sealer = MakeSealer();
  for (const std::string& plain : {std::string(), std::string(kText), std::string(1 << 20, 'a')}) {
    const auto sealed = sealer.Seal(kResult, kStart, plain);
    ASSERT_TRUE(sealed.ok());
    EXPECT_EQ(sealed->size(), plain.size() + kSealHeader + SealingKey::kOverhead);
    if (!plain.empty()) {
      EXPECT_THAT(*sealed, Not(HasSubstr(plain.substr(0, 16))));
    }
    const auto opened = sealer.Open(kResult, *sealed);
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(*opened, plain);
  }
  // The same twice is never the same.
  EXPECT_NE(*sealer.Seal(kResult, kStart, kText), *sealer.Seal(kResult, kStart, kText));
}

TEST_F(SealerTest, AnotherProcessWithTheSameKeysOpensIt) {
  const std::string sealed = *MakeSealer().Seal(kResult, kStart, kText);
  keys_ = OpenKeys();
  EXPECT_EQ(*MakeSealer().Open(kResult, sealed), kText);
}

TEST_F(SealerTest, ItOpensAsNothingElse) {
  Sealer sealer = MakeSealer();
  const std::string sealed = *sealer.Seal(kResult, kStart, kText);
  Identity other = kResult;
  other.tenant = 1'300'000'002;
  EXPECT_EQ(CodeOf(sealer.Open(other, sealed)), StatusCode::kDataLoss);
  other = kResult;
  other.id = "task/8";
  EXPECT_EQ(CodeOf(sealer.Open(other, sealed)), StatusCode::kDataLoss);
  other = kResult;
  other.field = "request";
  EXPECT_EQ(CodeOf(sealer.Open(other, sealed)), StatusCode::kDataLoss);
  // Where two texts meet, neither takes a letter of the other.
  other.id = "task/7r";
  other.field = "esult";
  EXPECT_EQ(CodeOf(sealer.Open(other, sealed)), StatusCode::kDataLoss);
  // Another class or region has other keys, and none of this hour yet.
  other = kResult;
  other.data_class = DataClass::kOperationLog;
  EXPECT_EQ(CodeOf(sealer.Open(other, sealed)), StatusCode::kNotFound);
  EXPECT_EQ(CodeOf(MakeSealer("eu-2").Open(kResult, sealed)), StatusCode::kNotFound);
  ASSERT_TRUE(MakeSealer("eu-2").Seal(kResult, kStart, "").ok());
  EXPECT_EQ(CodeOf(MakeSealer("eu-2").Open(kResult, sealed)), StatusCode::kDataLoss);
}

TEST_F(SealerTest, EveryChangedByteIsNoticed) {
  Sealer sealer = MakeSealer();
  const std::string sealed = *sealer.Seal(kResult, kStart, kText);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    EXPECT_FALSE(sealer.Open(kResult, changed).ok()) << i;
    EXPECT_FALSE(sealer.Open(kResult, sealed.substr(0, i)).ok()) << i;
  }
  EXPECT_FALSE(sealer.Open(kResult, sealed + "x").ok());
}

// Rule 2: past its time it is not found, whether or not anything was removed.
TEST_F(SealerTest, WhenItsTimeIsOverNobodyOpensIt) {
  Sealer sealer = MakeSealer();
  const std::string sealed = *sealer.Seal(kResult, kStart, kText);
  const Epoch epoch = EpochOf(DataClass::kResult, "eu-1", kStart);
  EXPECT_LE(EndOf(epoch), kStart + MaxLifetime(DataClass::kResult));
  EXPECT_GT(EndOf(epoch), kStart + SealedLifetime(DataClass::kResult));
  clock_.Set(EndOf(epoch) - Millis(1));
  EXPECT_TRUE(sealer.Open(kResult, sealed).ok());
  clock_.Set(EndOf(epoch));
  EXPECT_EQ(CodeOf(sealer.Open(kResult, sealed)), StatusCode::kNotFound);
  EXPECT_EQ(CodeOf(sealer.Seal(kResult, kStart, kText)), StatusCode::kNotFound);
}

// Rule 3: the key destroyed, a copy of everything else is noise, also to a process that knew it.
TEST_F(SealerTest, WithItsHoursKeyEverythingOfThatHourIsGone) {
  Sealer sealer = MakeSealer();
  const std::string old = *sealer.Seal(kResult, kStart, kText);
  const std::string next = *sealer.Seal(kResult, kStart + hours(1), kText);
  const auto elsewhere = OpenKeys();  // of another process on the same folder
  Sealer other(*elsewhere, "eu-1", clock_);
  ASSERT_TRUE(other.Open(kResult, old).ok());
  const std::string before = FilesOf("/epochs");
  ASSERT_TRUE(keys_->DestroyEpoch(EpochOf(DataClass::kResult, "eu-1", kStart)).ok());
  EXPECT_EQ(CodeOf(sealer.Open(kResult, old)), StatusCode::kNotFound);
  EXPECT_EQ(CodeOf(other.Open(kResult, old)), StatusCode::kNotFound);
  EXPECT_EQ(*sealer.Open(kResult, next), kText);
  EXPECT_LT(FilesOf("/epochs").size(), before.size());
  // Once more is no error; and a new key of the same hour does not bring it back.
  EXPECT_TRUE(keys_->DestroyEpoch(EpochOf(DataClass::kResult, "eu-1", kStart)).ok());
  ASSERT_TRUE(sealer.Seal(kResult, kStart, kText).ok());
  EXPECT_EQ(CodeOf(sealer.Open(kResult, old)), StatusCode::kDataLoss);
}

TEST_F(SealerTest, WithATenantsKeyEverythingOfItIsGoneForEver) {
  Sealer sealer = MakeSealer();
  Identity other = kResult;
  other.tenant = 1'300'000'002;
  const std::string sealed = *sealer.Seal(kResult, kStart, kText);
  const std::string others = *sealer.Seal(other, kStart, kText);
  EXPECT_THAT(*keys_->Tenants(), ElementsAre(kResult.tenant, other.tenant));
  ASSERT_TRUE(keys_->DestroyTenant(kResult.tenant).ok());
  EXPECT_EQ(CodeOf(sealer.Open(kResult, sealed)), StatusCode::kNotFound);
  EXPECT_EQ(CodeOf(sealer.Seal(kResult, kStart, kText)), StatusCode::kNotFound);
  EXPECT_EQ(*sealer.Open(other, others), kText);
  EXPECT_THAT(*keys_->Tenants(), ElementsAre(other.tenant));
  // Also of a tenant that never had one.
  ASSERT_TRUE(keys_->DestroyTenant(5).ok());
  EXPECT_FALSE(keys_->TenantKey(5).ok());
}

TEST_F(SealerTest, TheStoreTellsWhatExistsNeverWhatItIs) {
  ASSERT_TRUE(MakeSealer().Seal(kResult, kStart + hours(1), "").ok());
  ASSERT_TRUE(MakeSealer().Seal(kResult, kStart, "").ok());
  ASSERT_TRUE(MakeSealer("us").Seal({DataClass::kAudio, kResult.tenant, "a", ""}, kStart, "").ok());
  const std::int64_t hour = EpochOf(DataClass::kAudio, "us", kStart).hour;
  EXPECT_THAT(*keys_->Epochs(), ElementsAre(Epoch{DataClass::kAudio, "us", hour},
                                            Epoch{DataClass::kResult, "eu-1", hour},
                                            Epoch{DataClass::kResult, "eu-1", hour + 1}));
  const auto key = keys_->TenantKey(kResult.tenant);
  ASSERT_TRUE(key.ok());
  const auto bytes = (*key)->bytes();
  EXPECT_THAT(
      FilesOf(""),
      Not(HasSubstr(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()))));
  struct stat about;
  for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
    ASSERT_EQ(::stat(entry.path().c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 077, 0u) << entry.path();
    EXPECT_NE(entry.path().extension(), ".tmp");
  }
}

// A folder that is not mounted is not a folder whose keys are destroyed.
TEST_F(SealerTest, KeysOutOfReachAreNotForgottenKeys) {
  Sealer sealer = MakeSealer();
  const std::string sealed = *sealer.Seal(kResult, kStart, kText);
  fs::rename(folder_, folder_ + "_away");
  EXPECT_EQ(CodeOf(sealer.Open(kResult, sealed)), StatusCode::kUnavailable);
  EXPECT_EQ(CodeOf(sealer.Seal(kResult, kStart, kText)), StatusCode::kUnavailable);
  fs::rename(folder_ + "_away", folder_);
  EXPECT_EQ(*sealer.Open(kResult, sealed), kText);
}

// Nor is one that the disk does not give out just now; and where the keys are, nobody is told.
TEST_F(SealerTest, KeysThatCannotBeReadAreOutOfReach) {
  const std::string path = folder_ + "/tenants/" + std::to_string(kResult.tenant) + ".key";
  fs::create_directory(path);
  const auto sealed = MakeSealer().Seal(kResult, kStart, kText);
  EXPECT_EQ(CodeOf(sealed), StatusCode::kUnavailable);
  EXPECT_THAT(sealed.status().message(), Not(HasSubstr(folder_)));
  fs::remove(path);
  EXPECT_EQ(CodeOf(MakeSealer().Seal(kResult, kStart, kText)), StatusCode::kOk);
}

TEST_F(SealerTest, AnotherMasterKeyOpensNothing) {
  const std::string sealed = *MakeSealer().Seal(kResult, kStart, kText);
  const MasterKey other = MasterKey::Random();
  const auto keys = *OpenFileKeyStore(folder_, other);
  EXPECT_EQ(CodeOf(Sealer(*keys, "eu-1", clock_).Open(kResult, sealed)), StatusCode::kDataLoss);
}

TEST_F(SealerTest, ManyAtOnceGetTheSameKey) {
  std::vector<std::string> sealed(8);
  std::vector<std::thread> threads;
  for (std::string& mine : sealed) {
    threads.emplace_back([&] {
      const auto keys = OpenKeys();
      mine = *Sealer(*keys, "eu-1", clock_).Seal(kResult, kStart, kText);
    });
  }
  for (std::thread& thread : threads) thread.join();
  Sealer sealer = MakeSealer();
  for (const std::string& each : sealed) EXPECT_EQ(*sealer.Open(kResult, each), kText);
}

// ---- Pieces.

std::vector<std::string> SealPieces(const SealingKey& key, std::string_view plain) {
  PieceSealer sealer(key);
  std::vector<std::string> pieces;
  do {
    const std::size_t size = std::min(plain.size(), kPlainPiece);
    pieces.push_back(sealer.Next(plain.substr(0, size), plain.size() == size));
    plain.remove_prefix(size);
  } while (!plain.empty());
  return pieces;
}

// Nothing where it does not open to its end.
std::optional<std::string> OpenPieces(const SealingKey& key,
                                      const std::vector<std::string>& pieces) {
  PieceOpener opener(key);
  std::string plain;
  for (const std::string& piece : pieces) {
    const auto opened = opener.Next(piece, &piece == &pieces.back());
    if (!opened.ok()) return std::nullopt;
    plain += *opened;
  }
  return plain;
}

TEST(SealedPiecesTest, TheyOpenInTheirOrderAndNoOther) {
  const SealingKey key = SealingKey::Random();
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, kPlainPiece - 1, kPlainPiece, 3 * kPlainPiece + 5}) {
    const std::string plain(size, 'p');
    const std::vector<std::string> pieces = SealPieces(key, plain);
    std::size_t sealed = 0;
    for (const std::string& piece : pieces) sealed += piece.size();
    EXPECT_EQ(sealed, SealedSize(size));
    EXPECT_EQ(OpenPieces(key, pieces), plain);
    EXPECT_EQ(OpenPieces(SealingKey::Random(), pieces), std::nullopt);
  }
  const std::vector<std::string> pieces = SealPieces(key, std::string(4 * kPlainPiece, 'p'));
  ASSERT_THAT(pieces, SizeIs(4));
  const auto& p = pieces;
  EXPECT_EQ(OpenPieces(key, {p[0], p[2], p[1], p[3]}), std::nullopt);
  EXPECT_EQ(OpenPieces(key, {p[0], p[1], p[3]}), std::nullopt);
  EXPECT_EQ(OpenPieces(key, {p[0], p[1], p[2]}), std::nullopt);
  EXPECT_EQ(OpenPieces(key, {p[0], p[0], p[1], p[2], p[3]}), std::nullopt);
  EXPECT_EQ(OpenPieces(key, {p[3]}), std::nullopt);
  EXPECT_EQ(OpenPieces(key, {"short"}), std::nullopt);
}

TEST(KeyTest, AMixNeedsBothAndItsPurpose) {
  const SealingKey a = SealingKey::Random(), b = SealingKey::Random();
  const std::string sealed = a.Mix(b, "x").Seal("plain", "");
  EXPECT_EQ(*a.Mix(b, "x").Open(sealed, ""), "plain");
  EXPECT_FALSE(b.Mix(a, "x").Open(sealed, "").ok());
  EXPECT_FALSE(a.Mix(b, "y").Open(sealed, "").ok());
  EXPECT_FALSE(a.Mix(SealingKey::Random(), "x").Open(sealed, "").ok());
}

TEST(LockedSlotsTest, NobodySharesAPlaceAndWhatIsGivenBackIsZero) {
  seal_internal::LockedSlots slots;
  constexpr std::size_t kSize = seal_internal::LockedSlots::kSize;
  std::vector<unsigned char*> taken(1000);
  for (std::size_t i = 0; i < taken.size(); ++i) {
    taken[i] = slots.Take();
    std::fill_n(taken[i], kSize, static_cast<unsigned char>(i));
  }
  for (std::size_t i = 0; i < taken.size(); ++i) {
    EXPECT_EQ(std::count(taken[i], taken[i] + kSize, static_cast<unsigned char>(i)), kSize);
  }
  EXPECT_EQ(std::set<unsigned char*>(taken.begin(), taken.end()).size(), taken.size());
  unsigned char* const last = taken.back();
  slots.Return(last);
  EXPECT_EQ(std::count(last, last + kSize, 0), kSize);
  EXPECT_EQ(slots.Take(), last);
}

}  // namespace
}  // namespace lethe
