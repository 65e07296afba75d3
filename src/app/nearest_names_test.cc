// Goal: a slip of the fingers finds the name that was meant, and nonsense finds none. Method: slips
// of each kind by hand.

#include "app/nearest_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lethe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<std::string> kNames = {"start", "trouble", "transcribe", "sla", "live", "ledger"};

TEST(NearestNamesTest, ASlipOfEachKindFindsTheName) {
  EXPECT_THAT(NearestNames("troubel", kNames), ElementsAre("trouble"));
  EXPECT_THAT(NearestNames("truble", kNames), ElementsAre("trouble"));
  EXPECT_THAT(NearestNames("troubble", kNames), ElementsAre("trouble"));
  EXPECT_THAT(NearestNames("lifer", kNames), IsEmpty());  // two of five letters
  EXPECT_THAT(NearestNames("lige", kNames), ElementsAre("live"));
}

TEST(NearestNamesTest, ABeginningFindsAllThatBeginSoAndTheNearestIsFirst) {
  EXPECT_THAT(NearestNames("tr", kNames), ElementsAre("transcribe", "trouble"));
  EXPECT_THAT(NearestNames("slat", {"slate", "salt", "sla", "flat", "slam"}),
              ElementsAre("slate", "flat", "salt"));
}

TEST(NearestNamesTest, NonsenseFindsNone) {
  EXPECT_THAT(NearestNames("", kNames), IsEmpty());
  EXPECT_THAT(NearestNames("xyzzy", kNames), IsEmpty());
  EXPECT_THAT(NearestNames(std::string(100'000, 's'), kNames), IsEmpty());
}

}  // namespace
}  // namespace lethe
