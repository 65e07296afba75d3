#include "metering/reports.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "metering/csv.h"

namespace lethe {
namespace {

using Json = nlohmann::ordered_json;

// Ids that clients chose need not be UTF-8.
std::string Dump(const Json& json) { return WriteLossyJson(json); }

std::string Name(Interface interface) { return std::string(InterfaceName(interface)); }

Json MillisJson(const std::optional<Millis>& time) {
  return time ? Json(time->count()) : Json(nullptr);
}

Json PercentilesJson(const std::optional<Percentiles>& times) {
  if (!times) return nullptr;
  return {{"p50", times->p50.count()}, {"p95", times->p95.count()}, {"p99", times->p99.count()}};
}

template <class Value>
Json OrNull(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json CountsJson(const CallCounts& calls) {
  return {{"succeeded", calls.succeeded},
          {"server_faults", calls.server_faults},
          {"caller_faults", calls.caller_faults}};
}

// The share as a text, for the same reason as amounts.
Json AvailabilityJson(const Availability& availability) {
  std::string percent = ShowPercent(availability.share);
  percent.resize(percent.size() - 2);  // without " %"
  return {{"percent", percent},
          {"target_met", availability.met},
          {"credit_percent", availability.percent},
          {"credit", ShowMoney(availability.credit)}};
}

}  // namespace

const char* OutcomeName(const FinishedCall& call) {
  if (call.succeeded) return "succeeded";
  return call.server_fault ? "server_fault" : "caller_fault";
}

const char* UnitName(PriceUnit unit) {
  return unit == PriceUnit::kHour ? "hour" : "thousand_calls";
}

std::string UsageJson(const UsageQuery& query, std::span<const DayUsage> days) {
  Json list = Json::array();
  for (const DayUsage& day : days) {
    list.push_back({{"day", ShowDay(day.day)},
                    {"interface", Name(day.interface)},
                    {"calls", day.calls},
                    {"failed", day.failed},
                    {"seconds", day.seconds}});
  }
  return Dump({{"app_id", query.app_id},
               {"from", ShowDay(query.first)},
               {"to", ShowDay(query.last)},
               {"utc_offset", ShowOffset(query.utc_offset)},
               {"days", std::move(list)}});
}

std::string UsageCsvHead() {
  return CsvLine({"app_id", "day", "interface", "calls", "failed", "seconds"});
}

std::string UsageCsv(AppId app_id, std::span<const DayUsage> days) {
  std::string text;
  for (const DayUsage& day : days) {
    text += CsvLine({std::to_string(app_id), ShowDay(day.day), Name(day.interface),
                     std::to_string(day.calls), std::to_string(day.failed),
                     std::to_string(day.seconds)});
  }
  return text;
}

std::string CallJson(const FinishedCall& call, std::chrono::minutes utc_offset,
                     std::optional<MicroUnits> fee) {
  return Dump({{"app_id", call.app_id},
               {"interface", Name(call.interface)},
               {"call_id", call.call_id},
               {"result_code", call.result_code},
               {"outcome", OutcomeName(call)},
               {"region", call.region},
               {"start", ShowMoment(call.start, utc_offset)},
               {"end", ShowMoment(call.end, utc_offset)},
               {"audio_ms", call.audio.count()},
               {"seconds", CountedSeconds(call)},
               {"bytes", call.bytes},
               {"provisional_fee", ShowMoney(call.fee)},
               {"fee", fee ? Json(ShowMoney(*fee)) : Json(nullptr)}});
}

std::string CallCsvHead() {
  return CsvLine({"app_id", "interface", "call_id", "result_code", "outcome", "region", "start",
                  "end", "audio_ms", "seconds", "bytes", "provisional_fee", "fee"});
}

std::string CallCsv(const FinishedCall& call, std::chrono::minutes utc_offset,
                    std::optional<MicroUnits> fee) {
  return CsvLine({std::to_string(call.app_id), Name(call.interface), CsvText(call.call_id),
                  call.result_code, OutcomeName(call), call.region,
                  ShowMoment(call.start, utc_offset), ShowMoment(call.end, utc_offset),
                  std::to_string(call.audio.count()), std::to_string(CountedSeconds(call)),
                  std::to_string(call.bytes), ShowMoney(call.fee), fee ? ShowMoney(*fee) : ""});
}

std::string BillJson(const Bill& bill) {
  Json lines = Json::array();
  for (const BillLine& line : bill.lines) {
    Json shown = {{"interface", Name(line.interface)},
                  {"first", ShowDay(line.first)},
                  {"last", ShowDay(line.last)},
                  {"calls", line.calls},
                  {"failed", line.failed},
                  {"seconds", line.seconds},
                  {"priced", line.priced}};
    if (line.priced) {
      shown["unit"] = UnitName(line.unit);
      shown["free"] = line.free;
      shown["charged"] = line.charged;
      shown["tier"] = line.tier;
      shown["price"] = ShowMoney(line.price);
    }
    shown["fee"] = ShowMoney(line.fee);
    lines.push_back(std::move(shown));
  }
  return Dump({{"app_id", bill.app_id},
               {"month", ShowMonth(bill.month.month)},
               {"utc_offset", ShowOffset(bill.month.utc_offset)},
               {"over", bill.over},
               {"complete", bill.complete},
               {"prices", bill.prices},
               {"currency", bill.currency},
               {"total", ShowMoney(bill.total)},
               {"provisional", ShowMoney(bill.provisional)},
               {"lines", std::move(lines)}});
}

std::string BillCsvHead() {
  return CsvLine({"app_id", "month", "interface", "first", "last", "calls", "failed", "seconds",
                  "unit", "free", "charged", "tier", "price", "fee", "currency"});
}

std::string BillCsv(const Bill& bill) {
  std::string text;
  for (const BillLine& line : bill.lines) {
    const auto if_priced = [&](std::string value) {
      return line.priced ? std::move(value) : std::string();
    };
    text += CsvLine({std::to_string(bill.app_id), ShowMonth(bill.month.month), Name(line.interface),
                     ShowDay(line.first), ShowDay(line.last), std::to_string(line.calls),
                     std::to_string(line.failed), std::to_string(line.seconds),
                     if_priced(UnitName(line.unit)), if_priced(std::to_string(line.free)),
                     if_priced(std::to_string(line.charged)), if_priced(std::to_string(line.tier)),
                     if_priced(ShowMoney(line.price)), ShowMoney(line.fee), bill.currency});
  }
  return text;
}

std::string SlaJson(const SlaReport& report) {
  Json interfaces = Json::array();
  for (const InterfaceLevel& level : report.interfaces) {
    interfaces.push_back({{"interface", Name(level.interface)},
                          {"calls", CountsJson(level.calls)},
                          {"time_ms", PercentilesJson(level.time)},
                          {"beyond_audio_ms", PercentilesJson(level.beyond)},
                          {"objectives_met", OrNull(level.objectives_met)}});
  }
  return Dump({{"app_id", report.app_id},
               {"month", ShowMonth(report.month.month)},
               {"utc_offset", ShowOffset(report.month.utc_offset)},
               {"over", report.over},
               {"complete", report.complete},
               {"calls", CountsJson(report.calls)},
               {"excluded_calls", report.excluded_calls},
               {"fee", ShowMoney(report.fee)},
               {"currency", report.currency},
               {"minutes", report.minutes},
               {"unavailable_minutes", report.unavailable_minutes},
               {"intervals", report.intervals},
               {"troubled_intervals", report.troubled_intervals},
               {"availability",
                {{"minute_rule", AvailabilityJson(report.minute_rule)},
                 {"five_minutes", AvailabilityJson(report.five_minutes)},
                 {"requests", AvailabilityJson(report.requests)}}},
               {"interfaces", std::move(interfaces)},
               {"erasure_lateness_ms", MillisJson(report.erasure_lateness)},
               {"erasure_met", OrNull(report.erasure_met)},
               {"not_seen",
                "calls that became no row: while no node answered, before it was known who called, "
                "and while records could not be written; and that the process stood still, whose "
                "callers only seem to have left"}});
}

}  // namespace lethe
