#pragma once

// Who signs the ledger's heads, and by what others know them: Ed25519 (RFC 8032) under a name.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace lethe {

using Ed25519Signature = std::array<std::byte, 64>;

inline constexpr std::size_t kMaxKeyNameBytes = 128;

/// Printable ASCII without blanks and plus signs, 1 to kMaxKeyNameBytes of it.
bool IsKeyName(std::string_view name);

/// The public half of a key, as it is handed around: "name+key id+base64".
///
/// Source: C2SP signed-note, signature type 1
struct VerifierKey {
  std::string name;
  std::array<std::byte, 32> public_key{};

  /// The first four bytes of SHA-256(name || 0x0a || 0x01 || public key).
  std::uint32_t id() const;
  std::string Text() const;
  /// Errors: kInvalidArgument for all but what Text() writes
  static Result<VerifierKey> Parse(std::string_view text);

  bool Verifies(std::string_view text, const Ed25519Signature& signature) const;
  bool operator==(const VerifierKey&) const = default;
};

/// The secret half, in memory that is locked (where the system allows it), guarded and wiped.
///
/// Thread: any
class SigningKey {
 public:
  /// Reads the key from its file, or makes one.
  /// Errors: as LoadKeyFile() (base/key_file.h); kInvalidArgument for a name that is none
  static Result<SigningKey> Load(const std::string& path, std::string_view name, bool may_create);
  /// The key of a seed of 32 bytes. For tests.
  static SigningKey FromSeed(std::span<const std::byte> seed, std::string_view name);

  const VerifierKey& verifier() const { return verifier_; }
  Ed25519Signature Sign(std::string_view text) const;

 private:
  struct Free {
    void operator()(unsigned char* bytes) const;
  };
  using Bytes = std::unique_ptr<unsigned char, Free>;
  SigningKey(Bytes secret, VerifierKey verifier)
      : secret_(std::move(secret)), verifier_(std::move(verifier)) {}
  static Bytes Allocate(std::size_t size);
  static SigningKey Expand(const Bytes& seed, std::string_view name);

  Bytes secret_;
  VerifierKey verifier_;
};

}  // namespace lethe
