#include "text/internal/token.h"

#include <algorithm>
#include <array>
#include <unordered_set>

namespace lethe::internal {
namespace {

// Longer than every word that any table holds, a chain of hyphens ("forty-five-year-old") included.
constexpr std::size_t kMaxKeyBytes = 64;

constexpr std::string_view kAsciiMarks = ".,;:!?\"'()[]{}<>-/";
constexpr std::string_view kAsciiOpeners = "\"([{<";
constexpr std::string_view kAsciiClosers = "\")]}>";

struct WideMark {
  std::string_view text;
  Mark mark;
  bool quote;
};
constexpr std::array<WideMark, 13> kWideMarks = {{
    {"\u2018", Mark::kNone, false},   // single quotes
    {"\u2019", Mark::kNone, false},   // and apostrophe
    {"\u201C", Mark::kNone, true},    // double quotes
    {"\u201D", Mark::kNone, true},    //
    {"\u201E", Mark::kNone, true},    //
    {"\u00AB", Mark::kNone, true},    //
    {"\u00BB", Mark::kNone, true},    //
    {"\u2013", Mark::kComma, false},  // dashes
    {"\u2014", Mark::kComma, false},  //
    {"\u2015", Mark::kComma, false},  //
    {"\u2026", Mark::kComma, false},  // dots
    {"\u00BF", Mark::kNone, false},   // Spanish questions
    {"\u00A1", Mark::kNone, false},   // and exclamations
}};

// A point behind these is part of them, and the sentence goes on.
bool IsAbbreviation(std::string_view core) {
  static const std::unordered_set<std::string_view> known = {
      "mr",  "mrs", "ms",  "dr",  "st",  "prof", "jr",  "sr", "vs", "etc", "lt",
      "col", "gen", "sen", "rep", "gov", "capt", "rev", "mt", "ft", "inc"};
  if (core.size() == 1) return IsUpper(core[0]) && core != "I";
  if (core.size() >= 3 && core[1] == '.' && !IsDigit(core[0])) return true;  // p.m, U.S
  return known.contains(LookupKey(core));
}

const WideMark* WideMarkAtStart(std::string_view text) {
  for (const WideMark& mark : kWideMarks) {
    if (text.starts_with(mark.text)) return &mark;
  }
  return nullptr;
}

// Walks over a trail mark by mark.
template <class Visit>
void ForEachMark(std::string_view trail, const Visit& visit) {
  while (!trail.empty()) {
    const std::size_t length = std::max<std::size_t>(PunctuationAtStart(trail), 1);
    visit(trail.substr(0, length));
    trail.remove_prefix(length);
  }
}

bool IsQuoteOrBracket(std::string_view mark) {
  if (mark.size() == 1)
    return kAsciiOpeners.find(mark[0]) != kAsciiOpeners.npos ||
           kAsciiClosers.find(mark[0]) != kAsciiClosers.npos;
  const WideMark* wide = WideMarkAtStart(mark);
  return wide != nullptr && wide->quote;
}

bool IsSingleQuote(std::string_view mark) {
  return mark == "'" || mark == "\u2018" || mark == "\u2019";
}

std::string Select(std::string_view trail, bool quotes) {
  std::string selected;
  ForEachMark(trail, [&](std::string_view mark) {
    if (!IsSingleQuote(mark) && IsQuoteOrBracket(mark) == quotes) selected += mark;
  });
  return selected;
}

}  // namespace

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }

std::size_t PunctuationAtStart(std::string_view text) {
  if (text.empty()) return 0;
  if (static_cast<unsigned char>(text[0]) < 0x80) {
    return kAsciiMarks.find(text[0]) != kAsciiMarks.npos ? 1 : 0;
  }
  const WideMark* wide = WideMarkAtStart(text);
  return wide == nullptr ? 0 : wide->text.size();
}

std::size_t PunctuationAtEnd(std::string_view text) {
  if (text.empty()) return 0;
  if (static_cast<unsigned char>(text.back()) < 0x80) {
    return kAsciiMarks.find(text.back()) != kAsciiMarks.npos ? 1 : 0;
  }
  for (const WideMark& mark : kWideMarks) {
    if (text.ends_with(mark.text)) return mark.text.size();
  }
  return 0;
}

std::string LookupKey(std::string_view core) {
  if (core.size() > kMaxKeyBytes) return {};
  std::string key;
  for (std::size_t i = 0; i < core.size();) {
    if (core.substr(i).starts_with("\u2019")) {
      key += '\'';
      i += std::string_view("\u2019").size();
    } else {
      key += IsUpper(core[i]) ? static_cast<char>(core[i] - 'A' + 'a') : core[i];
      ++i;
    }
  }
  return key;
}

Mark MarkOf(std::string_view core, std::string_view trail) {
  if (trail.empty()) return Mark::kNone;
  Mark mark = Mark::kNone;
  std::size_t points = 0;
  ForEachMark(trail, [&](std::string_view sign) {
    Mark one = Mark::kNone;
    if (sign == ".") {
      ++points;
    } else if (sign == "?" || sign == "!") {
      one = Mark::kSentence;
    } else if (sign == ":" || sign == ";") {
      one = Mark::kColon;
    } else if (sign == "," || sign == "-") {
      one = Mark::kComma;
    } else if (const WideMark* wide = WideMarkAtStart(sign)) {
      one = wide->mark;
    }
    mark = std::max(mark, one);
  });
  if (points > 1) mark = std::max(mark, Mark::kComma);
  if (points == 1 && !IsAbbreviation(core)) mark = Mark::kSentence;
  return mark;
}

std::string MarksIn(std::string_view trail) { return Select(trail, /*quotes=*/false); }
std::string ClosersIn(std::string_view trail) { return Select(trail, /*quotes=*/true); }

Token MakeToken(std::string_view word, std::size_t index) {
  std::size_t begin = 0;
  while (const std::size_t length = PunctuationAtStart(word.substr(begin))) {
    // A sign or a point in front of a number is part of it: -5, .5
    const bool number = (word[begin] == '-' || word[begin] == '.') && begin + 1 < word.size() &&
                        IsDigit(word[begin + 1]);
    if (number) break;
    begin += length;
  }
  std::size_t end = word.size();
  while (end > begin) {
    const std::size_t length = PunctuationAtEnd(word.substr(begin, end - begin));
    if (length == 0) break;
    end -= length;
  }
  Token token{
      .core = std::string(word.substr(begin, end - begin)), .first = index, .last = index + 1};
  // A word that is punctuation alone trails what comes before it.
  if (token.core.empty()) {
    token.trail = word;
  } else {
    token.lead = word.substr(0, begin);
    token.trail = word.substr(end);
  }
  token.key = LookupKey(token.core);
  token.mark = MarkOf(token.core, token.trail);
  return token;
}

}  // namespace lethe::internal
