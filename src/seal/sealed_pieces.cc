#include "seal/sealed_pieces.h"

#include <array>

#include <sodium.h>

#include "base/check.h"

namespace lethe {
namespace {

constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(kSealedPiece - kPlainPiece == kTag);

using Nonce = std::array<unsigned char, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES>;

Nonce NonceOf(std::uint64_t index, bool last) {
  Nonce nonce{};
  for (std::size_t i = 0; i < 8; ++i) nonce[i] = static_cast<unsigned char>(index >> (8 * i));
  nonce[8] = last ? 1 : 0;
  return nonce;
}

const unsigned char* Unsigned(const void* bytes) {
  return static_cast<const unsigned char*>(bytes);
}

}  // namespace

std::string PieceSealer::Next(std::string_view plain, bool last) {
  LETHE_CHECK(plain.size() == kPlainPiece || (last && plain.size() < kPlainPiece));
  const Nonce nonce = NonceOf(index_++, last);
  std::string sealed(plain.size() + kTag, '\0');
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      reinterpret_cast<unsigned char*>(sealed.data()), nullptr, Unsigned(plain.data()),
      plain.size(), nullptr, 0, nullptr, nonce.data(), Unsigned(key_.bytes().data()));
  return sealed;
}

Result<std::string> PieceOpener::Next(std::string_view sealed, bool last) {
  const Nonce nonce = NonceOf(index_, last);
  const bool long_enough = sealed.size() >= kTag && (last || sealed.size() == kSealedPiece);
  if (!long_enough || sealed.size() > kSealedPiece) {
    return DataLoss("a sealed piece has another length");
  }
  std::string plain(sealed.size() - kTag, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          reinterpret_cast<unsigned char*>(plain.data()), nullptr, nullptr, Unsigned(sealed.data()),
          sealed.size(), nullptr, 0, nonce.data(), Unsigned(key_.bytes().data())) != 0) {
    return DataLoss("a sealed piece is not what was sealed in its place");
  }
  ++index_;
  return plain;
}

}  // namespace lethe
