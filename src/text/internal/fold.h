#pragma once

// The first step of normalisation: characters.

#include <string>
#include <string_view>

namespace lethe::internal {

/// Folds what is the same letter or sign to one form: lower case, accents gone, typographic quotes
/// and dashes as ASCII has them, full-width and ligature forms taken apart, other punctuation and
/// ill-formed UTF-8 as spaces. Letters of other scripts stay as they are.
std::string FoldCharacters(std::string_view text);

/// Drops remarks in brackets, which transcripts use for what is no word: "[laughter]", "(music)",
/// "<noise>". A bracket that is never closed is an ordinary sign.
std::string DropBracketed(std::string_view text);

}  // namespace lethe::internal
