#include <charconv>

#include "base/random.h"
#include "store/internal/checks.h"
#include "store/sql/internal/repositories.h"

namespace lethe {
namespace {

using Row = std::tuple<Text, Int, Text, Text, Text, Int, Int, Int>;

// Lines of a weight, a blank and a word; words have no line ends (CheckVocabulary).
std::string WriteWords(const std::vector<WeightedWord>& words) {
  std::string text;
  for (const WeightedWord& word : words) {
    text += std::to_string(word.weight) + " " + word.word + "\n";
  }
  return text;
}

Result<std::vector<WeightedWord>> ReadWords(std::string_view text) {
  const Status damaged = DataLoss("the words of a vocabulary are damaged");
  std::vector<WeightedWord> words;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return damaged;
    const std::string_view line = text.substr(0, end);
    int weight = 0;
    const char* const line_end = line.data() + line.size();
    const auto [after, error] = std::from_chars(line.data(), line_end, weight);
    if (error != std::errc() || after == line_end || *after != ' ') return damaged;
    words.push_back({.word = std::string(after + 1, line_end), .weight = weight});
    text.remove_prefix(end + 1);
  }
  return words;
}

Result<Vocabulary> ToVocabulary(const Row& row) {
  const auto& [id, app_id, name, description, text, is_default, created, updated] = row;
  ASSIGN_OR_RETURN(std::vector<WeightedWord> words, ReadWords(text));
  return Vocabulary{.id = id,
                    .app_id = static_cast<AppId>(app_id),
                    .name = name,
                    .description = description,
                    .words = std::move(words),
                    .is_default = is_default != 0,
                    .created = FromMillis(created),
                    .updated = FromMillis(updated)};
}

Result<Vocabulary> ReadVocabulary(Connection& sql, AppId app_id, std::string_view id) {
  const auto rows = sql.Rows<Row>(
      "SELECT vocabulary_id, app_id, name, description, words, is_default, created_ms, updated_ms "
      "FROM vocabularies WHERE vocabulary_id = :id AND app_id = :app",
      id, app_id);
  if (rows.empty()) return NoSuchVocabulary();
  return ToVocabulary(rows.front());
}

class SqlVocabularies : public Vocabularies {
 public:
  SqlVocabularies(Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  Result<Vocabulary> Create(AppId app_id, const NewVocabulary& wanted) override {
    RETURN_IF_ERROR(CheckVocabulary(wanted.name, wanted.description, wanted.words));
    const auto work = [&](Connection& sql) -> Result<Vocabulary> {
      if (!LockApplication(sql, app_id)) return NoSuchApplication();
      if (sql.Number("SELECT COUNT(*) FROM vocabularies WHERE app_id = :app", app_id) >=
          Int{kMaxVocabularies}) {
        return TooMany("vocabularies of an application", kMaxVocabularies);
      }
      const std::string id = RandomHex(32);
      const Int now = ToMillis(clock_.Now());
      sql.Run(
          "INSERT INTO vocabularies (vocabulary_id, app_id, name, description, words, is_default, "
          "created_ms, updated_ms) "
          "VALUES (:id, :app, :name, :description, :words, 0, :created, :updated)",
          id, app_id, wanted.name, wanted.description, WriteWords(wanted.words), now, now);
      return ReadVocabulary(sql, app_id, id);
    };
    return database_.Write("create a vocabulary", work);
  }

  Result<Vocabulary> Update(AppId app_id, std::string_view id,
                            const VocabularyChange& change) override {
    const auto work = [&](Connection& sql) -> Result<Vocabulary> {
      if (!LockApplication(sql, app_id)) return NoSuchApplication();
      ASSIGN_OR_RETURN(Vocabulary changed, ReadVocabulary(sql, app_id, id));
      if (change.name) changed.name = *change.name;
      if (change.description) changed.description = *change.description;
      if (change.words) changed.words = *change.words;
      RETURN_IF_ERROR(CheckVocabulary(changed.name, changed.description, changed.words));
      changed.updated = clock_.Now();
      sql.Run(
          "UPDATE vocabularies SET name = :name, description = :description, words = :words, "
          "updated_ms = :updated WHERE vocabulary_id = :id",
          changed.name, changed.description, WriteWords(changed.words), ToMillis(changed.updated),
          id);
      return changed;
    };
    return database_.Write("change a vocabulary", work);
  }

  Status Remove(AppId app_id, std::string_view id) override {
    const auto work = [&](Connection& sql) {
      const Int removed = sql.Run(
          "DELETE FROM vocabularies WHERE vocabulary_id = :id AND app_id = :app", id, app_id);
      return removed == 0 ? NoSuchVocabulary() : OkStatus();
    };
    RETURN_IF_ERROR(database_.Write("remove a vocabulary", work));
    database_.EmptyLog();
    return OkStatus();
  }

  Result<Vocabulary> Find(AppId app_id, std::string_view id) override {
    return database_.Read("find a vocabulary",
                          [&](Connection& sql) { return ReadVocabulary(sql, app_id, id); });
  }

  Result<std::vector<Vocabulary>> List(AppId app_id) override {
    const auto work = [app_id](Connection& sql) -> Result<std::vector<Vocabulary>> {
      if (!HasApplication(sql, app_id)) return NoSuchApplication();
      std::vector<Vocabulary> all;
      for (const Row& row : sql.Rows<Row>(
               "SELECT vocabulary_id, app_id, name, description, words, is_default, created_ms, "
               "updated_ms FROM vocabularies WHERE app_id = :app ORDER BY seq",
               app_id)) {
        ASSIGN_OR_RETURN(Vocabulary vocabulary, ToVocabulary(row));
        all.push_back(std::move(vocabulary));
      }
      return all;
    };
    return database_.Read("list the vocabularies", work);
  }

  Status SetDefault(AppId app_id, std::string_view id, bool is_default) override {
    const auto work = [&](Connection& sql) {
      if (!LockApplication(sql, app_id)) return NoSuchApplication();
      const Int changed = sql.Run(
          "UPDATE vocabularies SET is_default = :is_default "
          "WHERE vocabulary_id = :id AND app_id = :app",
          is_default, id, app_id);
      if (changed == 0) return NoSuchVocabulary();
      if (is_default) {
        sql.Run(
            "UPDATE vocabularies SET is_default = 0 "
            "WHERE app_id = :app AND is_default = 1 AND vocabulary_id <> :id",
            app_id, id);
      }
      return OkStatus();
    };
    return database_.Write("change a vocabulary", work);
  }

  Result<std::optional<Vocabulary>> FindDefault(AppId app_id) override {
    const auto work = [app_id](Connection& sql) -> Result<std::optional<Vocabulary>> {
      if (!HasApplication(sql, app_id)) return NoSuchApplication();
      const auto rows = sql.Rows<Row>(
          "SELECT vocabulary_id, app_id, name, description, words, is_default, created_ms, "
          "updated_ms FROM vocabularies WHERE app_id = :app AND is_default = 1",
          app_id);
      if (rows.empty()) return std::optional<Vocabulary>();
      ASSIGN_OR_RETURN(Vocabulary vocabulary, ToVocabulary(rows.front()));
      return std::optional(std::move(vocabulary));
    };
    return database_.Read("find a vocabulary", work);
  }

 private:
  Database& database_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<Vocabularies> MakeSqlVocabularies(Database& database, const Clock& clock) {
  return std::make_unique<SqlVocabularies>(database, clock);
}

}  // namespace lethe
