#include "seal/sealer.h"

#include <utility>

namespace lethe {
namespace {

constexpr char kVersion = 1;
constexpr std::string_view kPurpose = "lethe item key 1";

void AppendNumber(std::uint64_t number, std::string* out) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>(number >> shift & 0xff));
  }
}

std::uint64_t ReadNumber(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes.substr(0, 8))
    number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

void AppendText(std::string_view text, std::string* out) {
  AppendNumber(text.size(), out);
  out->append(text);
}

using Key = std::shared_ptr<const SealingKey>;

// A key, or why it cannot be had, as told to whoever wants something sealed or opened: that is not
// their doing, may pass, and where the keys are is nobody's business.
Result<Key> Had(Result<Key> key) {
  switch (key.status().code()) {
    case StatusCode::kOk:
    case StatusCode::kNotFound:
      return key;
    case StatusCode::kDataLoss:
      return DataLoss("a key of what is stored is damaged; look at: lethe doctor");
    case StatusCode::kPermissionDenied:
      return Unavailable("the keys may not be read or written; look at: lethe doctor");
    case StatusCode::kResourceExhausted:
      return Unavailable(
          "the keys cannot be read or written: too many files are open, or their disk is full");
    default:
      return Unavailable("the folder of keys cannot be reached");
  }
}

}  // namespace

std::string Sealer::BelongsTo(const Identity& identity, std::int64_t hour) const {
  std::string text(1, static_cast<char>(identity.data_class));
  AppendNumber(static_cast<std::uint64_t>(hour), &text);
  AppendNumber(identity.tenant, &text);
  AppendText(region_, &text);
  AppendText(identity.id, &text);
  AppendText(identity.field, &text);
  return text;
}

Result<ItemKey> Sealer::NewKey(const Identity& identity, WallTime created) {
  const Epoch epoch = EpochOf(identity.data_class, region_, created);
  ASSIGN_OR_RETURN(const auto epoch_key, Had(keys_.EpochKey(epoch, clock_.Now())));
  ASSIGN_OR_RETURN(const auto tenant_key, Had(keys_.TenantKey(identity.tenant)));
  ItemKey item{.key = SealingKey::Random(), .header = std::string(1, kVersion)};
  AppendNumber(static_cast<std::uint64_t>(epoch.hour), &item.header);
  item.header +=
      epoch_key->Mix(*tenant_key, kPurpose).Wrap(item.key, BelongsTo(identity, epoch.hour));
  return item;
}

Result<SealingKey> Sealer::OpenKey(const Identity& identity, std::string_view header) {
  if (header.size() != kSealHeader || header.front() != kVersion) {
    return DataLoss("what is stored is not sealed as this program seals");
  }
  const auto hour = static_cast<std::int64_t>(ReadNumber(header.substr(1)));
  // No hour of this or the next thousand years; the end of it could not be told.
  if (hour < 0 || hour > 24 * 366'000) return DataLoss("what is stored names no hour");
  const Epoch epoch{identity.data_class, region_, hour};
  ASSIGN_OR_RETURN(const auto epoch_key, Had(keys_.FindEpochKey(epoch, clock_.Now())));
  ASSIGN_OR_RETURN(const auto tenant_key, Had(keys_.TenantKey(identity.tenant)));
  return epoch_key->Mix(*tenant_key, kPurpose)
      .Unwrap(header.substr(9), BelongsTo(identity, epoch.hour));
}

Result<std::string> Sealer::Seal(const Identity& identity, WallTime created,
                                 std::string_view plain) {
  ASSIGN_OR_RETURN(ItemKey item, NewKey(identity, created));
  const std::string sealed = item.key.Seal(plain, item.header);
  return std::move(item.header) + sealed;
}

Result<std::string> Sealer::Open(const Identity& identity, std::string_view sealed) {
  if (sealed.size() < kSealHeader) return DataLoss("what is stored is cut off");
  const std::string_view header = sealed.substr(0, kSealHeader);
  ASSIGN_OR_RETURN(const SealingKey key, OpenKey(identity, header));
  return key.Open(sealed.substr(kSealHeader), header);
}

}  // namespace lethe
