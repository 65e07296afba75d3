#include "base/random.h"
#include "store/internal/checks.h"
#include "store/sql/internal/repositories.h"

namespace lethe {
namespace {

using Row = std::tuple<Text, Int, Text, Text, Int, Int>;

// One word a line; words have no line ends (CheckKeywordLibrary).
std::string WriteWords(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += word + "\n";
  return text;
}

std::vector<std::string> ReadWords(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t end = 0; (end = text.find('\n')) != std::string_view::npos;) {
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return words;
}

KeywordLibrary ToLibrary(const Row& row) {
  const auto& [id, app_id, name, words, created, updated] = row;
  return {.id = id,
          .app_id = static_cast<AppId>(app_id),
          .name = name,
          .words = ReadWords(words),
          .created = FromMillis(created),
          .updated = FromMillis(updated)};
}

Result<KeywordLibrary> ReadLibrary(Connection& sql, AppId app_id, std::string_view id) {
  const auto rows = sql.Rows<Row>(
      "SELECT library_id, app_id, name, words, created_ms, updated_ms FROM keyword_libraries "
      "WHERE library_id = :id AND app_id = :app",
      id, app_id);
  if (rows.empty()) return NoSuchKeywordLibrary();
  return ToLibrary(rows.front());
}

bool IsTaken(Connection& sql, AppId app_id, std::string_view name, std::string_view but_for) {
  return sql.Number(
             "SELECT COUNT(*) FROM keyword_libraries "
             "WHERE app_id = :app AND name = :name AND library_id <> :id",
             app_id, name, but_for) > 0;
}

class SqlKeywordLibraries : public KeywordLibraries {
 public:
  SqlKeywordLibraries(Database& database, const Clock& clock)
      : database_(database), clock_(clock) {}

  Result<KeywordLibrary> Create(AppId app_id, std::string_view name,
                                const std::vector<std::string>& words) override {
    RETURN_IF_ERROR(CheckKeywordLibrary(name, words));
    const auto work = [&](Connection& sql) -> Result<KeywordLibrary> {
      if (!LockApplication(sql, app_id)) return NoSuchApplication();
      if (IsTaken(sql, app_id, name, "")) return NameIsTaken("a keyword library");
      if (sql.Number("SELECT COUNT(*) FROM keyword_libraries WHERE app_id = :app", app_id) >=
          Int{kMaxKeywordLibraries}) {
        return TooMany("keyword libraries of an application", kMaxKeywordLibraries);
      }
      const std::string id = RandomHex(32);
      const Int now = ToMillis(clock_.Now());
      sql.Run(
          "INSERT INTO keyword_libraries (library_id, app_id, name, words, created_ms, updated_ms) "
          "VALUES (:id, :app, :name, :words, :created, :updated)",
          id, app_id, name, WriteWords(words), now, now);
      return ReadLibrary(sql, app_id, id);
    };
    return database_.Write("create a keyword library", work);
  }

  Result<KeywordLibrary> Update(AppId app_id, std::string_view id, std::string_view name,
                                const std::vector<std::string>& words) override {
    RETURN_IF_ERROR(CheckKeywordLibrary(name, words));
    const auto work = [&](Connection& sql) -> Result<KeywordLibrary> {
      if (!LockApplication(sql, app_id)) return NoSuchApplication();
      ASSIGN_OR_RETURN(const KeywordLibrary before, ReadLibrary(sql, app_id, id));
      if (IsTaken(sql, app_id, name, id)) return NameIsTaken("a keyword library");
      sql.Run(
          "UPDATE keyword_libraries SET name = :name, words = :words, updated_ms = :updated "
          "WHERE library_id = :id",
          name, WriteWords(words), ToMillis(clock_.Now()), before.id);
      return ReadLibrary(sql, app_id, id);
    };
    return database_.Write("change a keyword library", work);
  }

  Status Remove(AppId app_id, std::string_view id) override {
    const auto work = [&](Connection& sql) {
      const Int removed = sql.Run(
          "DELETE FROM keyword_libraries WHERE library_id = :id AND app_id = :app", id, app_id);
      return removed == 0 ? NoSuchKeywordLibrary() : OkStatus();
    };
    RETURN_IF_ERROR(database_.Write("remove a keyword library", work));
    database_.EmptyLog();
    return OkStatus();
  }

  Result<KeywordLibrary> Find(AppId app_id, std::string_view id) override {
    return database_.Read("find a keyword library",
                          [&](Connection& sql) { return ReadLibrary(sql, app_id, id); });
  }

  Result<std::vector<KeywordLibrary>> List(AppId app_id) override {
    const auto work = [app_id](Connection& sql) -> Result<std::vector<KeywordLibrary>> {
      if (!HasApplication(sql, app_id)) return NoSuchApplication();
      std::vector<KeywordLibrary> all;
      for (const Row& row :
           sql.Rows<Row>("SELECT library_id, app_id, name, words, created_ms, updated_ms "
                         "FROM keyword_libraries WHERE app_id = :app ORDER BY seq",
                         app_id)) {
        all.push_back(ToLibrary(row));
      }
      return all;
    };
    return database_.Read("list the keyword libraries", work);
  }

 private:
  Database& database_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<KeywordLibraries> MakeSqlKeywordLibraries(Database& database, const Clock& clock) {
  return std::make_unique<SqlKeywordLibraries>(database, clock);
}

}  // namespace lethe
