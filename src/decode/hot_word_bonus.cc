#include "decode/internal/hot_word_bonus.h"

#include <algorithm>
#include <string_view>

#include "base/encoding.h"
#include "decode/internal/word_bytes.h"
#include "text/sound.h"

namespace lethe {
namespace {

// What a word of weight 10 that sounds exactly like what was heard is worth. A name that was said
// and missed costs the model 0 to 6, one that was not said and sounds like nothing there 10 and
// more (docs/decisions.md).
constexpr float kFullBonus = 6.5f;
constexpr float kForcedBonus = 10;
// A short word is found by chance in many places, a long one in few: per sound below or above.
constexpr int kUsualSounds = 5;
constexpr float kPerSoundBelow = 0.15f;
constexpr float kPerSoundAbove = 0.05f;
constexpr float kMostForLength = 1.25f;
// A word is worth all of it from the larger likeness on, and nothing below the smaller one.
constexpr float kAlike = 0.8f;
constexpr float kUnlike = 0.45f;
// So is the whole stretch that it changes. What follows the word may differ in its spelling only:
// the model makes sense of whatever word it was made to write.
constexpr float kStretchAlike = 0.85f;
constexpr float kStretchUnlike = 0.5f;
constexpr float kMostBehind = 0.6f;
// Off the bonus for each word that there are less then: two common words, and the space between
// them, are heard where a name is not said ("ask her", "Oscar") more often than the other way.
constexpr float kLostWord = 1.5f;

// Nothing at a likeness of `none`, all at `all`.
float Share(float likeness, float none, float all) {
  return std::clamp((likeness - none) / (all - none), 0.0f, 1.0f);
}

float SoundDistance(const std::string& a, const std::string& b) {
  return SoundDistances(a, b).back();
}

// In lower case, without spaces and signs.
std::string Letters(std::string_view text) {
  std::string letters = ToLowerAscii(text);
  std::erase_if(letters, [](char c) { return !IsWordByte(c); });
  return letters;
}

}  // namespace

float HotWordBonus(const HotWords::Word& word) {
  const float by_weight = word.weight >= kForcedHotWordWeight
                              ? kForcedBonus
                              : kFullBonus * static_cast<float>(word.weight) / 10;
  const int above = static_cast<int>(word.sound.size()) - kUsualSounds;
  const float by_length =
      1 + static_cast<float>(above) * (above < 0 ? kPerSoundBelow : kPerSoundAbove);
  return by_weight * std::min(by_length, kMostForLength);
}

float HotWordShare(float likeness) { return Share(likeness, kUnlike, kAlike); }

float HotWordBonus(const HotWords::Word& word, const HotWordChange& change) {
  if (SoundDistance(SoundOf(change.behind), SoundOf(change.behind_now)) > kMostBehind) return 0;
  const std::string before = SoundOf(change.replaced + change.behind);
  const std::string after = SoundOf(change.written + change.behind_now);
  const float likeness = SoundLikeness(SoundDistance(before, after), before.size(), after.size());
  float bonus = HotWordBonus(word) * Share(likeness, kStretchUnlike, kStretchAlike);
  // "Night glow" is "nightglow" without a space.
  if (Letters(change.replaced) != Letters(change.written)) {
    const auto spaces = std::count(word.phrase.begin(), word.phrase.end(), ' ');
    const int lost = change.replaced_words - (1 + static_cast<int>(spaces));
    bonus -= kLostWord * static_cast<float>(std::max(0, lost));
  }
  return std::max(0.0f, bonus);
}

}  // namespace lethe
