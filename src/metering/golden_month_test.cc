// Goal: a generated month with known outages has the bill and the service levels that somebody else
// computed. Method: the calls of tests/golden/make_metering.py, made by the same arithmetic, and
// the figures of its fractions, which share no code with ours.

#include <algorithm>
#include <fstream>

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>

#include "metering/bill.h"
#include "metering/sla.h"
#include "tests/support/status_matchers.h"

namespace lethe {
namespace {

using Json = nlohmann::json;

constexpr BilledMonth kOctober{.month = std::chrono::year(2026) / 10};
constexpr std::int64_t kMinute = 60'000, kDays = 31;

// Knuth's MMIX generator; its upper 31 bits.
class Random {
 public:
  std::int64_t Below(std::int64_t limit) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::int64_t>(state_ >> 33U) % limit;
  }

 private:
  std::uint64_t state_ = 5;
};

FinishedCall MakeCall(std::int64_t end, Interface interface, std::int64_t audio, std::int64_t took,
                      std::string_view outcome) {
  return {.app_id = 7,
          .interface = interface,
          .succeeded = outcome == "good",
          .server_fault = outcome == "server",
          .start = kOctober.begin() + Millis(end - took),
          .end = kOctober.begin() + Millis(end),
          .audio = Millis(audio)};
}

std::vector<FinishedCall> MakeCalls() {
  constexpr Interface kWhich[] = {Interface::kSentence, Interface::kRecording, Interface::kFlash,
                                  Interface::kRealtime, Interface::kOpenAi};
  constexpr std::int64_t kFirst = 10 * 1440 + 180, kSecond = 20 * 1440 + 720;
  Random random;
  std::vector<FinishedCall> calls;
  for (int i = 0; i < 9000; ++i) {
    std::int64_t end = random.Below(kDays * 86'400) * 1000;
    end += random.Below(1000);
    const Interface interface = kWhich[random.Below(5)];
    const std::int64_t audio =
        random.Below(60'000'000) * (interface == Interface::kRecording ? 15 : 1);
    const std::int64_t took = random.Below(3000) + (interface == Interface::kRealtime ? audio : 0);
    const std::int64_t dice = random.Below(100);
    std::string_view outcome = dice < 5 ? "caller" : dice < 6 ? "server" : "good";
    const std::int64_t minute = end / kMinute;
    if (minute >= kFirst && minute < kFirst + 47) outcome = "server";
    if (minute >= kSecond && minute < kSecond + 30 && random.Below(2) == 0) outcome = "server";
    calls.push_back(MakeCall(end, interface, audio, took, outcome));
  }
  for (int minute = 0; minute < 47; ++minute) {
    calls.push_back(
        MakeCall((kFirst + minute) * kMinute + 30'000, Interface::kSentence, 0, 5, "server"));
  }
  for (int number = 0; number < 300; ++number) {
    calls.push_back(MakeCall(kSecond * kMinute + number * 6000, Interface::kSentence, 1000,
                             70 + number, number % 2 == 1 ? "server" : "good"));
  }
  std::stable_sort(calls.begin(), calls.end(),
                   [](const auto& one, const auto& other) { return one.end < other.end; });
  return calls;
}

class GoldenMonthTest : public testing::Test {
 protected:
  GoldenMonthTest() {
    std::ifstream file(LETHE_SOURCE_DIR "/tests/golden/metering.json");
    golden_ = Json::parse(file);
    UsageSums sums(kChinaOffset);
    for (const FinishedCall& call : calls_) sums.Add(call);
    bill_ = *MakeBill(prices_, 7, kOctober, sums, kOctober.end());
  }

  Json golden_;
  const std::vector<FinishedCall> calls_ = MakeCalls();
  const PriceTable prices_ = *BuiltInPrices("mainland");
  Bill bill_;
};

TEST_F(GoldenMonthTest, TheBillIsTheSameToTheMicroUnit) {
  ASSERT_EQ(calls_.size(), golden_.at("calls"));
  EXPECT_EQ(bill_.total, golden_.at("total"));
  Json lines = Json::array();
  for (const BillLine& line : bill_.lines) {
    const bool whole_month = line.last != line.first;
    const auto day = (line.first - kOctober.first_day()).count();
    lines.push_back(
        {InterfaceName(line.interface), whole_month ? -1 : day, line.charged, line.fee});
  }
  // The script has monthly lines before those of the first day.
  std::stable_sort(lines.begin(), lines.end(),
                   [](const Json& one, const Json& other) { return one[1] < other[1]; });
  EXPECT_EQ(lines, golden_.at("lines"));
  EXPECT_TRUE(bill_.over);
  EXPECT_TRUE(bill_.complete);
}

TEST_F(GoldenMonthTest, TheSharesOfItsCallsAreTheSameAndAddUpToIt) {
  CallShares shares(prices_, bill_);
  MicroUnits sum = 0;
  std::uint64_t weighted = 0, number = 0;
  Json some = Json::array();
  constexpr std::uint64_t kModulus = (std::uint64_t{1} << 61U) - 1;
  for (const FinishedCall& call : calls_) {
    const auto share = shares.Next(call);
    ASSERT_THAT(share, IsOk());
    EXPECT_GE(*share, 0);
    sum += *share;
    if (number % 500 == 0) some.push_back(*share);
    weighted = (weighted + ++number * static_cast<std::uint64_t>(*share)) % kModulus;
  }
  EXPECT_THAT(shares.Finish(), IsOk());
  EXPECT_EQ(sum, bill_.total);
  EXPECT_EQ(weighted, golden_.at("weighted_shares"));
  EXPECT_EQ(some, golden_.at("some_shares"));
}

TEST_F(GoldenMonthTest, TheServiceLevelsAreTheSameUnderEveryDefinition) {
  SlaCounter counter = *SlaCounter::Create(7, kOctober, {});
  // In any order.
  const std::vector<FinishedCall> backwards(calls_.rbegin(), calls_.rend());
  for (const FinishedCall& call : backwards) counter.Add(call);
  const SlaReport report = counter.Finish(kOctober.end(), bill_.total, bill_.currency);
  const auto shown = [](const Availability& availability) {
    return Json({{"share", availability.share},
                 {"percent", availability.percent},
                 {"credit", availability.credit}});
  };
  EXPECT_EQ(Json({{"unavailable_minutes", report.unavailable_minutes},
                  {"minute_rule", shown(report.minute_rule)},
                  {"five_minutes", shown(report.five_minutes)},
                  {"requests", shown(report.requests)},
                  {"succeeded", report.calls.succeeded},
                  {"server_faults", report.calls.server_faults},
                  {"caller_faults", report.calls.caller_faults}}),
            golden_.at("sla"));
  for (const InterfaceLevel& level : report.interfaces) {
    if (level.interface != Interface::kRealtime) continue;
    EXPECT_EQ(
        Json({level.beyond->p50.count(), level.beyond->p95.count(), level.beyond->p99.count()}),
        golden_.at("realtime_beyond_audio"));
  }
}

}  // namespace
}  // namespace lethe
