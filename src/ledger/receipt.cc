#include "ledger/receipt.h"

#include <algorithm>
#include <span>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "base/json.h"
#include "ledger/item_reference.h"

namespace lethe {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr const char* kFormat = "lethe ledger receipt 1";
constexpr std::size_t kMaxProofHashes = 64;

// The leaf for those who read it. It is made of the leaf's bytes, so it can be checked against
// them.
ordered_json Readable(const Leaf& leaf) {
  ordered_json says = {{"kind", LeafKindName(leaf.kind)},
                       {"class", DataClassName(leaf.data_class)},
                       {"items", leaf.items},
                       {"region", leaf.region},
                       {"time", leaf.time.time_since_epoch().count()}};
  if (leaf.due != std::chrono::sys_seconds()) says["due"] = leaf.due.time_since_epoch().count();
  if (leaf.cause != ErasureCause::kNone) says["cause"] = ErasureCauseName(leaf.cause);
  if (leaf.creation != kNoLeaf) says["creation"] = leaf.creation;
  return says;
}

Status NoReceipt() { return InvalidArgument("this is no receipt of a ledger"); }

// Base64 of at most that many bytes.
std::optional<std::vector<std::byte>> ReadBytes(const json& value, std::size_t size) {
  if (!value.is_string()) return std::nullopt;
  const std::string& text = value.get_ref<const std::string&>();
  const std::optional<std::string> read = Base64Decode(text);
  if (!read || read->size() != size || Base64Encode(*read) != text) return std::nullopt;
  const auto bytes = std::as_bytes(std::span(*read));
  return std::vector<std::byte>(bytes.begin(), bytes.end());
}

std::optional<MerkleHash> ReadHash(const json& value) {
  const auto bytes = ReadBytes(value, sizeof(MerkleHash));
  if (!bytes) return std::nullopt;
  MerkleHash hash{};
  std::ranges::copy(*bytes, hash.begin());
  return hash;
}

// The value under a name; null if there is none.
const json& Member(const json& object, const char* name) {
  static const json kNull;
  const auto found = object.find(name);
  return found == object.end() ? kNull : *found;
}

}  // namespace

std::string Receipt::Json() const {
  ordered_json receipt = {{"format", kFormat},
                          {"says", Readable(leaf)},
                          {"leaf", Base64Encode(EncodeLeaf(leaf))},
                          {"number", number},
                          {"proof", ordered_json::array()},
                          {"head", head.note()}};
  for (const MerkleHash& hash : proof) receipt["proof"].push_back(Base64Encode(hash));
  if (opening) receipt["opening"] = Base64Encode(*opening);
  return WriteJson(receipt, 2) + "\n";
}

Result<Receipt> Receipt::Parse(std::string_view text) {
  if (text.size() > kMaxReceiptBytes) return NoReceipt();
  const json parsed = ParseJson<json>(text);
  if (!parsed.is_object() || Member(parsed, "format") != kFormat) return NoReceipt();
  const auto leaf_bytes = ReadBytes(Member(parsed, "leaf"), kLeafBytes);
  const json &number = Member(parsed, "number"), &proof = Member(parsed, "proof"),
             &note = Member(parsed, "head");
  if (!leaf_bytes || !number.is_number_unsigned() || !proof.is_array() ||
      proof.size() > kMaxProofHashes || !note.is_string()) {
    return NoReceipt();
  }
  ASSIGN_OR_RETURN(Leaf leaf, DecodeLeaf(*leaf_bytes));
  if (Member(parsed, "says") != json(Readable(leaf))) {
    return InvalidArgument("the receipt's readable half says something else than its leaf");
  }
  ASSIGN_OR_RETURN(SignedHead head, SignedHead::Parse(note.get_ref<const std::string&>()));
  Receipt receipt;
  receipt.leaf = std::move(leaf);
  receipt.number = number.get<std::uint64_t>();
  receipt.head = std::move(head);
  for (const json& item : proof) {
    const auto hash = ReadHash(item);
    if (!hash) return NoReceipt();
    receipt.proof.push_back(*hash);
  }
  if (const json& opening = Member(parsed, "opening"); !opening.is_null()) {
    receipt.opening = ReadHash(opening);
    if (!receipt.opening) return NoReceipt();
  }
  return receipt;
}

bool Receipt::ProvesInclusion() const {
  return VerifyInclusion(HashLeaf(EncodeLeaf(leaf)), number, head.head().size, proof,
                         head.head().root);
}

bool Receipt::IsAbout(std::string_view id) const {
  return opening && OpensReference(leaf.reference, *opening, leaf.data_class, id);
}

}  // namespace lethe
