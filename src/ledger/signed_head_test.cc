// Goal: heads and keys have the form that other tools read, and a signature is one of exactly these
// bytes under exactly this key. Method: the published example of signed notes, which Ed25519 makes
// anew to the last bit; every byte of a head changed; keys and heads in every wrong form.

#include "ledger/signed_head.h"

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "tests/support/test_ledger.h"

namespace lethe {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// The example of Go's golang.org/x/mod/sumdb/note.
constexpr std::string_view kText =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n";
constexpr std::string_view kSeed = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
constexpr std::string_view kVerifier =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr std::string_view kSignature =
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";

SigningKey KeyOf(char seed, std::string_view name = "test.example/ledger") {
  const std::string bytes(32, seed);
  return SigningKey::FromSeed(std::as_bytes(std::span(bytes)), name);
}

TreeHead SomeHead() {
  return {.origin = "test.example/ledger", .size = 12, .root = EmptyRoot(), .time = kNoon};
}

TEST(SigningKeyTest, SignsAndIsNamedAsInThePublishedExample) {
  const std::string seed = Base64Decode(kSeed)->substr(1);
  const SigningKey key = SigningKey::FromSeed(std::as_bytes(std::span(seed)), "PeterNeumann");
  EXPECT_EQ(key.verifier().Text(), kVerifier);
  const std::string expected = Base64Decode(kSignature)->substr(4);
  EXPECT_EQ(HexEncode(key.Sign(kText)), HexEncode(std::as_bytes(std::span(expected))));
  const auto parsed = VerifierKey::Parse(kVerifier);
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(*parsed, key.verifier());
  EXPECT_TRUE(parsed->Verifies(kText, key.Sign(kText)));
}

TEST(SigningKeyTest, IsMadeOnceAndIsNobodyElsesToRead) {
  TestLedger files;
  const std::string path = files / "signing.key";
  EXPECT_THAT(SigningKey::Load(path, "name", false), HasCode(StatusCode::kFailedPrecondition));
  const auto made = SigningKey::Load(path, "name", true);
  ASSERT_THAT(made, IsOk());
  struct stat about;
  ASSERT_EQ(::stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600U);
  EXPECT_EQ(SigningKey::Load(path, "name", true)->verifier(), made->verifier());
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  EXPECT_THAT(SigningKey::Load(path, "name", true), HasCode(StatusCode::kPermissionDenied));
  EXPECT_THAT(SigningKey::Load(path, "two names", true), HasCode(StatusCode::kInvalidArgument));
}

TEST(VerifierKeyTest, IsReadInOneFormOnly) {
  const std::string good(kVerifier);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string changed = good;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(VerifierKey::Parse(changed).ok()) << i;
    EXPECT_FALSE(VerifierKey::Parse(good.substr(0, i)).ok()) << i;
  }
  EXPECT_FALSE(VerifierKey::Parse(good + "=").ok());
  EXPECT_FALSE(VerifierKey::Parse(" " + good).ok());
  EXPECT_FALSE(VerifierKey::Parse(std::string(10'000, 'a')).ok());
}

TEST(SignedHeadTest, IsACheckpointWithItsTime) {
  const SigningKey key = KeyOf('k');
  const SignedHead head = SignedHead::Sign(SomeHead(), {&key});
  EXPECT_THAT(head.note(),
              StartsWith("test.example/ledger\n12\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
                         "time 1795521600\n\n\xe2\x80\x94 test.example/ledger "));
  EXPECT_THAT(head.note(), EndsWith("=\n"));
  const auto parsed = SignedHead::Parse(head.note());
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(parsed->head(), SomeHead());
  EXPECT_TRUE(parsed->IsSignedBy(key.verifier()));
  EXPECT_FALSE(parsed->IsSignedBy(KeyOf('l').verifier()));
  EXPECT_FALSE(parsed->IsSignedBy(KeyOf('k', "other").verifier()));
}

TEST(SignedHeadTest, HandsOverWithBothSignatures) {
  const SigningKey old_key = KeyOf('k'), new_key = KeyOf('l');
  TreeHead text = SomeHead();
  text.next_key = new_key.verifier();
  const SignedHead head = SignedHead::Sign(text, {&old_key, &new_key});
  EXPECT_THAT(head.note(), HasSubstr("\nnext-key " + new_key.verifier().Text() + "\n\n"));
  const auto parsed = SignedHead::Parse(head.note());
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(parsed->head(), text);
  EXPECT_TRUE(parsed->IsSignedBy(old_key.verifier()));
  EXPECT_TRUE(parsed->IsSignedBy(new_key.verifier()));
}

TEST(SignedHeadTest, NoByteCanBeChanged) {
  const SigningKey key = KeyOf('k');
  const std::string good = SignedHead::Sign(SomeHead(), {&key}).note();
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = good;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      const auto parsed = SignedHead::Parse(changed);
      EXPECT_FALSE(parsed.ok() && parsed->IsSignedBy(key.verifier())) << i;
    }
    const auto shorter = SignedHead::Parse(good.substr(0, i));
    EXPECT_FALSE(shorter.ok() && shorter->IsSignedBy(key.verifier())) << i;
  }
}

TEST(SignedHeadTest, WhatIsNoHeadIsRefused) {
  const SigningKey key = KeyOf('k');
  const std::string good = SignedHead::Sign(SomeHead(), {&key}).note();
  const std::size_t blank = good.find("\n\n");
  const std::string text = good.substr(0, blank + 1), signature = good.substr(blank + 2);
  const auto refused = [](const std::string& note) {
    EXPECT_THAT(SignedHead::Parse(note), HasCode(StatusCode::kInvalidArgument)) << note;
  };
  refused("");
  refused(text);
  refused(text + "\n");
  refused(text + "one more line\n\n" + signature);
  refused("test.example/ledger\n012" + text.substr(text.find("12") + 2) + "\n" + signature);
  refused("test.example/ledger\n-1" + text.substr(text.find("12") + 2) + "\n" + signature);
  refused("two words\n" + text.substr(text.find("12")) + "\n" + signature);
  refused(text.substr(0, text.find("time")) + "\n" + signature);
  std::string many = text + "\n";
  for (std::size_t i = 0; i <= kMaxNoteSignatures; ++i) many += signature;
  refused(many);
  refused(good + std::string(kMaxNoteBytes, 'a'));
}

}  // namespace
}  // namespace lethe
