#include "seal/keyring.h"

#include <algorithm>

#include "seal/file_key_store.h"

namespace lethe {
namespace {

constexpr std::size_t kMaxRegion = 16;

bool IsRegion(std::string_view name) {
  return !name.empty() && name.size() <= kMaxRegion &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

}  // namespace

Result<std::unique_ptr<Keyring>> Keyring::Open(const std::string& folder, const std::string& region,
                                               const Clock& clock, bool may_create) {
  if (!IsRegion(region)) {
    return InvalidArgument("a region is named by 1 to 16 of a-z, 0-9 and '-': \"" + region + "\"");
  }
  ASSIGN_OR_RETURN(MasterKey master_key, MasterKey::Load(folder + "/master.key", may_create));
  std::unique_ptr<Keyring> keyring(new Keyring(folder, std::move(master_key)));
  ASSIGN_OR_RETURN(keyring->keys_, OpenFileKeyStore(folder, keyring->master_key_));
  keyring->sealer_ = std::make_unique<Sealer>(*keyring->keys_, region, clock);
  return keyring;
}

}  // namespace lethe
