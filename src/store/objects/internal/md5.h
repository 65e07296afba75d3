#pragma once

// MD5 (RFC 1321), because S3's ETags are: against servers that mix things up, not against forgers.

#include <memory>
#include <string>
#include <string_view>

#include <openssl/evp.h>

#include "base/encoding.h"

namespace lethe {

class Md5 {
 public:
  Md5() { Restart(); }

  void Restart() { works_ = EVP_DigestInit_ex(context_.get(), EVP_md5(), nullptr) == 1; }

  void Add(std::string_view bytes) {
    works_ = works_ && EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1;
  }

  /// 32 digits; empty where MD5 is not to be had, as with FIPS.
  std::string Finish() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    if (!works_ || EVP_DigestFinal_ex(context_.get(), digest, &size) != 1) return {};
    return HexEncode(std::as_bytes(std::span(digest, size)));
  }

 private:
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_{EVP_MD_CTX_new(),
                                                                         EVP_MD_CTX_free};
  bool works_ = false;
};

}  // namespace lethe
