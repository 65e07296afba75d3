#include "text/internal/english/number_context.h"

#include <unordered_set>

namespace lethe::internal {
namespace {

using Words = std::unordered_set<std::string_view>;

bool IsMonth(std::string_view key) {
  static const Words words = {"january",   "february", "march",    "april",
                              "may",       "june",     "july",     "august",
                              "september", "october",  "november", "december"};
  return words.contains(key);
}

}  // namespace

bool IsFunctionWord(std::string_view key) {
  static const Words words = {
      "the",   "a",      "an",     "of",    "in",       "on",    "at",      "to",      "for",
      "from",  "by",     "with",   "and",   "or",       "but",   "nor",     "is",      "are",
      "was",   "were",   "be",     "been",  "will",     "would", "can",     "could",   "should",
      "has",   "have",   "had",    "as",    "that",     "this",  "these",   "those",   "it",
      "he",    "she",    "we",     "they",  "you",      "i",     "my",      "your",    "his",
      "her",   "our",    "their",  "if",    "when",     "then",  "than",    "so",      "not",
      "do",    "does",   "did",    "about", "around",   "over",  "under",   "after",   "before",
      "until", "till",   "since",  "which", "who",      "where", "because", "there",   "here",
      "today", "please", "sharp",  "every", "tomorrow", "its",   "tonight", "between", "below",
      "above", "into",   "within", "near",  "exactly",  "only",  "just",    "now",     "yesterday"};
  return words.contains(key);
}

bool IsLabel(std::string_view key) {
  static const Words words = {
      "page",    "pages",   "chapter", "chapters",  "room",      "flight",     "gate",     "route",
      "highway", "version", "channel", "platform",  "section",   "figure",     "table",    "volume",
      "lesson",  "exit",    "episode", "season",    "level",     "grade",      "step",     "phase",
      "type",    "item",    "unit",    "line",      "terminal",  "verse",      "row",      "seat",
      "bus",     "track",   "lane",    "extension", "apartment", "interstate", "paragraph"};
  return words.contains(key);
}

bool IsBeforeYear(std::string_view key) {
  static const Words words = {"in",    "since", "year",   "of",     "from",   "by",
                              "until", "till",  "late",   "early",  "before", "after",
                              "circa", "to",    "spring", "summer", "autumn", "winter"};
  return words.contains(key) || IsMonth(key);
}

bool IsBeforeTime(std::string_view key) {
  static const Words words = {"at", "until", "till", "by", "around", "about", "before", "after"};
  return words.contains(key);
}

bool IsCountNoun(std::string_view key) {
  static const Words no_plurals = {"is", "was", "has", "as", "this", "its", "his", "us", "yes"};
  return key == "people" || key == "men" || key == "women" || key == "children" ||
         key == "percent" || (key.size() > 3 && key.ends_with('s') && !no_plurals.contains(key));
}

bool IsSign(std::string_view key) { return key == "minus" || key == "negative"; }

std::optional<SpokenNumber> NumberContext::NumberAt(std::size_t at) const {
  return BreaksAt(at) ? std::nullopt : ReadNumber(atoms_, at);
}

bool NumberContext::BeginsNumberAt(std::size_t at) const {
  if (BreaksAt(at)) return false;
  const NumberWord* word = atoms_[at].number;
  return atoms_[at].written || (word != nullptr && word->form == NumberForm::kCardinal &&
                                word->kind != NumberKind::kMultiplier);
}

bool NumberContext::IsLargeNumberAt(std::size_t at) const {
  const std::optional<SpokenNumber> number = NumberAt(at);
  if (!number || number->vague) return false;
  switch (number->kind) {
    case SpokenNumber::Kind::kCardinal:
    case SpokenNumber::Kind::kWritten:
      return true;
    case SpokenNumber::Kind::kDecimal:
      return !number->half;
    case SpokenNumber::Kind::kDigit:
      return HasUnitAt(number->end);
    default:
      return false;
  }
}

Operator NumberContext::OperatorAt(std::size_t at) const {
  const std::string_view key = KeyAt(at);
  if (key == "plus") return {1, "+"};
  if (key == "minus") return {1, "-"};
  if (key == "times") return {1, "\u00D7"};
  if (key == "equals") return {1, "="};
  if (KeyAt(at + 1) == "by" && key == "divided") return {2, "\u00F7"};
  if (KeyAt(at + 1) == "by" && key == "multiplied") return {2, "\u00D7"};
  return {};
}

Operator NumberContext::OperatorBefore(std::size_t at) const {
  for (std::size_t length = 1; length <= 2 && length <= at; ++length) {
    const Operator found = OperatorAt(at - length);
    if (found.length == length && !BreaksAt(at)) return found;
  }
  return {};
}

std::string_view NumberContext::CurrencyAt(std::size_t at) const {
  const std::string_view key = KeyAt(at);
  if (key.empty() || !atoms_[at].text.empty()) return "";  // "dollar-store"
  // "five dollars' worth"
  const std::string& trail = TokenOf(at).trail;
  if (trail.starts_with('\'') || trail.starts_with("\u2019")) return "";
  if (key == "dollar" || key == "dollars") return "$";
  if (key == "euro" || key == "euros") return "\u20AC";
  return "";
}

bool NumberContext::IsHalfDayAt(std::size_t at) const {
  const std::string_view key = KeyAt(at);
  if (key == "am") return KeyAt(at + 1) != "i";
  return key == "a.m" || key == "p.m" || key == "pm";
}

bool NumberContext::IsTimeUnitAt(std::size_t at) const {
  return IsHalfDayAt(at) || KeyAt(at) == "o'clock";
}

bool NumberContext::HasUnitAt(std::size_t at) const {
  return PercentAt(at) > 0 || !CurrencyAt(at).empty() || IsTimeUnitAt(at);
}

bool NumberContext::IsMonthAt(std::size_t at) const { return IsMonth(KeyAt(at)); }

bool NumberContext::IsMonthBefore(std::size_t at) const {
  std::string_view key = KeyBefore(at);
  if (key == "the") key = KeyBefore(--at);
  // "May three of them come": the month has its capital within a sentence.
  return IsMonth(key) && ((key != "may" && key != "march") || IsUpper(TokenOf(at - 1).core[0]));
}

std::optional<SpokenNumber> NumberContext::RangeEnd(std::size_t at) const {
  return KeyAt(at) == "to" || KeyAt(at) == "or" ? NumberAt(at + 1) : std::nullopt;
}

}  // namespace lethe::internal
