#include "app/erasure.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <thread>
#include <vector>

#include "app/output.h"
#include "base/file.h"
#include "ledger/ledger.h"

namespace lethe {
namespace {

// How long a service that runs in the same folder is waited for, until its ledger was told.
constexpr std::chrono::seconds kPatience{15};

// Receipts of what was erased, out of a ledger that another process writes.
Result<std::vector<Receipt>> FindReceipts(const std::string& folder, std::uint64_t first,
                                          const std::vector<ErasedItem>& items) {
  ASSIGN_OR_RETURN(const auto ledger, Ledger::OpenForReading(folder));
  std::map<MerkleHash, MerkleHash> openings;
  for (const ErasedItem& item : items) openings[item.reference] = item.opening;
  std::vector<Receipt> receipts;
  for (std::uint64_t number = first; number < ledger->size(); ++number) {
    ASSIGN_OR_RETURN(const Leaf leaf, ledger->Read(number));
    const auto opening = openings.find(leaf.reference);
    if (leaf.kind != LeafKind::kErased || opening == openings.end()) continue;
    ASSIGN_OR_RETURN(Receipt receipt, ledger->Prove(number));
    receipt.opening = opening->second;
    receipts.push_back(std::move(receipt));
  }
  return receipts;
}

std::uint64_t SignedLeaves(const std::string& folder) {
  const auto ledger = Ledger::OpenForReading(folder);
  return ledger.ok() ? (*ledger)->size() : 0;
}

// The service that runs has the ledger: it tells it, within a second or so, and signs it.
void WaitForReceipts(const std::string& folder, std::uint64_t first, Erasure* erasure) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < until) {
    auto receipts = FindReceipts(folder, first, erasure->unproven);
    if (receipts.ok() && receipts->size() >= erasure->unproven.size()) {
      erasure->without_receipt -= std::min(erasure->without_receipt, receipts->size());
      erasure->receipts = *std::move(receipts);
      erasure->proof.clear();
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

Status WriteReceipts(AtomicFileWriter& writer, const std::vector<Receipt>& receipts) {
  for (const Receipt& receipt : receipts) {
    const std::string text = receipt.Json();
    RETURN_IF_ERROR(writer.Write(std::as_bytes(std::span(text))));
  }
  return writer.Commit();
}

// No service was there to say it.
void ShowPutBack(DecisionFeed& decisions) {
  const int sum = decisions.TakeReport().put_back.sum();
  if (sum == 0) return;
  PrintNote("the records did not have what had been decided, as when they are older: " +
            std::to_string(sum) + " decisions hold again");
}

}  // namespace

void TellDecisions(DataFolder& data) {
  // No command begins a ledger.
  if (!ReadFile(data.ledger.folder + "/ledger.txt", 1 << 16).ok()) return;
  DecisionFeed decisions(data.store->decisions(), data.keyring->keys(), *data.clock);
  LedgerFeed feed(data.store->journal(), data.ledger, *data.clock, &decisions);
  if (feed.CatchUp().ok()) feed.Stop();
  ShowPutBack(decisions);
}

Status EraseAndShow(DataFolder& data, const std::string& receipts_file,
                    const std::function<Result<Erasure>(Eraser&)>& erase) {
  // What proves the erasure exists only now: a file that cannot be made ends it before it begins.
  std::optional<AtomicFileWriter> receipts;
  if (!receipts_file.empty()) {
    ASSIGN_OR_RETURN(receipts, AtomicFileWriter::Create(receipts_file));
  }
  const std::uint64_t first = SignedLeaves(data.ledger.folder);
  DecisionFeed decisions(data.store->decisions(), data.keyring->keys(), *data.clock);
  LedgerFeed feed(data.store->journal(), data.ledger, *data.clock, &decisions);
  Eraser eraser({.store = *data.store,
                 .recordings = data.recordings.get(),
                 .feed = &feed,
                 .reserve = data.reserve.get()});
  ASSIGN_OR_RETURN(Erasure erasure, erase(eraser));
  if (!erasure.proof.empty()) WaitForReceipts(data.ledger.folder, first, &erasure);
  feed.Stop();
  ShowPutBack(decisions);
  std::string text = "erased: " + std::to_string(erasure.results) + " results, " +
                     std::to_string(erasure.recordings) + " recordings, " +
                     std::to_string(erasure.operations) + " rows of the operation log\n";
  if (erasure.unreachable > 0) {
    text +=
        "recordings that cannot be opened any more, and are removed when the object store "
        "answers: " +
        std::to_string(erasure.unreachable) + "\n";
  }
  if (erasure.in_log) {
    text +=
        "sealed, it stays in the log of the records for now: another process reads records.db, and "
        "has to end before\nthe log is emptied (lsof records.db-wal)\n";
  }
  text += "receipts: " + std::to_string(erasure.receipts.size()) + "\n";
  for (const Receipt& receipt : erasure.receipts) {
    text += "  leaf " + std::to_string(receipt.number) + "  " +
            std::string(DataClassName(receipt.leaf.data_class)) + "\n";
  }
  if (erasure.without_receipt > 0) {
    text += "without a receipt here: " + std::to_string(erasure.without_receipt) +
            (erasure.proof.empty() ? "\n" : " (" + erasure.proof + ")\n");
  }
  RETURN_IF_ERROR(WriteStandardOutput(text));
  return receipts ? WriteReceipts(*receipts, erasure.receipts) : OkStatus();
}

}  // namespace lethe
