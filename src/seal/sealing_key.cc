#include "seal/sealing_key.h"

#include <cstring>

#include <sodium.h>

#include "base/check.h"
#include "base/hmac.h"
#include "base/random.h"
#include "seal/internal/locked_slots.h"

namespace lethe {
namespace {

constexpr std::size_t kNonceSize = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagSize = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(SealingKey::kSize == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
static_assert(SealingKey::kOverhead == kNonceSize + kTagSize);

const unsigned char* Unsigned(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

void SealingKey::Free::operator()(unsigned char* bytes) const {
  seal_internal::LockedSlots::Shared().Return(bytes);
}

SealingKey::SealingKey() : bytes_(seal_internal::LockedSlots::Shared().Take()) {
  static_assert(kSize == seal_internal::LockedSlots::kSize);
}

SealingKey::SealingKey(std::span<const std::byte> bytes) : SealingKey() {
  LETHE_CHECK(bytes.size() == kSize);
  std::memcpy(bytes_.get(), bytes.data(), kSize);
}

SealingKey SealingKey::Random() {
  SealingKey key;
  FillRandom(std::as_writable_bytes(std::span(key.bytes_.get(), kSize)));
  return key;
}

std::span<const std::byte> SealingKey::bytes() const {
  return std::as_bytes(std::span(bytes_.get(), kSize));
}

SealingKey SealingKey::Mix(const SealingKey& other, std::string_view purpose) const {
  SealingKey mixed;
  crypto_generichash_state state;
  crypto_generichash_init(&state, bytes_.get(), kSize, kSize);
  crypto_generichash_update(&state, other.bytes_.get(), kSize);
  crypto_generichash_update(&state, Unsigned(purpose), purpose.size());
  crypto_generichash_final(&state, mixed.bytes_.get(), kSize);
  sodium_memzero(&state, sizeof state);
  return mixed;
}

std::string SealingKey::Seal(std::string_view plain, std::string_view belongs_to) const {
  std::string sealed(kNonceSize + plain.size() + kTagSize, '\0');
  FillRandom(std::as_writable_bytes(std::span(sealed.data(), kNonceSize)));
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      reinterpret_cast<unsigned char*>(sealed.data()) + kNonceSize, nullptr, Unsigned(plain),
      plain.size(), Unsigned(belongs_to), belongs_to.size(), nullptr, Unsigned(sealed),
      bytes_.get());
  return sealed;
}

Result<std::string> SealingKey::Open(std::string_view sealed, std::string_view belongs_to) const {
  const Status wrong = DataLoss("what is sealed does not open with its key");
  if (sealed.size() < kOverhead) return wrong;
  const std::string_view box = sealed.substr(kNonceSize);
  std::string plain(box.size() - kTagSize, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(reinterpret_cast<unsigned char*>(plain.data()),
                                                 nullptr, nullptr, Unsigned(box), box.size(),
                                                 Unsigned(belongs_to), belongs_to.size(),
                                                 Unsigned(sealed), bytes_.get()) != 0) {
    return wrong;
  }
  return plain;
}

std::string SealingKey::Wrap(const SealingKey& key, std::string_view belongs_to) const {
  return Seal({reinterpret_cast<const char*>(key.bytes_.get()), kSize}, belongs_to);
}

Result<SealingKey> SealingKey::Unwrap(std::string_view sealed, std::string_view belongs_to) const {
  ASSIGN_OR_RETURN(std::string plain, Open(sealed, belongs_to));
  if (plain.size() != kSize) {
    WipeSecret(plain);
    return DataLoss("what is sealed is no key");
  }
  SealingKey key(std::as_bytes(std::span(plain)));
  WipeSecret(plain);
  return key;
}

}  // namespace lethe
