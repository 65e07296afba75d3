#pragma once

// Goes through the leaves and keeps account: what was created, what of it was erased, how late.

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "ledger/export.h"
#include "ledger/internal/findings.h"
#include "ledger/verifier.h"

namespace lethe {

class AccountKeeper {
 public:
  /// Lifetime: borrows all three
  AccountKeeper(const ExportView& view, const VerifyOptions& options, Findings& findings)
      : view_(view), options_(options), findings_(findings), erased_(view.num_leaves()) {}

  /// Takes the leaves one by one, in order.
  void Add(std::uint64_t number, const Leaf& leaf);
  /// Counts what is live, and overdue at that moment.
  void Finish(std::chrono::sys_seconds now, Verification& verification);

 private:
  ClassAccount& AccountOf(DataClass data_class) {
    return accounts_[static_cast<std::size_t>(data_class) - 1];
  }
  /// An hour whose key seals things: class, region, hours since 1970.
  using KeyHour = std::tuple<DataClass, std::string, std::int64_t>;
  /// What was written down in an hour.
  struct Sealed {
    std::int64_t since = 0;  ///< none of it was sealed in an earlier hour
    std::uint64_t leaf = kNoLeaf;
  };

  void AddErasure(std::uint64_t number, const Leaf& leaf);
  void AddLateness(std::uint64_t number, const Leaf& leaf, const char* what, Lateness& lateness);
  void AddSealed(std::uint64_t number, const Leaf& leaf);
  void FindKeysLeft(std::chrono::sys_seconds now);
  /// The creation that an erasure is of; kNoLeaf if there is none.
  std::uint64_t FindCreation(std::uint64_t number, const Leaf& leaf);

  const ExportView& view_;
  const VerifyOptions& options_;
  Findings& findings_;
  std::vector<std::uint32_t> erased_;  // items, of each creation
  std::array<ClassAccount, kDataClasses.size()> accounts_;
  std::uint64_t policy_changes_ = 0;
  KeysAccount keys_;
  std::map<KeyHour, Sealed> sealed_;
  std::set<KeyHour> destroyed_;
  // Creations by reference. Only made when an erasure does not say which leaf it belongs to.
  std::map<MerkleHash, std::uint64_t> by_reference_;
  std::uint64_t num_in_map_ = 0;
};

}  // namespace lethe
