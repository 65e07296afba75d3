#include "app/data_folder.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include <sys/stat.h>

#include "base/random.h"
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

}  // namespace

std::string DefaultDataFolder() {
  const auto environment = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value != nullptr ? value : "");
  };
  if (std::string own = environment("LETHE_DATA"); !own.empty()) return own;
  if (const std::string data = environment("XDG_DATA_HOME"); !data.empty()) return data + "/lethe";
  const std::string home = environment("HOME");
  return (home.empty() ? "/var/lib" : home + "/.local/share") + "/lethe";
}

Result<DataFolder> OpenDataFolder(const std::string& path, const Clock& clock, bool may_create) {
  if (path.empty()) return InvalidArgument("the data folder has no name");
  // "x/" and "x" are one folder.
  const std::string folder = (fs::path(path) / "").parent_path().string();
  const std::string records = folder + "/records.db", keys = folder + "/keys";
  std::error_code ignored;
  const bool is_new = !fs::exists(records, ignored);
  if (is_new && !may_create) {
    return FailedPrecondition("there are no records yet; begin with: lethe apps create NAME, in " +
                              folder);
  }
  if (is_new) {
    RETURN_IF_ERROR(MakePrivateFolder(folder));
    RETURN_IF_ERROR(MakePrivateFolder(keys));
  }
  // The key is there before the records are, also when two begin at once.
  ASSIGN_OR_RETURN(MasterKey key, MasterKey::Load(keys + "/master.key", /*may_create=*/is_new));
  ASSIGN_OR_RETURN(std::unique_ptr<Store> store, OpenSqliteStore(records, clock, std::move(key)));
  return DataFolder{.path = folder, .store = std::move(store)};
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
