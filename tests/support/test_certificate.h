#pragma once

// A key and the certificate it signed itself, made for one test.

#include <cstdio>
#include <string>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/check.h"

namespace lethe {

/// For `name`, as X.509 says it: "IP:127.0.0.1" or "DNS:example.com".
class TestCertificate {
 public:
  explicit TestCertificate(const std::string& name)
      : key_(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")),
        certificate_(X509_new()),
        context_(SSL_CTX_new(TLS_method())) {
    LETHE_CHECK(key_ && certificate_ && context_);
    constexpr long kDay = 86'400;
    X509_set_version(certificate_, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate_), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate_), -kDay);
    X509_gmtime_adj(X509_getm_notAfter(certificate_), kDay);
    X509_set_pubkey(certificate_, key_);
    X509_NAME* const subject = X509_get_subject_name(certificate_);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(certificate_, subject);
    X509_EXTENSION* const extension =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, name.c_str());
    LETHE_CHECK(extension != nullptr);
    X509_add_ext(certificate_, extension, -1);
    X509_EXTENSION_free(extension);
    LETHE_CHECK(X509_sign(certificate_, key_, nullptr) > 0);
    LETHE_CHECK(SSL_CTX_use_certificate(context_, certificate_) == 1);
    LETHE_CHECK(SSL_CTX_use_PrivateKey(context_, key_) == 1);
  }
  ~TestCertificate() {
    SSL_CTX_free(context_);
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;

  SSL_CTX* context() const { return context_; }

  /// Writes the certificate, without its key, as PEM.
  void WriteTo(const std::string& path) const {
    std::FILE* const file = std::fopen(path.c_str(), "w");
    LETHE_CHECK(file != nullptr && PEM_write_X509(file, certificate_) == 1);
    std::fclose(file);
  }
  /// Writes its key as PEM.
  void WriteKeyTo(const std::string& path) const {
    std::FILE* const file = std::fopen(path.c_str(), "w");
    LETHE_CHECK(file != nullptr &&
                PEM_write_PrivateKey(file, key_, nullptr, nullptr, 0, nullptr, nullptr) == 1);
    std::fclose(file);
  }

 private:
  EVP_PKEY* key_;
  X509* certificate_;
  SSL_CTX* context_;
};

}  // namespace lethe
