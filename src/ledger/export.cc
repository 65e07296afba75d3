#include "ledger/export.h"

#include <algorithm>
#include <array>
#include <memory>

#include <openssl/evp.h>

#include "base/check.h"
#include "ledger/internal/wire.h"

namespace lethe {
namespace {

constexpr std::string_view kMagic = "LETHE-LG";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 32;
constexpr std::uint64_t kLeavesAtOnce = 4096;

std::span<const std::byte> AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string_view AsText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Passes bytes on and hashes them.
class HashingSink {
 public:
  explicit HashingSink(const ByteSink& sink) : sink_(sink), context_(EVP_MD_CTX_new()) {
    LETHE_CHECK(context_ != nullptr &&
                EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  }
  Status Write(std::span<const std::byte> bytes) {
    LETHE_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
    return sink_(bytes);
  }
  Status WriteText(std::string_view text) { return Write(AsBytes(text)); }
  template <class T>
  Status WriteNumber(T value) {
    std::array<std::byte, sizeof(T)> bytes;
    PutNumber(std::span<std::byte>(bytes), value);
    return Write(bytes);
  }
  Status WriteHash() {
    Sha256Digest digest;
    LETHE_CHECK(EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()),
                                   nullptr) == 1);
    return sink_(digest);
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  const ByteSink& sink_;
  const std::unique_ptr<EVP_MD_CTX, Free> context_;
};

Status NoExport() { return InvalidArgument("this is no export of a ledger, or not all of one"); }

}  // namespace

Status WriteExport(const Ledger& ledger, const ByteSink& sink) {
  const std::uint64_t num_heads = ledger.num_heads();
  if (num_heads == 0) return NotFound("nothing of the ledger is signed yet");
  ASSIGN_OR_RETURN(const SignedHead last, ledger.ReadHead(num_heads - 1));
  const std::uint64_t num_leaves = last.head().size;
  const std::string key = ledger.keys().front().Text();

  HashingSink out(sink);
  RETURN_IF_ERROR(out.WriteText(kMagic));
  RETURN_IF_ERROR(out.WriteNumber(kVersion));
  RETURN_IF_ERROR(out.WriteNumber(static_cast<std::uint32_t>(key.size())));
  RETURN_IF_ERROR(out.WriteNumber(num_leaves));
  RETURN_IF_ERROR(out.WriteNumber(num_heads));
  RETURN_IF_ERROR(out.WriteText(key));
  std::vector<std::array<std::byte, kLeafBytes>> leaves;
  for (std::uint64_t first = 0; first < num_leaves; first += leaves.size()) {
    leaves.resize(std::min(kLeavesAtOnce, num_leaves - first));
    RETURN_IF_ERROR(ledger.ReadEncoded(first, leaves));
    RETURN_IF_ERROR(out.Write(std::as_bytes(std::span(leaves))));
  }
  for (std::uint64_t number = 0; number < num_heads; ++number) {
    ASSIGN_OR_RETURN(const SignedHead head, ledger.ReadHead(number));
    RETURN_IF_ERROR(out.WriteNumber(static_cast<std::uint32_t>(head.note().size())));
    RETURN_IF_ERROR(out.WriteText(head.note()));
  }
  return out.WriteHash();
}

Result<ExportView> ExportView::Parse(std::span<const std::byte> file) {
  if (file.size() < kHeaderBytes + sizeof(Sha256Digest) || AsText(file.first(8)) != kMagic) {
    return NoExport();
  }
  if (GetNumber<std::uint32_t>(file.subspan(8)) != kVersion) {
    return InvalidArgument("the export is of a version that this program does not know");
  }
  const auto key_bytes = GetNumber<std::uint32_t>(file.subspan(12));
  const auto num_leaves = GetNumber<std::uint64_t>(file.subspan(16));
  const auto num_heads = GetNumber<std::uint64_t>(file.subspan(24));
  const auto hashed = file.first(file.size() - sizeof(Sha256Digest));
  std::span<const std::byte> rest = hashed.subspan(kHeaderBytes);

  ExportView view;
  if (key_bytes > rest.size()) return NoExport();
  view.first_key = AsText(rest.first(key_bytes));
  rest = rest.subspan(key_bytes);
  if (num_leaves > rest.size() / kLeafBytes) return NoExport();
  view.leaves = rest.first(num_leaves * kLeafBytes);
  rest = rest.subspan(view.leaves.size());
  for (std::uint64_t number = 0; number < num_heads; ++number) {
    if (rest.size() < 4) return NoExport();
    const auto note_bytes = GetNumber<std::uint32_t>(rest);
    rest = rest.subspan(4);
    if (note_bytes == 0 || note_bytes > rest.size()) return NoExport();
    view.heads.push_back(AsText(rest.first(note_bytes)));
    rest = rest.subspan(note_bytes);
  }
  if (!rest.empty()) return NoExport();
  view.is_undamaged = std::ranges::equal(Sha256({hashed}), file.last(sizeof(Sha256Digest)));
  return view;
}

}  // namespace lethe
