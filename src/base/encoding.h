#pragma once

// Bytes as text: hexadecimal, base64, percent signs.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lethe {

std::string HexEncode(std::span<const std::byte> bytes);  ///< lower case

/// RFC 4648, section 4, with padding and without line breaks.
std::string Base64Encode(std::span<const std::byte> bytes);
std::string Base64Encode(std::string_view bytes);

/// Reads base64 of either alphabet of RFC 4648 (+/ and -_), padded or not; line breaks and blanks
/// between are skipped, as senders put them there. Nothing if it is anything else.
std::optional<std::string> Base64Decode(std::string_view text);

/// RFC 3986: all but letters, digits and -._~ becomes %XX.
std::string PercentEncode(std::string_view text);

/// Replaces %XX; what is no %XX stays as it is. `plus_is_space` as in forms and queries.
std::string PercentDecode(std::string_view text, bool plus_is_space);

/// True if the bytes are well-formed UTF-8 (no surrogates, no overlong forms).
bool IsUtf8(std::string_view text);

/// The characters of a UTF-8 text: limits are told in them, not in bytes.
std::size_t CountCharacters(std::string_view text);

/// A to Z become small letters; everything else stays.
std::string ToLowerAscii(std::string_view text);

}  // namespace lethe
