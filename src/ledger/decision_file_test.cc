// Goal: what was decided is found again in its order, the newest of each subject; what no longer
// matters goes; a power cut costs nothing that was acknowledged, is no error, and damage is told
// and costs only what is damaged. Method: the file is cut all over its last batch, and its
// records are spoilt, exchanged and removed one by one.

#include "ledger/decision_file.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_ledger.h"

namespace lethe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::size_t kRecord = DecisionFile::kRecordBytes;
constexpr WallTime kNow = kNoon;

Decision Period(std::uint64_t app, const std::string& value) {
  return {.kind = DecisionKind::kPeriod,
          .app_id = app,
          .subject = "1",
          .value = value,
          .made = kNow,
          .ends = {}};
}

Decision OfApplication(std::uint64_t app, std::string_view what) {
  return {.kind = DecisionKind::kApplication,
          .app_id = app,
          .subject = {},
          .value = std::string(what),
          .made = kNow,
          .ends = {}};
}

Decision Withdrawn(const std::string& pseudonym) {
  return {.kind = DecisionKind::kConsentToTranscription,
          .app_id = 7,
          .subject = pseudonym,
          .value = std::string(decided::kWithdrawn),
          .made = kNow,
          .ends = {}};
}

class DecisionFileTest : public testing::Test {
 protected:
  void Open() {
    file_.reset();
    auto opened = DecisionFile::Open(path_, SealingKey(key_.bytes()));
    ASSERT_THAT(opened.status(), IsOk());
    file_ = *std::move(opened);
  }
  void Append(const std::vector<Decision>& decisions) {
    ASSERT_THAT(file_->Append(decisions), IsOk());
  }
  // The values of what matters, in order.
  std::vector<std::string> Values(std::uint64_t first = 0, WallTime now = kNow) const {
    std::vector<std::string> values;
    const std::vector<NumberedDecision> matter = *file_->ReadFrom(first, now);
    for (const auto& found : matter) values.push_back(found.decision.value);
    return values;
  }
  std::string Bytes() const { return ReadAll(path_); }
  void Restore(const std::string& bytes) {
    WriteAll(path_, bytes);
    Open();
  }
  static std::string WithSpoilt(std::string bytes, std::size_t record, std::size_t at = 100) {
    bytes[record * kRecord + at] = static_cast<char>(bytes[record * kRecord + at] ^ 1);
    return bytes;
  }

  const TestFolder folder_;
  const std::string path_ = folder_ / "decisions";
  const SealingKey key_ = SealingKey::Random();
  std::unique_ptr<DecisionFile> file_;
};

TEST_F(DecisionFileTest, TheNewestOfEachSubjectIsFoundInOrder) {
  Open();
  Decision given = Withdrawn("p");
  given.value = "given";
  given.ends = kNow + std::chrono::hours(1);
  Append({Withdrawn("p"), Period(1, "100"), Period(2, "90")});
  Append({Period(1, "50"), given});
  Open();
  EXPECT_EQ(file_->next(), 5U);
  EXPECT_EQ(file_->damaged() + file_->cut_off_bytes(), 0U);
  EXPECT_THAT(Values(), ElementsAre("90", "50", "given"));
  EXPECT_EQ((*file_->ReadFrom(4, kNow))[0].decision, given);
  // What was decided again since is not brought back by what came before.
  EXPECT_THAT(Values(0, *given.ends), ElementsAre("90", "50"));
  EXPECT_THAT(Values(3), ElementsAre("50", "given"));
}

TEST_F(DecisionFileTest, EachOpeningGivesItANameAndItKnowsTheOneBefore) {
  Open();
  EXPECT_EQ(file_->name_before(), 0U);
  for (int i = 0; i < 3; ++i) {
    const std::uint64_t name = file_->name();
    Append({Period(1, std::to_string(i))});
    if (i == 1) {
      ASSERT_THAT(file_->Tidy(kNow), IsOk());
    }
    Open();
    EXPECT_EQ(file_->name_before(), name);
    EXPECT_THAT(file_->name(), testing::AllOf(testing::Ne(name), testing::Ne(0U)));
  }
}

TEST_F(DecisionFileTest, NothingOfItIsReadableAndItsOwnerAloneMayTry) {
  Open();
  const std::string pseudonym(64, 'a');
  Append({Withdrawn(pseudonym)});
  EXPECT_THAT(Bytes(), Not(HasSubstr("aaaaaa")));
  EXPECT_THAT(Bytes(), Not(HasSubstr(std::string(decided::kWithdrawn))));
  EXPECT_EQ(std::filesystem::status(path_).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(Bytes().size(), 2 * kRecord);
}

TEST_F(DecisionFileTest, WhatNoLongerMattersIsLeftOutAndNumbersStay) {
  Open();
  Decision over = Withdrawn("q");
  over.ends = kNow;
  Append({Period(1, "100"), Withdrawn("p"), over, Period(7, "30"), Period(1, "50"),
          OfApplication(7, decided::kRemoved), over});
  ASSERT_THAT(file_->Tidy(kNow), IsOk());
  EXPECT_EQ(Bytes().size(), 3 * kRecord);
  WriteAll(path_ + ".0123456789abcdef", Bytes());    // what a kill may leave of writing it anew
  WriteAll(path_ + ".before-the-upgrade", Bytes());  // somebody's copy
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(file_->next(), 7U);
    EXPECT_THAT(Values(), ElementsAre("50", "removed"));
    EXPECT_THAT(Values(5), ElementsAre("removed"));
    Open();
  }
  EXPECT_FALSE(std::filesystem::exists(path_ + ".0123456789abcdef"));
  EXPECT_TRUE(std::filesystem::exists(path_ + ".before-the-upgrade"));
  Append({Period(3, "1")});
  EXPECT_THAT(Values(7), ElementsAre("1"));
}

TEST_F(DecisionFileTest, CutAnywhereInTheLastBatchTheWholeRecordsAreLeftAndItGoesOn) {
  Open();
  Append({Period(1, "1")});
  Append({Period(2, "2"), Period(3, "3")});
  const std::string bytes = Bytes();
  ASSERT_EQ(bytes.size(), 4 * kRecord);
  for (std::size_t size = 2 * kRecord; size < bytes.size(); size += 3) {
    Restore(bytes.substr(0, size));
    ASSERT_EQ(file_->damaged(), 0U) << size;
    ASSERT_EQ(file_->cut_off_bytes(), size % kRecord);
    ASSERT_EQ(file_->next(), size / kRecord - 1);
    if (size % 10 != 0) continue;
    Append({Period(4, "4")});
    Open();
    EXPECT_EQ(Values().back(), "4");
    EXPECT_EQ(Values().size(), size / kRecord);
  }
}

TEST_F(DecisionFileTest, RecordsOfTheLastBatchMayBeLostInAnyOrder) {
  Open();
  Append({Period(1, "1")});
  Append({Period(2, "2"), Period(3, "3"), Period(4, "4")});
  const std::string bytes = Bytes();
  for (std::size_t record = 2; record < 5; ++record) {
    for (const std::string& spoilt :
         {WithSpoilt(bytes, record),
          std::string(bytes).replace(record * kRecord, kRecord, kRecord, '\0')}) {
      Restore(spoilt);
      EXPECT_EQ(file_->damaged(), 0U);
      EXPECT_EQ(file_->cut_off_bytes(), (5 - record) * kRecord);
      EXPECT_EQ(Values().size(), record - 1);
    }
  }
}

TEST_F(DecisionFileTest, ADamagedRecordIsToldAndTheOthersCount) {
  Open();
  Append({Period(1, "1"), Period(2, "2")});
  Append({Period(3, "3")});
  ASSERT_THAT(file_->Tidy(kNow), IsOk());  // nothing to leave out: as it was
  Append({Period(4, "4")});
  const std::string bytes = Bytes();
  const std::vector<std::string> all = Values();
  for (std::size_t record = 1; record < 4; ++record) {
    for (std::size_t at = 0; at < kRecord; at += 7) {
      Restore(WithSpoilt(bytes, record, at));
      ASSERT_EQ(file_->damaged(), 1U) << record << " " << at;
      std::vector<std::string> rest = all;
      rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(record) - 1);
      EXPECT_EQ(Values(), rest);
      EXPECT_EQ(file_->next(), 4U);
    }
  }
  // Written anew it is whole.
  ASSERT_THAT(file_->Tidy(kNow), IsOk());
  Open();
  EXPECT_EQ(file_->damaged(), 0U);
  EXPECT_THAT(Values(), ElementsAre("1", "2", "4"));
}

TEST_F(DecisionFileTest, OfAFileThatWasWrittenAnewAnyRecordIsDamage) {
  Open();
  Append({Period(1, "1"), Period(2, "2"), Period(2, "3")});
  ASSERT_THAT(file_->Tidy(kNow), IsOk());
  const std::string bytes = Bytes();
  ASSERT_EQ(bytes.size(), 3 * kRecord);
  Restore(WithSpoilt(bytes, 1));
  EXPECT_EQ(file_->damaged(), 1U);
  EXPECT_THAT(Values(), ElementsAre("3"));
  Restore(WithSpoilt(bytes, 0));
  EXPECT_EQ(file_->damaged(), 1U);
  EXPECT_THAT(Values(), ElementsAre("1", "3"));
  Restore("");
  EXPECT_EQ(file_->damaged(), 1U);
  EXPECT_THAT(Values(), IsEmpty());
  Append({Period(1, "1")});
  ASSERT_THAT(file_->Tidy(kNow), IsOk());
  Open();
  EXPECT_EQ(file_->damaged(), 0U);
}

TEST_F(DecisionFileTest, RecordsOpenInTheirPlaceOnlyAndUnderTheirKey) {
  Open();
  Append({Period(1, "1")});
  Append({Period(2, "2")});
  std::string renumbered = Bytes();
  renumbered[kRecord + 7] = 9;  // an older decision as the newest
  Restore(renumbered);
  EXPECT_EQ(file_->damaged(), 1U);
  EXPECT_EQ(file_->next(), 2U);
  EXPECT_THAT(Values(), ElementsAre("2"));
  const auto other = DecisionFile::Open(path_, SealingKey::Random());
  ASSERT_THAT(other.status(), IsOk());
  EXPECT_EQ((*other)->damaged(), 3U);
  EXPECT_EQ(Bytes().size(), 3 * kRecord);
  EXPECT_THAT(*(*other)->ReadFrom(0, kNow), IsEmpty());
}

TEST_F(DecisionFileTest, NumbersThatAnotherFileHadAreNotGivenAgain) {
  Open();
  file_->SkipTo(40);
  ASSERT_THAT(file_->Tidy(kNow), IsOk());
  Open();
  EXPECT_EQ(file_->next(), 40U);
  Append({Period(1, "1")});
  EXPECT_THAT(Values(40), ElementsAre("1"));
  file_->SkipTo(3);
  EXPECT_EQ(file_->next(), 41U);
}

TEST_F(DecisionFileTest, WhatIsTooLongIsRefusedAndNothingOfTheBatchIsThere) {
  Open();
  EXPECT_THAT(file_->Append(std::vector{Period(1, "1"), Period(2, std::string(161, 'x'))}),
              HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(file_->Append(std::vector(DecisionFile::kMostOfBatch + 1, Period(1, "1"))),
              HasCode(StatusCode::kInvalidArgument));
  Append({Withdrawn(std::string(80, 's')), Period(2, std::string(160, 'x'))});
  EXPECT_THAT(Values(), ElementsAre("withdrawn", std::string(160, 'x')));
  EXPECT_EQ((*file_->ReadFrom(0, kNow))[0].decision, Withdrawn(std::string(80, 's')));
}

}  // namespace
}  // namespace lethe
