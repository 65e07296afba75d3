// Goal: prices are those of the contract, sections 10.1 and 10.2, and what a file says in their
// place; tiers begin where they are said to. Method: the contract's figures; volumes on both sides
// of each limit; files wrong in one place.

#include "metering/price_table.h"

#include <fstream>

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"
#include "tests/support/test_folder.h"

namespace lethe {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(MoneyTest, IsReadAndShownToTheMicroUnit) {
  for (const auto& [text, amount] :
       std::vector<std::pair<std::string, MicroUnits>>{{"0", 0},
                                                       {"3.2", 3'200'000},
                                                       {"0.000001", 1},
                                                       {"1200", 1'200'000'000},
                                                       {"10000.000000", kHighestPrice}}) {
    ASSERT_THAT(ParseMoney(text), IsOk()) << text;
    EXPECT_EQ(*ParseMoney(text), amount) << text;
  }
  for (const char* text : {"", ".", "1.", ".5", "-1", "+1", "1e3", "0.0000001", "10000.000001",
                           "99999999999999999999", "1,5", " 1", "1.5.5"}) {
    EXPECT_THAT(ParseMoney(text), HasCode(StatusCode::kInvalidArgument)) << text;
  }
  EXPECT_EQ(ShowMoney(3'200'000), "3.200000");
  EXPECT_EQ(ShowMoney(1), "0.000001");
  EXPECT_EQ(ShowMoney(-1'000'001), "-1.000001");
  EXPECT_EQ(ShowMoney(std::numeric_limits<MicroUnits>::min()), "-9223372036854.775808");
}

TEST(MoneyTest, AHalfIsRoundedUpAndTheLargestProductFits) {
  // One second at 1800 millionths an hour is half of one.
  EXPECT_EQ(RoundedFee(1, 1800, 3600), 1);
  EXPECT_EQ(RoundedFee(1, 1799, 3600), 0);
  EXPECT_EQ(RoundedFee(3, 1800, 3600), 2);
  EXPECT_EQ(RoundedFee(kMostVolume, kHighestPrice, 1000), 1'000'000'000'000'000'000);
  // 10^11 / 3600 hours, 27,777,777.77..., at 10^10 each.
  EXPECT_EQ(RoundedFee(kMostVolume, kHighestPrice, 3600), 277'777'777'777'777'778);
}

TEST(PriceTableTest, MainlandIsTheContracts) {
  const PriceTable table = *BuiltInPrices("mainland");
  EXPECT_EQ(table.currency, "CNY");
  const auto prices = [&](Interface interface) {
    std::vector<MicroUnits> all;
    for (const PriceTier& tier : table.Find(interface)->tiers) all.push_back(tier.price);
    return all;
  };
  EXPECT_THAT(prices(Interface::kRealtime),
              ElementsAre(3'200'000, 2'800'000, 2'200'000, 1'600'000, 1'200'000));
  EXPECT_THAT(prices(Interface::kFlash),
              ElementsAre(3'100'000, 2'700'000, 2'300'000, 1'900'000, 1'300'000));
  EXPECT_THAT(prices(Interface::kSentence),
              ElementsAre(3'200'000, 2'800'000, 2'200'000, 1'600'000, 1'200'000));
  EXPECT_THAT(prices(Interface::kRecording), ElementsAre(1'750'000, 1'400'000, 950'000));
  EXPECT_EQ(table.Find(Interface::kRealtime)->free_per_month, 5 * 3600);
  EXPECT_EQ(table.Find(Interface::kFlash)->free_per_month, 5 * 3600);
  EXPECT_EQ(table.Find(Interface::kSentence)->free_per_month, 5000);
  EXPECT_EQ(table.Find(Interface::kRecording)->free_per_month, 10 * 3600);
  EXPECT_EQ(table.Find(Interface::kRecording)->period, BillingPeriod::kMonth);
  EXPECT_EQ(table.Find(Interface::kSentence)->unit, PriceUnit::kThousandCalls);
  EXPECT_EQ(table.Find(Interface::kManagement), nullptr);
}

TEST(PriceTableTest, InternationalIsTheContracts) {
  const PriceTable table = *BuiltInPrices("international");
  EXPECT_EQ(table.currency, "USD");
  EXPECT_EQ(table.Find(Interface::kRealtime)->tiers[3], (PriceTier{3000 * 3600, 860'000}));
  EXPECT_EQ(table.Find(Interface::kRecording)->tiers[4], (PriceTier{5000 * 3600, 600'000}));
  EXPECT_EQ(table.Find(Interface::kRecording)->period, BillingPeriod::kDay);
  EXPECT_EQ(table.Find(Interface::kRecording)->free_per_month, 0);
  EXPECT_EQ(table.Find(Interface::kSentence), nullptr);
  EXPECT_THAT(BuiltInPrices("martian"), HasCode(StatusCode::kNotFound));
}

TEST(PriceTableTest, TiersBeginWhereTheContractSays) {
  const PriceTable table = *BuiltInPrices("mainland");
  const Price& realtime = *table.Find(Interface::kRealtime);
  EXPECT_EQ(realtime.TierOf(0), 0U);
  EXPECT_EQ(realtime.TierOf(300 * 3600 - 1), 0U);
  EXPECT_EQ(realtime.TierOf(300 * 3600), 1U);
  EXPECT_EQ(realtime.TierOf(5000 * 3600 - 1), 3U);
  EXPECT_EQ(realtime.TierOf(kMostVolume), 4U);
  // "0-120 000": the limit belongs to the lower tier.
  const Price& recording = *table.Find(Interface::kRecording);
  EXPECT_EQ(recording.TierOf(120'000 * 3600), 0U);
  EXPECT_EQ(recording.TierOf(120'000 * 3600 + 1), 1U);
  EXPECT_EQ(recording.TierOf(300'000LL * 3600), 1U);
  EXPECT_EQ(recording.TierOf(300'000LL * 3600 + 1), 2U);
}

TEST(PriceFileTest, TakesThePlaceOfWhatItNames) {
  const auto table = ParsePrices(R"(
      base = "mainland"
      name = "house"
      [interface.realtime]
      unit = "hour"
      period = "month"
      free_per_month = 2
      tiers = [{ from = 0, price = "1.000001" }, { above = 10, price = "0.5" }]
      [interface.openai]
      unit = "thousand_calls"
      free_per_month = 7
      tiers = [{ from = 0, price = "2" }, { from = 3, price = "1" }])",
                                 "house.toml");
  ASSERT_THAT(table, IsOk());
  EXPECT_EQ(table->name, "house");
  EXPECT_EQ(table->currency, "CNY");
  EXPECT_EQ(*table->Find(Interface::kRealtime),
            (Price{.unit = PriceUnit::kHour,
                   .period = BillingPeriod::kMonth,
                   .free_per_month = 7200,
                   .tiers = {{0, 1'000'001}, {36'001, 500'000}}}));
  EXPECT_EQ(*table->Find(Interface::kOpenAi),
            (Price{.unit = PriceUnit::kThousandCalls,
                   .period = BillingPeriod::kDay,
                   .free_per_month = 7,
                   .tiers = {{0, 2'000'000}, {3000, 1'000'000}}}));
  EXPECT_EQ(*table->Find(Interface::kFlash), *BuiltInPrices("mainland")->Find(Interface::kFlash));
}

TEST(PriceFileTest, EveryProblemIsToldWithItsLine) {
  const Status status = ParsePrices(R"(base = "martian"
colour = 1
[interface.realtime]
tiers = [{ from = 0, price = 3.2 }, { from = 0, price = "1" }]
[interface.telepathy]
[interface.flash]
unit = "minute"
period = "week"
tiers = []
[interface.sentence]
unit = "thousand_calls"
tiers = [{ from = 1, price = "1" }, { price = "1" }, { from = 1, above = 2, price = "-1", x = 1 }]
)",
                                    "bad.toml")
                            .status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(
      status.message(),
      AllOf(HasSubstr("bad.toml:1: the built-in prices are"), HasSubstr("bad.toml:2: "),
            HasSubstr("bad.toml:4: a price is a text"), HasSubstr("bad.toml:3: unit is missing"),
            HasSubstr("bad.toml:4: each tier begins above"),
            HasSubstr("there is no such interface: telepathy"),
            HasSubstr("bad.toml:7: unit is \"hour\""), HasSubstr("bad.toml:8: period is \"day\""),
            HasSubstr("bad.toml:9: tiers is"), HasSubstr("bad.toml:12: a tier needs `from`"),
            HasSubstr("bad.toml:12: a tier has `from` or `above`"), HasSubstr("not: -1"),
            HasSubstr("not: x")));
  EXPECT_EQ(status.message().find('\n'), std::string::npos);
  EXPECT_THAT(ParsePrices("[[[", "x").status(), HasCode(StatusCode::kInvalidArgument));
  const auto message = [](const std::string& text) {
    return ParsePrices(text, "x").status().message();
  };
  EXPECT_THAT(message("[interface.flash]\nunit=\"hour\"\ntiers=[{from=0,price=\"1\"}]"),
              HasSubstr("currency is missing"));
  EXPECT_THAT(message("currency=\"E\"\n[interface.flash]\nunit=\"hour\"\n"
                      "tiers=[{from=27777778,price=\"1\"}]"),
              HasSubstr("whole number from 0 to 27777777"));
}

TEST(PriceFileTest, IsFoundByItsPathAndBuiltInTablesByName) {
  const TestFolder folder;
  const std::string path = folder / "prices.toml";
  std::ofstream(path) << "base = \"international\"\nname = \"ours\"\n";
  EXPECT_EQ(LoadPrices(path)->name, "ours");
  EXPECT_EQ(LoadPrices("international")->currency, "USD");
  EXPECT_TRUE(LoadPrices("free")->prices.empty());
  EXPECT_THAT(LoadPrices(folder / "none"), HasCode(StatusCode::kNotFound));
}

}  // namespace
}  // namespace lethe
