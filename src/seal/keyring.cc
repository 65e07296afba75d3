#include "seal/keyring.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/file.h"
#include "seal/file_key_store.h"

namespace lethe {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxRegion = 16;
const std::string kDefaultRegion = "default";
constexpr std::string_view kMaster = "/master.key", kNext = "/master.key.next", kLock = "/lock";

bool IsRegion(std::string_view name) {
  return !name.empty() && name.size() <= kMaxRegion &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

struct Region {
  std::string name;
  bool settled = false;
};

// The region that the names of hours' keys say; empty: there are none, or of several.
std::string RegionOfKeys(KeyStore& keys) {
  const auto epochs = keys.Epochs();
  if (!epochs.ok() || epochs->empty()) return "";
  const auto other = [&](const Epoch& epoch) { return epoch.region != epochs->front().region; };
  return std::any_of(epochs->begin(), epochs->end(), other) ? "" : epochs->front().region;
}

Status OfAnother(const std::string& theirs, const std::string& ours) {
  return InvalidArgument("the keys are of the region " + theirs + ", this node is in " + ours +
                         " (store.region); what is stored stays in its region, so begin with "
                         "other keys and other records");
}

// Keys are of one region for ever: the first who makes them, or who names one, says which. Keys
// from before that was written down say it by their names.
Result<Region> SettleRegion(const std::string& path, KeyStore& keys, const std::string& wanted,
                            bool may_create) {
  constexpr std::size_t kMostBytes = kMaxRegion + 1;
  auto text = ReadFile(path, kMostBytes);
  if (!text.ok() && text.status().code() != StatusCode::kNotFound) return text.status();
  while (text.ok() && text->ends_with('\n')) text->pop_back();
  const std::string found = text.ok() ? *text : RegionOfKeys(keys);
  if (!found.empty() && !wanted.empty() && found != wanted) return OfAnother(found, wanted);
  if (text.ok()) return Region{found, true};
  const std::string region = !found.empty() ? found : wanted.empty() ? kDefaultRegion : wanted;
  if (found.empty() && wanted.empty() && !may_create) return Region{region, false};
  ASSIGN_OR_RETURN(AtomicFileWriter file,
                   AtomicFileWriter::Create(path, AtomicFileWriter::Readers::kOwner));
  RETURN_IF_ERROR(file.Write(region + "\n"));
  RETURN_IF_ERROR(file.Commit());
  return Region{region, true};
}

}  // namespace

Result<std::unique_ptr<Keyring>> Keyring::Open(const std::string& folder, const std::string& wanted,
                                               const Clock& clock, bool may_create) {
  if (!wanted.empty() && !IsRegion(wanted)) {
    return InvalidArgument("a region is named by 1 to 16 of a-z, 0-9 and '-': \"" + wanted + "\"");
  }
  auto lock = FileLock::Take(folder + std::string(kLock), FileLock::Kind::kShared);
  if (lock.status().code() == StatusCode::kFailedPrecondition) {
    return InvalidArgument("the master key is being changed (lethe keys rotate); try again");
  }
  // Without its folder there is no key.
  if (!lock.ok() && lock.status().code() != StatusCode::kNotFound) return lock.status();
  if (fs::exists(folder + std::string(kNext))) {
    return InvalidArgument(
        "a change of the master key was begun and not finished; do that first: lethe keys rotate");
  }
  ASSIGN_OR_RETURN(MasterKey master_key,
                   MasterKey::Load(folder + std::string(kMaster), may_create));
  if (!lock.ok()) return lock.status();
  std::unique_ptr<Keyring> keyring(new Keyring(folder, *std::move(lock), std::move(master_key)));
  ASSIGN_OR_RETURN(keyring->keys_, OpenFileKeyStore(folder, keyring->master_key_));
  ASSIGN_OR_RETURN(const Region region,
                   SettleRegion(folder + "/region", *keyring->keys_, wanted, may_create));
  keyring->region_is_settled_ = region.settled;
  keyring->sealer_ = std::make_unique<Sealer>(*keyring->keys_, region.name, clock);
  return keyring;
}

Result<Keyring::ChangeMasterKey> Keyring::ChangeMasterKey::Begin(const std::string& folder) {
  const std::string path = folder + std::string(kMaster), next = folder + std::string(kNext);
  auto lock = FileLock::Take(folder + std::string(kLock), FileLock::Kind::kExclusive);
  if (lock.status().code() == StatusCode::kFailedPrecondition) {
    return FailedPrecondition("the keys are in use; stop every service and command on them first");
  }
  if (!lock.ok()) return lock.status();
  std::error_code error;
  const bool begun = fs::exists(next);
  // Only when all was sealed anew is the old one destroyed, which takes it through other sizes.
  const bool destroyed = begun && fs::file_size(path, error) != SealingKey::kSize;
  if (!begun && !fs::exists(path)) return FailedPrecondition("there is no master key: " + path);
  ASSIGN_OR_RETURN(MasterKey from, MasterKey::Load(destroyed ? next : path, false));
  if (!begun) RETURN_IF_ERROR(CheckKeys(folder, from));
  ASSIGN_OR_RETURN(MasterKey to, MasterKey::Load(next, true));
  ASSIGN_OR_RETURN(const int keys, RewrapKeys(folder, from, to));
  return ChangeMasterKey{folder, *std::move(lock), std::move(from), std::move(to), keys};
}

Status Keyring::ChangeMasterKey::Finish() const {
  const std::string path = folder + std::string(kMaster), next = folder + std::string(kNext);
  RETURN_IF_ERROR(OverwriteKeyFile(path));
  if (std::rename(next.c_str(), path.c_str()) == 0) return OkStatus();
  return ErrnoStatus(errno, "cannot rename " + next);
}

}  // namespace lethe
