#include "ledger/leaf.h"

#include <algorithm>
#include <iterator>

#include "base/check.h"
#include "ledger/internal/wire.h"

namespace lethe {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr std::byte kVersion{1};

// Where the fields are.
constexpr std::size_t kVersionAt = 0, kKindAt = 1, kClassAt = 2, kCauseAt = 3, kItemsAt = 4,
                      kTimeAt = 8, kDueAt = 16, kCreationAt = 24, kReferenceAt = 32, kRegionAt = 64,
                      kFromAt = 80, kToAt = 88;
static_assert(kReferenceAt + sizeof(MerkleHash) == kRegionAt);
static_assert(kRegionAt + kMaxRegionBytes == kFromAt && kToAt + 8 == kLeafBytes);

// Far beyond every calendar, and far from where sums of times overflow.
constexpr std::int64_t kMaxSeconds = std::int64_t{1} << 40;

bool IsTime(seconds time) { return time.count() >= 0 && time.count() < kMaxSeconds; }

bool IsRegion(std::string_view region) {
  return !region.empty() && region.size() <= kMaxRegionBytes &&
         std::all_of(region.begin(), region.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

bool HasItems(LeafKind kind) {
  return kind == LeafKind::kCreated || kind == LeafKind::kErased || kind == LeafKind::kRefused;
}

Status CheckNames(const Leaf& leaf) {
  if (LeafKindName(leaf.kind).empty()) return InvalidArgument("the leaf is of no known kind");
  if (DataClassName(leaf.data_class).empty()) return InvalidArgument("the leaf is of no class");
  if (ErasureCauseName(leaf.cause).empty()) return InvalidArgument("the leaf has no known cause");
  if (!IsRegion(leaf.region)) return InvalidArgument("the leaf names no region");
  return OkStatus();
}

Status CheckTimes(const Leaf& leaf) {
  for (const seconds time :
       {leaf.time.time_since_epoch(), leaf.due.time_since_epoch(), leaf.from, leaf.to}) {
    if (!IsTime(time)) return InvalidArgument("the leaf has a time out of range");
  }
  const bool is_due = leaf.kind == LeafKind::kCreated || leaf.kind == LeafKind::kErased ||
                      leaf.kind == LeafKind::kEpochKeyDestroyed;
  if (is_due != (leaf.due != sys_seconds())) {
    return InvalidArgument(is_due ? "the leaf does not say by when it has to be gone"
                                  : "the leaf has a due time that its kind has not");
  }
  const bool is_epoch = leaf.kind == LeafKind::kEpochKeyDestroyed;
  if (is_epoch && leaf.from >= leaf.to) return InvalidArgument("the epoch ends before it begins");
  if (!is_epoch && leaf.kind != LeafKind::kPolicyChanged && leaf.from + leaf.to != seconds(0)) {
    return InvalidArgument("the leaf has periods that its kind has not");
  }
  return OkStatus();
}

}  // namespace

std::string_view LeafKindName(LeafKind kind) {
  switch (kind) {
    case LeafKind::kCreated:
      return "created";
    case LeafKind::kErased:
      return "erased";
    case LeafKind::kRefused:
      return "refused";
    case LeafKind::kPolicyChanged:
      return "policy_changed";
    case LeafKind::kEpochKeyDestroyed:
      return "epoch_key_destroyed";
  }
  return {};
}

std::string_view ErasureCauseName(ErasureCause cause) {
  switch (cause) {
    case ErasureCause::kNone:
      return "none";
    case ErasureCause::kExpired:
      return "expired";
    case ErasureCause::kRequested:
      return "requested";
    case ErasureCause::kConsentWithdrawn:
      return "consent_withdrawn";
    case ErasureCause::kTaskEnded:
      return "task_ended";
    case ErasureCause::kTenantRemoved:
      return "tenant_removed";
    case ErasureCause::kLost:
      return "lost";
  }
  return {};
}

Status CheckLeaf(const Leaf& leaf) {
  RETURN_IF_ERROR(CheckNames(leaf));
  RETURN_IF_ERROR(CheckTimes(leaf));
  const bool is_erasure = leaf.kind == LeafKind::kErased;
  if (is_erasure != (leaf.cause != ErasureCause::kNone)) {
    return InvalidArgument("an erasure has a cause, and nothing else has one");
  }
  if (!is_erasure && leaf.creation != kNoLeaf) {
    return InvalidArgument("the leaf refers to a creation, which only erasures do");
  }
  if (HasItems(leaf.kind) != (leaf.items > 0)) {
    return InvalidArgument("the number of items does not fit the kind of leaf: " +
                           std::to_string(leaf.items));
  }
  return OkStatus();
}

std::array<std::byte, kLeafBytes> EncodeLeaf(const Leaf& leaf) {
  LETHE_CHECK(CheckLeaf(leaf).ok());
  std::array<std::byte, kLeafBytes> bytes{};
  const std::span<std::byte> all(bytes);
  const auto put_time = [&](std::size_t at, seconds time) {
    PutNumber(all.subspan(at), static_cast<std::uint64_t>(time.count()));
  };
  bytes[kVersionAt] = kVersion;
  bytes[kKindAt] = static_cast<std::byte>(leaf.kind);
  bytes[kClassAt] = static_cast<std::byte>(leaf.data_class);
  bytes[kCauseAt] = static_cast<std::byte>(leaf.cause);
  PutNumber(all.subspan(kItemsAt), leaf.items);
  put_time(kTimeAt, leaf.time.time_since_epoch());
  put_time(kDueAt, leaf.due.time_since_epoch());
  PutNumber(all.subspan(kCreationAt), leaf.creation);
  std::copy(leaf.reference.begin(), leaf.reference.end(), bytes.begin() + kReferenceAt);
  std::transform(leaf.region.begin(), leaf.region.end(), bytes.begin() + kRegionAt,
                 [](char c) { return static_cast<std::byte>(c); });
  put_time(kFromAt, leaf.from);
  put_time(kToAt, leaf.to);
  return bytes;
}

Result<Leaf> DecodeLeaf(std::span<const std::byte> bytes) {
  if (bytes.size() != kLeafBytes) {
    return InvalidArgument("a leaf has " + std::to_string(kLeafBytes) + " bytes and not " +
                           std::to_string(bytes.size()));
  }
  if (bytes[kVersionAt] != kVersion) {
    return InvalidArgument("the leaf is of a version that this program does not know: " +
                           std::to_string(std::to_integer<int>(bytes[kVersionAt])));
  }
  // Checked before it becomes a count of seconds, so that no sum can overflow.
  for (const std::size_t at : {kTimeAt, kDueAt, kFromAt, kToAt}) {
    if (GetNumber<std::uint64_t>(bytes.subspan(at)) >= static_cast<std::uint64_t>(kMaxSeconds)) {
      return InvalidArgument("the leaf has a time out of range");
    }
  }
  const auto time = [&](std::size_t at) {
    return seconds(static_cast<std::int64_t>(GetNumber<std::uint64_t>(bytes.subspan(at))));
  };
  Leaf leaf;
  leaf.kind = static_cast<LeafKind>(bytes[kKindAt]);
  leaf.data_class = static_cast<DataClass>(bytes[kClassAt]);
  leaf.cause = static_cast<ErasureCause>(bytes[kCauseAt]);
  leaf.items = GetNumber<std::uint32_t>(bytes.subspan(kItemsAt));
  leaf.time = sys_seconds(time(kTimeAt));
  leaf.due = sys_seconds(time(kDueAt));
  leaf.creation = GetNumber<std::uint64_t>(bytes.subspan(kCreationAt));
  std::copy_n(bytes.begin() + kReferenceAt, leaf.reference.size(), leaf.reference.begin());
  const auto region = bytes.subspan(kRegionAt, kMaxRegionBytes);
  const auto region_end = std::find(region.begin(), region.end(), std::byte{0});
  if (std::any_of(region_end, region.end(), [](std::byte b) { return b != std::byte{0}; })) {
    return InvalidArgument("the leaf names no region");
  }
  std::transform(region.begin(), region_end, std::back_inserter(leaf.region),
                 [](std::byte b) { return static_cast<char>(b); });
  leaf.from = time(kFromAt);
  leaf.to = time(kToAt);
  RETURN_IF_ERROR(CheckLeaf(leaf));
  return leaf;
}

}  // namespace lethe
