// Goal: whatever is created or erased is in the journal, once, with what the ledger has to know of
// it; leaves that were written and not settled are recognised; periods that were shortened hold at
// once; the operation log finds by the call's id and keeps no id. Method: as
// store_contract_test.cc; the ledger is played by the test, which numbers leaves.

#include "tests/support/store_contract.h"

namespace lethe {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class HeldContractTest : public StoreContractTest {
 protected:
  HeldContractTest() : app_(MakeApplication("one")), journal_(store_->journal()) {}

  Task MakeTask() { return *store_->tasks().Create({.app_id = app_.id, .request = "{}"}); }

  /// Tells the ledger all that is pending; returns what it was told.
  std::vector<Leaf> Tell() {
    std::vector<Leaf> told;
    for (;;) {
      const auto entries = *journal_.Pending(100);
      if (entries.empty()) return told;
      EXPECT_THAT(journal_.Settle(entries, size_), IsOk());
      size_ += entries.size();
      for (const JournalEntry& entry : entries) told.push_back(entry.leaf);
    }
  }

  const Application app_;
  Journal& journal_;
  std::uint64_t size_ = 0;  // leaves of the ledger
};

INSTANTIATE_TEST_SUITE_P(Stores, HeldContractTest, testing::ValuesIn(StoreKinds()),
                         [](const auto& about) { return about.param; });

namespace {

TEST_P(HeldContractTest, ACreationIsToldAndThenItsErasureThatRefersToIt) {
  const Task task = *store_->tasks().Create(
      {.app_id = app_.id, .request = "{}", .recording = StoredRecording{"audio/1/2-a", "a2V5"}});
  EXPECT_EQ(store_->tasks().Find(app_.id, task.id)->recording->name, "audio/1/2-a");
  const auto created = Tell();
  ASSERT_THAT(created, SizeIs(2));
  EXPECT_EQ(created[0].data_class, DataClass::kResult);
  EXPECT_EQ(created[1].data_class, DataClass::kAudio);
  EXPECT_EQ(created[1].due, std::chrono::floor<std::chrono::seconds>(kNoon + hours(23)));
  EXPECT_NE(created[0].reference, created[1].reference);
  for (const Leaf& leaf : created) EXPECT_THAT(CheckLeaf(leaf), IsOk());
  EXPECT_EQ(*journal_.SettledLeaves(), 2U);

  const auto erased = *store_->tasks().Erase({.task = task.id}, ErasureCause::kRequested, 10);
  ASSERT_THAT(erased, SizeIs(1));
  EXPECT_EQ(erased[0].object, "audio/1/2-a");
  ASSERT_THAT(erased[0].items, SizeIs(2));
  const std::string id = "task:" + std::to_string(task.id);
  for (const ErasedItem& item : erased[0].items) {
    EXPECT_TRUE(OpensReference(item.reference, item.opening, item.data_class, id));
    EXPECT_FALSE(OpensReference(item.reference, item.opening, item.data_class, id + "1"));
  }
  EXPECT_THAT(store_->tasks().Find(app_.id, task.id), HasCode(StatusCode::kNotFound));
  // The audio is gone when its object is.
  EXPECT_THAT(Tell(), SizeIs(1));
  const auto objects = *store_->tasks().ObjectsToRemove(10);
  ASSERT_THAT(objects, SizeIs(1));
  EXPECT_THAT(store_->tasks().ObjectIsGone(objects[0].task), IsOk());
  const auto audio = Tell();
  ASSERT_THAT(audio, SizeIs(1));
  EXPECT_EQ(audio[0].kind, LeafKind::kErased);
  EXPECT_EQ(audio[0].cause, ErasureCause::kRequested);
  EXPECT_EQ(audio[0].creation, 1U);
  EXPECT_EQ(audio[0].reference, created[1].reference);
  EXPECT_THAT(*store_->tasks().ObjectsToRemove(10), IsEmpty());
  EXPECT_THAT(store_->tasks().ObjectIsGone(objects[0].task), IsOk());
  EXPECT_THAT(Tell(), IsEmpty());
}

TEST_P(HeldContractTest, WhatExpiresAndWhatGoesWithItsApplicationIsToldToo) {
  const Task task = MakeTask();
  clock_.Advance(kTaskLifetime);
  EXPECT_EQ(*store_->tasks().RemoveExpired(10), 1);
  const auto first = Tell();
  ASSERT_THAT(first, SizeIs(2));
  EXPECT_EQ(first[1].cause, ErasureCause::kExpired);
  MakeTask();
  EXPECT_THAT(store_->applications().Remove(app_.id), IsOk());
  const auto second = Tell();
  ASSERT_THAT(second, SizeIs(2));
  EXPECT_EQ(second[1].cause, ErasureCause::kTenantRemoved);
}

TEST_P(HeldContractTest, LeavesThatWereNotSettledAreRecognised) {
  const Task one = MakeTask(), two = MakeTask();
  std::vector<Leaf> written;
  const std::vector<JournalEntry> pending = *journal_.Pending(10);
  for (const JournalEntry& entry : pending) written.push_back(entry.leaf);
  // The process ended here; the ledger has them.
  auto recovery = *journal_.Recover(written);
  EXPECT_EQ(recovery.settled, 2);
  EXPECT_EQ(*journal_.SettledLeaves(), 2U);
  EXPECT_THAT(*journal_.Pending(10), IsEmpty());
  ASSERT_THAT(store_->tasks().Remove(app_.id, one.id), IsOk());
  const auto entries = *journal_.Pending(10);
  ASSERT_THAT(entries, SizeIs(1));
  recovery = *journal_.Recover(std::vector<Leaf>{entries[0].leaf});
  EXPECT_EQ(recovery.settled, 1);
  EXPECT_THAT(*journal_.Pending(10), IsEmpty());
  EXPECT_THAT(store_->tasks().Find(app_.id, two.id), IsOk());
}

TEST_P(HeldContractTest, OlderRecordsForgetWhatTheLedgerSaysIsErasedAndTellWhatTheyLost) {
  const Task task = MakeTask();
  const std::vector<Leaf> created = Tell();
  // As another copy of these records did since: it erased this one and made two, of which one is
  // erased.
  Leaf erased = created[0];
  erased.kind = LeafKind::kErased;
  erased.cause = ErasureCause::kRequested;
  erased.creation = 0;
  Leaf lost = created[0], gone = created[0];
  lost.reference[0] ^= std::byte{1};
  gone.reference[0] ^= std::byte{2};
  Leaf gone_again = gone;
  gone_again.kind = LeafKind::kErased;
  gone_again.cause = ErasureCause::kExpired;
  gone_again.creation = 3;
  const auto recovery = *journal_.Recover(std::vector<Leaf>{erased, lost, gone, gone_again});
  EXPECT_EQ(recovery.erased_again, 1);
  EXPECT_EQ(recovery.lost, 1);
  EXPECT_THAT(store_->tasks().Find(app_.id, task.id), HasCode(StatusCode::kNotFound));
  size_ = 5;
  const auto told = Tell();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].cause, ErasureCause::kLost);
  EXPECT_EQ(told[0].creation, 2U);
  EXPECT_EQ(told[0].reference, lost.reference);
}

TEST_P(HeldContractTest, AShorterPeriodHoldsAtOnceAndIsTold) {
  RetentionPeriods& periods = store_->retention_periods();
  const Task task = MakeTask();
  Tell();
  clock_.Advance(minutes(30));
  EXPECT_THAT(periods.Shorten(app_.id, DataClass::kResult, hours(1)), IsOk());
  EXPECT_THAT(store_->tasks().Find(app_.id, task.id), IsOk());
  EXPECT_EQ(store_->tasks().Find(app_.id, task.id)->expires, kNoon + hours(1));
  const auto told = Tell();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].kind, LeafKind::kPolicyChanged);
  EXPECT_EQ(told[0].from, std::chrono::days(7));
  EXPECT_EQ(told[0].to, hours(1));
  clock_.Advance(minutes(30));
  EXPECT_THAT(store_->tasks().Find(app_.id, task.id), HasCode(StatusCode::kNotFound));
  EXPECT_EQ(MakeTask().expires, clock_.Now() + hours(1));
  EXPECT_THAT(periods.Shorten(app_.id, DataClass::kResult, hours(2)),
              HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(periods.Shorten(app_.id, DataClass::kAudio, hours(25)),
              HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(periods.Shorten(1, DataClass::kAudio, hours(1)), HasCode(StatusCode::kNotFound));
  for (const auto& [data_class, period] : {std::pair(DataClass::kMonitoring, Millis(hours(1))),
                                           {DataClass::kAudio, Millis(-1000)},
                                           {DataClass::kAudio, Millis(1)},
                                           {DataClass::kResult, Millis(0)}}) {
    EXPECT_THAT(periods.Shorten(app_.id, data_class, period),
                HasCode(StatusCode::kInvalidArgument));
  }
  EXPECT_THAT(*periods.Find(app_.id), ElementsAre(std::pair(DataClass::kResult, Millis(hours(1)))));
}

TEST_P(HeldContractTest, OperationsAreFoundByTheirCallUntilTheirTimeIsOver) {
  OperationLog& log = store_->operation_log();
  const Application other = MakeApplication("two");
  const std::vector<Operation> operations = {
      {.app_id = app_.id,
       .call_id = "anna karenina",
       .result_code = "0",
       .start = kNoon,
       .facts = {{"source", Label("url")}, {"segments", 3}, {"stored", true}}},
      {.app_id = app_.id, .call_id = "second", .result_code = "1"},
      {.app_id = other.id, .call_id = "third", .result_code = "2"}};
  ASSERT_THAT(log.Record(operations), IsOk());
  // One thing for each application.
  const auto created = Tell();
  ASSERT_THAT(created, SizeIs(2));
  EXPECT_EQ(created[0].items, 2U);
  EXPECT_EQ(created[1].items, 1U);
  const auto found = *log.Find("anna karenina");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].app_id, app_.id);
  EXPECT_THAT(found[0].facts, HasSubstr(R"("source":"url","segments":3,"stored":true)"));
  EXPECT_THAT(*log.Find("karenina"), IsEmpty());

  // One of the three; nobody else's.
  EXPECT_EQ(log.Erase({.call_id = "third", .within = app_.id}, ErasureCause::kRequested, 10)->rows,
            0);
  EXPECT_EQ(log.Erase({.call_id = "third"}, ErasureCause::kRequested, 10)->rows, 1);
  EXPECT_THAT(*log.Find("third"), IsEmpty());
  clock_.Advance(kOperationLogLifetime);
  EXPECT_THAT(*log.Find("anna karenina"), IsEmpty());
  EXPECT_EQ(*log.RemoveExpired(1), 1);
  EXPECT_EQ(*log.RemoveExpired(10), 1);
  const auto erased = Tell();
  ASSERT_THAT(erased, SizeIs(3));
  for (std::size_t i = 0; i < erased.size(); ++i) {
    const bool of_other = i == 0;
    EXPECT_EQ(erased[i].items, 1U);
    EXPECT_EQ(erased[i].creation, of_other ? 1U : 0U);
    EXPECT_EQ(erased[i].reference, created[of_other ? 1 : 0].reference);
  }
  EXPECT_THAT(Tell(), IsEmpty());
}

TEST_P(HeldContractTest, OperationsAreHeldShorterOrNotAtAllWhereThatIsWanted) {
  OperationLog& log = store_->operation_log();
  const Operation operation{.app_id = app_.id, .call_id = "call"};
  ASSERT_THAT(log.Record({&operation, 1}), IsOk());
  ASSERT_THAT(store_->retention_periods().Shorten(app_.id, DataClass::kOperationLog, minutes(10)),
              IsOk());
  clock_.Advance(minutes(9));
  EXPECT_THAT(*log.Find("call"), SizeIs(1));
  clock_.Advance(minutes(1));
  EXPECT_THAT(*log.Find("call"), IsEmpty());
  ASSERT_THAT(store_->retention_periods().Shorten(app_.id, DataClass::kOperationLog, Millis(0)),
              IsOk());
  ASSERT_THAT(log.Record({&operation, 1}), IsOk());
  EXPECT_THAT(*log.Find("call"), IsEmpty());
  EXPECT_EQ(*log.RemoveExpired(10), 1);
}

TEST_P(HeldContractTest, NothingIsLateBecauseItsPeriodBecameShorter) {
  const Operation operation{.app_id = app_.id, .call_id = "call"};
  ASSERT_THAT(store_->operation_log().Record({&operation, 1}), IsOk());
  MakeTask();
  clock_.Advance(minutes(30));
  const auto now = std::chrono::floor<std::chrono::seconds>(clock_.Now());
  for (const DataClass data_class : {DataClass::kResult, DataClass::kOperationLog}) {
    ASSERT_THAT(store_->retention_periods().Shorten(app_.id, data_class, minutes(10)), IsOk());
  }
  EXPECT_EQ(*store_->retention_periods().Apply(10), 0);
  Tell();
  EXPECT_EQ(*store_->tasks().RemoveExpired(10), 1);
  EXPECT_EQ(*store_->operation_log().RemoveExpired(10), 1);
  const auto erased = Tell();
  ASSERT_THAT(erased, SizeIs(2));
  for (const Leaf& leaf : erased) EXPECT_EQ(leaf.due, now);
}

TEST_P(HeldContractTest, APeriodHoldsForMoreThanFitsIntoATransaction) {
  constexpr int kMany = 450;
  std::vector<Operation> operations;
  for (int i = 0; i < kMany; ++i) {
    operations.push_back({.app_id = app_.id, .call_id = std::to_string(i)});
  }
  ASSERT_THAT(store_->operation_log().Record(operations), IsOk());
  clock_.Advance(minutes(30));
  ASSERT_THAT(store_->retention_periods().Shorten(app_.id, DataClass::kOperationLog, minutes(10)),
              IsOk());
  EXPECT_EQ(*store_->operation_log().RemoveExpired(2 * kMany), kMany);
}

TEST_P(HeldContractTest, AudioThatMayNotBeStoredIsToldAsRefused) {
  const Task task =
      *store_->tasks().Create({.app_id = app_.id, .request = "{}", .audio_refused = true});
  auto begun = *store_->tasks().Begun(app_.id, task.id);
  ASSERT_THAT(begun, SizeIs(2));
  EXPECT_EQ(begun[1].leaf, kNoLeaf);
  const auto told = Tell();
  ASSERT_THAT(told, SizeIs(2));
  EXPECT_EQ(told[0].kind, LeafKind::kCreated);
  EXPECT_EQ(told[1].kind, LeafKind::kRefused);
  EXPECT_EQ(told[1].data_class, DataClass::kAudio);
  for (const Leaf& leaf : told) EXPECT_THAT(CheckLeaf(leaf), IsOk());
  begun = *store_->tasks().Begun(app_.id, task.id);
  EXPECT_EQ(begun[1].leaf, 1U);
  EXPECT_TRUE(OpensReference(told[1].reference, begun[1].item.opening, DataClass::kAudio,
                             "task:" + std::to_string(task.id)));
  EXPECT_THAT(store_->tasks().Begun(app_.id + 1, task.id).status(), HasCode(StatusCode::kNotFound));
  // Its erasure is that of the text alone.
  const auto erased = *store_->tasks().Erase({.task = task.id}, ErasureCause::kRequested, 10);
  EXPECT_THAT(erased[0].items, SizeIs(1));
  ASSERT_THAT(Tell(), SizeIs(1));
  EXPECT_THAT(*journal_.Pending(10), IsEmpty());
  EXPECT_THAT(store_->tasks().Begun(app_.id, task.id).status(), HasCode(StatusCode::kNotFound));
}

TEST_P(HeldContractTest, ARefusalIsToldThoughItsTaskIsGone) {
  const Task task =
      *store_->tasks().Create({.app_id = app_.id, .request = "{}", .audio_refused = true});
  ASSERT_THAT(store_->tasks().Remove(app_.id, task.id), IsOk());
  const auto told = Tell();
  ASSERT_THAT(told, SizeIs(3));
  EXPECT_EQ(told[1].kind, LeafKind::kRefused);
  EXPECT_EQ(told[2].kind, LeafKind::kErased);
  // Recognised if the process ended before it was settled, and nothing is lost with it.
  const auto recovery = *journal_.Recover(std::vector<Leaf>{told[1]});
  EXPECT_EQ(recovery.lost, 0);
  EXPECT_THAT(*journal_.Pending(10), IsEmpty());
}

TEST_P(HeldContractTest, RowsOfUsageAreCountedToo) {
  const Application other = MakeApplication("two");
  const std::vector<FinishedCall> calls = {
      {.app_id = app_.id, .result_code = "0", .start = kNoon, .end = kNoon},
      {.app_id = app_.id, .result_code = "0", .start = kNoon, .end = kNoon + minutes(1)},
      {.app_id = other.id, .result_code = "0", .start = kNoon, .end = kNoon}};
  clock_.Advance(minutes(1));
  ASSERT_THAT(store_->usage().Record(calls), IsOk());
  const auto created = Tell();
  ASSERT_THAT(created, SizeIs(2));
  for (const Leaf& leaf : created) EXPECT_EQ(leaf.data_class, DataClass::kMonitoring);
  EXPECT_EQ(created[0].items, 2U);
  EXPECT_EQ(created[0].due,
            std::chrono::floor<std::chrono::seconds>(kNoon + minutes(1) + kUsageLifetime));
  clock_.Set(kNoon + kUsageLifetime);
  EXPECT_EQ(*store_->usage().RemoveExpired(10), 2);
  const auto erased = Tell();
  ASSERT_THAT(erased, SizeIs(2));
  EXPECT_EQ(erased[0].items, 1U);
  EXPECT_EQ(erased[0].creation, 0U);
  EXPECT_EQ(erased[1].creation, 1U);
}

TEST_P(HeldContractTest, WhatWasErasedIsToldBeforeAllElse) {
  std::vector<Task> tasks;
  for (int i = 0; i < 3; ++i) tasks.push_back(MakeTask());
  const auto erased = *store_->tasks().Erase({.task = tasks[1].id}, ErasureCause::kRequested, 10);
  ASSERT_THAT(erased, SizeIs(1));
  const auto creation = *journal_.PendingOf(erased[0].items);
  ASSERT_THAT(creation, SizeIs(1));
  EXPECT_EQ(creation[0].leaf.kind, LeafKind::kCreated);
  EXPECT_EQ(creation[0].leaf.reference, erased[0].items[0].reference);
  ASSERT_THAT(journal_.Settle(creation, 0), IsOk());
  const auto erasure = *journal_.PendingOf(erased[0].items);
  ASSERT_THAT(erasure, SizeIs(1));
  EXPECT_EQ(erasure[0].leaf.kind, LeafKind::kErased);
  EXPECT_EQ(erasure[0].leaf.creation, 0U);
  ASSERT_THAT(journal_.Settle(erasure, 1), IsOk());
  EXPECT_THAT(*journal_.PendingOf(erased[0].items), IsEmpty());
  size_ = 2;
  EXPECT_THAT(Tell(), SizeIs(2));
  EXPECT_EQ(*journal_.SettledLeaves(), 4U);
}

TEST_P(HeldContractTest, OfRowsThatWerePartlyErasedSinceNoneIsToldTwice) {
  std::vector<Operation> operations(10, {.app_id = app_.id, .call_id = "of many"});
  operations[0].call_id = operations[1].call_id = operations[2].call_id = "first";
  ASSERT_THAT(store_->operation_log().Record(operations), IsOk());
  const auto created = Tell();
  ASSERT_THAT(created, SizeIs(1));
  // Here three were erased, of which the ledger knows nothing. There, it were eight others.
  ASSERT_EQ(store_->operation_log().Erase({.call_id = "first"}, ErasureCause::kRequested, 10)->rows,
            3);
  Leaf erased = created[0];
  erased.kind = LeafKind::kErased;
  erased.cause = ErasureCause::kRequested;
  erased.creation = 0;
  erased.items = 8;
  ASSERT_THAT(journal_.Recover(std::vector<Leaf>{erased}).status(), IsOk());
  EXPECT_THAT(*store_->operation_log().Find("of many"), IsEmpty());
  size_ = 2;
  const auto told = Tell();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].items, 2U);
  EXPECT_EQ(told[0].creation, 0U);
}

TEST_P(HeldContractTest, WhatIsOverAndStillThereCanBeErased) {
  const Task task = MakeTask();
  clock_.Advance(kTaskLifetime);
  const auto erased = *store_->tasks().Erase({.task = task.id}, ErasureCause::kRequested, 10);
  ASSERT_THAT(erased, SizeIs(1));
  EXPECT_THAT(erased[0].items, SizeIs(1));
  EXPECT_THAT(*store_->tasks().Erase({.task = task.id}, ErasureCause::kRequested, 10), IsEmpty());
}

TEST_P(HeldContractTest, AnApplicationStaysWhileAnObjectStoreHasRecordingsOfIt) {
  const Task task = *store_->tasks().Create(
      {.app_id = app_.id, .request = "{}", .recording = StoredRecording{"audio/1/2-a", "a2V5"}});
  EXPECT_THAT(store_->applications().Remove(app_.id), HasCode(StatusCode::kFailedPrecondition));
  ASSERT_THAT(store_->tasks().ObjectIsGone(task.id), IsOk());
  EXPECT_THAT(store_->applications().Remove(app_.id), IsOk());
}

TEST_P(HeldContractTest, NodesAskForAComparisonWithTheLedger) {
  EXPECT_EQ(*journal_.AskForComparison(), 1);
  EXPECT_EQ(*journal_.AskForComparison(), 2);
  auto comparisons = *journal_.FindComparisons();
  EXPECT_EQ(comparisons.asked, 2);
  EXPECT_EQ(comparisons.answered, 0);
  ASSERT_THAT(journal_.AnswerComparisons(2), IsOk());
  comparisons = *journal_.FindComparisons();
  EXPECT_EQ(comparisons.answered, 2);
}

TEST_P(HeldContractTest, WhatIsHeldIsListedByClassUntilItIsOver) {
  Holdings& holdings = store_->holdings();
  const Application other = MakeApplication("other");
  const Task task = *store_->tasks().Create({.app_id = app_.id,
                                             .request_id = "call-1",
                                             .subject = "pseudonym",
                                             .request = "{}",
                                             .recording = StoredRecording{"audio/1/2-a", "a2V5"}});
  ASSERT_THAT(store_->tasks().Create({.app_id = other.id, .request = "{}"}), IsOk());
  const std::vector<Operation> operations = {
      {.app_id = app_.id, .call_id = "call-1", .subject = "pseudonym", .result_code = "ok"},
      {.app_id = app_.id, .call_id = "call-2", .result_code = "ok"}};
  ASSERT_THAT(store_->operation_log().Record(operations), IsOk());

  const auto count = [&](DataClass data_class, const TaskSelector& selector) {
    const auto list = holdings.List(data_class, selector, 0, 100);
    EXPECT_THAT(list, IsOk());
    return list.ok() ? list->size() : 0;
  };
  const auto counts = [&](const TaskSelector& selector) {
    return std::vector<std::size_t>{count(DataClass::kAudio, selector),
                                    count(DataClass::kResult, selector),
                                    count(DataClass::kOperationLog, selector)};
  };
  EXPECT_THAT(counts({.app_id = app_.id}), ElementsAre(1, 1, 2));
  EXPECT_THAT(counts({.uin = app_.uin}), ElementsAre(1, 1, 2));
  EXPECT_THAT(counts({.app_id = other.id}), ElementsAre(0, 1, 0));
  for (const TaskSelector& selector :
       {TaskSelector{.task = task.id}, TaskSelector{.request_id = "call-1"},
        TaskSelector{.subject = "pseudonym", .within = app_.id}}) {
    EXPECT_THAT(counts(selector), ElementsAre(1, 1, 1));
  }
  EXPECT_THAT(counts({.task = task.id, .within = other.id}), ElementsAre(0, 0, 0));
  EXPECT_THAT(counts({.request_id = "call-2"}), ElementsAre(0, 0, 1));
  EXPECT_THAT(holdings.List(DataClass::kResult, {}, 0, 1), HasCode(StatusCode::kInvalidArgument));

  const HeldItem text = holdings.List(DataClass::kResult, {.task = task.id}, 0, 1)->at(0);
  EXPECT_EQ(text.call_id, "call-1");
  EXPECT_EQ(text.subject, "pseudonym");
  EXPECT_EQ(text.state, TaskState::kWaiting);
  EXPECT_EQ(text.expires, task.expires);
  const HeldItem row =
      holdings.List(DataClass::kOperationLog, {.request_id = "call-1"}, 0, 1)->at(0);
  EXPECT_THAT(row.facts, HasSubstr("\"result\":\"ok\""));
  EXPECT_EQ(row.call_id, "");

  // Newest first, a page at a time.
  const auto first = *holdings.List(DataClass::kOperationLog, {.app_id = app_.id}, 0, 1);
  const auto second =
      *holdings.List(DataClass::kOperationLog, {.app_id = app_.id}, first.at(0).place, 1);
  EXPECT_GT(first.at(0).place, second.at(0).place);
  EXPECT_THAT(*holdings.List(DataClass::kOperationLog, {.app_id = app_.id}, second.at(0).place, 1),
              IsEmpty());

  // Erased or over, it is not held, swept or not.
  ASSERT_THAT(store_->tasks().Erase({.task = task.id}, ErasureCause::kRequested, 10), IsOk());
  EXPECT_THAT(counts({.app_id = app_.id}), ElementsAre(0, 0, 2));
  clock_.Advance(MaxLifetime(DataClass::kOperationLog));
  EXPECT_THAT(counts({.app_id = app_.id}), ElementsAre(0, 0, 0));
}

}  // namespace
}  // namespace lethe
