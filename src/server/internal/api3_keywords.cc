// Keyword libraries (contract, section 3.5) and usage by date (3.9).

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/encoding.h"
#include "server/internal/api3_actions.h"
#include "service/word_lists.h"

namespace lethe::server_internal {
namespace {

constexpr std::size_t kMaxNameCharacters = 20, kMaxKeywordCharacters = 15,
                      kMaxChineseKeywordCharacters = 5;
constexpr std::size_t kMaxFile = 65'536;

bool IsName(std::string_view name) {
  return !name.empty() && IsUtf8(name) && CountCharacters(name) <= kMaxNameCharacters &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return static_cast<unsigned char>(c) >= 0x80 || c == '-' || c == '_' ||
                  (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
         });
}

struct Library {
  std::string name;
  std::vector<std::string> words;
};

ApiResult<Library> ReadLibrary(ApiCall& call) {
  Library library;
  library.name = call.arguments.Text("Name", true).value_or("");
  const std::string encoded = call.arguments.Text("KeyWordFile", true).value_or("");
  if (call.arguments.error()) return *call.arguments.error();
  if (!IsName(library.name)) {
    return ApiError{"InvalidParameterValue.InvalidParameterLength",
                    "`Name` has to be 1 to 20 letters, digits, hyphens or underscores."};
  }
  const auto text = Base64Decode(encoded);
  if (!text || text->empty() || text->size() > kMaxFile || !IsUtf8(*text)) {
    return ApiError{"InvalidParameter", "`KeyWordFile` is no base64 of a UTF-8 file."};
  }
  std::string_view rest = *text;
  while (true) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    constexpr std::string_view kPunctuation = "!\"#$%&()*+,./:;<=>?@[\\]^_`{|}~";
    const std::size_t most =
        HoldsChinese(line) ? kMaxChineseKeywordCharacters : kMaxKeywordCharacters;
    if (line.empty() || CountCharacters(line) > most ||
        line.find_first_of(kPunctuation) != std::string_view::npos) {
      return ApiError{"InvalidParameterValue.InvalidParameterLength",
                      "Each line of `KeyWordFile` is a word of 1 to 15 characters (5 of "
                      "Chinese) without punctuation; this one is not: " +
                          std::to_string(library.words.size() + 1)};
    }
    library.words.emplace_back(line);
    if (library.words.size() > kMaxKeywords) {
      return ApiError{"LimitExceeded", "A library has at most 100 words."};
    }
    if (end == rest.size()) break;
    rest.remove_prefix(end + 1);
  }
  return library;
}

ApiError LibraryError(const Status& status) {
  if (status.code() == StatusCode::kNotFound) {
    return {"InvalidParameterValue", "There is no such keyword library."};
  }
  if (status.code() == StatusCode::kFailedPrecondition) {
    return {"InvalidParameter.KeyWordLibNameExist", "There is a keyword library of that name."};
  }
  return StoreError(status);
}

KeywordLibraries& Of(ApiCall& call) { return call.context.store.keyword_libraries(); }

// `2026-11-24`.
std::optional<std::chrono::sys_days> ParseDate(const std::string& text) {
  int year = 0;
  unsigned month = 0, day = 0;
  char rest = 0;
  if (text.size() != 10 ||
      std::sscanf(text.c_str(), "%4d-%2u-%2u%c", &year, &month, &day, &rest) != 3) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

}  // namespace

ApiAnswer CreateAsrKeyWordLib(ApiCall& call) {
  auto read = ReadLibrary(call);
  if (const auto* error = std::get_if<ApiError>(&read)) return *error;
  const auto& library = std::get<Library>(read);
  const auto created = Of(call).Create(call.application.id, library.name, library.words);
  if (!created.ok()) return LibraryError(created.status());
  return ApiFields{{"Data", {{"KeyWordLibId", created->id}}}};
}

ApiAnswer UpdateAsrKeyWordLib(ApiCall& call) {
  const std::string id = call.arguments.Text("KeyWordLibId", true).value_or("");
  auto read = ReadLibrary(call);
  if (const auto* error = std::get_if<ApiError>(&read)) return *error;
  const auto& library = std::get<Library>(read);
  const auto updated = Of(call).Update(call.application.id, id, library.name, library.words);
  if (!updated.ok()) return LibraryError(updated.status());
  return ApiFields{{"Data", {{"KeyWordLibId", updated->id}}}};
}

ApiAnswer DeleteAsrKeyWordLib(ApiCall& call) {
  const std::string id = call.arguments.Text("KeyWordLibId", true).value_or("");
  if (call.arguments.error()) return *call.arguments.error();
  const Status removed = Of(call).Remove(call.application.id, id);
  if (!removed.ok()) return LibraryError(removed);
  return ApiFields::object();
}

ApiAnswer GetAsrKeyWordLibList(ApiCall& call) {
  const std::int64_t offset = call.arguments.Number("Offset").value_or(0);
  const std::int64_t limit = call.arguments.Number("Limit").value_or(kMaxKeywordLibraries);
  const std::vector<std::string> names = call.arguments.Texts("SpecifyNames");
  if (call.arguments.error()) return *call.arguments.error();
  if (offset < 0 || limit < 0) {
    return ApiError{"InvalidParameterValue", "`Offset` and `Limit` cannot be negative."};
  }
  auto found = Of(call).List(call.application.id);
  if (!found.ok()) return LibraryError(found.status());
  if (!names.empty()) {
    std::erase_if(*found, [&](const KeywordLibrary& library) {
      return std::find(names.begin(), names.end(), library.name) == names.end();
    });
  }
  ApiFields list = ApiFields::array();
  for (std::size_t i = static_cast<std::size_t>(offset); i < found->size(); ++i) {
    if (list.size() >= static_cast<std::size_t>(limit)) break;
    const KeywordLibrary& library = (*found)[i];
    list.push_back({{"KeyWordLibId", library.id},
                    {"Name", library.name},
                    {"KeyWordList", library.words},
                    {"CreateTime", ShowTime(library.created)},
                    {"UpdateTime", ShowTime(library.updated)}});
  }
  return ApiFields{{"Data", {{"KeyWordLibList", std::move(list)}, {"TotalCount", found->size()}}}};
}

ApiAnswer GetUsageByDate(ApiCall& call) {
  const std::vector<std::string> names = call.arguments.Texts("BizNameList");
  const auto first = ParseDate(call.arguments.Text("StartDate", true).value_or(""));
  const auto last = ParseDate(call.arguments.Text("EndDate", true).value_or(""));
  if (call.arguments.error()) return *call.arguments.error();
  constexpr std::chrono::days kMost{93};
  if (!first || !last || *last < *first || *last - *first > kMost) {
    return ApiError{"InvalidParameterValue",
                    "`StartDate` and `EndDate` are days such as 2026-11-24, in order, at most "
                    "three months apart."};
  }
  if (names.empty()) return ApiError{"MissingParameter", "`BizNameList` is missing."};
  call.context.meter.Flush();
  const auto usage = call.context.store.usage().ByDay(
      {.app_id = call.application.id, .first = *first, .last = *last});
  if (!usage.ok()) return StoreError(usage.status());
  ApiFields list = ApiFields::array();
  for (const std::string& name : names) {
    const bool realtime = name == "asr_rt", recordings = name == "asr_rec";
    if (!realtime && !recordings) {
      return ApiError{"InvalidParameterValue", "`BizNameList` holds asr_rt and asr_rec."};
    }
    std::uint64_t count = 0, seconds = 0;
    for (const DayUsage& day : *usage) {
      const bool mine =
          realtime ? day.interface == Interface::kRealtime : day.interface == Interface::kRecording;
      if (!mine) continue;
      count += day.calls;
      seconds += day.seconds;
    }
    list.push_back({{"BizName", name}, {"Count", count}, {"Duration", seconds}});
  }
  return ApiFields{{"Data", {{"UsageByDateInfoList", std::move(list)}}}};
}

}  // namespace lethe::server_internal
