#include "text/internal/fold.h"

#include <array>
#include <cstdint>

namespace lethe::internal {
namespace {

constexpr char32_t kIllFormed = 0;

/// Takes one code point off the front, kIllFormed (and one byte) where there is none.
char32_t TakeCodePoint(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xC2 && lead < 0xE0 ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  if (length == 1) {
    text.remove_prefix(1);
    return lead;
  }
  char32_t code = lead & (0x7FU >> length);
  bool valid = length != 0 && length <= text.size();
  for (std::size_t i = 1; valid && i < length; ++i) {
    valid = (byte(i) & 0xC0U) == 0x80U;
    code = code << 6U | (byte(i) & 0x3FU);
  }
  text.remove_prefix(valid ? length : 1);
  return valid ? code : kIllFormed;
}

void AppendUtf8(char32_t code, std::string& out) {
  const auto put = [&](char32_t bits) { out.push_back(static_cast<char>(bits)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | code >> 6U);
    put(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    put(0xE0U | code >> 12U);
    put(0x80U | (code >> 6U & 0x3FU));
    put(0x80U | (code & 0x3FU));
  } else {
    put(0xF0U | code >> 18U);
    put(0x80U | (code >> 12U & 0x3FU));
    put(0x80U | (code >> 6U & 0x3FU));
    put(0x80U | (code & 0x3FU));
  }
}

// U+00C0..U+017F without their accents; a space is a sign that is no letter.
constexpr std::array<std::string_view, 0x180 - 0xC0> kLatin = {
    "a", "a", "a",  "a",  "a", "a", "ae", "c",   // C0
    "e", "e", "e",  "e",  "i", "i", "i",  "i",   // C8
    "d", "n", "o",  "o",  "o", "o", "o",  " ",   // D0
    "o", "u", "u",  "u",  "u", "y", "th", "ss",  // D8
    "a", "a", "a",  "a",  "a", "a", "ae", "c",   // E0
    "e", "e", "e",  "e",  "i", "i", "i",  "i",   // E8
    "d", "n", "o",  "o",  "o", "o", "o",  " ",   // F0
    "o", "u", "u",  "u",  "u", "y", "th", "y",   // F8
    "a", "a", "a",  "a",  "a", "a", "c",  "c",   // 100
    "c", "c", "c",  "c",  "c", "c", "d",  "d",   // 108
    "d", "d", "e",  "e",  "e", "e", "e",  "e",   // 110
    "e", "e", "e",  "e",  "g", "g", "g",  "g",   // 118
    "g", "g", "g",  "g",  "h", "h", "h",  "h",   // 120
    "i", "i", "i",  "i",  "i", "i", "i",  "i",   // 128
    "i", "i", "ij", "ij", "j", "j", "k",  "k",   // 130
    "q", "l", "l",  "l",  "l", "l", "l",  "l",   // 138
    "l", "l", "l",  "n",  "n", "n", "n",  "n",   // 140
    "n", "n", "n",  "n",  "o", "o", "o",  "o",   // 148
    "o", "o", "oe", "oe", "r", "r", "r",  "r",   // 150
    "r", "r", "s",  "s",  "s", "s", "s",  "s",   // 158
    "s", "s", "t",  "t",  "t", "t", "t",  "t",   // 160
    "u", "u", "u",  "u",  "u", "u", "u",  "u",   // 168
    "u", "u", "u",  "u",  "w", "w", "y",  "y",   // 170
    "y", "z", "z",  "z",  "z", "z", "z",  "s",   // 178
};

void AppendFolded(char32_t code, std::string& out) {
  if (code >= 0xFF01 && code <= 0xFF5E) code -= 0xFEE0;  // full-width forms of ASCII
  if (code >= 'A' && code <= 'Z') code += 'a' - 'A';
  if (code >= 0x391 && code <= 0x3A9) code += 0x20;  // Greek capitals
  if (code >= 0x410 && code <= 0x42F) code += 0x20;  // Cyrillic capitals
  if (code >= 0x300 && code <= 0x36F) return;        // combining accents
  if (code == 0xAD || code == 0xFEFF || (code >= 0x200B && code <= 0x200D)) return;  // invisible
  if (code >= 0xC0 && code < 0x180) {
    out += kLatin[code - 0xC0];
    return;
  }
  switch (code) {
    case kIllFormed:
      out += ' ';
      return;
    case U'\u2018':
    case U'\u2019':
    case U'\u201B':
    case U'\u2032':
    case U'\u02BC':
    case U'\u00B4':
    case U'`':
      out += '\'';
      return;
    case U'\u2010':
    case U'\u2011':
    case U'\u2012':
    case U'\u2212':
      out += '-';
      return;
    case U'\u20AC':  // euro, pound and cent: signs that say something
    case U'\u00A3':
    case U'\u00A2':
      AppendUtf8(code, out);
      return;
    case U'\u00BD':
      out += " and a half ";
      return;
    case U'\uFB00':
      out += "ff";
      return;
    case U'\uFB01':
      out += "fi";
      return;
    case U'\uFB02':
      out += "fl";
      return;
    default:
      break;
  }
  const bool sign = (code >= 0x80 && code < 0xC0) || (code >= 0x2000 && code < 0x2C00) ||
                    (code >= 0x3000 && code <= 0x303F) || (code >= 0xE000 && code <= 0xF8FF) ||
                    (code >= 0x1F000 && code <= 0x1FAFF);
  if (sign) {
    out += ' ';
  } else {
    AppendUtf8(code, out);
  }
}

}  // namespace

std::string FoldCharacters(std::string_view text) {
  std::string folded;
  folded.reserve(text.size());
  while (!text.empty()) AppendFolded(TakeCodePoint(text), folded);
  return folded;
}

std::string DropBracketed(std::string_view text) {
  constexpr std::string_view kOpening = "[(<";
  constexpr std::string_view kClosing = "])>";
  std::string kept;
  // Where no closing bracket of a kind was found once, there is none further on either: without
  // this a text of opening brackets would take quadratic time.
  std::array<bool, 3> none_left{};
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t kind = kOpening.find(text[i]);
    if (kind != std::string_view::npos && !none_left[kind]) {
      const std::size_t end = text.find(kClosing[kind], i);
      if (end != std::string_view::npos) {
        kept += ' ';
        i = end;
        continue;
      }
      none_left[kind] = true;
    }
    kept += text[i];
  }
  return kept;
}

}  // namespace lethe::internal
