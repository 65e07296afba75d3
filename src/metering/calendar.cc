#include "metering/calendar.h"

#include <cstdio>
#include <cstdlib>

namespace lethe {
namespace {

using std::chrono::days;
using std::chrono::minutes;

// The number that `digits` are; -1 if they are none.
int Number(std::string_view digits) {
  int number = 0;
  for (const char digit : digits) {
    if (digit < '0' || digit > '9') return -1;
    number = number * 10 + (digit - '0');
  }
  return number;
}

template <class... Values>
std::string Format(const char* format, Values... values) {
  char text[64];
  return {text, static_cast<std::size_t>(std::snprintf(text, sizeof(text), format, values...))};
}

}  // namespace

std::chrono::sys_days DayOf(WallTime time, minutes utc_offset) {
  return std::chrono::floor<days>(time + utc_offset);
}

Result<std::chrono::year_month> ParseMonth(std::string_view text) {
  if (text.size() == 7 && text[4] == '-') {
    const int year = Number(text.substr(0, 4)), month = Number(text.substr(5));
    if (year >= 1970 && month >= 1 && month <= 12) {
      return std::chrono::year(year) / month;
    }
  }
  return InvalidArgument("a month is written as in 2026-10, not: " +
                         std::string(text.substr(0, 32)));
}

Result<std::chrono::sys_days> ParseDay(std::string_view text) {
  if (text.size() == 10 && text[7] == '-') {
    const auto month = ParseMonth(text.substr(0, 7));
    const int day = Number(text.substr(8));
    if (month.ok() && day >= 1) {
      const auto date = *month / day;
      if (date.ok()) return std::chrono::sys_days(date);
    }
  }
  return InvalidArgument("a day is written as in 2026-10-31, not: " +
                         std::string(text.substr(0, 32)));
}

Result<WallTime> ParseMinute(std::string_view text, minutes utc_offset) {
  if (text.size() == 16 && text[10] == 'T' && text[13] == ':') {
    const auto day = ParseDay(text.substr(0, 10));
    const int hour = Number(text.substr(11, 2)), minute = Number(text.substr(14));
    if (day.ok() && hour >= 0 && hour < 24 && minute >= 0 && minute < 60) {
      return WallTime(*day) + minutes(hour * 60 + minute) - utc_offset;
    }
  }
  return InvalidArgument("a minute is written as in 2026-10-31T23:59, not: " +
                         std::string(text.substr(0, 32)));
}

Result<minutes> ParseOffset(std::string_view text) {
  if (text == "UTC" || text == "Z") return minutes(0);
  if (text.size() == 6 && (text[0] == '+' || text[0] == '-') && text[3] == ':') {
    const int hour = Number(text.substr(1, 2)), minute = Number(text.substr(4));
    if (hour >= 0 && minute >= 0 && minute < 60 && hour * 60 + minute <= 14 * 60) {
      return minutes((text[0] == '-' ? -1 : 1) * (hour * 60 + minute));
    }
  }
  return InvalidArgument("an offset from UTC is written as in +08:00, not: " +
                         std::string(text.substr(0, 32)));
}

std::string ShowMonth(std::chrono::year_month month) {
  return Format("%04d-%02u", static_cast<int>(month.year()), static_cast<unsigned>(month.month()));
}

std::string ShowDay(std::chrono::sys_days day) {
  const std::chrono::year_month_day date = day;
  return Format("%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

std::string ShowOffset(minutes offset) {
  const int count = static_cast<int>(std::abs(offset.count()));
  return Format("%c%02d:%02d", offset < minutes(0) ? '-' : '+', count / 60, count % 60);
}

std::string ShowMoment(WallTime time, minutes utc_offset) {
  const auto day = DayOf(time, utc_offset);
  const long long millis = (time + utc_offset - day).count();
  return ShowDay(day) +
         Format("T%02d:%02d:%02d.%03d", static_cast<int>(millis / 3'600'000),
                static_cast<int>(millis / 60'000 % 60), static_cast<int>(millis / 1000 % 60),
                static_cast<int>(millis % 1000)) +
         ShowOffset(utc_offset);
}

}  // namespace lethe
