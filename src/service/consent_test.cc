// Goal: who may be processed is decided by the person's own word first, then by everyone's, and by
// nothing where an application wants no consent; nobody consents who is too young; withdrawing
// erases. Method: real records in SQLite; time stands still but where it is moved.

#include <algorithm>
#include <set>

#include <gmock/gmock.h>

#include "service/consent_gate.h"
#include "service/consent_register.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_store.h"

namespace lethe {
namespace {

using std::chrono::hours;
using ::testing::HasSubstr;

class ConsentTest : public testing::Test {
 protected:
  ConsentTest() : app_(*store_->applications().Create({.name = "one"})) {}

  void Require() {
    ASSERT_THAT(store_->applications().SetConsentRequired(app_.id, true), IsOk());
    app_ = *store_->applications().Find(app_.id);
  }
  Status Check(const std::string& subject) {
    return CheckConsent(store_->consents(), app_, *store_->consents().Pseudonym(app_.id, subject));
  }
  Result<Consent> Give(const ReportedConsent& report) {
    return GiveConsent(store_->consents(), report, clock_.Now());
  }
  ReportedConsent Adult(const std::string& subject) const {
    return {.app_id = app_.id, .subject = subject, .age = 18, .jurisdiction = "DE"};
  }

  ManualClock clock_{kNoon};
  TestStore store_{clock_};
  Application app_;
};

TEST_F(ConsentTest, WithoutRequirementOnlyWhoWithdrewIsRefused) {
  EXPECT_THAT(Check(""), IsOk());
  EXPECT_THAT(Check("ann"), IsOk());
  Eraser eraser({.store = *store_});
  ASSERT_THAT(WithdrawConsent(store_->consents(), eraser, app_.id, "ann"), IsOk());
  EXPECT_THAT(Check("ann"), HasCode(StatusCode::kPermissionDenied));
  EXPECT_THAT(Check("bob"), IsOk());
  EXPECT_THAT(Check(""), IsOk());
}

TEST_F(ConsentTest, WhereItIsRequiredTheMessageSaysWhatToDo) {
  Require();
  for (const char* subject : {"", "ann"}) {
    const Status refused = Check(subject);
    EXPECT_THAT(refused, HasCode(StatusCode::kPermissionDenied));
    EXPECT_THAT(refused.message(), HasSubstr("POST /lethe/v1/consent"));
    EXPECT_THAT(refused.message(), testing::Not(HasSubstr("ann")));
  }
  ASSERT_THAT(Give(Adult("ann")), IsOk());
  EXPECT_THAT(Check("ann"), IsOk());
  EXPECT_THAT(Check("bob"), HasCode(StatusCode::kPermissionDenied));
  EXPECT_THAT(Check(""), HasCode(StatusCode::kPermissionDenied));
  clock_.Advance(kUsualConsent);
  EXPECT_THAT(Check("ann").message(), HasSubstr("has expired"));
  ASSERT_THAT(Give({.app_id = app_.id, .basis = ConsentBasis::kCustomer, .jurisdiction = "US"}),
              IsOk());
  EXPECT_THAT(Check("ann"), IsOk());
  EXPECT_THAT(Check(""), IsOk());
}

TEST_F(ConsentTest, NobodyConsentsWhoIsTooYoung) {
  ReportedConsent report = Adult("ann");
  report.age = 15;
  const Status young = Give(report).status();
  EXPECT_THAT(young, HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(young.message(), HasSubstr("16 in DE: GDPR art. 8"));
  report.jurisdiction = "FR";
  EXPECT_EQ(Give(report)->age_of_consent, 15);
  // A country that is not in the table has the strictest.
  report.jurisdiction = "XX";
  EXPECT_THAT(Give(report).status().message(), HasSubstr("18 in XX: not in the table"));
  report.basis = ConsentBasis::kParent;
  EXPECT_THAT(Give(report), HasCode(StatusCode::kInvalidArgument));  // nobody's age is asked then
  report.age.reset();
  EXPECT_EQ(Give(report)->basis, ConsentBasis::kParent);
  report.basis = ConsentBasis::kPerson;
  EXPECT_THAT(Give(report), HasCode(StatusCode::kInvalidArgument));
  report = Adult("ann");
  report.lifetime = kLongestConsent + Millis(1);
  EXPECT_THAT(Give(report), HasCode(StatusCode::kInvalidArgument));
}

TEST_F(ConsentTest, TheTableIsSortedAndNamesALawForEachCountry) {
  std::set<std::string_view> seen;
  std::string_view last;
  for (const AgeOfConsent& age : AgesOfConsent()) {
    EXPECT_LT(last, age.country);
    last = age.country;
    EXPECT_EQ(age.country.size(), 2U);
    EXPECT_GE(age.years, 13);
    EXPECT_LE(age.years, kStrictestAge);
    EXPECT_FALSE(age.law.empty()) << age.country;
    EXPECT_EQ(FindAgeOfConsent(age.country).years, age.years);
  }
  EXPECT_EQ(FindAgeOfConsent("DE").years, 16);
  EXPECT_EQ(FindAgeOfConsent("US").years, 13);
  EXPECT_EQ(FindAgeOfConsent("XX").years, kStrictestAge);
}

TEST_F(ConsentTest, WithdrawingErasesThePersonsOwnAndCancelsWhatIsUnderWay) {
  const std::string ann = *store_->consents().Pseudonym(app_.id, "ann");
  ASSERT_THAT(Give(Adult("ann")), IsOk());
  const Task hers = *store_->tasks().Create({.app_id = app_.id, .subject = ann, .request = "{}"});
  const Task other = *store_->tasks().Create({.app_id = app_.id, .request = "{}"});
  const Operation operation{.app_id = app_.id, .call_id = "call", .subject = ann};
  ASSERT_THAT(store_->operation_log().Record({&operation, 1}), IsOk());
  CallsUnderWay calls;
  const CancellableCall live(calls, app_, "live", ann), others(calls, app_, "other", "");
  Eraser eraser({.store = *store_, .calls = &calls});
  const auto done = WithdrawConsent(store_->consents(), eraser, app_.id, "ann");
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ(done->erasure.results, 1U);
  EXPECT_EQ(done->erasure.operations, 1U);
  EXPECT_EQ(done->erasure.cancelled, 1U);
  EXPECT_TRUE(live.cancelled());
  EXPECT_FALSE(others.cancelled());
  EXPECT_THAT(store_->tasks().Find(app_.id, hers.id), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(store_->tasks().Find(app_.id, other.id), IsOk());
  EXPECT_THAT(Check("ann"), HasCode(StatusCode::kPermissionDenied));
  // Of everyone: all that the application has.
  const auto all = WithdrawConsent(store_->consents(), eraser, app_.id, "");
  ASSERT_THAT(all, IsOk());
  EXPECT_EQ(all->erasure.results, 1U);
  EXPECT_TRUE(others.cancelled());
  // A person is one of an application.
  EXPECT_THAT(eraser.Erase({.subject = ann}, ErasureCause::kRequested),
              HasCode(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace lethe
