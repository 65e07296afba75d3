#include "ledger/internal/ledger_files.h"

#include <charconv>

#include "base/file.h"

namespace lethe {
namespace {

constexpr std::string_view kFirstLine = "lethe ledger 1\n", kKey = "key ", kSegment = "segment ";
constexpr std::uint64_t kMaxLeavesPerSegment = std::uint64_t{1} << 30;

std::string Path(const std::string& folder) { return folder + "/ledger.txt"; }

std::string Text(const LedgerAbout& about) {
  std::string text(kFirstLine);
  text.append(kKey).append(about.first_key.Text()).append("\n");
  text.append(kSegment).append(std::to_string(about.leaves_per_segment)).append("\n");
  return text;
}

}  // namespace

Result<LedgerAbout> LedgerAbout::Read(const std::string& folder) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(Path(folder), 4096));
  const Status damaged =
      DataLoss("the page that says what ledger it is is damaged: " + Path(folder));
  const std::size_t key = text.find(kKey), segment = text.find(kSegment);
  if (key == text.npos || segment == text.npos || segment < key) return damaged;
  LedgerAbout about;
  const std::size_t key_begin = key + kKey.size();
  auto parsed = VerifierKey::Parse(text.substr(key_begin, text.find('\n', key_begin) - key_begin));
  if (!parsed.ok()) return damaged;
  about.first_key = *std::move(parsed);
  std::from_chars(text.data() + segment + kSegment.size(), text.data() + text.size(),
                  about.leaves_per_segment);
  if (about.leaves_per_segment == 0 || about.leaves_per_segment > kMaxLeavesPerSegment ||
      Text(about) != text) {
    return damaged;
  }
  return about;
}

Status LedgerAbout::Write(const std::string& folder) const {
  ASSIGN_OR_RETURN(AtomicFileWriter writer,
                   AtomicFileWriter::Create(Path(folder), AtomicFileWriter::Readers::kOwner));
  RETURN_IF_ERROR(writer.Write(Text(*this)));
  RETURN_IF_ERROR(writer.Commit());
  return SyncFolder(folder);
}

}  // namespace lethe
