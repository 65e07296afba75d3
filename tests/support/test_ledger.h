#pragma once

// What the tests of the ledger share: a ledger in a folder that goes away, with a clock that
// stands, and leaves to put into it.

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "base/clock.h"
#include "base/random.h"
#include "ledger/export.h"
#include "ledger/ledger.h"
#include "ledger/verifier.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_folder.h"

namespace lethe {

/// 2026-11-24 12:00:00 UTC.
inline constexpr std::chrono::sys_seconds kNoon =
    std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + std::chrono::hours(12);

inline Leaf Created(DataClass data_class = DataClass::kAudio, std::uint32_t items = 1,
                    std::chrono::sys_seconds due = kNoon + std::chrono::hours(24)) {
  Leaf leaf{.data_class = data_class, .items = items, .due = due, .region = "ap-guangzhou"};
  FillRandom(leaf.reference);
  return leaf;
}

inline Leaf Erased(std::uint64_t number, const Leaf& created,
                   ErasureCause cause = ErasureCause::kRequested) {
  Leaf leaf = created;
  leaf.kind = LeafKind::kErased;
  leaf.cause = cause;
  leaf.creation = number;
  return leaf;
}

class TestLedger {
 public:
  explicit TestLedger(std::uint64_t leaves_per_segment = 1 << 20)
      : leaves_per_segment_(leaves_per_segment) {}

  std::string operator/(const std::string& name) const { return folder_ / name; }
  std::string folder() const { return *this / "ledger"; }
  LedgerOptions options() const {
    return {.folder = folder(),
            .signing_key_file = *this / "signing.key",
            .origin = "test.example/ledger",
            .leaves_per_segment = leaves_per_segment_};
  }

  /// Closes it if it is open, and opens it.
  Status Open() {
    ledger.reset();
    ASSIGN_OR_RETURN(ledger, Ledger::Open(options(), clock));
    return OkStatus();
  }
  std::uint64_t Add(const Leaf& leaf) { return ledger->Append({&leaf, 1}).value(); }

  /// The ledger as a file, as it is signed.
  std::vector<std::byte> Export() const {
    std::vector<std::byte> file;
    const Status written = WriteExport(*ledger, [&](std::span<const std::byte> bytes) {
      file.insert(file.end(), bytes.begin(), bytes.end());
      return OkStatus();
    });
    EXPECT_THAT(written, IsOk());
    return file;
  }
  VerifierKey key() const { return ledger->keys().front(); }

  ManualClock clock{kNoon};

 private:
  const TestFolder folder_;
  const std::uint64_t leaves_per_segment_;

 public:
  std::unique_ptr<Ledger> ledger;  // closed before its folder goes
};

inline std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void WriteAll(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary)
      .write(text.data(), static_cast<std::streamsize>(text.size()));
}

}  // namespace lethe
