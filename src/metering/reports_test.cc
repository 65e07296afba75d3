// Goal: what other programs read is exact and well formed, whatever callers chose as ids. Method:
// whole lines and objects, and ids that would break a careless writer.

#include "metering/reports.h"

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>

#include "metering/csv.h"
#include "tests/support/status_matchers.h"

namespace lethe {
namespace {

using Json = nlohmann::json;

constexpr BilledMonth kOctober{.month = std::chrono::year(2026) / 10};

FinishedCall MakeCall() {
  return {.app_id = 1300000001,
          .interface = Interface::kRealtime,
          .call_id = "voice-1",
          .result_code = "0",
          .succeeded = true,
          .region = "default",
          .start = kOctober.begin(),
          .end = kOctober.begin() + Millis(3'661'005),
          .audio = Millis(1001),
          .bytes = 32'032,
          .fee = 1'778};
}

TEST(CsvTest, QuotesWhatHasToBe) {
  EXPECT_EQ(CsvLine({"a", "", "b c"}), "a,,b c\r\n");
  EXPECT_EQ(CsvLine({"a,b", "say \"x\"", "1\n2", "\r"}),
            "\"a,b\",\"say \"\"x\"\"\",\"1\n2\",\"\r\"\r\n");
  EXPECT_EQ(CsvLine({}), "\r\n");
}

TEST(CsvTest, ATextOfAStrangerIsNoFormula) {
  for (const char* text : {"=1+1", "+1", "-1", "@x", "\tx", "\rx"}) {
    EXPECT_EQ(CsvText(text), "'" + std::string(text));
  }
  EXPECT_EQ(CsvText("x=1"), "x=1");
  EXPECT_EQ(CsvText(""), "");
}

TEST(CalendarTest, MonthsDaysAndOffsetsAreReadAndShown) {
  EXPECT_EQ(ShowMonth(*ParseMonth("2026-02")), "2026-02");
  EXPECT_EQ(ShowDay(*ParseDay("2028-02-29")), "2028-02-29");
  for (const char* text : {"2026-13", "2026-00", "2026-1", "1969-12", "", "26-10-01", "2026/10"}) {
    EXPECT_THAT(ParseMonth(text), HasCode(StatusCode::kInvalidArgument)) << text;
  }
  for (const char* text : {"2026-02-29", "2026-10-00", "2026-10-32", "2026-10-1", "2026-10"}) {
    EXPECT_THAT(ParseDay(text), HasCode(StatusCode::kInvalidArgument)) << text;
  }
  for (const char* text : {"+08:00", "-03:30", "+00:00", "+14:00"}) {
    EXPECT_EQ(ShowOffset(*ParseOffset(text)), text);
  }
  EXPECT_EQ(ParseOffset("UTC")->count(), 0);
  EXPECT_EQ(*ParseMinute("2026-10-01T00:00", kChinaOffset), kOctober.begin());
  for (const char* text : {"2026-10-01T24:00", "2026-10-01T00:60", "2026-10-01 00:00",
                           "2026-10-32T00:00", "2026-10-01T00:0x", "2026-10-01"}) {
    EXPECT_THAT(ParseMinute(text, kChinaOffset), HasCode(StatusCode::kInvalidArgument)) << text;
  }
  for (const char* text : {"8", "+8:00", "+14:01", "+08:60", "08:00", ""}) {
    EXPECT_THAT(ParseOffset(text), HasCode(StatusCode::kInvalidArgument)) << text;
  }
  EXPECT_EQ(kOctober.num_days(), 31);
  EXPECT_EQ(ShowMoment(kOctober.begin(), kChinaOffset), "2026-10-01T00:00:00.000+08:00");
  EXPECT_EQ(ShowMoment(kOctober.begin() - Millis(1), std::chrono::minutes(-210)),
            "2026-09-30T12:29:59.999-03:30");
}

TEST(ReportsTest, ACallIsALineAndAnObject) {
  EXPECT_EQ(CallCsvHead(),
            "app_id,interface,call_id,result_code,outcome,region,start,end,audio_ms,seconds,bytes,"
            "provisional_fee,fee\r\n");
  FinishedCall call = MakeCall();
  EXPECT_EQ(CallCsv(call, kChinaOffset, 1'777),
            "1300000001,realtime,voice-1,0,succeeded,default,2026-10-01T00:00:00.000+08:00,"
            "2026-10-01T01:01:01.005+08:00,1001,2,32032,0.001778,0.001777\r\n");
  call.call_id = "=a,b";
  call.succeeded = false;
  call.server_fault = true;
  call.result_code = "5000";
  EXPECT_THAT(CallCsv(call, kChinaOffset, std::nullopt),
              testing::HasSubstr("realtime,\"'=a,b\",5000,server_fault,"));
  call.server_fault = false;
  call.call_id = "\xff\n";
  const Json shown = Json::parse(CallJson(call, kChinaOffset, std::nullopt));
  EXPECT_EQ(shown.at("outcome"), "caller_fault");
  EXPECT_EQ(shown.at("fee"), nullptr);
  EXPECT_EQ(shown.at("provisional_fee"), "0.001778");
  EXPECT_EQ(CallJson(call, kChinaOffset, 0).find('\n'), std::string::npos);
}

TEST(ReportsTest, DaysAreListed) {
  const std::vector<DayUsage> days = {{kOctober.first_day(), Interface::kFlash, 2, 1, 61}};
  const UsageQuery query{.app_id = 7, .first = kOctober.first_day(), .last = kOctober.last_day()};
  EXPECT_EQ(UsageJson(query, days),
            R"({"app_id":7,"from":"2026-10-01","to":"2026-10-31","utc_offset":"+08:00",)"
            R"("days":[{"day":"2026-10-01","interface":"flash","calls":2,"failed":1,)"
            R"("seconds":61}]})");
  EXPECT_EQ(UsageCsvHead() + UsageCsv(7, days),
            "app_id,day,interface,calls,failed,seconds\r\n7,2026-10-01,flash,2,1,61\r\n");
}

TEST(ReportsTest, BillsAndServiceLevelsSayTheSameInEveryForm) {
  FinishedCall call = MakeCall();
  call.interface = Interface::kOpenAi;
  call.audio = std::chrono::hours(1);
  FinishedCall free = MakeCall();
  free.interface = Interface::kManagement;
  UsageSums sums(kChinaOffset);
  sums.Add(call);
  sums.Add(free);
  const Bill bill = *MakeBill(*BuiltInPrices("mainland"), 7, kOctober, sums, kOctober.end());
  EXPECT_EQ(BillCsvHead() + BillCsv(bill),
            "app_id,month,interface,first,last,calls,failed,seconds,unit,free,charged,tier,price,"
            "fee,currency\r\n"
            "7,2026-10,openai,2026-10-01,2026-10-01,1,0,3600,hour,0,3600,0,3.100000,3.100000,CNY"
            "\r\n"
            "7,2026-10,management,2026-10-01,2026-10-01,1,0,2,,,,,,0.000000,CNY\r\n");
  const Json shown = Json::parse(BillJson(bill));
  EXPECT_EQ(shown.at("total"), "3.100000");
  EXPECT_EQ(shown.at("provisional"), "0.003556");
  EXPECT_EQ(shown.at("lines").size(), 2U);
  EXPECT_EQ(shown.at("lines")[0].at("fee"), "3.100000");
  EXPECT_EQ(shown.at("lines")[1].at("priced"), false);

  SlaCounter counter = *SlaCounter::Create(7, kOctober, {});
  call.succeeded = false;
  call.server_fault = true;
  counter.Add(call);
  const Json level = Json::parse(SlaJson(counter.Finish(kOctober.end(), bill.total, "CNY")));
  EXPECT_EQ(level.at("availability").at("requests").at("percent"), "0.0000000");
  EXPECT_EQ(level.at("availability").at("requests").at("credit"), "1.550000");
  EXPECT_EQ(level.at("availability").at("minute_rule").at("percent"), "99.9977598");
  EXPECT_EQ(level.at("unavailable_minutes"), 1);
  EXPECT_EQ(level.at("interfaces")[0].at("time_ms"), nullptr);
  EXPECT_TRUE(level.contains("not_seen"));
}

}  // namespace
}  // namespace lethe
