// Goal: every decision is in the file once, whichever step of writing it down fails; records that
// are put back say what the file says; a file that is gone or damaged is made anew from the
// records. Method: real records and files; calls of the records fail one after another, before or
// after they were done; records that are put back are a copy of theirs.

#include "service/decision_feed.h"

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>

#include "store/sqlite_store.h"
#include "tests/support/faulty_store.h"
#include "tests/support/test_store.h"

namespace lethe {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;
using Moment = FaultPlan::Moment;

/// Decisions of which one call gives no answer.
class FaultyDecisions : public Decisions {
 public:
  FaultyDecisions(Decisions& inner, FaultPlan& plan) : inner_(inner), plan_(plan) {}

  Result<std::vector<PendingDecision>> Pending(int limit) override {
    return plan_.Run([&] { return inner_.Pending(limit); });
  }
  Status Settle(std::span<const PendingDecision> decisions, const KnownDecisions& known) override {
    return plan_.Run([&] { return inner_.Settle(decisions, known); });
  }
  Result<KnownDecisions> Known() override {
    return plan_.Run([&] { return inner_.Known(); });
  }
  Result<DecisionsPutBack> PutBack(std::span<const Decision> decisions,
                                   const KnownDecisions& known) override {
    return plan_.Run([&] { return inner_.PutBack(decisions, known); });
  }
  Status QueueAll() override {
    return plan_.Run([&] { return inner_.QueueAll(); });
  }

 private:
  Decisions& inner_;
  FaultPlan& plan_;
};

class DecisionFeedTest : public testing::Test {
 protected:
  DecisionFeedTest() { clock_.Advance(Millis(1)); }

  std::unique_ptr<Store> Open() { return *OpenSqliteStore(path_, clock_, keyring_); }
  void BackUp() {
    store_.reset();
    fs::copy_file(path_, folder_ / "backup.db", fs::copy_options::overwrite_existing);
    store_ = Open();
  }
  void PutBack() {
    store_.reset();
    fs::copy_file(folder_ / "backup.db", path_, fs::copy_options::overwrite_existing);
    store_ = Open();
  }
  // As at a start.
  static Status Run(DecisionFeed& feed, const std::string& folder) {
    RETURN_IF_ERROR(feed.Open(folder));
    return feed.Tell();
  }
  DecisionFeed::Report RunOnce() {
    DecisionFeed feed(store_->decisions(), keyring_->keys(), clock_);
    EXPECT_THAT(Run(feed, folder()), IsOk());
    EXPECT_THAT(*store_->decisions().Pending(10), IsEmpty());
    return feed.TakeReport();
  }
  void Require(bool required) {
    ASSERT_THAT(store_->applications().SetConsentRequired(app_.id, required), IsOk());
  }
  bool required() { return store_->applications().Find(app_.id)->consent_required; }
  std::string folder() const { return folder_.path().string(); }
  std::uintmax_t FileSize() const { return fs::file_size(folder_ / "decisions"); }

  const TestFolder folder_;
  const std::string path_ = folder_ / "records.db";
  ManualClock clock_{kNoon};
  TestKeyring keyring_{clock_};
  std::unique_ptr<Store> store_ = Open();
  const Application app_ = *store_->applications().Create({.name = "one"});
};

TEST_F(DecisionFeedTest, EachDecisionIsInTheFileOnceWhateverFails) {
  constexpr int kMostCalls = 20;
  for (const Moment moment : {Moment::kBefore, Moment::kAfter}) {
    bool happened = true;
    for (int call = 1; happened; ++call) {
      SCOPED_TRACE(call);
      ASSERT_LT(call, kMostCalls);
      fs::remove(folder_ / "decisions");
      store_.reset();
      fs::remove(path_);
      store_ = Open();
      const Application app = *store_->applications().Create({.name = "one"});
      ASSERT_THAT(store_->applications().SetConsentRequired(app.id, true), IsOk());
      FaultPlan plan(call, moment);
      FaultyDecisions decisions(store_->decisions(), plan);
      DecisionFeed feed(decisions, keyring_->keys(), clock_);
      Status told = Run(feed, folder());
      ASSERT_THAT(store_->applications().SetConsentRequired(app.id, false), IsOk());
      if (told.ok()) told = feed.Tell();
      if (!told.ok()) {
        feed.Close();
        told = Run(feed, folder());
      }
      ASSERT_THAT(told, IsOk());
      happened = plan.happened();
      const DecisionFeed::Report report = feed.TakeReport();
      EXPECT_EQ(report.put_back.sum(), 0);
      EXPECT_EQ(report.damaged, 0U);
      EXPECT_FALSE(report.lost);
      EXPECT_FALSE(store_->applications().Find(app.id)->consent_required);
      // What is left of them at the next start is the last word.
      feed.Close();
      EXPECT_EQ(RunOnce().put_back.sum(), 0);
      EXPECT_EQ(FileSize(), 2 * DecisionFile::kRecordBytes);
      EXPECT_THAT(*store_->decisions().Pending(10), IsEmpty());
    }
  }
}

TEST_F(DecisionFeedTest, RecordsThatArePutBackWhileItRunsAreToldToo) {
  BackUp();
  Require(true);
  RunOnce();
  PutBack();
  DecisionFeed feed(store_->decisions(), keyring_->keys(), clock_);
  ASSERT_THAT(feed.Open(folder()), IsOk());
  EXPECT_EQ(feed.TakeReport().put_back.consent_required, 1);
  EXPECT_TRUE(required());
  // The same once more, as another file behind the open one.
  const auto known = *store_->decisions().Known();
  ASSERT_THAT(store_->decisions().Settle({}, {.file = known.file, .next = 0}), IsOk());
  ASSERT_THAT(feed.Compare(), IsOk());
  EXPECT_EQ(*store_->decisions().Known(), known);
  EXPECT_EQ(feed.TakeReport().put_back.sum(), 0);
}

TEST_F(DecisionFeedTest, ARotatedMasterKeyStillOpensIt) {
  BackUp();
  Require(true);
  RunOnce();
  store_.reset();
  fs::copy_file(folder_ / "backup.db", path_, fs::copy_options::overwrite_existing);
  const TestFolder keys;
  fs::copy(keyring_.folder(), keys.path(), fs::copy_options::recursive);
  {
    const auto change = Keyring::ChangeMasterKey::Begin(keys.path().string());
    ASSERT_THAT(change.status(), IsOk());
    ASSERT_THAT(ResealSqliteStore(path_, change->from, change->to), IsOk());
    ASSERT_THAT(change->Finish(), IsOk());
  }
  const auto keyring = *Keyring::Open(keys.path().string(), "test", clock_, false);
  store_ = *OpenSqliteStore(path_, clock_, *keyring);
  DecisionFeed feed(store_->decisions(), keyring->keys(), clock_);
  ASSERT_THAT(feed.Open(folder()), IsOk());
  EXPECT_EQ(feed.TakeReport().damaged, 0U);
  EXPECT_TRUE(required());
}

TEST_F(DecisionFeedTest, AFileThatIsGoneIsToldAndMadeAnewFromTheRecords) {
  Require(true);
  RunOnce();
  BackUp();
  fs::remove(folder_ / "decisions");
  EXPECT_TRUE(RunOnce().lost);
  EXPECT_FALSE(RunOnce().lost);
  // Older records that never had a file.
  clock_.Advance(Millis(1));
  store_.reset();
  fs::remove(path_);
  store_ = Open();
  ASSERT_EQ(store_->applications().Create({.name = "one"})->id, app_.id);
  EXPECT_EQ(RunOnce().put_back.sum(), 0);  // that is another application
}

TEST_F(DecisionFeedTest, AFileThatComesBackAfterAnotherIsHeardFromItsBeginning) {
  for (const bool another_is_an_older_copy : {false, true}) {
    SCOPED_TRACE(another_is_an_older_copy);
    Require(false);
    RunOnce();
    BackUp();
    fs::copy_file(folder_ / "decisions", folder_ / "older", fs::copy_options::overwrite_existing);
    clock_.Advance(Millis(1));
    Require(true);
    RunOnce();
    fs::rename(folder_ / "decisions", folder_ / "newest");
    PutBack();
    if (another_is_an_older_copy) fs::rename(folder_ / "older", folder_ / "decisions");
    RunOnce();
    EXPECT_FALSE(required());
    // Another file gives numbers to other decisions.
    for (int i = 0; i < 3; ++i) {
      ASSERT_THAT(store_->applications().SetEnabled(app_.id, true), IsOk());
    }
    RunOnce();
    fs::rename(folder_ / "newest", folder_ / "decisions");
    const DecisionFeed::Report report = RunOnce();
    EXPECT_EQ(report.put_back.consent_required, 1);
    EXPECT_TRUE(required());
    EXPECT_EQ(RunOnce().put_back.sum(), 0);
  }
}

TEST_F(DecisionFeedTest, ABackupFromManyStartsAgoIsToldOfNoLoss) {
  RunOnce();
  BackUp();
  Require(true);
  for (int i = 0; i < 3; ++i) RunOnce();
  PutBack();
  const DecisionFeed::Report report = RunOnce();
  EXPECT_EQ(report.put_back.consent_required, 1);
  EXPECT_FALSE(report.lost);
  EXPECT_EQ(report.damaged, 0U);
}

TEST_F(DecisionFeedTest, AStartThatFailsAgainAndAgainQueuesNothingAgain) {
  Require(true);
  const std::size_t pending = store_->decisions().Pending(1'000)->size();
  fs::create_directory(folder_ / "decisions");
  for (int i = 0; i < 3; ++i) {
    DecisionFeed feed(store_->decisions(), keyring_->keys(), clock_);
    EXPECT_FALSE(Run(feed, folder()).ok());
    EXPECT_THAT(*store_->decisions().Pending(1'000), testing::SizeIs(pending));
  }
}

TEST_F(DecisionFeedTest, AFileThatIsMovedAwayUnderItIsMadeAnew) {
  Require(true);
  DecisionFeed feed(store_->decisions(), keyring_->keys(), clock_);
  ASSERT_THAT(Run(feed, folder()), IsOk());
  fs::rename(folder_ / "decisions", folder_ / "moved");
  EXPECT_FALSE(feed.Tell().ok());
  feed.Close();
  ASSERT_THAT(Run(feed, folder()), IsOk());
  EXPECT_TRUE(feed.TakeReport().lost);
  EXPECT_EQ(FileSize(), 2 * DecisionFile::kRecordBytes);
}

TEST_F(DecisionFeedTest, WhoChangesItsMindForDaysFillsNoDisk) {
  DecisionFeed feed(store_->decisions(), keyring_->keys(), clock_);
  ASSERT_THAT(Run(feed, folder()), IsOk());
  std::uintmax_t largest = 0;
  for (int i = 0; i < 25; ++i) {
    for (int j = 0; j < 500; ++j) Require(j % 2 == 0);
    ASSERT_THAT(feed.Tell(), IsOk());
    largest = std::max(largest, FileSize());
  }
  EXPECT_LT(FileSize(), 5'000 * DecisionFile::kRecordBytes);
  EXPECT_LT(largest, 12'000 * DecisionFile::kRecordBytes);
}

TEST_F(DecisionFeedTest, WhatNoLongerMattersIsLeftOutAtTheNextStart) {
  for (int i = 0; i < 10; ++i) Require(i % 2 == 0);
  RunOnce();
  EXPECT_GT(FileSize(), 10 * DecisionFile::kRecordBytes);
  RunOnce();
  EXPECT_EQ(FileSize(), 2 * DecisionFile::kRecordBytes);
  ASSERT_THAT(store_->consents().Withdraw(app_.id, "ann", ConsentPurpose::kTranscription), IsOk());
  ASSERT_THAT(store_->applications().Remove(app_.id), IsOk());
  RunOnce();
  RunOnce();
  EXPECT_EQ(FileSize(), 2 * DecisionFile::kRecordBytes);  // that it was removed
}

}  // namespace
}  // namespace lethe
