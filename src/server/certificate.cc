#include "server/certificate.h"

#include <ctime>
#include <memory>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/file.h"
#include "base/hmac.h"

namespace lethe {
namespace {

constexpr std::size_t kMaxFile = std::size_t{1} << 20;

struct Freer {
  void operator()(BIO* object) const { BIO_free_all(object); }
  void operator()(X509* object) const { X509_free(object); }
  void operator()(EVP_PKEY* object) const { EVP_PKEY_free(object); }
};
template <class T>
using Owned = std::unique_ptr<T, Freer>;

// What is read is in memory that OpenSSL does not own, and has to be wiped by whoever read it.
Owned<BIO> View(const std::string& text) {
  return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// No terminal is asked for a password.
int NoPassword(char*, int, int, void*) { return 0; }

Result<WallTime> TimeOf(const ASN1_TIME* time) {
  std::tm fields{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &fields) != 1) {
    return InvalidArgument("the certificate does not say until when it holds");
  }
  return WallTime(std::chrono::seconds(timegm(&fields)));
}

}  // namespace

Result<WallTime> ReadCertificate(const std::string& certificate_file, const std::string& key_file) {
  ASSIGN_OR_RETURN(const std::string certificate_text, ReadFile(certificate_file, kMaxFile));
  const auto certificate_view = View(certificate_text);
  const Owned<X509> certificate(
      PEM_read_bio_X509(certificate_view.get(), nullptr, NoPassword, nullptr));
  ERR_clear_error();
  if (certificate == nullptr) {
    return InvalidArgument(certificate_file + " holds no certificate in PEM");
  }
  ASSIGN_OR_RETURN(std::string key_text, ReadFile(key_file, kMaxFile));
  Owned<EVP_PKEY> key;
  {
    const auto key_view = View(key_text);
    key.reset(PEM_read_bio_PrivateKey(key_view.get(), nullptr, NoPassword, nullptr));
    WipeSecret(key_text);
  }
  if (key == nullptr) {
    ERR_clear_error();
    return InvalidArgument(key_file + " holds no private key in PEM, or one with a password");
  }
  const bool pair = X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  if (!pair) {
    return InvalidArgument(key_file + " is the key of another certificate than " +
                           certificate_file);
  }
  return TimeOf(X509_get0_notAfter(certificate.get()));
}

}  // namespace lethe
