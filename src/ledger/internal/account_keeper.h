#pragma once

// Goes through the leaves and keeps account: what was created, what of it was erased, how late.

#include <array>
#include <cstdint>
#include <map>
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
  void AddErasure(std::uint64_t number, const Leaf& leaf);
  void AddLateness(std::uint64_t number, const Leaf& leaf);
  /// The creation that an erasure is of; kNoLeaf if there is none.
  std::uint64_t FindCreation(std::uint64_t number, const Leaf& leaf);

  const ExportView& view_;
  const VerifyOptions& options_;
  Findings& findings_;
  std::vector<std::uint32_t> erased_;  // items, of each creation
  std::array<ClassAccount, kDataClasses.size()> accounts_;
  std::uint64_t policy_changes_ = 0, epoch_keys_destroyed_ = 0;
  // Creations by reference. Only made when an erasure does not say which leaf it belongs to.
  std::map<MerkleHash, std::uint64_t> by_reference_;
  std::uint64_t num_in_map_ = 0;
};

}  // namespace lethe
