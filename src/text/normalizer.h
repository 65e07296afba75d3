#pragma once

// What counts as the same word when transcripts are compared.

#include <string>
#include <string_view>
#include <vector>

namespace lethe {

/// Turns English text into the words that are compared for a word error rate.
///
/// Both the reference and what was recognised go through it, so that only what was heard counts and
/// not how it is written: case, punctuation, accents, bracketed remarks and fillers (uh, um, hmm)
/// go; contractions and titles are spelled out ("won't" = "will not", "Mr." = "mister"); spelled
/// numbers become digits ("twenty-two" = "22", "one point five" = "1.5", "first" = "1st", "five
/// dollars" = "$5", "ten per cent" = "10%", "nine o'clock" = "9:00"); British spellings of common
/// words become American ("colour" = "color"). Splitting or joining compounds ("black list",
/// "blacklist") stays an error.
///
/// Units:   UTF-8 in, UTF-8 words out; bytes that are no UTF-8 separate words
/// Errors:  none; any text has a normal form, possibly without words
/// Thread:  any
/// Source:  the rules described in Radford et al. 2022, arXiv:2212.04356, appendix C, which the
/// Open
///          ASR leaderboard uses too; written anew
/// Differs: neighbouring whole numbers are joined however they were written, so that "1 2 3", "123"
///          and "one two three" are equal; "oh" is a zero only inside a number
std::vector<std::string> NormalizeEnglish(std::string_view text);

/// The same words with one space between them, to be shown beside each other.
std::string NormalizedEnglishText(std::string_view text);

}  // namespace lethe
