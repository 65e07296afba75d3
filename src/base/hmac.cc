#include "base/hmac.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/check.h"

namespace lethe {
namespace {

std::string Hmac(const EVP_MD* hash, std::string_view key, std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  LETHE_CHECK(HMAC(hash, key.data(), static_cast<int>(key.size()),
                   reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest,
                   &size) != nullptr);
  return {reinterpret_cast<const char*>(digest), size};
}

}  // namespace

std::string HmacSha1(std::string_view key, std::string_view text) {
  return Hmac(EVP_sha1(), key, text);
}

std::string HmacSha256(std::string_view key, std::string_view text) {
  return Hmac(EVP_sha256(), key, text);
}

bool EqualInConstantTime(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void WipeSecret(std::string& secret) {
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

}  // namespace lethe
