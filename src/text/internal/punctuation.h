#pragma once

// Taking punctuation away. The marks of every script are known, so it needs no language.

#include <vector>

#include "text/internal/token.h"

namespace lethe::internal {

/// Takes the full stop behind the last word. The point of an abbreviation ("p.m.") and dots ("...")
/// stay.
void DropFinalStop(std::vector<Token>* tokens);

/// Takes all punctuation; a word that was nothing else goes too. Apostrophes and hyphens within
/// words stay, and what is within a number or an address; the points of abbreviations go ("p.m." ->
/// "pm"), and a dash between two words becomes a space.
void DropAllPunctuation(std::vector<Token>* tokens);

}  // namespace lethe::internal
