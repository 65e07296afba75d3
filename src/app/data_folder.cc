#include "app/data_folder.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <span>

#include <sys/stat.h>
#include <unistd.h>

#include "app/watched_objects.h"
#include "base/file.h"
#include "base/random.h"
#include "base/sha256.h"
#include "store/directory_objects.h"
#include "store/mysql_store.h"
#include "store/recordings_place.h"
#include "store/s3_objects.h"
#include "store/sqlite_store.h"

namespace lethe {
namespace {

namespace fs = std::filesystem;

Status MakeFolder(const fs::path& path) {
  std::error_code ignored;
  if (path.empty() || fs::is_directory(path, ignored)) return OkStatus();
  RETURN_IF_ERROR(MakeFolder(path.parent_path()));
  if (::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return OkStatus();
  return ErrnoStatus(errno, "cannot make the folder " + path.string());
}

// The last folder is for its owner only; the ones above may be looked into by others. Nobody else
// may write to any of them, whatever the umask.
Status MakePrivateFolder(const std::string& path) {
  std::error_code error;
  RETURN_IF_ERROR(MakeFolder(fs::path(path).parent_path()));
  if (::mkdir(path.c_str(), 0700) == 0) return OkStatus();
  const int why = errno;
  if (why == EEXIST && fs::is_directory(path, error)) return OkStatus();
  return ErrnoStatus(why, "cannot make the folder " + path);
}

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

Status NoRecordsYet(const std::string& place) {
  return FailedPrecondition("there are no records yet; begin with: lethe apps create NAME, in " +
                            place);
}

// The password of the database's user, who may have none.
Result<Secret> StorePassword(const RecordsOptions& options) {
  constexpr std::size_t kMaxPassword = 1024;
  if (options.password_file.empty()) return Secret(Environment("LETHE_STORE_PASSWORD"));
  ASSIGN_OR_RETURN(std::string text, ReadFile(options.password_file, kMaxPassword));
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  const bool good = text.find_first_of(std::string_view("\n\0", 2)) == std::string::npos;
  Secret password(std::move(text));
  if (!good) {
    return InvalidArgument("the file with the database's password has more than one line: " +
                           options.password_file);
  }
  return password;
}

// Two services would have one name among those of a database, and take each other's tasks away.
Status TakeFolder(DataFolder* data) {
  auto lock = FileLock::Take(data->path + "/lock", FileLock::Kind::kExclusive);
  if (lock.status().code() == StatusCode::kFailedPrecondition) {
    return FailedPrecondition(
        "another service runs on this data folder; stop it, or give this one a folder of its own "
        "(--data): " +
        data->path);
  }
  if (!lock.ok()) return lock.status();
  data->lock = *std::move(lock);
  return OkStatus();
}

// New records are given new keys, and no others.
Status OpenClockAndKeys(const RecordsOptions& options, const Clock& clock, bool is_new,
                        DataFolder* data) {
  const std::string keys = options.keys.empty() ? data->path + "/keys" : options.keys;
  if (is_new || !options.dsn.empty()) RETURN_IF_ERROR(MakePrivateFolder(data->path));
  if (options.serves) RETURN_IF_ERROR(TakeFolder(data));
  if (is_new) RETURN_IF_ERROR(MakePrivateFolder(keys));
  ASSIGN_OR_RETURN(data->clock, GuardedClock::Open(clock, data->path + "/clock"));
  auto keyring = Keyring::Open(keys, options.region, *data->clock, /*may_create=*/is_new);
  if (keyring.status().code() == StatusCode::kFailedPrecondition && !options.dsn.empty()) {
    return FailedPrecondition(
        "the database has records, but their keys are not here; nodes share one folder of keys, "
        "which --store.keys names: " +
        keys);
  }
  if (!keyring.ok()) return keyring.status();
  data->keyring = *std::move(keyring);
  return OkStatus();
}

Result<MysqlOptions> Database(const RecordsOptions& options) {
  ASSIGN_OR_RETURN(MysqlOptions mysql, ParseMysqlDsn(options.dsn));
  ASSIGN_OR_RETURN(mysql.password, StorePassword(options));
  return mysql;
}

Status OpenDatabase(const RecordsOptions& options, const Clock& clock, bool may_create,
                    DataFolder* data) {
  ASSIGN_OR_RETURN(MysqlOptions mysql, Database(options));
  mysql.max_connections = static_cast<std::size_t>(options.connections);
  ASSIGN_OR_RETURN(const bool is_new, MysqlStoreIsNew(mysql));
  if (is_new && !may_create) return NoRecordsYet(options.dsn);
  RETURN_IF_ERROR(OpenClockAndKeys(options, clock, is_new, data));
  ASSIGN_OR_RETURN(data->store, OpenMysqlStore(mysql, *data->clock, *data->keyring));
  return OkStatus();
}

Status OpenFile(const RecordsOptions& options, const Clock& clock, bool may_create,
                DataFolder* data) {
  const std::string records = data->path + "/records.db";
  std::error_code ignored;
  const bool is_new = !fs::exists(records, ignored);
  if (is_new && !may_create) return NoRecordsYet(data->path);
  // The key is there before the records are, also when two begin at once.
  RETURN_IF_ERROR(OpenClockAndKeys(options, clock, is_new, data));
  ASSIGN_OR_RETURN(data->store, OpenSqliteStore(records, *data->clock, *data->keyring));
  return OkStatus();
}

Result<std::unique_ptr<ObjectStore>> OpenObjectStore(const std::string& place, DataFolder* data,
                                                     const RecordsOptions& options) {
  if (!place.starts_with("s3:")) return OpenDirectoryObjects(place);
  ASSIGN_OR_RETURN(S3Options s3, ParseS3Url(place));
  RETURN_IF_ERROR(LoadS3Keys(options.objects_keys, s3));
  return OpenS3Objects(s3, &data->notes);
}

Status OpenObjects(const RecordsOptions& options, DataFolder* data) {
  // Nodes of a database find each other's recordings only in a place that they share; without one,
  // each keeps its own in memory.
  if (options.objects.empty() && !options.dsn.empty()) return OkStatus();
  ASSIGN_OR_RETURN(const std::string known, data->store->RecordingsPlace());
  const std::string place = options.objects.empty() ? data->path + "/objects" : options.objects;
  // A command that was not told where recordings are: they are elsewhere.
  const bool guessed = options.objects.empty() && !options.serves;
  std::error_code ignored;
  if (guessed && !known.empty() && !fs::exists(place + "/" + kPlaceObject, ignored)) {
    return OkStatus();
  }
  ASSIGN_OR_RETURN(data->objects, OpenObjectStore(place, data, options));
  ASSIGN_OR_RETURN(const std::string mark,
                   MarkOfPlace(*data->objects, data->keyring->sealer().region()));
  if (options.serves) {
    RETURN_IF_ERROR(data->store->UseRecordingsPlace(mark));
  } else if (!known.empty() && known != mark) {
    data->objects.reset();
    if (guessed) return OkStatus();
    return FailedPrecondition("the recordings of these records are in another object store");
  }
  if (options.serves) data->objects = std::make_unique<WatchedObjects>(std::move(data->objects));
  data->recordings =
      std::make_unique<Recordings>(*data->objects, data->keyring->sealer(), *data->clock);
  return OkStatus();
}

}  // namespace

std::string DefaultDataFolder() {
  if (std::string own = Environment("LETHE_DATA"); !own.empty()) return own;
  if (const std::string data = Environment("XDG_DATA_HOME"); !data.empty()) return data + "/lethe";
  const std::string home = Environment("HOME");
  return (home.empty() ? "/var/lib" : home + "/.local/share") + "/lethe";
}

Result<DataFolder> OpenDataFolder(const RecordsOptions& options, const Clock& clock,
                                  bool may_create) {
  if (options.data.empty()) return InvalidArgument("the data folder has no name");
  // "x/" and "x" are one folder.
  const std::string folder = (fs::path(options.data) / "").parent_path().string();
  DataFolder data{.path = folder, .records = options.dsn.empty() ? folder : options.dsn};
  RETURN_IF_ERROR(options.dsn.empty() ? OpenFile(options, clock, may_create, &data)
                                      : OpenDatabase(options, clock, may_create, &data));
  RETURN_IF_ERROR(OpenObjects(options, &data));
  data.reserve = std::make_unique<DiskReserve>(folder + "/reserve");
  data.ledger = {.folder = options.ledger.empty() ? folder + "/ledger" : options.ledger,
                 .signing_key_file = data.keyring->folder() + "/ledger-signing.key"};
  return data;
}

Result<int> RotateMasterKey(const RecordsOptions& options) {
  const std::string folder = (fs::path(options.data) / "").parent_path().string();
  const std::string keys = options.keys.empty() ? folder + "/keys" : options.keys;
  if (options.dsn.empty() && !fs::exists(folder + "/records.db")) return NoRecordsYet(folder);
  ASSIGN_OR_RETURN(const Keyring::ChangeMasterKey change, Keyring::ChangeMasterKey::Begin(keys));
  if (options.dsn.empty()) {
    RETURN_IF_ERROR(ResealSqliteStore(folder + "/records.db", change.from, change.to));
  } else {
    ASSIGN_OR_RETURN(const MysqlOptions mysql, Database(options));
    RETURN_IF_ERROR(ResealMysqlStore(mysql, change.from, change.to));
  }
  RETURN_IF_ERROR(change.Finish());
  return change.keys;
}

Result<bool> DatabaseIsNew(const RecordsOptions& options) {
  ASSIGN_OR_RETURN(const MysqlOptions mysql, Database(options));
  return MysqlStoreIsNew(mysql);
}

std::string DefaultNodeName(const std::string& data) {
  constexpr std::size_t kHostCharacters = 48, kFolderDigits = 8;
  char host[256] = "";
  (void)::gethostname(host, sizeof(host) - 1);
  std::error_code ignored;
  const std::string folder = fs::weakly_canonical(data, ignored).string();
  return std::string(host).substr(0, kHostCharacters) + "-" +
         Sha256Hex(std::as_bytes(std::span(folder))).substr(0, kFolderDigits);
}

Result<std::optional<FirstKeys>> FirstStart(Store& store) {
  using Nothing = std::optional<FirstKeys>;
  ASSIGN_OR_RETURN(const std::vector<Application> applications, store.applications().List());
  if (!applications.empty()) return Nothing();
  const auto has_password = store.keys().CheckConsolePassword("");
  if (has_password.ok()) return Nothing();
  if (has_password.status().code() != StatusCode::kFailedPrecondition) return has_password.status();
  auto application = store.applications().Create({.name = "default"});
  // Somebody else was starting too, and was first.
  if (application.status().code() == StatusCode::kFailedPrecondition) return Nothing();
  if (!application.ok()) return application.status();
  const AppId id = application->id;
  ASSIGN_OR_RETURN(NewKey pair, store.keys().Create(id, KeyKind::kPair));
  ASSIGN_OR_RETURN(NewKey bearer, store.keys().Create(id, KeyKind::kBearer));
  Secret password = RandomPassword();
  RETURN_IF_ERROR(store.keys().SetConsolePassword(password));
  return std::optional(FirstKeys{.application = *std::move(application),
                                 .secret_id = pair.key.id,
                                 .secret_key = std::move(pair.secret),
                                 .bearer_key = std::move(bearer.secret),
                                 .console_password = std::move(password)});
}

Secret RandomPassword() {
  // Groups of five, without letters that look alike; 19 letters and digits, 95 random bits.
  constexpr std::string_view kAlphabet = "abcdefghijkmnpqrstuvwxyz23456789";
  static_assert(kAlphabet.size() == 32);
  std::string text;
  while (text.size() < 19 + 3) {
    if (text.size() % 6 == 5) text += '-';
    std::byte byte;
    FillRandom({&byte, 1});
    text += kAlphabet[std::to_integer<std::size_t>(byte) % kAlphabet.size()];
  }
  Secret password(text);
  WipeSecret(text);
  return password;
}

}  // namespace lethe
