#include "ledger/internal/account_keeper.h"

#include <algorithm>

namespace lethe {
namespace {

using std::chrono::hours;

std::string LeafName(std::uint64_t number) { return "leaf " + std::to_string(number); }

}  // namespace

void AccountKeeper::Add(std::uint64_t number, const Leaf& leaf) {
  ClassAccount& account = AccountOf(leaf.data_class);
  switch (leaf.kind) {
    case LeafKind::kCreated:
      account.created += leaf.items;
      AddSealed(number, leaf);
      if (leaf.due - leaf.time > MaxLifetime(leaf.data_class)) {
        findings_.Add(FindingKind::kPeriod, LeafName(number) + " may stay longer than its class, " +
                                                std::string(DataClassName(leaf.data_class)));
      }
      break;
    case LeafKind::kErased:
      AddErasure(number, leaf);
      AddLateness(number, leaf, " is ", account.lateness);
      break;
    case LeafKind::kRefused:
      account.refused += leaf.items;
      break;
    case LeafKind::kPolicyChanged:
      ++policy_changes_;
      if (leaf.to > MaxLifetime(leaf.data_class)) {
        findings_.Add(FindingKind::kPeriod, LeafName(number) +
                                                " sets a period that is longer than its class's, " +
                                                std::string(DataClassName(leaf.data_class)));
      }
      break;
    case LeafKind::kEpochKeyDestroyed:
      ++keys_.destroyed;
      destroyed_.emplace(leaf.data_class, leaf.region,
                         std::chrono::floor<hours>(leaf.from).count());
      AddLateness(number, leaf, " destroys a key ", keys_.lateness);
      break;
  }
}

std::uint64_t AccountKeeper::FindCreation(std::uint64_t number, const Leaf& leaf) {
  if (leaf.creation != kNoLeaf) return leaf.creation < number ? leaf.creation : kNoLeaf;
  if (leaf.reference == MerkleHash{}) return kNoLeaf;
  for (; num_in_map_ < number; ++num_in_map_) {
    const Result<Leaf> earlier = DecodeLeaf(view_.leaf(num_in_map_));
    if (!earlier.ok() || earlier->kind != LeafKind::kCreated) continue;
    by_reference_[earlier->reference] = num_in_map_;
  }
  const auto found = by_reference_.find(leaf.reference);
  return found == by_reference_.end() ? kNoLeaf : found->second;
}

void AccountKeeper::AddErasure(std::uint64_t number, const Leaf& leaf) {
  ClassAccount& account = AccountOf(leaf.data_class);
  account.erased += leaf.items;
  account.erased_for[static_cast<std::size_t>(leaf.cause)] += leaf.items;
  const std::uint64_t creation = FindCreation(number, leaf);
  const Result<Leaf> created =
      creation == kNoLeaf ? NotFound("none") : DecodeLeaf(view_.leaf(creation));
  if (!created.ok() || created->kind != LeafKind::kCreated) {
    findings_.Add(FindingKind::kErasure, LeafName(number) + " erases what was never created");
    return;
  }
  const std::string names = LeafName(number) + " erases " + LeafName(creation);
  if (created->data_class != leaf.data_class || created->reference != leaf.reference ||
      created->region != leaf.region) {
    findings_.Add(FindingKind::kErasure, names + ", which is about something else");
    return;
  }
  if (leaf.due > created->due) {
    findings_.Add(FindingKind::kPeriod, names + ", which had to be gone earlier than it says");
  }
  std::uint32_t& erased = erased_[creation];
  if (leaf.items > created->items - erased) {
    findings_.Add(
        FindingKind::kErasure,
        names + ", of which " + (erased == created->items ? "nothing was left" : "less was left"));
    return;
  }
  erased += leaf.items;
}

void AccountKeeper::AddLateness(std::uint64_t number, const Leaf& leaf, const char* what,
                                Lateness& lateness) {
  const std::chrono::seconds late = leaf.time - leaf.due;
  ++lateness.leaves;
  const auto bin = std::ranges::lower_bound(kLatenessBounds, late.count());
  ++lateness.bins[static_cast<std::size_t>(bin - kLatenessBounds.begin())];
  if (!lateness.largest || late > *lateness.largest) {
    lateness.largest = late;
    lateness.largest_leaf = number;
  }
  if (late > options_.allowed_lateness) {
    findings_.Add(FindingKind::kLate,
                  LeafName(number) + what + std::to_string(late.count()) + " s late");
  }
}

// A leaf may be written hours behind what it is about, by a service that was stopped between the
// two; but what is due by then was sealed under a key that lasts until then. So what was written
// down in an hour has a key of that hour, or of one before that still lasted when it is due.
void AccountKeeper::AddSealed(std::uint64_t number, const Leaf& leaf) {
  if (leaf.data_class == DataClass::kMonitoring) return;  // rows without content, sealed by no key
  const auto hour = std::chrono::floor<hours>(leaf.time.time_since_epoch());
  const auto since = std::chrono::floor<hours>(leaf.due.time_since_epoch()) -
                     std::chrono::floor<hours>(KeyLifetime(leaf.data_class));
  const Sealed sealed{.since = std::min(since, hour).count(), .leaf = number};
  const auto [known, is_new] =
      sealed_.emplace(KeyHour(leaf.data_class, leaf.region, hour.count()), sealed);
  if (!is_new && known->second.since < sealed.since) known->second = sealed;
}

void AccountKeeper::FindKeysLeft(std::chrono::sys_seconds now) {
  for (const auto& [key, sealed] : sealed_) {
    const auto& [data_class, region, hour] = key;
    const std::chrono::sys_seconds begin{hours(hour)};
    // As long as anything of the class may be held: older versions kept the keys of results so
    // long.
    if (now - begin - MaxLifetime(data_class) <= options_.allowed_lateness) continue;
    const auto destroyed = destroyed_.lower_bound({data_class, region, sealed.since});
    if (destroyed != destroyed_.end() && *destroyed <= key) continue;
    ++keys_.missing;
    findings_.Add(FindingKind::kKey, "no leaf says that the key of " +
                                         std::string(DataClassName(data_class)) + " in " + region +
                                         " of the hour from " + ShowUtc(begin) +
                                         " was destroyed, which sealed " + LeafName(sealed.leaf));
  }
}

void AccountKeeper::Finish(std::chrono::sys_seconds now, Verification& verification) {
  std::array<std::uint64_t, kDataClasses.size()> oldest;
  oldest.fill(kNoLeaf);
  for (std::uint64_t number = 0; number < view_.num_leaves(); ++number) {
    const Result<Leaf> leaf = DecodeLeaf(view_.leaf(number));
    if (!leaf.ok() || leaf->kind != LeafKind::kCreated) continue;
    const std::uint32_t left = leaf->items - erased_[number];
    ClassAccount& account = AccountOf(leaf->data_class);
    account.live += left;
    if (left == 0 || now - leaf->due <= options_.allowed_lateness) continue;
    account.overdue += left;
    std::uint64_t& first = oldest[static_cast<std::size_t>(leaf->data_class) - 1];
    first = std::min(first, number);
  }
  for (std::size_t i = 0; i < accounts_.size(); ++i) {
    if (accounts_[i].overdue == 0) continue;
    findings_.Add(FindingKind::kOverdue,
                  std::to_string(accounts_[i].overdue) + " of " +
                      std::string(DataClassName(kDataClasses[i])) +
                      " had to be gone and are not erased, the first being " + LeafName(oldest[i]));
  }
  FindKeysLeft(now);
  verification.classes = accounts_;
  verification.keys_of_hours = keys_;
  verification.policy_changes = policy_changes_;
}

}  // namespace lethe
