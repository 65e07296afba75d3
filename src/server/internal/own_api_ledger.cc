#include "server/internal/own_api_ledger.h"

#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "base/encoding.h"
#include "server/internal/own_api_json.h"

namespace lethe::server_internal {

HttpResponse ShowLedger(LedgerFeed& ledger, const HttpRequest& request) {
  std::optional<std::uint64_t> from;
  const Status status = ReadNumber(ReadQuery(request), "from", &from);
  if (!status.ok()) return OwnApiError(status);
  const auto published = ledger.Publish(from);
  if (!published.ok()) return OwnApiError(published.status());
  OwnApiJson answer = {{"head", published->head}, {"keys", published->keys}};
  if (from) {
    OwnApiJson proof = OwnApiJson::array();
    for (const MerkleHash& hash : published->consistency) {
      proof.push_back(Base64Encode(std::span<const std::byte>(hash)));
    }
    answer["consistency"] = {{"from", *from}, {"proof", std::move(proof)}};
  }
  return OwnApiAnswer(answer);
}

}  // namespace lethe::server_internal
