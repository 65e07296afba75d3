#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <optional>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "store/directory_objects.h"

namespace lethe {
namespace {

namespace fs = std::filesystem;

// No object has this in its name.
constexpr std::string_view kTemporary = ".part";
// A younger one may be another process' work.
constexpr std::chrono::hours kAbandoned{1};
constexpr int kAttempts = 5;
constexpr std::size_t kBlock = std::size_t{64} << 10;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

Status SyncFolder(const fs::path& folder) {
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) {
    return ErrnoStatus(errno, "cannot write " + folder.string());
  }
  return OkStatus();
}

Status WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, "cannot write an object");
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return OkStatus();
}

class DirectoryObjects final : public ObjectStore {
 public:
  explicit DirectoryObjects(fs::path root) : root_(std::move(root)) {}

  Status Prepare() const {
    std::error_code error;
    fs::create_directories(root_, error);
    if (error) return ErrnoStatus(error.value(), "cannot make " + root_.string());
    if (::chmod(root_.c_str(), 0700) != 0) {
      return ErrnoStatus(errno, "cannot own " + root_.string());
    }
    return OkStatus();
  }

  Status Put(const std::string& name, std::uint64_t size, const ObjectSource& source) override {
    if (!IsObjectName(name)) return InvalidArgument("this is no name of an object");
    const fs::path path = root_ / name;
    const fs::path temporary = path.string() + "-" + RandomHex(8) + std::string(kTemporary);
    RETURN_IF_ERROR(MakeFolder(path.parent_path()));
    std::optional<Descriptor> file;
    // Whoever removes the last object of the folder removes the folder.
    for (int attempt = 0; attempt < kAttempts && (!file || file->get() < 0); ++attempt) {
      if (attempt > 0) RETURN_IF_ERROR(MakeFolder(path.parent_path()));
      file.emplace(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
      if (file->get() < 0 && errno != ENOENT) break;
    }
    if (file->get() < 0) return ErrnoStatus(errno, "cannot write an object");
    Status status = Write(file->get(), size, source);
    if (status.ok() && ::link(temporary.c_str(), path.c_str()) != 0) {
      status = errno == EEXIST ? FailedPrecondition("there is an object of that name already")
                               : ErrnoStatus(errno, "cannot write an object");
    }
    ::unlink(temporary.c_str());
    RETURN_IF_ERROR(status);
    return SyncFolder(path.parent_path());
  }

  Status Get(const std::string& name, const ObjectSink& sink) override {
    if (!IsObjectName(name)) return InvalidArgument("this is no name of an object");
    const Descriptor fd(::open((root_ / name).c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0 && (errno == ENOENT || errno == ENOTDIR)) {
      return NotFound("there is no such object");
    }
    if (fd.get() < 0) return ErrnoStatus(errno, "cannot read an object");
    std::string block(kBlock, '\0');
    while (true) {
      const ssize_t n = ::read(fd.get(), block.data(), block.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return ErrnoStatus(errno, "cannot read an object");
      if (n == 0) return OkStatus();
      RETURN_IF_ERROR(sink(std::string_view(block).substr(0, static_cast<std::size_t>(n))));
    }
  }

  Status Remove(const std::string& name) override {
    if (!IsObjectName(name)) return InvalidArgument("this is no name of an object");
    const fs::path path = root_ / name;
    if (::unlink(path.c_str()) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return OkStatus();
      return ErrnoStatus(errno, "cannot remove an object");
    }
    // Whoever removes the last one removes its folder too, and was perhaps quicker.
    Status synced = SyncFolder(path.parent_path());
    if (!synced.ok() && synced.code() != StatusCode::kNotFound) return synced;
    if (path.parent_path() != root_) ::rmdir(path.parent_path().c_str());
    return OkStatus();
  }

  Result<std::vector<std::string>> List(const std::string& folder, int limit) override {
    if (!IsObjectName(folder)) return InvalidArgument("this is no name of a folder");
    std::vector<std::string> names;
    std::error_code error;
    fs::recursive_directory_iterator at(root_ / folder, error);
    if (error == std::errc::no_such_file_or_directory) return names;
    for (const fs::recursive_directory_iterator end; !error && at != end; at.increment(error)) {
      // What is not there any more when it is looked at is no file either.
      std::error_code gone;
      if (!at->is_regular_file(gone)) continue;
      std::string name = fs::relative(at->path(), root_, gone).string();
      if (gone || !IsObjectName(name)) continue;
      names.push_back(std::move(name));
    }
    // A folder that was removed meanwhile is looked for the next time.
    if (error && error != std::errc::no_such_file_or_directory) {
      return ErrnoStatus(error.value(), "cannot read the objects");
    }
    std::sort(names.begin(), names.end());
    if (names.size() > static_cast<std::size_t>(limit))
      names.resize(static_cast<std::size_t>(limit));
    return names;
  }

  Status RemoveAbandoned() override {
    std::error_code error;
    std::vector<fs::path> abandoned;
    for (fs::recursive_directory_iterator at(root_, error), end; !error && at != end;
         at.increment(error)) {
      std::error_code gone;
      if (at->path().extension() != kTemporary) continue;
      const auto written = fs::last_write_time(at->path(), gone);
      if (!gone && fs::file_time_type::clock::now() - written > kAbandoned) {
        abandoned.push_back(at->path());
      }
    }
    // A folder that was removed meanwhile is looked into the next time.
    if (error && error != std::errc::no_such_file_or_directory) {
      return ErrnoStatus(error.value(), "cannot read the objects");
    }
    for (const fs::path& path : abandoned) {
      if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
        return ErrnoStatus(errno, "cannot remove what was left of an object");
      }
      if (path.parent_path() != root_) ::rmdir(path.parent_path().c_str());
    }
    return OkStatus();
  }

 private:
  // Somebody may remove the folder, or its parent, while it is made.
  Status MakeFolder(const fs::path& folder) const {
    Status status;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      status = OkStatus();
      // All of them are for their owner only, whatever the umask.
      fs::path made = root_;
      for (const fs::path& part : folder.lexically_relative(root_)) {
        made /= part;
        if (status.ok() && ::mkdir(made.c_str(), 0700) != 0 && errno != EEXIST) {
          status = ErrnoStatus(errno, "cannot make a folder for objects");
        }
      }
      if (status.ok()) status = SyncFolder(folder.parent_path());
      const bool raced = status.code() == StatusCode::kNotFound;
      if (!raced) break;
    }
    return status;
  }

  static Status Write(int fd, std::uint64_t size, const ObjectSource& source) {
    std::string block(kBlock, '\0');
    std::uint64_t done = 0;
    while (true) {
      ASSIGN_OR_RETURN(const std::size_t n, source(std::span(block)));
      if (n == 0) break;
      done += n;
      if (done > size) break;
      RETURN_IF_ERROR(WriteAll(fd, std::string_view(block).substr(0, n)));
    }
    if (done != size) return InvalidArgument("an object has another size than was said");
    return ::fsync(fd) == 0 ? OkStatus() : ErrnoStatus(errno, "cannot write an object");
  }

  const fs::path root_;
};

}  // namespace

bool IsObjectName(std::string_view name) {
  if (name.empty() || name.size() > 200 || name.front() == '/' || name.back() == '/') return false;
  char before = '/';
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    if (!letter && (c != '/' || before == '/')) return false;
    before = c;
  }
  return true;
}

Result<std::unique_ptr<ObjectStore>> OpenDirectoryObjects(const std::string& folder) {
  auto objects = std::make_unique<DirectoryObjects>(folder);
  RETURN_IF_ERROR(objects->Prepare());
  return std::unique_ptr<ObjectStore>(std::move(objects));
}

}  // namespace lethe
