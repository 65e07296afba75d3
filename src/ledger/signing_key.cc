#include "ledger/signing_key.h"

#include <algorithm>

#include <sodium.h>

#include "base/check.h"
#include "base/encoding.h"
#include "base/key_file.h"
#include "base/sha256.h"
#include "ledger/internal/wire.h"

namespace lethe {
namespace {

constexpr std::byte kEd25519Type{1};  // signed-note's number for it

const unsigned char* Unsigned(const void* bytes) {
  return static_cast<const unsigned char*>(bytes);
}

std::string IdText(std::uint32_t id) {
  std::array<std::byte, 4> bytes;
  PutNumber(std::span<std::byte>(bytes), id);
  return HexEncode(bytes);
}

}  // namespace

bool IsKeyName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxKeyNameBytes &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return c > ' ' && c < 127 && c != '+'; });
}

std::uint32_t VerifierKey::id() const {
  const std::array<std::byte, 2> between = {std::byte{'\n'}, kEd25519Type};
  return GetNumber<std::uint32_t>(Sha256({std::as_bytes(std::span(name)), between, public_key}));
}

std::string VerifierKey::Text() const {
  std::array<std::byte, 33> typed;
  typed[0] = kEd25519Type;
  std::copy(public_key.begin(), public_key.end(), typed.begin() + 1);
  return name + "+" + IdText(id()) + "+" + Base64Encode(typed);
}

Result<VerifierKey> VerifierKey::Parse(std::string_view text) {
  const Status wrong = InvalidArgument(
      "this is no public key of a ledger; lethe ledger head shows what one looks like");
  if (text.size() > kMaxKeyNameBytes + 64) return wrong;
  const std::size_t first = text.find('+');
  const std::size_t second = text.find('+', first == text.npos ? first : first + 1);
  if (second == text.npos) return wrong;
  VerifierKey key;
  key.name = text.substr(0, first);
  const std::optional<std::string> typed = Base64Decode(text.substr(second + 1));
  if (!IsKeyName(key.name) || !typed || typed->size() != 33) return wrong;
  std::transform(typed->begin() + 1, typed->end(), key.public_key.begin(),
                 [](char c) { return static_cast<std::byte>(c); });
  // One way to write a key: whatever was read loosely is not written like this.
  if (key.Text() != text) return wrong;
  return key;
}

bool VerifierKey::Verifies(std::string_view text, const Ed25519Signature& signature) const {
  LETHE_CHECK(sodium_init() >= 0);
  return crypto_sign_verify_detached(Unsigned(signature.data()), Unsigned(text.data()), text.size(),
                                     Unsigned(public_key.data())) == 0;
}

void SigningKey::Free::operator()(unsigned char* bytes) const { sodium_free(bytes); }

SigningKey::Bytes SigningKey::Allocate(std::size_t size) {
  LETHE_CHECK(sodium_init() >= 0);
  Bytes bytes(static_cast<unsigned char*>(sodium_malloc(size)));
  LETHE_CHECK(bytes != nullptr);
  return bytes;
}

SigningKey SigningKey::Expand(const Bytes& seed, std::string_view name) {
  VerifierKey verifier;
  verifier.name = name;
  Bytes secret = Allocate(crypto_sign_SECRETKEYBYTES);
  crypto_sign_seed_keypair(reinterpret_cast<unsigned char*>(verifier.public_key.data()),
                           secret.get(), seed.get());
  return {std::move(secret), std::move(verifier)};
}

Result<SigningKey> SigningKey::Load(const std::string& path, std::string_view name,
                                    bool may_create) {
  if (!IsKeyName(name)) {
    return InvalidArgument("a ledger's name has no blanks and no plus signs, and at most " +
                           std::to_string(kMaxKeyNameBytes) + " letters");
  }
  const Bytes seed = Allocate(crypto_sign_SEEDBYTES);
  RETURN_IF_ERROR(
      LoadKeyFile(path, "signing key of the ledger", may_create,
                  std::as_writable_bytes(std::span(seed.get(), crypto_sign_SEEDBYTES))));
  return Expand(seed, name);
}

SigningKey SigningKey::FromSeed(std::span<const std::byte> seed, std::string_view name) {
  LETHE_CHECK(seed.size() == crypto_sign_SEEDBYTES && IsKeyName(name));
  const Bytes copy = Allocate(seed.size());
  std::transform(seed.begin(), seed.end(), copy.get(),
                 [](std::byte b) { return std::to_integer<unsigned char>(b); });
  return Expand(copy, name);
}

Ed25519Signature SigningKey::Sign(std::string_view text) const {
  Ed25519Signature signature;
  crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr,
                       Unsigned(text.data()), text.size(), secret_.get());
  return signature;
}

}  // namespace lethe
