#pragma once

// A word of a transcript, taken apart into what was said and the punctuation attached to it.

#include <cstddef>
#include <string>
#include <string_view>

namespace lethe::internal {

/// What the punctuation behind a word does to the sentence.
enum class Mark {
  kNone,
  kComma,     // or a dash, or dots: a pause
  kColon,     // or a semicolon: parts what a comma cannot
  kSentence,  // . ? !
};

struct Token {
  std::string lead;  // quotes and brackets in front
  std::string core;
  std::string trail;  // all punctuation behind
  // The core in lower case with ASCII apostrophes; empty when it is longer than any word that is
  // looked up.
  std::string key;
  Mark mark = Mark::kNone;
  bool paused = false;    // a comma behind it went with a dropped word
  std::size_t first = 0;  // words of the input: [first, last)
  std::size_t last = 0;

  std::string Text() const { return lead + core + trail; }
};

/// Takes the word apart; Text() of the token is the word again, whatever its bytes.
Token MakeToken(std::string_view word, std::size_t index);

/// The core's form in which it is looked up; see Token::key.
std::string LookupKey(std::string_view core);

/// Length in bytes of the punctuation mark that the text begins or ends with; 0 if there is none.
std::size_t PunctuationAtStart(std::string_view text);
std::size_t PunctuationAtEnd(std::string_view text);

/// What such punctuation behind `core` does; the point of an abbreviation ("Mr.", "p.m.") does
/// nothing.
Mark MarkOf(std::string_view core, std::string_view trail);

/// Parts quotes and brackets from the other marks of a word's trail: `.")` is `.` and `")`. A
/// single quote is neither, because it may be an apostrophe.
std::string MarksIn(std::string_view trail);
std::string ClosersIn(std::string_view trail);

bool IsDigit(char c);
bool IsUpper(char c);
bool IsLower(char c);

}  // namespace lethe::internal
