#pragma once

// Thirty-two random bytes that the process keeps to itself.

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "base/status.h"

namespace lethe {

/// A key of XChaCha20-Poly1305, in memory that is locked (where the system allows it), left out of
/// core dumps and wiped, in pages of keys that are guarded on both sides.
///
/// Thread: any
/// Source: draft-irtf-cfrg-xchacha-03, as in libsodium
class SealingKey {
 public:
  static constexpr std::size_t kSize = 32;
  static constexpr std::size_t kOverhead = 24 + 16;  // what sealing adds: a nonce and a tag

  static SealingKey Random();
  /// Of kSize bytes.
  explicit SealingKey(std::span<const std::byte> bytes);

  SealingKey(SealingKey&&) noexcept = default;
  SealingKey& operator=(SealingKey&&) noexcept = default;

  /// The key that both make together: neither alone tells anything of it.
  SealingKey Mix(const SealingKey& other, std::string_view purpose) const;

  /// Encrypts and authenticates, with a random nonce each time: kOverhead bytes longer. What it
  /// belongs to, say an id, has to be given again to Open().
  std::string Seal(std::string_view plain, std::string_view belongs_to) const;

  /// Errors: kDataLoss when it was changed, belongs to something else or to another key
  Result<std::string> Open(std::string_view sealed, std::string_view belongs_to) const;

  /// Seals another key, and opens it again. Errors: as Open()
  std::string Wrap(const SealingKey& key, std::string_view belongs_to) const;
  Result<SealingKey> Unwrap(std::string_view sealed, std::string_view belongs_to) const;

  std::span<const std::byte> bytes() const;

 private:
  struct Free {
    void operator()(unsigned char* bytes) const;
  };
  SealingKey();

  std::unique_ptr<unsigned char, Free> bytes_;
};

}  // namespace lethe
