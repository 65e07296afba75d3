#include "app/data_folder.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <span>

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/random.h"
#include "base/sha256.h"
#include "store/mysql_store.h"
#include "store/sqlite_store.h"

namespace lethe {
namespace {

namespace fs = std::filesystem;

// The last folder is for its owner only; the ones above are as usual.
Status MakePrivateFolder(const std::string& path) {
  std::error_code error;
  const fs::path parent = fs::path(path).parent_path();
  if (!parent.empty()) fs::create_directories(parent, error);
  if (error) return ErrnoStatus(error.value(), "cannot make the folder " + parent.string());
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

// The folders of the records' key.
Status MakeFolders(const std::string& folder) {
  RETURN_IF_ERROR(MakePrivateFolder(folder));
  return MakePrivateFolder(folder + "/keys");
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

Result<std::unique_ptr<Store>> OpenDatabase(const RecordsOptions& options,
                                            const std::string& folder, const Clock& clock,
                                            bool may_create) {
  ASSIGN_OR_RETURN(MysqlOptions mysql, ParseMysqlDsn(options.dsn));
  ASSIGN_OR_RETURN(mysql.password, StorePassword(options));
  mysql.max_connections = static_cast<std::size_t>(options.connections);
  ASSIGN_OR_RETURN(const bool is_new, MysqlStoreIsNew(mysql));
  if (is_new && !may_create) return NoRecordsYet(options.dsn);
  if (is_new) RETURN_IF_ERROR(MakeFolders(folder));
  auto key = MasterKey::Load(folder + "/keys/master.key", /*may_create=*/is_new);
  if (key.status().code() == StatusCode::kFailedPrecondition) {
    return FailedPrecondition(
        "the database has records, but their master key is not here; copy it from another node or "
        "restore it: " +
        folder + "/keys/master.key");
  }
  if (!key.ok()) return key.status();
  return OpenMysqlStore(mysql, clock, *std::move(key));
}

Result<std::unique_ptr<Store>> OpenFile(const std::string& folder, const Clock& clock,
                                        bool may_create) {
  const std::string records = folder + "/records.db";
  std::error_code ignored;
  const bool is_new = !fs::exists(records, ignored);
  if (is_new && !may_create) return NoRecordsYet(folder);
  if (is_new) RETURN_IF_ERROR(MakeFolders(folder));
  // The key is there before the records are, also when two begin at once.
  ASSIGN_OR_RETURN(MasterKey key,
                   MasterKey::Load(folder + "/keys/master.key", /*may_create=*/is_new));
  return OpenSqliteStore(records, clock, std::move(key));
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
  ASSIGN_OR_RETURN(std::unique_ptr<Store> store,
                   options.dsn.empty() ? OpenFile(folder, clock, may_create)
                                       : OpenDatabase(options, folder, clock, may_create));
  return DataFolder{.path = folder,
                    .records = options.dsn.empty() ? folder : options.dsn,
                    .store = std::move(store)};
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
