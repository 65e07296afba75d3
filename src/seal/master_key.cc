#include "seal/master_key.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encoding.h"
#include "base/hmac.h"

namespace lethe {
namespace {

// A file descriptor, closed.
class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

Result<SealingKey> ReadKey(const std::string& path, int fd) {
  struct stat about;
  if (::fstat(fd, &about) != 0) return ErrnoStatus(errno, "cannot read " + path);
  if (!S_ISREG(about.st_mode)) return DataLoss("this is no file with a master key: " + path);
  if ((about.st_mode & 077) != 0) {
    return PermissionDenied(
        "others may read or write the master key; take it from them with: chmod "
        "600 " +
        path);
  }
  if (about.st_size != static_cast<off_t>(SealingKey::kSize)) {
    return DataLoss("a master key has " + std::to_string(SealingKey::kSize) +
                    " bytes; restore this file from its backup: " + path);
  }
  std::array<std::byte, SealingKey::kSize> bytes;
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::read(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return ErrnoStatus(n < 0 ? errno : EIO, "cannot read " + path);
    done += static_cast<std::size_t>(n);
  }
  SealingKey key(bytes);
  ::explicit_bzero(bytes.data(), bytes.size());
  return key;
}

Status WriteKey(const std::string& path, int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, "cannot write " + path);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  if (::fsync(fd) != 0) return ErrnoStatus(errno, "cannot write " + path);
  return OkStatus();
}

// The name itself has to reach the disk too: records sealed with a key that a power cut took would
// be lost.
Status SyncFolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const File file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.fd() < 0 || ::fsync(file.fd()) != 0) return ErrnoStatus(errno, "cannot write " + folder);
  return OkStatus();
}

// Writes a neighbour and gives it the name with link(), which fails where rename() would replace.
Status CreateKey(const std::string& path, std::span<const std::byte> bytes) {
  std::string temporary = path + ".XXXXXX";
  const File file(::mkostemp(temporary.data(), O_CLOEXEC));  // 0600
  if (file.fd() < 0) return ErrnoStatus(errno, "cannot write " + path);
  Status status = WriteKey(path, file.fd(), bytes);
  if (status.ok() && ::link(temporary.c_str(), path.c_str()) != 0 && errno != EEXIST) {
    status = ErrnoStatus(errno, "cannot write " + path);
  }
  ::unlink(temporary.c_str());
  if (!status.ok()) return status;
  return SyncFolderOf(path);
}

}  // namespace

MasterKey MasterKey::Random() { return MasterKey(SealingKey::Random()); }

Result<MasterKey> MasterKey::Load(const std::string& path, bool may_create) {
  // The second round reads what the first has made, or somebody else in the meantime.
  for (bool created = false;; created = true) {
    const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.fd() >= 0) {
      ASSIGN_OR_RETURN(SealingKey key, ReadKey(path, file.fd()));
      return MasterKey(std::move(key));
    }
    if (errno != ENOENT || created) return ErrnoStatus(errno, "cannot open the master key " + path);
    if (!may_create) {
      return FailedPrecondition("the master key is not there; restore it from its backup: " + path);
    }
    RETURN_IF_ERROR(CreateKey(path, SealingKey::Random().bytes()));
  }
}

std::string MasterKey::Seal(const Secret& secret, std::string_view belongs_to) const {
  return Base64Encode(key_.Seal(secret.Reveal(), belongs_to));
}

Result<Secret> MasterKey::Open(std::string_view sealed, std::string_view belongs_to) const {
  const std::optional<std::string> bytes = Base64Decode(sealed);
  auto plain = bytes ? key_.Open(*bytes, belongs_to) : DataLoss("no base64");
  if (!plain.ok()) return DataLoss("a stored secret does not open with the master key");
  Secret secret(*plain);  // a copy, for the original is wiped here
  WipeSecret(*plain);
  return secret;
}

}  // namespace lethe
