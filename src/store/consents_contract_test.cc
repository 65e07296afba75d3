// Goal: a consent counts until it expires or is withdrawn, a withdrawal outlasts everyone's consent
// and its own details, and nobody's name is in the records. Method: as store_contract_test.cc.

#include <fstream>
#include <iterator>

#include "tests/support/store_contract.h"

namespace lethe {

using std::chrono::hours;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr ConsentPurpose kPurpose = ConsentPurpose::kTranscription;

class ConsentsContractTest : public StoreContractTest {
 protected:
  ConsentsContractTest() : app_(MakeApplication("one")), consents_(store_->consents()) {}

  NewConsent Of(const std::string& subject, Millis lifetime = hours(24)) const {
    return {.app_id = app_.id,
            .subject = subject,
            .basis = subject.empty() ? ConsentBasis::kCustomer : ConsentBasis::kPerson,
            .jurisdiction = "DE",
            .age_of_consent = 16,
            .expires = clock_.Now() + lifetime};
  }
  ConsentStanding Look(const std::string& subject) {
    return *consents_.Look(app_.id, *consents_.Pseudonym(app_.id, subject), kPurpose);
  }
  std::vector<Consent> All() { return *consents_.List(app_.id, std::nullopt, 100); }

  const Application app_;
  Consents& consents_;
};

INSTANTIATE_TEST_SUITE_P(Stores, ConsentsContractTest, testing::ValuesIn(StoreKinds()),
                         [](const auto& about) { return about.param; });

namespace {

TEST_P(ConsentsContractTest, AConsentCountsUntilItExpires) {
  EXPECT_EQ(Look("ann"), ConsentStanding::kNone);
  const Consent given = *consents_.Give(Of("ann"));
  EXPECT_EQ(given.basis, ConsentBasis::kPerson);
  EXPECT_EQ(given.jurisdiction, "DE");
  EXPECT_EQ(given.age_of_consent, 16);
  EXPECT_EQ(given.given, clock_.Now());
  EXPECT_EQ(given.withdrawn, std::nullopt);
  EXPECT_EQ(Look("ann"), ConsentStanding::kGiven);
  EXPECT_EQ(Look("bob"), ConsentStanding::kNone);
  EXPECT_EQ(Look(""), ConsentStanding::kNone);
  clock_.Advance(hours(24) - Millis(1));
  EXPECT_EQ(Look("ann"), ConsentStanding::kGiven);
  clock_.Advance(Millis(1));
  EXPECT_EQ(Look("ann"), ConsentStanding::kExpired);
  ASSERT_THAT(consents_.Give(Of("ann")), IsOk());
  EXPECT_EQ(Look("ann"), ConsentStanding::kGiven);
  EXPECT_THAT(All(), SizeIs(1));
}

TEST_P(ConsentsContractTest, EveryonesConsentIsForWhomeverIsNamedAndForNobodyNamed) {
  ASSERT_THAT(consents_.Give(Of("ann", hours(1))), IsOk());
  ASSERT_THAT(consents_.Give(Of("", hours(48))), IsOk());
  clock_.Advance(hours(2));
  for (const char* subject : {"", "ann", "bob"}) {
    EXPECT_EQ(Look(subject), ConsentStanding::kGiven) << subject;
  }
  clock_.Advance(hours(48));
  for (const char* subject : {"", "ann", "bob"}) {
    EXPECT_EQ(Look(subject), ConsentStanding::kExpired) << subject;
  }
}

TEST_P(ConsentsContractTest, AWithdrawalCountsMoreThanEveryonesConsentUntilThePersonConsentsAgain) {
  ASSERT_THAT(consents_.Give(Of("", hours(24) * 365)), IsOk());
  ASSERT_THAT(consents_.Give(Of("ann")), IsOk());
  const Consent withdrawn = *consents_.Withdraw(app_.id, "ann", kPurpose);
  EXPECT_EQ(withdrawn.withdrawn, clock_.Now());
  EXPECT_EQ(Look("ann"), ConsentStanding::kWithdrawn);
  // Somebody who never consented may say no, too.
  const Consent refused = *consents_.Withdraw(app_.id, "bob", kPurpose);
  EXPECT_EQ(refused.basis, std::nullopt);
  EXPECT_EQ(refused.given, std::nullopt);
  EXPECT_EQ(Look("bob"), ConsentStanding::kWithdrawn);
  EXPECT_EQ(Look("carl"), ConsentStanding::kGiven);
  clock_.Advance(hours(1));
  EXPECT_EQ(consents_.Withdraw(app_.id, "ann", kPurpose)->withdrawn, withdrawn.withdrawn);
  ASSERT_THAT(consents_.Give(Of("ann")), IsOk());
  EXPECT_EQ(Look("ann"), ConsentStanding::kGiven);
  ASSERT_THAT(consents_.Withdraw(app_.id, "", kPurpose), IsOk());
  EXPECT_EQ(Look("ann"), ConsentStanding::kGiven);
  EXPECT_EQ(Look("carl"), ConsentStanding::kNone);
}

TEST_P(ConsentsContractTest, WhatIsOverIsRemovedAndOfAWithdrawalItsDetails) {
  ASSERT_THAT(consents_.Give(Of("ann")), IsOk());
  ASSERT_THAT(consents_.Give(Of("bob", hours(24) * 365)), IsOk());
  ASSERT_THAT(consents_.Give(Of("carl", hours(24) * 365)), IsOk());
  clock_.Advance(hours(24));
  ASSERT_THAT(consents_.Withdraw(app_.id, "bob", kPurpose), IsOk());
  clock_.Advance(kConsentEvidence - Millis(1));
  EXPECT_EQ(*consents_.RemoveExpired(10), 0);
  EXPECT_THAT(All(), SizeIs(3));
  clock_.Advance(Millis(1));
  EXPECT_EQ(*consents_.RemoveExpired(1), 1);
  EXPECT_EQ(*consents_.RemoveExpired(10), 1);
  EXPECT_EQ(*consents_.RemoveExpired(10), 0);
  const std::string bob = *consents_.Pseudonym(app_.id, "bob");
  ASSERT_THAT(All(), SizeIs(2));
  for (const Consent& left : All()) {
    if (left.pseudonym != bob) continue;
    EXPECT_EQ(left.basis, std::nullopt);
    EXPECT_EQ(left.given, std::nullopt);
    EXPECT_THAT(left.jurisdiction, IsEmpty());
    EXPECT_EQ(left.age_of_consent, 0);
  }
  EXPECT_EQ(Look("ann"), ConsentStanding::kNone);
  EXPECT_EQ(Look("bob"), ConsentStanding::kWithdrawn);
  EXPECT_EQ(Look("carl"), ConsentStanding::kGiven);
}

TEST_P(ConsentsContractTest, APersonIsAnotherOneInEveryApplication) {
  const Application other = MakeApplication("two");
  const std::string here = *consents_.Pseudonym(app_.id, "ann");
  EXPECT_EQ(here, *consents_.Pseudonym(app_.id, "ann"));
  EXPECT_THAT(here, SizeIs(64));
  EXPECT_NE(here, *consents_.Pseudonym(other.id, "ann"));
  EXPECT_NE(here, *consents_.Pseudonym(app_.id, "anna"));
  EXPECT_EQ(*consents_.Pseudonym(app_.id, ""), "");
  ASSERT_THAT(consents_.Give(Of("ann")), IsOk());
  EXPECT_EQ(*consents_.Look(other.id, here, kPurpose), ConsentStanding::kNone);
  EXPECT_THAT(*consents_.List(other.id, std::nullopt, 10), IsEmpty());
  ASSERT_THAT(store_->applications().Remove(app_.id), IsOk());
  EXPECT_EQ(*consents_.Look(app_.id, here, kPurpose), ConsentStanding::kNone);
}

TEST_P(ConsentsContractTest, AreListedAPageAtATimeAndWithoutNames) {
  ASSERT_THAT(consents_.Give(Of("")), IsOk());
  for (const char* subject : {"ann", "bob", "carl"}) {
    ASSERT_THAT(consents_.Give(Of(subject)), IsOk());
  }
  std::vector<std::string> seen;
  for (std::optional<std::string> after;;) {
    const std::vector<Consent> page = *consents_.List(app_.id, after, 3);
    for (const Consent& consent : page) seen.push_back(consent.pseudonym);
    if (page.size() < 3) break;
    after = page.back().pseudonym;
  }
  ASSERT_THAT(seen, SizeIs(4));
  EXPECT_EQ(seen[0], "");
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  if (GetParam() != "Sqlite") return;
  std::ifstream file(folder_ / "records.db", std::ios::binary);
  const std::string records((std::istreambuf_iterator<char>(file)), {});
  EXPECT_THAT(records, Not(HasSubstr("carl")));
}

TEST_P(ConsentsContractTest, WhatMakesNoSenseIsRefused) {
  NewConsent wrong = Of("ann");
  wrong.jurisdiction = "de";
  EXPECT_THAT(consents_.Give(wrong), HasCode(StatusCode::kInvalidArgument));
  wrong = Of("ann");
  wrong.basis = ConsentBasis::kCustomer;
  EXPECT_THAT(consents_.Give(wrong), HasCode(StatusCode::kInvalidArgument));
  wrong = Of("");
  wrong.basis = ConsentBasis::kParent;
  EXPECT_THAT(consents_.Give(wrong), HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(consents_.Give(Of("ann", Millis(0))), HasCode(StatusCode::kInvalidArgument));
  for (const std::string& name :
       {std::string(kMaxSubject + 1, 'x'), std::string("a\nb"), std::string("\xff")}) {
    EXPECT_THAT(consents_.Give(Of(name)), HasCode(StatusCode::kInvalidArgument));
    EXPECT_THAT(consents_.Pseudonym(app_.id, name), HasCode(StatusCode::kInvalidArgument));
  }
  wrong = Of("ann");
  wrong.app_id = 7;
  EXPECT_THAT(consents_.Give(wrong), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(consents_.Withdraw(7, "ann", kPurpose), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(All(), IsEmpty());
}

TEST_P(ConsentsContractTest, AnApplicationSaysWhetherNobodyIsProcessedWithout) {
  EXPECT_FALSE(store_->applications().Find(app_.id)->consent_required);
  ASSERT_THAT(store_->applications().SetConsentRequired(app_.id, true), IsOk());
  EXPECT_TRUE(store_->applications().Find(app_.id)->consent_required);
  EXPECT_TRUE(store_->applications().List()->front().consent_required);
  ASSERT_THAT(store_->applications().SetConsentRequired(app_.id, false), IsOk());
  EXPECT_FALSE(store_->applications().Find(app_.id)->consent_required);
  EXPECT_THAT(store_->applications().SetConsentRequired(7, true), HasCode(StatusCode::kNotFound));
}

TEST_P(ConsentsContractTest, NoTaskIsMadeOfAPersonWhoHasWithdrawn) {
  const NewTask task{
      .app_id = app_.id, .subject = *consents_.Pseudonym(app_.id, "ann"), .request = "{}"};
  ASSERT_THAT(store_->tasks().Create(task), IsOk());
  ASSERT_THAT(consents_.Withdraw(app_.id, "ann", kPurpose), IsOk());
  EXPECT_THAT(store_->tasks().Create(task).status(), HasCode(StatusCode::kFailedPrecondition));
  const NewTask other{
      .app_id = app_.id, .subject = *consents_.Pseudonym(app_.id, "bob"), .request = "{}"};
  EXPECT_THAT(store_->tasks().Create(other), IsOk());
  ASSERT_THAT(consents_.Give(Of("ann")), IsOk());
  EXPECT_THAT(store_->tasks().Create(task), IsOk());
}

TEST_P(ConsentsContractTest, WhatIsHeldOfAPersonIsErasedWithinTheirApplicationOnly) {
  const Application other = MakeApplication("two");
  const std::string ann = *consents_.Pseudonym(app_.id, "ann");
  const Task hers = *store_->tasks().Create({.app_id = app_.id, .subject = ann, .request = "{}"});
  const Task nobodys = *store_->tasks().Create({.app_id = app_.id, .request = "{}"});
  EXPECT_EQ(store_->tasks().Find(app_.id, hers.id)->subject, ann);
  const Operation operation{.app_id = app_.id, .call_id = "c", .subject = ann};
  ASSERT_THAT(store_->operation_log().Record({&operation, 1}), IsOk());
  const auto erase = [&](AppId within) {
    const auto tasks =
        *store_->tasks().Erase({.subject = ann, .within = within}, ErasureCause::kRequested, 10);
    const auto rows = *store_->operation_log().Erase({.subject = ann, .within = within},
                                                     ErasureCause::kRequested, 10);
    return std::pair(tasks.size(), rows.rows);
  };
  EXPECT_EQ(erase(other.id), std::pair(std::size_t{0}, 0));
  EXPECT_EQ(erase(app_.id), std::pair(std::size_t{1}, 1));
  EXPECT_THAT(store_->tasks().Find(app_.id, hers.id), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(store_->tasks().Find(app_.id, nobodys.id), IsOk());
  EXPECT_THAT(*store_->operation_log().Find("c"), IsEmpty());
  EXPECT_EQ(erase(app_.id), std::pair(std::size_t{0}, 0));
}

}  // namespace
}  // namespace lethe
