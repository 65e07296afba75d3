#pragma once

// What a hot word is worth: how much less probable than before a text may be with it.

#include <string>

#include "decode/hot_words.h"

namespace lethe {

/// What writing a hot word changes of a text. Texts are as the tokenizer decodes them.
struct HotWordChange {
  std::string replaced;    // what the word stands in place of
  std::string written;     // the word
  std::string behind;      // what else changed, behind `replaced`, ...
  std::string behind_now;  // ... and what is there now
  int replaced_words = 0;
};

/// What a word is worth where it sounds exactly like what was heard, in natural logarithms of
/// probability. More with its weight, and the longer it is.
float HotWordBonus(const HotWords::Word& word);

/// The share of it where the word sounds so much like what was heard (SoundLikeness()): 0 to 1.
float HotWordShare(float likeness);

/// What is left of it by what else became of the text: 0 to HotWordBonus().
float HotWordBonus(const HotWords::Word& word, const HotWordChange& change);

}  // namespace lethe
