// Goal: what is asked of calls is seen by whoever looks afterwards, once its number is known, until
// it is over. Method: as store_contract_test.cc.

#include "tests/support/store_contract.h"

namespace lethe {

using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

class CancellationsContractTest : public StoreContractTest {
 protected:
  Cancellations& cancellations_ = store_->cancellations();
};

INSTANTIATE_TEST_SUITE_P(Stores, CancellationsContractTest, testing::ValuesIn(StoreKinds()),
                         [](const auto& about) { return about.param; });

namespace {

TEST_P(CancellationsContractTest, WhatIsAskedIsSeenInItsOrder) {
  const Cancellation call{.app_id = 7, .call_key = cancellations_.CallKey("call")};
  const Cancellation person{.app_id = 7, .subject = "p", .cause = ErasureCause::kConsentWithdrawn};
  const Cancellation account{.uin = 100'000'000'001};
  const auto first = cancellations_.Ask(call);
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(cancellations_.Ask(person), IsOk());
  clock_.Advance(Millis(1));
  ASSERT_THAT(cancellations_.Ask(account), IsOk());
  const auto asked = *cancellations_.Since(kNoon);
  ASSERT_THAT(asked, SizeIs(3));
  EXPECT_EQ(asked[0].reference, *first);
  EXPECT_NE(asked[1].reference, *first);
  EXPECT_EQ(asked[0].asked, kNoon);
  EXPECT_EQ(asked[0].cancellation, call);
  EXPECT_EQ(asked[1].cancellation, person);
  EXPECT_EQ(asked[2].cancellation, account);
  EXPECT_THAT(*cancellations_.Since(kNoon + Millis(1)), SizeIs(1));
  EXPECT_THAT(*cancellations_.Since(kNoon + Millis(2)), IsEmpty());
}

TEST_P(CancellationsContractTest, WhatIsOverIsNotFoundAndRemoved) {
  ASSERT_THAT(cancellations_.Ask({.app_id = 7}), IsOk());
  ASSERT_THAT(cancellations_.Ask({.app_id = 8}), IsOk());
  clock_.Advance(kCancellationLifetime - Millis(1));
  EXPECT_THAT(*cancellations_.Since(kNoon), SizeIs(2));
  EXPECT_EQ(*cancellations_.RemoveExpired(10), 0);
  clock_.Advance(Millis(1));
  EXPECT_THAT(*cancellations_.Since(kNoon), IsEmpty());
  EXPECT_EQ(*cancellations_.RemoveExpired(1), 1);
  EXPECT_EQ(*cancellations_.RemoveExpired(10), 1);
  EXPECT_EQ(*cancellations_.RemoveExpired(10), 0);
}

TEST_P(CancellationsContractTest, ACallIsKnownByAKeyedHashThatTheOperationLogHasToo) {
  const Application app = MakeApplication("one");
  const std::string key = cancellations_.CallKey("call");
  EXPECT_THAT(key, MatchesRegex("[0-9a-f]{64}"));
  EXPECT_NE(key, cancellations_.CallKey("another"));
  const Operation operation{.app_id = app.id, .call_id = "call", .start = kNoon, .end = kNoon};
  ASSERT_THAT(store_->operation_log().Record({&operation, 1}), IsOk());
  EXPECT_EQ(store_->operation_log().Erase({.call_key = key}, ErasureCause::kRequested, 10)->rows,
            1);
}

}  // namespace
}  // namespace lethe
