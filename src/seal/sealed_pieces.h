#pragma once

// Recordings are sealed piece by piece, so that they go in and out without being held whole. A
// piece opens only in its place, and the last one only as the last: none can be left out, put
// elsewhere or cut off.
//
// Source: the STREAM construction, Hoang, Reyhanitabar, Rogaway and Vizar, "Online authenticated
//         encryption and its nonce-reuse misuse-resistance", CRYPTO 2015, over
//         XChaCha20-Poly1305. The key belongs to one recording, so the nonce is counter and flag.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "seal/sealing_key.h"

namespace lethe {

/// Bytes of a piece before and after; the last may have fewer.
inline constexpr std::size_t kPlainPiece = std::size_t{64} << 10;
inline constexpr std::size_t kSealedPiece = kPlainPiece + 16;

/// How long `plain` bytes become. Nothing is one empty piece.
constexpr std::uint64_t SealedSize(std::uint64_t plain) {
  const std::uint64_t pieces = plain == 0 ? 1 : (plain + kPlainPiece - 1) / kPlainPiece;
  return plain + pieces * (kSealedPiece - kPlainPiece);
}

/// Thread: one. Lifetime: `key` outlives it
class PieceSealer {
 public:
  explicit PieceSealer(const SealingKey& key) : key_(key) {}

  /// Seals the next piece, of kPlainPiece bytes unless it is the last.
  std::string Next(std::string_view plain, bool last);

 private:
  const SealingKey& key_;
  std::uint64_t index_ = 0;
};

/// Thread: one. Lifetime: `key` outlives it
class PieceOpener {
 public:
  explicit PieceOpener(const SealingKey& key) : key_(key) {}

  /// Opens the next piece, of kSealedPiece bytes unless it is the last.
  /// Errors: kDataLoss when it is not what was sealed in this place
  Result<std::string> Next(std::string_view sealed, bool last);

 private:
  const SealingKey& key_;
  std::uint64_t index_ = 0;
};

}  // namespace lethe
