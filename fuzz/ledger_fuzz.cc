// Any bytes as an export, a receipt or a head: refused, or verified to the end, and never taken for
// something that a key signed which did not.

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/check.h"
#include "ledger/export.h"
#include "ledger/receipt.h"
#include "ledger/signed_head.h"
#include "ledger/verifier.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lethe;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // Nobody's key: its secret half was never kept.
  static const VerifierKey key = [] {
    const std::string seed(32, 's');
    return SigningKey::FromSeed(std::as_bytes(std::span(seed)), "fuzz.example").verifier();
  }();

  if (const auto verified = VerifyExport(std::as_bytes(std::span(text)), {.trusted_key = key});
      verified.ok()) {
    LETHE_CHECK(verified->findings.size() <= verified->num_findings);
    LETHE_CHECK(!verified->is_clean());
  }
  if (const auto receipt = Receipt::Parse(text); receipt.ok()) {
    const auto again = Receipt::Parse(receipt->Json());
    LETHE_CHECK(again.ok() && again->Json() == receipt->Json());
    LETHE_CHECK(VerifyReceipt(*receipt, key).has_value());
  }
  if (const auto head = SignedHead::Parse(text); head.ok()) {
    LETHE_CHECK(head->note() == text);
    LETHE_CHECK(head->note().starts_with(head->head().Text()));
    LETHE_CHECK(!head->IsSignedBy(key));
  }
  if (const auto leaf = DecodeLeaf(std::as_bytes(std::span(text))); leaf.ok()) {
    LETHE_CHECK(std::ranges::equal(EncodeLeaf(*leaf), std::as_bytes(std::span(text))));
  }
  if (const auto parsed = VerifierKey::Parse(text); parsed.ok()) {
    LETHE_CHECK(parsed->Text() == text);
  }
  return 0;
}
