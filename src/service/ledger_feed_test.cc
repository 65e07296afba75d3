// Goal: what a backup brings back is erased again, also when it is put back while the service runs;
// nodes without the ledger know when that is done; receipts of one are not held up by the rest.
// Method: real records and ledgers; records that are put back are another file behind one journal.

#include "service/ledger_feed.h"

#include <gmock/gmock.h>

#include "ledger/merkle_tree.h"
#include "ledger/signed_head.h"
#include "tests/support/test_store.h"

namespace lethe {
namespace {

using ::testing::SizeIs;

/// The journal of records that may become others.
class ChangingJournal : public Journal {
 public:
  explicit ChangingJournal(Journal& first) : now_(&first) {}
  void Become(Journal& other) { now_ = &other; }

  Result<std::string> Origin() override { return now_->Origin(); }
  Status SetOrigin(const std::string& origin) override { return now_->SetOrigin(origin); }
  Result<std::vector<JournalEntry>> Pending(int limit) override { return now_->Pending(limit); }
  Result<std::vector<JournalEntry>> PendingOf(std::span<const ErasedItem> items) override {
    return now_->PendingOf(items);
  }
  Status Settle(std::span<const JournalEntry> entries, std::uint64_t first) override {
    return now_->Settle(entries, first);
  }
  Result<std::uint64_t> SettledLeaves() override { return now_->SettledLeaves(); }
  Result<Recovery> Recover(std::span<const Leaf> leaves) override { return now_->Recover(leaves); }
  Status Note(const Leaf& leaf) override { return now_->Note(leaf); }
  Result<Comparisons> FindComparisons() override { return now_->FindComparisons(); }
  Result<std::int64_t> AskForComparison() override { return now_->AskForComparison(); }
  Status AnswerComparisons(std::int64_t number) override { return now_->AnswerComparisons(number); }

 private:
  Journal* now_;
};

class LedgerFeedTest : public testing::Test {
 protected:
  LedgerOptions Options(const std::string& name) const {
    return {.folder = folder_ / name, .signing_key_file = folder_ / (name + ".key")};
  }
  Task MakeTask() { return *store_->tasks().Create({.app_id = app_.id, .request = "{}"}); }

  const TestFolder folder_;
  ManualClock clock_{kNoon};
  TestStore store_{clock_}, older_{clock_};
  const Application app_ = *store_->applications().Create({.name = "one"});
};

TEST_F(LedgerFeedTest, RecordsThatArePutBackWhileItRunsAreCompared) {
  ChangingJournal journal(store_->journal());
  LedgerFeed feed(journal, Options("ledger"), clock_);
  MakeTask();
  const Task erased = MakeTask();
  ASSERT_THAT(feed.CatchUp(), IsOk());
  ASSERT_THAT(store_->tasks().Remove(app_.id, erased.id), IsOk());
  ASSERT_THAT(feed.CatchUp(), IsOk());
  EXPECT_EQ(feed.report().leaves, 3U);
  journal.Become(older_->journal());
  ASSERT_THAT(feed.CatchUp(), IsOk());
  EXPECT_EQ(feed.report().recovery.lost, 1);
  // What is lost is told.
  EXPECT_EQ(feed.report().leaves, 4U);
  EXPECT_EQ(*older_->journal().SettledLeaves(), 4U);
}

TEST_F(LedgerFeedTest, ANodeWithoutTheLedgerWaitsForTheOneThatHasIt) {
  LedgerFeed owner(store_->journal(), Options("ledger"), clock_);
  ASSERT_THAT(owner.CatchUp(), IsOk());
  LedgerFeed other(store_->journal(), Options("elsewhere"), clock_);
  EXPECT_THAT(other.CatchUp(), HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(other.AwaitComparison(Millis(200)), HasCode(StatusCode::kUnavailable));
  owner.Start();
  EXPECT_THAT(other.AwaitComparison(std::chrono::seconds(60)), IsOk());
  const auto comparisons = *store_->journal().FindComparisons();
  EXPECT_EQ(comparisons.asked, 2);
  EXPECT_EQ(comparisons.answered, 2);
}

TEST_F(LedgerFeedTest, ALedgerThatNobodyHasAnyMoreIsTakenOver) {
  auto owner = std::make_unique<LedgerFeed>(store_->journal(), Options("ledger"), clock_);
  ASSERT_THAT(owner->CatchUp(), IsOk());
  LedgerFeed other(store_->journal(), Options("ledger"), clock_);
  EXPECT_FALSE(other.CatchUp().ok());
  owner.reset();
  EXPECT_THAT(other.AwaitComparison(std::chrono::seconds(60)), IsOk());
  EXPECT_TRUE(other.report().is_ours);
}

TEST_F(LedgerFeedTest, AReceiptDoesNotWaitForWhatElseIsToBeTold) {
  LedgerFeed feed(store_->journal(), Options("ledger"), clock_);
  for (int i = 0; i < 300; ++i) MakeTask();
  const Task task = MakeTask();
  const auto erased = *store_->tasks().Erase({.task = task.id}, ErasureCause::kRequested, 10);
  const auto receipts = feed.Prove(erased[0].items);
  ASSERT_THAT(receipts.status(), IsOk());
  EXPECT_THAT(*receipts, SizeIs(1));
  EXPECT_EQ(feed.report().leaves, 2U);
  ASSERT_THAT(feed.CatchUp(), IsOk());
  EXPECT_EQ(feed.report().leaves, 302U);
}

TEST_F(LedgerFeedTest, WhoRemembersAHeadIsShownThatTheLedgerGoesOnFromIt) {
  LedgerFeed feed(store_->journal(), Options("ledger"), clock_);
  EXPECT_THAT(feed.Publish(0).status(), HasCode(StatusCode::kUnavailable));
  const auto head_behind_an_erasure = [&] {
    const Task task = MakeTask();
    const auto erased = *store_->tasks().Erase({.task = task.id}, ErasureCause::kRequested, 10);
    EXPECT_THAT(feed.Prove(erased[0].items).status(), IsOk());
    return SignedHead::Parse(feed.Publish()->head)->head();
  };
  const TreeHead old_head = head_behind_an_erasure();
  for (int i = 0; i < 5; ++i) MakeTask();
  ASSERT_THAT(feed.CatchUp(), IsOk());
  const TreeHead new_head = head_behind_an_erasure();
  ASSERT_GT(new_head.size, old_head.size);
  const auto published = feed.Publish(old_head.size);
  ASSERT_THAT(published.status(), IsOk());
  EXPECT_EQ(SignedHead::Parse(published->head)->head(), new_head);
  EXPECT_TRUE(VerifyConsistency(old_head.size, new_head.size, old_head.root, new_head.root,
                                published->consistency));
  EXPECT_FALSE(VerifyConsistency(old_head.size, new_head.size, new_head.root, new_head.root,
                                 published->consistency));
  EXPECT_TRUE(feed.Publish(new_head.size)->consistency.empty());
  EXPECT_THAT(feed.Publish(new_head.size + 1).status(), HasCode(StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace lethe
