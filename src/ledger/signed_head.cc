#include "ledger/signed_head.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>

#include "base/check.h"
#include "base/encoding.h"
#include "ledger/internal/wire.h"

namespace lethe {
namespace {

constexpr std::string_view kDash = "\xe2\x80\x94 ";  // U+2014 and a blank
constexpr std::string_view kTime = "time ", kNextKey = "next-key ";
constexpr std::int64_t kMaxSeconds = std::int64_t{1} << 40;

Status NoHead() { return InvalidArgument("this is no signed head of a ledger"); }

// Takes the first line off a text. Nothing if it is not ended.
std::optional<std::string_view> TakeLine(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == text.npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

// A decimal number as std::to_string writes it.
template <class T>
std::optional<T> ReadNumber(std::string_view text) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || std::to_string(value) != text) return std::nullopt;
  return value;
}

// Base64 of exactly that many bytes, as Base64Encode() writes it.
template <std::size_t size>
std::optional<std::array<std::byte, size>> ReadBytes(std::string_view text) {
  const std::optional<std::string> read = Base64Decode(text);
  if (!read || read->size() != size || Base64Encode(*read) != text) return std::nullopt;
  std::array<std::byte, size> bytes;
  std::transform(read->begin(), read->end(), bytes.begin(),
                 [](char c) { return static_cast<std::byte>(c); });
  return bytes;
}

Result<TreeHead> ParseText(std::string_view text) {
  TreeHead head;
  const auto origin = TakeLine(text), size = TakeLine(text), root = TakeLine(text),
             time = TakeLine(text);
  if (!time || !IsKeyName(*origin) || !time->starts_with(kTime)) return NoHead();
  const auto number = ReadNumber<std::uint64_t>(*size);
  const auto hash = ReadBytes<sizeof(MerkleHash)>(*root);
  const auto seconds = ReadNumber<std::int64_t>(time->substr(kTime.size()));
  if (!number || !hash || !seconds || *seconds < 0 || *seconds >= kMaxSeconds) return NoHead();
  head.origin = *origin;
  head.size = *number;
  head.root = *hash;
  head.time = std::chrono::sys_seconds(std::chrono::seconds(*seconds));
  if (const auto line = TakeLine(text); line) {
    if (!line->starts_with(kNextKey)) return NoHead();
    ASSIGN_OR_RETURN(head.next_key, VerifierKey::Parse(line->substr(kNextKey.size())));
  }
  if (!text.empty()) return NoHead();
  return head;
}

}  // namespace

std::string TreeHead::Text() const {
  std::string text = origin + "\n" + std::to_string(size) + "\n" + Base64Encode(root) + "\n";
  text += kTime;
  text += std::to_string(time.time_since_epoch().count()) + "\n";
  if (next_key) {
    text += kNextKey;
    text += next_key->Text() + "\n";
  }
  return text;
}

Result<SignedHead::Signature> SignedHead::ParseSignature(std::string_view line) {
  if (!line.starts_with(kDash)) return NoHead();
  line.remove_prefix(kDash.size());
  const std::size_t blank = line.find(' ');
  if (blank == line.npos) return NoHead();
  Signature signature;
  signature.name = line.substr(0, blank);
  const auto bytes = ReadBytes<4 + sizeof(Ed25519Signature)>(line.substr(blank + 1));
  if (!IsKeyName(signature.name) || !bytes) return NoHead();
  signature.key_id = GetNumber<std::uint32_t>(*bytes);
  std::copy(bytes->begin() + 4, bytes->end(), signature.bytes.begin());
  return signature;
}

Result<SignedHead> SignedHead::Parse(std::string_view note) {
  const std::size_t blank = note.find("\n\n");
  if (note.size() > kMaxNoteBytes || blank == note.npos) return NoHead();
  SignedHead parsed;
  parsed.note_ = note;
  parsed.text_ = note.substr(0, blank + 1);
  ASSIGN_OR_RETURN(parsed.head_, ParseText(parsed.text_));
  std::string_view rest = note.substr(blank + 2);
  while (!rest.empty()) {
    const auto line = TakeLine(rest);
    if (!line || parsed.signatures_.size() == kMaxNoteSignatures) return NoHead();
    ASSIGN_OR_RETURN(Signature signature, ParseSignature(*line));
    parsed.signatures_.push_back(std::move(signature));
  }
  if (parsed.signatures_.empty()) return NoHead();
  return parsed;
}

SignedHead SignedHead::Sign(const TreeHead& head, std::initializer_list<const SigningKey*> keys) {
  std::string note = head.Text() + "\n";
  for (const SigningKey* key : keys) {
    std::array<std::byte, 4 + sizeof(Ed25519Signature)> bytes;
    PutNumber(std::span<std::byte>(bytes), key->verifier().id());
    const Ed25519Signature signature = key->Sign(head.Text());
    std::copy(signature.begin(), signature.end(), bytes.begin() + 4);
    note += kDash;
    note += key->verifier().name + " " + Base64Encode(bytes) + "\n";
  }
  Result<SignedHead> made = Parse(note);
  LETHE_CHECK(made.ok());
  return *std::move(made);
}

bool SignedHead::IsSignedBy(const VerifierKey& key) const {
  // The first signature under the key's name and id decides.
  const std::uint32_t id = key.id();
  for (const Signature& signature : signatures_) {
    if (signature.name != key.name || signature.key_id != id) continue;
    return key.Verifies(text_, signature.bytes);
  }
  return false;
}

}  // namespace lethe
