#include "base/sha256.h"

#include <memory>

#include <openssl/evp.h>

#include "base/check.h"
#include "base/encoding.h"

namespace lethe {
namespace {

struct Free {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// Looking the algorithm up costs more than hashing a block, so that is done once.
const EVP_MD* Algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  LETHE_CHECK(algorithm != nullptr);
  return algorithm;
}

EVP_MD_CTX* Context() {
  thread_local const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  LETHE_CHECK(context != nullptr);
  return context.get();
}

}  // namespace

Sha256Digest Sha256(std::initializer_list<std::span<const std::byte>> parts) {
  EVP_MD_CTX* const context = Context();
  LETHE_CHECK(EVP_DigestInit_ex(context, Algorithm(), nullptr) == 1);
  for (const std::span<const std::byte> part : parts) {
    LETHE_CHECK(EVP_DigestUpdate(context, part.data(), part.size()) == 1);
  }
  Sha256Digest digest;
  LETHE_CHECK(
      EVP_DigestFinal_ex(context, reinterpret_cast<unsigned char*>(digest.data()), nullptr) == 1);
  return digest;
}

std::string Sha256Hex(std::span<const std::byte> bytes) { return HexEncode(Sha256({bytes})); }

}  // namespace lethe
