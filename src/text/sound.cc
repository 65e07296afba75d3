#include "text/sound.h"

#include <algorithm>
#include <array>

#include "text/internal/fold.h"

namespace lethe {
namespace {

constexpr float kVowelForVowel = 0.3f;
constexpr float kVowelForGlide = 0.6f;
constexpr float kAlike = 0.4f;
constexpr float kLostVowel = 0.5f;
constexpr float kLostWeak = 0.5f;
constexpr float kLostConsonant = 0.9f;

bool IsVowel(char c) { return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u'; }

// Consonants that come and go: breathed, glided, or an "r" that many speakers leave out.
bool IsWeak(char c) { return c == 'h' || c == 'w' || c == 'j' || c == 'r'; }

// Pairs that differ in voice or place only. "S" is sh, "C" is ch, "T" is th, "J" as in gym.
constexpr std::array<std::string_view, 29> kAlikePairs = {
    "bp", "dt", "gk", "vf", "zs", "SC", "SJ", "CJ", "Tt", "Td", "Ts", "Tf", "Tv", "mn", "lr",
    "rw", "vw", "vb", "Jg", "Jd", "Ct", "Ss", "Sz", "Jz", "Cs", "hf", "kC", "Tz", "wl"};

float ReplaceCost(char a, char b) {
  if (a == b) return 0;
  if (IsVowel(a) && IsVowel(b)) return kVowelForVowel;
  if (IsVowel(a) || IsVowel(b)) {
    const char consonant = IsVowel(a) ? b : a;
    return consonant == 'w' || consonant == 'j' ? kVowelForGlide : 1;
  }
  for (const std::string_view pair : kAlikePairs) {
    if ((pair[0] == a && pair[1] == b) || (pair[0] == b && pair[1] == a)) return kAlike;
  }
  return 1;
}

// All pairs of letters; distances are asked for by the thousand.
constexpr int kLetters = 'z' - 'A' + 1;
using Costs = std::array<std::array<float, kLetters>, kLetters>;

float Replace(char a, char b) {
  static const Costs costs = [] {
    Costs all{};
    for (int i = 0; i < kLetters; ++i) {
      for (int j = 0; j < kLetters; ++j) {
        all[i][j] = ReplaceCost(static_cast<char>('A' + i), static_cast<char>('A' + j));
      }
    }
    return all;
  }();
  return costs[a - 'A'][b - 'A'];
}

float Lose(char c) {
  if (IsVowel(c)) return kLostVowel;
  return IsWeak(c) ? kLostWeak : kLostConsonant;
}

constexpr std::array<std::string_view, 10> kDigits = {"zero", "one", "two",   "three", "four",
                                                      "five", "six", "seven", "eight", "nine"};

// One word, lower-case ASCII letters only.
void AppendWord(std::string_view word, std::string* sound) {
  const std::size_t begin = sound->size();
  const auto put = [&](char c) {
    // A doubled letter is one sound, and a run of vowels one syllable.
    if (sound->size() > begin && (sound->back() == c || (IsVowel(c) && IsVowel(sound->back())))) {
      return;
    }
    sound->push_back(c);
  };
  if (word.starts_with("kn") || word.starts_with("gn") || word.starts_with("wr") ||
      word.starts_with("ps")) {
    word.remove_prefix(1);
  }
  const std::size_t n = word.size();
  const auto at = [&](std::size_t i) { return i < n ? word[i] : '\0'; };
  const auto soft = [&](std::size_t i) { return at(i) == 'e' || at(i) == 'i' || at(i) == 'y'; };
  for (std::size_t i = 0; i < n; ++i) {
    const char c = word[i], next = at(i + 1);
    const bool first = i == 0;
    if (IsVowel(c)) {
      const bool silent = c == 'e' && i + 1 == n && n > 2 && !IsVowel(word[i - 1]);
      if (!silent) put(c);
      continue;
    }
    switch (c) {
      case 'y':
        put(first && IsVowel(next) ? 'j' : 'i');
        break;
      case 'w':
        // "ow", "aw", "ew" end a vowel.
        if (first || IsVowel(next)) put('w');
        break;
      case 'h':
        if (IsVowel(next) || next == 'y') put('h');
        break;
      case 'c':
        if (next == 'h') {
          put('C'), ++i;
        } else if (next == 'k') {
          put('k'), ++i;
        } else {
          put(soft(i + 1) ? 's' : 'k');
        }
        break;
      case 't':
        if (next == 'h') {
          put('T'), ++i;
        } else if (next == 'c' && at(i + 2) == 'h') {
          put('C'), i += 2;
        } else if (next == 'i' && at(i + 2) == 'o' && !first) {
          put('S');
        } else {
          put('t');
        }
        break;
      case 's':
        if (next == 'h') {
          put('S'), ++i;
        } else if (next == 'i' && at(i + 2) == 'o' && !first) {
          put('S');
        } else {
          put('s');
        }
        break;
      case 'p':
        if (next == 'h') {
          put('f'), ++i;
        } else {
          put('p');
        }
        break;
      case 'g':
        if (next == 'h') {
          if (first) put('g');
          ++i;
        } else {
          put(soft(i + 1) ? 'J' : 'g');
        }
        break;
      case 'd':
        if (next == 'g' && soft(i + 2)) {
          put('J'), ++i;
        } else {
          put('d');
        }
        break;
      case 'j':
        put('J');
        break;
      case 'q':
        put('k');
        if (next == 'u' && IsVowel(at(i + 2))) put('w'), ++i;
        break;
      case 'x':
        if (first) {
          put('z');
        } else {
          put('k'), put('s');
        }
        break;
      case 'm':
        put('m');
        if (next == 'b' && i + 2 == n) ++i;
        break;
      default:
        put(c);
    }
  }
}

}  // namespace

std::string SoundOf(std::string_view text) {
  std::string sound, word;
  const auto end_word = [&] {
    AppendWord(word, &sound);
    word.clear();
  };
  for (const char c : internal::FoldCharacters(text)) {
    if (c >= 'a' && c <= 'z') {
      word.push_back(c);
    } else if (c >= '0' && c <= '9') {
      end_word();
      AppendWord(kDigits[static_cast<std::size_t>(c - '0')], &sound);
    } else if (c != '\'') {
      end_word();
    }
  }
  end_word();
  return sound;
}

std::vector<float> SoundDistances(std::string_view sound, std::string_view other) {
  std::vector<float> row(other.size() + 1);
  for (std::size_t j = 0; j < other.size(); ++j) row[j + 1] = row[j] + Lose(other[j]);
  for (const char c : sound) {
    float diagonal = row[0];
    row[0] += Lose(c);
    for (std::size_t j = 0; j < other.size(); ++j) {
      const float above = row[j + 1];
      row[j + 1] =
          std::min({above + Lose(c), row[j] + Lose(other[j]), diagonal + Replace(c, other[j])});
      diagonal = above;
    }
  }
  return row;
}

float SoundLikeness(float distance, std::size_t sounds, std::size_t other_sounds) {
  return 1 - distance / static_cast<float>(std::max({sounds, other_sounds, std::size_t{1}}));
}

}  // namespace lethe
