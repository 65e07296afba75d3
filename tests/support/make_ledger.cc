// Writes a ledger for the tests of `lethe ledger` into a data folder, as the service would.
//
//   make_ledger DATA LEAVES
//
// Half of the leaves are creations in turn of each class, each is erased in the next batch, and a
// head is signed every 10,000 leaves. The folder must not have one yet.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.h"
#include "ledger/item_reference.h"
#include "ledger/ledger.h"

namespace lethe {
namespace {

constexpr std::uint64_t kBatch = 1000, kLeavesToAHead = 10'000;

Status MakeLedger(const std::string& data, std::uint64_t num_leaves) {
  std::filesystem::create_directories(data + "/keys");
  const auto start = std::chrono::floor<std::chrono::seconds>(SystemClock().Now());
  ManualClock clock(start - std::chrono::hours(1));
  ASSIGN_OR_RETURN(const ReferenceKey key,
                   ReferenceKey::Load(data + "/keys/ledger-reference.key", true));
  ASSIGN_OR_RETURN(const auto ledger,
                   Ledger::Open({.folder = data + "/ledger",
                                 .signing_key_file = data + "/keys/ledger-signing.key",
                                 .origin = "test.example/ledger"},
                                clock));
  while (ledger->size() < num_leaves) {
    std::vector<Leaf> leaves;
    const std::uint64_t size = std::min(kBatch, (num_leaves - ledger->size() + 1) / 2);
    for (std::uint64_t i = 0; i < size; ++i) {
      const std::string id = std::to_string(ledger->size() + i);
      Leaf leaf{
          .data_class = kDataClasses[i % kDataClasses.size()],
          .due = std::chrono::floor<std::chrono::seconds>(clock.Now()) + std::chrono::hours(24),
          .region = "ap-guangzhou"};
      leaf.reference = key.Refer(leaf.data_class, RandomItemSalt(), id).reference;
      leaves.push_back(leaf);
    }
    ASSIGN_OR_RETURN(const std::uint64_t first, ledger->Append(leaves));
    clock.Advance(std::chrono::seconds(1));
    for (std::uint64_t i = 0; i < size; ++i) {
      leaves[i].kind = LeafKind::kErased;
      leaves[i].cause = ErasureCause::kRequested;
      leaves[i].creation = first + i;
    }
    leaves.resize(std::min(size, num_leaves - ledger->size()));
    RETURN_IF_ERROR(ledger->Append(leaves).status());
    if (ledger->size() % kLeavesToAHead == 0) RETURN_IF_ERROR(ledger->SignHead().status());
  }
  return ledger->SignHead().status();
}

}  // namespace
}  // namespace lethe

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: make_ledger DATA LEAVES\n", stderr);
    return 2;
  }
  const lethe::Status made = lethe::MakeLedger(argv[1], std::strtoull(argv[2], nullptr, 10));
  if (!made.ok()) std::fprintf(stderr, "make_ledger: %s\n", made.message().c_str());
  return made.ok() ? 0 : 1;
}
