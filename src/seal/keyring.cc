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
constexpr std::string_view kDefaultRegion = "default";
constexpr std::string_view kMaster = "/master.key", kNext = "/master.key.next";

bool IsRegion(std::string_view name) {
  return !name.empty() && name.size() <= kMaxRegion &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

// Keys are of one region for ever: the first who opens the folder says which.
Result<std::string> SettleRegion(const std::string& path, const std::string& wanted) {
  constexpr std::size_t kMostBytes = kMaxRegion + 1;
  auto text = ReadFile(path, kMostBytes);
  if (text.ok()) {
    while (text->ends_with('\n')) text->pop_back();
    if (wanted.empty() || *text == wanted) return *std::move(text);
    return InvalidArgument("the keys are of the region " + *text + ", this node is in " + wanted +
                           " (store.region); what is stored stays in its region, so begin with "
                           "other keys and other records");
  }
  if (text.status().code() != StatusCode::kNotFound) return text.status();
  const std::string region = wanted.empty() ? std::string(kDefaultRegion) : wanted;
  ASSIGN_OR_RETURN(AtomicFileWriter file,
                   AtomicFileWriter::Create(path, AtomicFileWriter::Readers::kOwner));
  RETURN_IF_ERROR(file.Write(region + "\n"));
  RETURN_IF_ERROR(file.Commit());
  return region;
}

}  // namespace

Result<std::unique_ptr<Keyring>> Keyring::Open(const std::string& folder, const std::string& wanted,
                                               const Clock& clock, bool may_create) {
  if (!wanted.empty() && !IsRegion(wanted)) {
    return InvalidArgument("a region is named by 1 to 16 of a-z, 0-9 and '-': \"" + wanted + "\"");
  }
  if (fs::exists(folder + std::string(kNext))) {
    return InvalidArgument(
        "a change of the master key was begun and not finished; do that first: lethe keys rotate");
  }
  ASSIGN_OR_RETURN(MasterKey master_key,
                   MasterKey::Load(folder + std::string(kMaster), may_create));
  std::unique_ptr<Keyring> keyring(new Keyring(folder, std::move(master_key)));
  ASSIGN_OR_RETURN(const std::string region, SettleRegion(folder + "/region", wanted));
  ASSIGN_OR_RETURN(keyring->keys_, OpenFileKeyStore(folder, keyring->master_key_));
  keyring->sealer_ = std::make_unique<Sealer>(*keyring->keys_, region, clock);
  return keyring;
}

Result<Keyring::ChangeMasterKey> Keyring::ChangeMasterKey::Begin(const std::string& folder) {
  const std::string path = folder + std::string(kMaster), next = folder + std::string(kNext);
  std::error_code error;
  const bool begun = fs::exists(next);
  // Only when all was sealed anew is the old one destroyed.
  const bool destroyed = begun && fs::file_size(path, error) == 0;
  if (!begun && !fs::exists(path)) return FailedPrecondition("there is no master key: " + path);
  ASSIGN_OR_RETURN(MasterKey to, MasterKey::Load(next, true));
  ASSIGN_OR_RETURN(MasterKey from, MasterKey::Load(destroyed ? next : path, false));
  ASSIGN_OR_RETURN(const int keys, RewrapKeys(folder, from, to));
  return ChangeMasterKey{folder, std::move(from), std::move(to), keys};
}

Status Keyring::ChangeMasterKey::Finish() const {
  const std::string path = folder + std::string(kMaster), next = folder + std::string(kNext);
  RETURN_IF_ERROR(OverwriteKeyFile(path));
  if (std::rename(next.c_str(), path.c_str()) == 0) return OkStatus();
  return ErrnoStatus(errno, "cannot rename " + next);
}

}  // namespace lethe
