#pragma once

// What is done to a transcript between the model and the reader: words left out or masked,
// punctuation taken away, numbers in digits.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace lethe {

namespace internal {
class LanguageRules;
}

enum class ProfanityFilter {
  kKeep,
  kDrop,
  kMask,  // an asterisk for each letter
};

enum class FillerFilter {
  kKeep,
  kDrop,        // only what can be nothing else: um, uh, erm, hmm
  kDropStrict,  // also "you know", "I mean", "like", "well" where they say nothing
};

enum class PunctuationFilter {
  kKeep,
  kDropFinalStop,  // the full stop behind the last word
  kDropAll,        // what belongs to a word or number stays: don't, ill-bred, 2.5, 5:30, $20, 5%
};

enum class NumberFormat {
  kAsSpoken,
  kDigits,
  kFormulas,  // digits, and signs between them: 2 + 2 = 4
};

/// What to do. The default changes nothing.
struct PostOptions {
  ProfanityFilter profanity = ProfanityFilter::kKeep;
  FillerFilter fillers = FillerFilter::kKeep;
  PunctuationFilter punctuation = PunctuationFilter::kKeep;
  NumberFormat numbers = NumberFormat::kAsSpoken;
  std::vector<std::string> profanities;  // further words, one each, beside the language's own

  bool ChangesNothing() const;
};

/// A word of the result, and the words of the input it stands for: [first, last). "25" covers
/// "twenty" and "five"; what was left out is covered by no word, or lies within one.
struct PostWord {
  std::string text;
  std::size_t first = 0;
  std::size_t last = 0;
};

/// Rewrites the words of a transcript, as the model wrote them: punctuation attached.
///
/// Words are left out first (fillers, then profanities), then numbers are written, and punctuation
/// goes last, because numbers must not be joined across a sentence's end. The ranges of the result
/// are in order and do not overlap.
///
/// A word that is left out takes the commas around it along ("I, um, think" -> "I think"), leaves
/// the sentence its end ("he left, um." -> "he left.") and its capital ("Um, we went" -> "We
/// went").
///
/// English fillers. kDrop: uh, um, uhm, er, erm, hm, hmm, mm of any length; not what is an answer
/// (mhm, uh-huh, uh-oh), a unit (5 mm) or a room (ER). kDropStrict, also:
///   you know    before a comma, or between a comma and the sentence's end; not where it belongs
///               to a clause: "if you know, tell me"
///   I mean      the same, and where a sentence begins anew: "I mean it's fine", not "I mean it"
///   like        between commas; first in a sentence before a comma; "and like, we went"
///   sort of     between commas; kind of, too
///   well        first in a sentence, before a comma or a pronoun: "Well, no", "Well we did"
///   so          first in a sentence, before a comma
///
/// English profanities: a short list with its inflections, as whole words or parts of a hyphenated
/// one. What has an everyday meaning (cock, hell, bloody) is not in it; add it in `profanities`,
/// which are compared without regard to case and cover their possessive and plural in s.
///
/// English numbers, kDigits. Ten and above become digits, one to nine stay words, as newspapers
/// do it:
///   cardinals   one hundred and twenty three -> 123; twelve thousand -> 12,000; a hundred and
///               fifty -> 150; three million -> 3 million; two point five -> 2.5. A round "a
///               hundred" or "a million" stays
///   ordinals    twenty first -> 21st, the tenth -> the 10th; first to ninth stay, and fractions
///   years       nineteen eighty four -> 1984, two thousand and nineteen -> 2019, nineteen
///               eighties -> 1980s
///   units       five percent -> 5%; five dollars and twenty cents -> $5.20; three million dollars
///               -> $3 million; euros too. Pounds are too often a weight
///   times       five thirty p.m. -> 5:30 p.m.; at five thirty -> at 5:30; nine o'clock -> 9
///               o'clock
///   dialled     three digits or more, said one by one: five five five oh one -> 55501; "double
///               seven" too. Not what counts: one two three
///   small ones  become digits where a number is meant: page five, March third, minus two, two
///               plus two, five to twelve, between one and ten
/// Nothing is joined across punctuation, so never across a sentence's end; the one exception is a
/// comma as in "one thousand, two hundred". What could be read in two ways stays in words: "five
/// thirty" alone, "two fifty". What is in digits already stays, except that words are joined to it:
/// 5 thousand -> 5,000, 5 million dollars -> $5 million. kFormulas writes plus, minus, times,
/// divided by and equals between numbers as + - × ÷ =.
///
/// Units:  UTF-8; ill-formed bytes are letters of a word nobody knows
/// Errors: none from Apply(): any words are accepted, and time grows linearly with them
/// Thread: any; it is constant once made, cheap to copy and shares what it knows
class PostProcessor {
 public:
  /// One for a language, named as ISO 639-1 does, with or without a region: "en", "en-GB".
  /// Errors: kUnimplemented for a language without rules, unless the options change nothing;
  ///         kInvalidArgument for a profanity that is empty or has spaces.
  static Result<PostProcessor> ForLanguage(std::string_view language, const PostOptions& options);

  std::vector<PostWord> Apply(std::span<const std::string> words) const;

  /// Does the same to a text whose words are not apart. Untouched if the options change nothing.
  std::string ApplyToText(std::string_view text) const;

  /// The words as one text, with what the language puts between them.
  std::string Join(std::span<const PostWord> words) const;

 private:
  PostProcessor(std::shared_ptr<const internal::LanguageRules> rules, const PostOptions& options);

  std::shared_ptr<const internal::LanguageRules> rules_;  // null: nothing is changed
  PostOptions options_;
};

}  // namespace lethe
