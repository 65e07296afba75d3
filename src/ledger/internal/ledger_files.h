#pragma once

// The files of a ledger's folder, and the page that says what ledger it is.

#include <memory>
#include <string>

#include "base/random_access_file.h"
#include "base/status.h"
#include "ledger/internal/head_file.h"
#include "ledger/internal/leaf_log.h"
#include "ledger/internal/tree_file.h"
#include "ledger/ledger.h"

namespace lethe {

/// What ledger.txt says.
struct LedgerAbout {
  VerifierKey first_key;  // its name is the ledger's
  std::uint64_t leaves_per_segment = 0;

  /// Errors: kNotFound when there is none; kDataLoss when it is damaged
  static Result<LedgerAbout> Read(const std::string& folder);
  Status Write(const std::string& folder) const;
};

struct Ledger::Files {
  RandomAccessFile lock;
  std::unique_ptr<HeadFile> heads;
  std::unique_ptr<LeafLog> leaves;
  std::unique_ptr<TreeFile> tree;
};

}  // namespace lethe
