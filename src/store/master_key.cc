#include "store/master_key.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <span>

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/encoding.h"
#include "base/random.h"

namespace lethe {
namespace {

constexpr std::size_t kKeySize = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t kNonceSize = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagSize = crypto_aead_xchacha20poly1305_ietf_ABYTES;

const unsigned char* Unsigned(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

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

Status ReadKey(const std::string& path, int fd, unsigned char* bytes) {
  struct stat about;
  if (::fstat(fd, &about) != 0) return ErrnoStatus(errno, "cannot read " + path);
  if (!S_ISREG(about.st_mode)) return DataLoss("this is no file with a master key: " + path);
  if ((about.st_mode & 077) != 0) {
    return PermissionDenied(
        "others may read or write the master key; take it from them with: chmod "
        "600 " +
        path);
  }
  if (about.st_size != static_cast<off_t>(kKeySize)) {
    return DataLoss("a master key has " + std::to_string(kKeySize) +
                    " bytes; restore this file from its backup: " + path);
  }
  for (std::size_t done = 0; done < kKeySize;) {
    const ssize_t n = ::read(fd, bytes + done, kKeySize - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return ErrnoStatus(n < 0 ? errno : EIO, "cannot read " + path);
    done += static_cast<std::size_t>(n);
  }
  return OkStatus();
}

Status WriteKey(const std::string& path, int fd, const unsigned char* bytes) {
  for (std::size_t done = 0; done < kKeySize;) {
    const ssize_t n = ::write(fd, bytes + done, kKeySize - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, "cannot write " + path);
    done += static_cast<std::size_t>(n);
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
Status CreateKey(const std::string& path, const unsigned char* bytes) {
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

void MasterKey::Free::operator()(unsigned char* bytes) const { sodium_free(bytes); }

MasterKey::Bytes MasterKey::Allocate() {
  LETHE_CHECK(sodium_init() >= 0);
  Bytes bytes(static_cast<unsigned char*>(sodium_malloc(kKeySize)));
  LETHE_CHECK(bytes != nullptr);
  return bytes;
}

MasterKey MasterKey::Random() {
  Bytes bytes = Allocate();
  FillRandom(std::as_writable_bytes(std::span(bytes.get(), kKeySize)));
  return MasterKey(std::move(bytes));
}

Result<MasterKey> MasterKey::Load(const std::string& path, bool may_create) {
  // The second round reads what the first has made, or somebody else in the meantime.
  for (bool created = false;; created = true) {
    const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.fd() >= 0) {
      Bytes bytes = Allocate();
      RETURN_IF_ERROR(ReadKey(path, file.fd(), bytes.get()));
      return MasterKey(std::move(bytes));
    }
    if (errno != ENOENT || created) return ErrnoStatus(errno, "cannot open the master key " + path);
    if (!may_create) {
      return FailedPrecondition("the master key is not there; restore it from its backup: " + path);
    }
    const MasterKey fresh = Random();
    RETURN_IF_ERROR(CreateKey(path, fresh.bytes_.get()));
  }
}

std::string MasterKey::Seal(const Secret& secret, std::string_view belongs_to) const {
  const std::string_view plain = secret.Reveal();
  std::string sealed(kNonceSize + plain.size() + kTagSize, '\0');
  FillRandom(std::as_writable_bytes(std::span(sealed.data(), kNonceSize)));
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      reinterpret_cast<unsigned char*>(sealed.data()) + kNonceSize, nullptr, Unsigned(plain),
      plain.size(), Unsigned(belongs_to), belongs_to.size(), nullptr, Unsigned(sealed),
      bytes_.get());
  return Base64Encode(sealed);
}

Result<Secret> MasterKey::Open(std::string_view sealed, std::string_view belongs_to) const {
  const Status wrong = DataLoss("a stored secret does not open with the master key");
  const std::optional<std::string> bytes = Base64Decode(sealed);
  if (!bytes || bytes->size() < kNonceSize + kTagSize) return wrong;
  const std::string_view box = std::string_view(*bytes).substr(kNonceSize);
  std::string plain(box.size() - kTagSize, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(reinterpret_cast<unsigned char*>(plain.data()),
                                                 nullptr, nullptr, Unsigned(box), box.size(),
                                                 Unsigned(belongs_to), belongs_to.size(),
                                                 Unsigned(*bytes), bytes_.get()) != 0) {
    return wrong;
  }
  Secret secret(plain);  // a copy, for the original is wiped here
  WipeSecret(plain);
  return secret;
}

}  // namespace lethe
