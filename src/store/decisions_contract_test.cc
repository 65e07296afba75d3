// Goal: whatever makes something stricter, and what takes that back, is pending once; records that
// were put back are made to say what the file says, unless something newer was decided in them;
// what the file has already is recognised. Method: as store_contract_test.cc; the file is a list of
// what was pending, and what older records do not know is done to other records with the same keys.

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

#include "base/sha256.h"
#include "tests/support/store_contract.h"

namespace lethe {

using std::chrono::hours;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr ConsentPurpose kPurpose = ConsentPurpose::kTranscription;

class DecisionsContractTest : public StoreContractTest {
 protected:
  DecisionsContractTest() : app_(MakeApplication("one")), decisions_(store_->decisions()) {
    // What was decided was decided later.
    clock_.Advance(hours(1));
  }

  // Writes down what is pending; returns that.
  std::vector<Decision> Tell() {
    std::vector<Decision> told;
    const auto pending = *decisions_.Pending(100);
    known_.next += pending.size();
    EXPECT_THAT(decisions_.Settle(pending, known_), IsOk());
    EXPECT_EQ(*decisions_.Known(), known_);
    for (const PendingDecision& one : pending) told.push_back(one.decision);
    return told;
  }
  DecisionsPutBack PutBack(const std::vector<Decision>& decisions) {
    known_.next += decisions.size();
    const auto put_back = decisions_.PutBack(decisions, known_);
    EXPECT_THAT(put_back.status(), IsOk());
    EXPECT_EQ(*decisions_.Known(), known_);
    return *put_back;
  }
  NewConsent Of(const std::string& subject) const {
    return {.app_id = app_.id,
            .subject = subject,
            .basis = ConsentBasis::kPerson,
            .jurisdiction = "DE",
            .age_of_consent = 16,
            .expires = clock_.Now() + hours(24)};
  }
  ConsentStanding Look(const std::string& subject) {
    Consents& consents = store_->consents();
    return *consents.Look(app_.id, *consents.Pseudonym(app_.id, subject), kPurpose);
  }
  Decision OfApplication(DecisionKind kind, std::string subject, std::string_view value) const {
    return {.kind = kind,
            .app_id = app_.id,
            .subject = std::move(subject),
            .value = std::string(value),
            .made = clock_.Now(),
            .ends = {}};
  }

  const Application app_;
  Decisions& decisions_;
  KnownDecisions known_{.file = std::numeric_limits<std::int64_t>::max(), .next = 0};
};

INSTANTIATE_TEST_SUITE_P(Stores, DecisionsContractTest, testing::ValuesIn(StoreKinds()),
                         [](const auto& about) { return about.param; });

namespace {

TEST_P(DecisionsContractTest, WhatIsDecidedIsPendingOnceAndOthersAreNot) {
  const NewKey key = *store_->keys().Create(app_.id, KeyKind::kPair);
  ASSERT_THAT(store_->consents().Give(Of("ann")), IsOk());
  EXPECT_THAT(Tell(), IsEmpty());
  ASSERT_THAT(store_->retention_periods().Shorten(app_.id, DataClass::kResult, hours(1)), IsOk());
  ASSERT_THAT(store_->retention_periods().Shorten(app_.id, DataClass::kResult, hours(1)), IsOk());
  ASSERT_THAT(store_->applications().SetConsentRequired(app_.id, true), IsOk());
  ASSERT_THAT(store_->consents().Withdraw(app_.id, "ann", kPurpose), IsOk());
  ASSERT_THAT(store_->consents().Withdraw(app_.id, "ann", kPurpose), IsOk());
  ASSERT_THAT(store_->consents().Withdraw(app_.id, "bob", kPurpose), IsOk());
  ASSERT_THAT(store_->consents().Give(Of("ann")), IsOk());
  ASSERT_THAT(store_->keys().SetEnabled(key.key.id, false), IsOk());
  ASSERT_THAT(store_->keys().Remove(key.key.id), IsOk());
  ASSERT_THAT(store_->keys().Remove(key.key.id), HasCode(StatusCode::kNotFound));
  ASSERT_THAT(store_->keys().SetConsolePassword(Secret("a long password")), IsOk());
  ASSERT_THAT(store_->applications().SetEnabled(app_.id, false), IsOk());
  const std::vector<Decision> told = Tell();
  std::vector<std::pair<DecisionKind, std::string>> what;
  for (const Decision& decision : told) {
    what.emplace_back(decision.kind, decision.value);
    EXPECT_EQ(decision.made, clock_.Now());
    EXPECT_LE(decision.subject.size(), kMaxDecisionSubject);
    EXPECT_LE(decision.value.size(), kMaxDecisionValue);
    // Neither a name nor a key.
    EXPECT_EQ(decision.subject.find("ann"), std::string::npos);
    EXPECT_EQ(decision.subject.find(key.key.id), std::string::npos);
  }
  ASSERT_THAT(told, SizeIs(9));
  what.erase(what.begin() + 7);  // the password's hash is another one each time
  const std::string consent =
      "1 16 " + std::to_string((clock_.Now() + hours(24)).time_since_epoch().count()) + " DE";
  EXPECT_THAT(what, ElementsAre(std::pair(DecisionKind::kPeriod, "3600000"),
                                std::pair(DecisionKind::kConsentRequired, "1"),
                                std::pair(DecisionKind::kConsentToTranscription, "withdrawn"),
                                std::pair(DecisionKind::kConsentToTranscription, "withdrawn"),
                                std::pair(DecisionKind::kConsentToTranscription, consent),
                                std::pair(DecisionKind::kKey, "disabled"),
                                std::pair(DecisionKind::kKey, "removed"),
                                std::pair(DecisionKind::kApplication, "disabled")));
  EXPECT_EQ(told[4].ends, clock_.Now() + hours(24) + kConsentEvidence);
  EXPECT_THAT(Tell(), IsEmpty());
  // They are as they say: nothing to be put back.
  EXPECT_EQ(PutBack({told[0], told[1], told[3], told[4], told[6], told[7], told[8]}).sum(), 0);
}

TEST_P(DecisionsContractTest, RecordsThatDoNotKnowItAreMadeToSayIt) {
  const NewKey removed = *store_->keys().Create(app_.id, KeyKind::kBearer);
  const NewKey disabled = *store_->keys().Create(app_.id, KeyKind::kPair);
  const NewKey other = *store_->keys().Create(app_.id, KeyKind::kBearer);
  const Task task = *store_->tasks().Create({.app_id = app_.id, .request = "{}"});
  Consents& consents = store_->consents();
  for (const char* name : {"ann", "bob"}) ASSERT_THAT(consents.Give(Of(name)), IsOk());
  const std::string ann = *consents.Pseudonym(app_.id, "ann");
  const std::string cat = *consents.Pseudonym(app_.id, "cat");
  const auto hash = [](const std::string& id) { return Sha256Hex(std::as_bytes(std::span(id))); };
  ASSERT_THAT(store_->keys().SetConsolePassword(Secret("the new password")), IsOk());
  const Decision password = Tell().at(0);
  ASSERT_THAT(store_->keys().SetConsolePassword(Secret("an old password")), IsOk());
  EXPECT_THAT(Tell(), SizeIs(1));
  clock_.Advance(Millis(1));

  const DecisionsPutBack put_back =
      PutBack({OfApplication(DecisionKind::kPeriod, "2", "3600000"),
               OfApplication(DecisionKind::kPeriod, "1", "0"),
               OfApplication(DecisionKind::kConsentRequired, "", "1"),
               OfApplication(DecisionKind::kConsentToTranscription, ann, decided::kWithdrawn),
               OfApplication(DecisionKind::kConsentToTranscription, cat, decided::kWithdrawn),
               OfApplication(DecisionKind::kKey, hash(removed.key.id), decided::kRemoved),
               OfApplication(DecisionKind::kKey, hash(disabled.key.id), decided::kDisabled),
               OfApplication(DecisionKind::kKey, hash("never there"), decided::kRemoved),
               password,
               // Of an application that came after the backup.
               {.kind = DecisionKind::kConsentRequired,
                .app_id = app_.id + 5,
                .subject = {},
                .value = "1",
                .made = clock_.Now(),
                .ends = {}}});
  EXPECT_EQ(put_back.periods, 2);
  EXPECT_EQ(put_back.consent_required, 1);
  EXPECT_EQ(put_back.withdrawals, 2);
  EXPECT_EQ(put_back.keys, 2);
  EXPECT_EQ(put_back.passwords, 1);
  EXPECT_EQ(put_back.sum(), 8);
  // It is the file's already.
  EXPECT_THAT(Tell(), IsEmpty());

  const auto periods = *store_->retention_periods().Find(app_.id);
  EXPECT_EQ(periods.at(DataClass::kResult), hours(1));
  EXPECT_EQ(periods.at(DataClass::kAudio), Millis(0));
  EXPECT_EQ(*store_->retention_periods().Apply(10), 1);  // the task holds to it
  EXPECT_EQ(store_->tasks().Find(app_.id, task.id)->expires, task.created + hours(1));
  EXPECT_TRUE(store_->applications().Find(app_.id)->consent_required);
  EXPECT_EQ(Look("ann"), ConsentStanding::kWithdrawn);
  EXPECT_EQ(Look("bob"), ConsentStanding::kGiven);
  EXPECT_EQ(Look("cat"), ConsentStanding::kWithdrawn);
  EXPECT_THAT(store_->keys().FindBearer(removed.secret.Reveal()), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(store_->keys().FindPair(disabled.key.id), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(store_->keys().FindBearer(other.secret.Reveal()), IsOk());
  EXPECT_TRUE(*store_->keys().CheckConsolePassword("the new password"));
  // Nobody else gets the number.
  EXPECT_GT(MakeApplication("later").id, app_.id + 5);
}

TEST_P(DecisionsContractTest, ConsentGivenAgainWinsOverTheWithdrawalBefore) {
  Consents& consents = store_->consents();
  ASSERT_THAT(consents.Withdraw(app_.id, "ann", kPurpose), IsOk());
  const Decision withdrawn = Tell().at(0);
  clock_.Advance(hours(1));
  const Consent given = *consents.Give(Of("ann"));
  const Decision again = Tell().at(0);
  // Older records, put back: before both, and between them.
  clock_.Advance(hours(1));
  ASSERT_THAT(consents.Withdraw(app_.id, "ann", kPurpose), IsOk());
  Tell();
  EXPECT_EQ(PutBack({again}).sum(), 0);  // withdrawn later
  EXPECT_EQ(Look("ann"), ConsentStanding::kWithdrawn);
  ASSERT_THAT(consents.Give(Of("ann")), IsOk());
  Tell();
  EXPECT_EQ(PutBack({withdrawn}).sum(), 0);  // given later, which is told anew
  EXPECT_EQ(Look("ann"), ConsentStanding::kGiven);
  EXPECT_THAT(Tell(), SizeIs(1));
  const Application other = MakeApplication("other");
  Decision elsewhere = again;
  elsewhere.app_id = other.id;
  elsewhere.made = clock_.Now();
  EXPECT_EQ(PutBack({elsewhere}).consents, 1);
  const auto list = *consents.List(other.id, std::nullopt, 10);
  ASSERT_THAT(list, SizeIs(1));
  EXPECT_EQ(list[0].jurisdiction, given.jurisdiction);
  EXPECT_EQ(list[0].age_of_consent, given.age_of_consent);
  EXPECT_EQ(list[0].basis, given.basis);
  EXPECT_EQ(list[0].expires, given.expires);
  EXPECT_EQ(list[0].given, clock_.Now());
}

TEST_P(DecisionsContractTest, WhatWasDecidedInOlderRecordsSinceIsNewer) {
  ASSERT_THAT(store_->applications().SetConsentRequired(app_.id, true), IsOk());
  const Decision on = decisions_.Pending(10)->at(0).decision;
  // Written down and not settled: it is the same, and gone.
  EXPECT_EQ(PutBack({on}).sum(), 0);
  EXPECT_THAT(Tell(), IsEmpty());
  clock_.Advance(hours(1));
  ASSERT_THAT(store_->applications().SetConsentRequired(app_.id, false), IsOk());
  EXPECT_EQ(PutBack({on}).sum(), 0);
  EXPECT_FALSE(store_->applications().Find(app_.id)->consent_required);
  // What is pending in the records that were put back, and was decided otherwise later.
  const Decision off = decisions_.Pending(10)->at(0).decision;
  clock_.Advance(hours(1));
  EXPECT_EQ(PutBack({off, OfApplication(DecisionKind::kConsentRequired, "", "1")}).sum(), 1);
  EXPECT_THAT(Tell(), IsEmpty());
  EXPECT_TRUE(store_->applications().Find(app_.id)->consent_required);
  // In one moment, of which only the first was written down.
  ASSERT_THAT(store_->applications().SetConsentRequired(app_.id, false), IsOk());
  const Decision first = decisions_.Pending(10)->at(0).decision;
  ASSERT_THAT(store_->applications().SetConsentRequired(app_.id, true), IsOk());
  EXPECT_EQ(PutBack({first}).sum(), 0);
  EXPECT_TRUE(store_->applications().Find(app_.id)->consent_required);
  EXPECT_THAT(Tell(), SizeIs(1));
}

TEST_P(DecisionsContractTest, ARemovedApplicationIsRemovedAgainWithItsKeyAndAnotherOneIsNot) {
  const Application gone = MakeApplication("gone");
  ASSERT_THAT(store_->tasks().Create({.app_id = gone.id, .request = "{}"}), IsOk());
  ASSERT_THAT(store_->applications().SetConsentRequired(gone.id, true), IsOk());
  const NewKey key = *store_->keys().Create(gone.id, KeyKind::kBearer);
  Decision removed = OfApplication(DecisionKind::kApplication, "", decided::kRemoved);
  removed.app_id = gone.id;
  removed.made = clock_.Now() - Millis(1);
  // Its number was given to another one after that, by older records.
  EXPECT_EQ(PutBack({removed}).sum(), 0);
  removed.made = clock_.Now() + Millis(1);
  EXPECT_EQ(PutBack({removed}).applications, 1);
  EXPECT_THAT(store_->applications().Find(gone.id), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(store_->keys().FindBearer(key.secret.Reveal()), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(keyring_->keys().TenantKey(gone.id), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(Tell(), IsEmpty());
  EXPECT_EQ(PutBack({removed}).sum(), 0);
}

TEST_P(DecisionsContractTest, OneOfWhichThereAreRecordingsIsDisabledAndLosesItsKeys) {
  const NewKey key = *store_->keys().Create(app_.id, KeyKind::kBearer);
  ASSERT_THAT(store_->tasks().Create({.app_id = app_.id,
                                      .request = "{}",
                                      .recording = StoredRecording{"audio/1/2-a", "a2V5"}}),
              IsOk());
  EXPECT_EQ(PutBack({OfApplication(DecisionKind::kApplication, "", decided::kRemoved)}).sum(), 1);
  EXPECT_FALSE(store_->applications().Find(app_.id)->enabled);
  EXPECT_THAT(*store_->keys().List(app_.id), IsEmpty());
}

TEST_P(DecisionsContractTest, AFileThatIsNewIsToldAllThatHolds) {
  const NewKey key = *store_->keys().Create(app_.id, KeyKind::kPair);
  ASSERT_THAT(store_->retention_periods().Shorten(app_.id, DataClass::kAudio, Millis(0)), IsOk());
  ASSERT_THAT(store_->applications().SetConsentRequired(app_.id, true), IsOk());
  ASSERT_THAT(store_->consents().Withdraw(app_.id, "ann", kPurpose), IsOk());
  ASSERT_THAT(store_->consents().Give(Of("bob")), IsOk());
  ASSERT_THAT(store_->keys().SetEnabled(key.key.id, false), IsOk());
  ASSERT_THAT(store_->keys().SetConsolePassword(Secret("a long password")), IsOk());
  ASSERT_THAT(store_->applications().SetEnabled(app_.id, false), IsOk());
  const auto sorted = [](std::vector<Decision> decisions) {
    std::ranges::sort(decisions, {}, &Decision::kind);
    return decisions;
  };
  const std::vector<Decision> as_decided = sorted(Tell());
  EXPECT_THAT(as_decided, SizeIs(6));
  ASSERT_THAT(decisions_.QueueAll(), IsOk());
  EXPECT_EQ(sorted(Tell()), as_decided);
}

}  // namespace
}  // namespace lethe
