#include "base/key_file.h"

#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "base/random_access_file.h"

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

Status ReadKey(const std::string& path, std::string_view what, int fd, std::span<std::byte> key) {
  const std::string name(what);
  struct stat about;
  if (::fstat(fd, &about) != 0) return ErrnoStatus(errno, "cannot read " + path);
  if (!S_ISREG(about.st_mode)) return DataLoss("this is no file with a " + name + ": " + path);
  if ((about.st_mode & 077) != 0) {
    return PermissionDenied("others may read or write the " + name +
                            "; take it from them with: chmod 600 " + path);
  }
  if (about.st_size != static_cast<off_t>(key.size())) {
    return DataLoss("a " + name + " has " + std::to_string(key.size()) +
                    " bytes; restore this file from its backup: " + path);
  }
  for (std::size_t done = 0; done < key.size();) {
    const ssize_t n = ::read(fd, key.data() + done, key.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return ErrnoStatus(n < 0 ? errno : EIO, "cannot read " + path);
    done += static_cast<std::size_t>(n);
  }
  return OkStatus();
}

Status WriteKey(const std::string& path, int fd, std::span<const std::byte> key) {
  for (std::size_t done = 0; done < key.size();) {
    const ssize_t n = ::write(fd, key.data() + done, key.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, "cannot write " + path);
    done += static_cast<std::size_t>(n);
  }
  if (::fsync(fd) != 0) return ErrnoStatus(errno, "cannot write " + path);
  return OkStatus();
}

// Writes a neighbour and gives it the name with link(), which fails where rename() would replace.
Status CreateKey(const std::string& path, std::span<std::byte> key) {
  FillRandom(key);
  std::string temporary = path + ".XXXXXX";
  const File file(::mkostemp(temporary.data(), O_CLOEXEC));  // 0600
  if (file.fd() < 0) return ErrnoStatus(errno, "cannot write " + path);
  Status status = WriteKey(path, file.fd(), key);
  if (status.ok() && ::link(temporary.c_str(), path.c_str()) != 0 && errno != EEXIST) {
    status = ErrnoStatus(errno, "cannot write " + path);
  }
  ::unlink(temporary.c_str());
  if (!status.ok()) return status;
  // The name itself has to reach the disk too: what was sealed or signed with a key that a power
  // cut took would be lost.
  const std::size_t slash = path.rfind('/');
  return SyncFolder(slash == std::string::npos ? "." : path.substr(0, slash + 1));
}

}  // namespace

Status LoadKeyFile(const std::string& path, std::string_view what, bool may_create,
                   std::span<std::byte> key) {
  // The second round reads what the first has made, or somebody else in the meantime.
  for (bool created = false;; created = true) {
    const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.fd() >= 0) return ReadKey(path, what, file.fd(), key);
    if (errno != ENOENT || created) {
      return ErrnoStatus(errno, "cannot open the " + std::string(what) + " " + path);
    }
    if (!may_create) {
      return FailedPrecondition("the " + std::string(what) +
                                " is not there; restore it from its backup: " + path);
    }
    RETURN_IF_ERROR(CreateKey(path, key));
  }
}

}  // namespace lethe
