#pragma once

// What of a text is part of a word.

namespace lethe {

/// Letters and digits; beyond ASCII everything is a letter, whatever the script.
inline bool IsWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace lethe
