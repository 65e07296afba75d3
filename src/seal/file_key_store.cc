#include "seal/file_key_store.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <list>
#include <optional>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mutex.h"
#include "base/random.h"

namespace lethe {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSealedSize = SealingKey::kSize + SealingKey::kOverhead;
constexpr std::string_view kSuffix = ".key";
constexpr const char* kEpochs = "/epochs";
constexpr const char* kTenants = "/tenants";
// A locked key takes some pages, and an unprivileged process may lock 8 MB.
constexpr std::size_t kMostCached = 256;

Status SyncFolder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(errno, "cannot open " + folder);
  const bool synced = ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  return synced ? OkStatus() : ErrnoStatus(error, "cannot write " + folder);
}

std::string NameOf(const Epoch& epoch) {
  return std::string(DataClassName(epoch.data_class)) + "." + epoch.region + "." +
         std::to_string(epoch.hour) + std::string(kSuffix);
}

template <class T>
std::optional<T> ReadNumber(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Epoch> ReadEpoch(std::string_view name) {
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  const std::size_t first = name.find('.'), last = name.rfind('.');
  if (first == std::string_view::npos || first == last) return std::nullopt;
  const auto data_class = DataClassNamed(name.substr(0, first));
  const auto hour = ReadNumber<std::int64_t>(name.substr(last + 1));
  if (!data_class || !hour) return std::nullopt;
  return Epoch{*data_class, std::string(name.substr(first + 1, last - first - 1)), *hour};
}

// Overwrites a file's bytes and cuts it to nothing. Of one that is not there: ok.
Status Overwrite(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? OkStatus() : ErrnoStatus(errno, "cannot open " + path);
  std::string noise(kSealedSize, '\0');
  FillRandom(std::as_writable_bytes(std::span(noise)));
  const bool done =
      ::pwrite(fd, noise.data(), noise.size(), 0) == static_cast<ssize_t>(noise.size()) &&
      ::fsync(fd) == 0 && ::ftruncate(fd, 0) == 0 && ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  return done ? OkStatus() : ErrnoStatus(error, "cannot overwrite " + path);
}

Result<std::vector<std::string>> List(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    names.push_back(at->path().filename().string());
  }
  if (error) return ErrnoStatus(error.value(), "cannot read " + folder);
  return names;
}

class FileKeyStore final : public KeyStore {
 public:
  FileKeyStore(const std::string& folder, const MasterKey& master_key)
      : epochs_(folder + kEpochs), tenants_(folder + kTenants), master_key_(master_key) {}

  Status MakeFolders() {
    for (const std::string& folder : {epochs_, tenants_}) {
      std::error_code error;
      fs::create_directories(folder, error);
      if (error) return ErrnoStatus(error.value(), "cannot make " + folder);
      if (::chmod(folder.c_str(), 0700) != 0) return ErrnoStatus(errno, "cannot own " + folder);
    }
    return OkStatus();
  }

  Result<std::shared_ptr<const SealingKey>> EpochKey(const Epoch& epoch, WallTime now) override {
    return EpochKey(epoch, now, true);
  }
  Result<std::shared_ptr<const SealingKey>> FindEpochKey(const Epoch& epoch,
                                                         WallTime now) override {
    return EpochKey(epoch, now, false);
  }

  Result<std::shared_ptr<const SealingKey>> TenantKey(TenantId tenant) override {
    const std::string path = tenants_ + "/" + std::to_string(tenant) + std::string(kSuffix);
    return Load(path, true);
  }

  using KeyStore::DestroyEpoch;
  Status DestroyEpoch(const Epoch& epoch, const Tell& tell) override {
    const std::string path = epochs_ + "/" + NameOf(epoch);
    RETURN_IF_ERROR(Destroy(path));
    RETURN_IF_ERROR(tell());
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
      return ErrnoStatus(errno, "cannot remove " + path);
    }
    return SyncFolder(epochs_);
  }

  // Its empty file stays, so that nobody makes it another.
  Status DestroyTenant(TenantId tenant) override {
    const std::string path = tenants_ + "/" + std::to_string(tenant) + std::string(kSuffix);
    RETURN_IF_ERROR(Destroy(path));
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return ErrnoStatus(errno, "cannot write " + path);
    ::close(fd);
    return SyncFolder(tenants_);
  }

  Result<std::vector<Epoch>> Epochs() override {
    std::vector<Epoch> epochs;
    ASSIGN_OR_RETURN(const std::vector<std::string> names, List(epochs_));
    for (const std::string& name : names) {
      if (auto epoch = ReadEpoch(name)) epochs.push_back(*std::move(epoch));
    }
    std::sort(epochs.begin(), epochs.end());
    return epochs;
  }

  Result<std::vector<TenantId>> Tenants() override {
    std::vector<TenantId> tenants;
    ASSIGN_OR_RETURN(const std::vector<std::string> names, List(tenants_));
    for (std::string_view name : names) {
      if (!name.ends_with(kSuffix)) continue;
      struct stat about;
      const std::string path = tenants_ + "/" + std::string(name);
      if (::stat(path.c_str(), &about) != 0 || about.st_size == 0) continue;
      name.remove_suffix(kSuffix.size());
      if (const auto tenant = ReadNumber<TenantId>(name)) tenants.push_back(*tenant);
    }
    std::sort(tenants.begin(), tenants.end());
    return tenants;
  }

 private:
  struct Cached {
    std::string path;
    std::shared_ptr<const SealingKey> key;
  };

  Result<std::shared_ptr<const SealingKey>> EpochKey(const Epoch& epoch, WallTime now,
                                                     bool may_make) {
    if (now >= EndOf(epoch)) return NotFound("the key of this hour is destroyed");
    return Load(epochs_ + "/" + NameOf(epoch), may_make);
  }

  Result<std::shared_ptr<const SealingKey>> Load(const std::string& path, bool may_make) {
    const MutexLock lock(mutex_);
    // Another process may have destroyed what is known here.
    struct stat about;
    const bool there = ::stat(path.c_str(), &about) == 0;
    if (!there && errno != ENOENT) return ErrnoStatus(errno, "cannot read " + path);
    // Keys out of reach are not destroyed keys.
    const std::string folder = fs::path(path).parent_path().string();
    if (!there && ::stat(folder.c_str(), &about) != 0) {
      return Unavailable("the folder of keys cannot be reached: " + folder);
    }
    if (!there || about.st_size == 0) Forget(path);
    if (there && about.st_size == 0) return NotFound("the key is destroyed");
    if (!there && !may_make) return NotFound("there is no such key");
    if (!there) RETURN_IF_ERROR(Make(path));
    const auto known = std::find_if(cache_.begin(), cache_.end(),
                                    [&](const Cached& cached) { return cached.path == path; });
    if (known != cache_.end()) {
      cache_.splice(cache_.begin(), cache_, known);
      return known->key;
    }
    ASSIGN_OR_RETURN(const std::string sealed, ReadFile(path, kSealedSize));
    auto key = master_key_.key().Unwrap(sealed, fs::path(path).filename().string());
    if (!key.ok()) return key.status().WithContext(path);
    cache_.push_front({path, std::make_shared<const SealingKey>(*std::move(key))});
    if (cache_.size() > kMostCached) cache_.pop_back();
    return cache_.front().key;
  }

  // Whoever is first is right.
  Status Make(const std::string& path) {
    const std::string sealed =
        master_key_.key().Wrap(SealingKey::Random(), fs::path(path).filename().string());
    const std::string temporary = path + "." + RandomHex(16) + ".tmp";
    {
      ASSIGN_OR_RETURN(AtomicFileWriter file,
                       AtomicFileWriter::Create(temporary, AtomicFileWriter::Readers::kOwner));
      RETURN_IF_ERROR(file.Write(sealed));
      RETURN_IF_ERROR(file.Commit());
    }
    const bool linked = ::link(temporary.c_str(), path.c_str()) == 0 || errno == EEXIST;
    const int error = errno;
    ::unlink(temporary.c_str());
    if (!linked) return ErrnoStatus(error, "cannot write " + path);
    return SyncFolder(fs::path(path).parent_path().string());
  }

  Status Destroy(const std::string& path) {
    const MutexLock lock(mutex_);
    Forget(path);
    return Overwrite(path);
  }

  void Forget(const std::string& path) REQUIRES(mutex_) {
    cache_.remove_if([&](const Cached& cached) { return cached.path == path; });
  }

  // Constant after construction.
  const std::string epochs_, tenants_;
  const MasterKey& master_key_;
  // Any thread.
  Mutex mutex_;
  std::list<Cached> cache_ GUARDED_BY(mutex_);  // the latest first
};

}  // namespace

Status CheckKeys(const std::string& folder, const MasterKey& master_key) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, List(folder + kTenants));
  for (const std::string& name : names) {
    const std::string path = folder + kTenants + "/" + name;
    std::error_code error;
    if (!name.ends_with(kSuffix) || fs::file_size(path, error) == 0) continue;
    ASSIGN_OR_RETURN(const std::string sealed, ReadFile(path, kSealedSize));
    const auto key = master_key.key().Unwrap(sealed, name);
    if (!key.ok()) return key.status().WithContext(path);
  }
  return OkStatus();
}

Result<int> RewrapKeys(const std::string& folder, const MasterKey& from, const MasterKey& to) {
  int count = 0;
  for (const char* kind : {kEpochs, kTenants}) {
    ASSIGN_OR_RETURN(const std::vector<std::string> names, List(folder + kind));
    for (const std::string& name : names) {
      const std::string path = folder + kind + "/" + name;
      std::error_code error;
      if (!name.ends_with(kSuffix) || fs::file_size(path, error) == 0) continue;
      ASSIGN_OR_RETURN(const std::string sealed, ReadFile(path, kSealedSize));
      ++count;
      if (to.key().Unwrap(sealed, name).ok()) continue;
      const auto key = from.key().Unwrap(sealed, name);
      if (!key.ok() && kind == kEpochs) continue;
      if (!key.ok()) return key.status().WithContext(path);
      ASSIGN_OR_RETURN(AtomicFileWriter file,
                       AtomicFileWriter::Create(path, AtomicFileWriter::Readers::kOwner));
      RETURN_IF_ERROR(file.Write(to.key().Wrap(*key, name)));
      RETURN_IF_ERROR(file.Commit());
    }
  }
  return count;
}

Status OverwriteKeyFile(const std::string& path) { return Overwrite(path); }

Epoch EpochOf(DataClass data_class, const std::string& region, WallTime created) {
  const auto hour = std::chrono::floor<std::chrono::hours>(created);
  return {data_class, region, hour.time_since_epoch().count()};
}

WallTime EndOf(const Epoch& epoch) {
  return WallTime(std::chrono::hours(epoch.hour)) + KeyLifetime(epoch.data_class);
}

Result<std::unique_ptr<KeyStore>> OpenFileKeyStore(const std::string& folder,
                                                   const MasterKey& master_key) {
  auto store = std::make_unique<FileKeyStore>(folder, master_key);
  RETURN_IF_ERROR(store->MakeFolders());
  return std::unique_ptr<KeyStore>(std::move(store));
}

}  // namespace lethe
