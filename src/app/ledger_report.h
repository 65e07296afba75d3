#pragma once

// What a verification found, for people and for programs.

#include <string>

#include "ledger/verifier.h"

namespace lethe {

/// A page: what the ledger is, the account of each class, lateness, findings, and what is not
/// proven.
std::string LedgerReport(const Verification& verified);

/// The same as JSON, as docs/ledger.md describes it.
std::string LedgerReportJson(const Verification& verified);

}  // namespace lethe
