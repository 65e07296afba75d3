// Vocabularies and keyword libraries in memory.

#include <algorithm>

#include "base/random.h"
#include "store/internal/checks.h"
#include "store/memory/internal/records.h"

namespace lethe {
namespace {

// The one of that id and that application, or null.
template <class List>
List* FindOwned(std::vector<List>& lists, AppId app_id, std::string_view id) {
  for (List& list : lists) {
    if (list.id == id && list.app_id == app_id) return &list;
  }
  return nullptr;
}

template <class List>
std::vector<List> AllOf(const std::vector<List>& lists, AppId app_id) {
  std::vector<List> mine;
  std::copy_if(lists.begin(), lists.end(), std::back_inserter(mine),
               [app_id](const List& list) { return list.app_id == app_id; });
  return mine;
}

template <class List>
bool RemoveOwned(std::vector<List>& lists, AppId app_id, std::string_view id) {
  return std::erase_if(
             lists, [&](const List& list) { return list.id == id && list.app_id == app_id; }) > 0;
}

class MemoryVocabularies : public Vocabularies {
 public:
  explicit MemoryVocabularies(MemoryRecords& records) : records_(records) {}

  Result<Vocabulary> Create(AppId app_id, const NewVocabulary& wanted) override {
    RETURN_IF_ERROR(CheckVocabulary(wanted.name, wanted.description, wanted.words));
    const std::lock_guard lock(records_.mutex);
    if (records_.FindApplication(app_id) == nullptr) return NoSuchApplication();
    if (AllOf(records_.vocabularies, app_id).size() >= kMaxVocabularies) {
      return TooMany("vocabularies of an application", kMaxVocabularies);
    }
    const WallTime now = records_.clock.Now();
    records_.vocabularies.push_back({.id = RandomHex(32),
                                     .app_id = app_id,
                                     .name = wanted.name,
                                     .description = wanted.description,
                                     .words = wanted.words,
                                     .created = now,
                                     .updated = now});
    return records_.vocabularies.back();
  }

  Result<Vocabulary> Update(AppId app_id, std::string_view id,
                            const VocabularyChange& change) override {
    const std::lock_guard lock(records_.mutex);
    Vocabulary* vocabulary = FindOwned(records_.vocabularies, app_id, id);
    if (vocabulary == nullptr) return NoSuchVocabulary();
    Vocabulary changed = *vocabulary;
    if (change.name) changed.name = *change.name;
    if (change.description) changed.description = *change.description;
    if (change.words) changed.words = *change.words;
    RETURN_IF_ERROR(CheckVocabulary(changed.name, changed.description, changed.words));
    changed.updated = records_.clock.Now();
    *vocabulary = changed;
    return changed;
  }

  Status Remove(AppId app_id, std::string_view id) override {
    const std::lock_guard lock(records_.mutex);
    return RemoveOwned(records_.vocabularies, app_id, id) ? OkStatus() : NoSuchVocabulary();
  }

  Result<Vocabulary> Find(AppId app_id, std::string_view id) override {
    const std::lock_guard lock(records_.mutex);
    const Vocabulary* vocabulary = FindOwned(records_.vocabularies, app_id, id);
    if (vocabulary == nullptr) return NoSuchVocabulary();
    return *vocabulary;
  }

  Result<std::vector<Vocabulary>> List(AppId app_id) override {
    const std::lock_guard lock(records_.mutex);
    if (records_.FindApplication(app_id) == nullptr) return NoSuchApplication();
    return AllOf(records_.vocabularies, app_id);
  }

  Status SetDefault(AppId app_id, std::string_view id, bool is_default) override {
    const std::lock_guard lock(records_.mutex);
    Vocabulary* chosen = FindOwned(records_.vocabularies, app_id, id);
    if (chosen == nullptr) return NoSuchVocabulary();
    if (is_default) {
      for (Vocabulary& other : records_.vocabularies) {
        if (other.app_id == app_id) other.is_default = false;
      }
    }
    chosen->is_default = is_default;
    return OkStatus();
  }

  Result<std::optional<Vocabulary>> FindDefault(AppId app_id) override {
    const std::lock_guard lock(records_.mutex);
    if (records_.FindApplication(app_id) == nullptr) return NoSuchApplication();
    for (const Vocabulary& vocabulary : records_.vocabularies) {
      if (vocabulary.app_id == app_id && vocabulary.is_default) return std::optional(vocabulary);
    }
    return std::optional<Vocabulary>();
  }

 private:
  MemoryRecords& records_;
};

class MemoryKeywordLibraries : public KeywordLibraries {
 public:
  explicit MemoryKeywordLibraries(MemoryRecords& records) : records_(records) {}

  Result<KeywordLibrary> Create(AppId app_id, std::string_view name,
                                const std::vector<std::string>& words) override {
    RETURN_IF_ERROR(CheckKeywordLibrary(name, words));
    const std::lock_guard lock(records_.mutex);
    if (records_.FindApplication(app_id) == nullptr) return NoSuchApplication();
    const std::vector<KeywordLibrary> mine = AllOf(records_.keyword_libraries, app_id);
    if (IsTaken(mine, name)) return NameIsTaken("a keyword library");
    if (mine.size() >= kMaxKeywordLibraries) {
      return TooMany("keyword libraries of an application", kMaxKeywordLibraries);
    }
    const WallTime now = records_.clock.Now();
    records_.keyword_libraries.push_back({.id = RandomHex(32),
                                          .app_id = app_id,
                                          .name = std::string(name),
                                          .words = words,
                                          .created = now,
                                          .updated = now});
    return records_.keyword_libraries.back();
  }

  Result<KeywordLibrary> Update(AppId app_id, std::string_view id, std::string_view name,
                                const std::vector<std::string>& words) override {
    RETURN_IF_ERROR(CheckKeywordLibrary(name, words));
    const std::lock_guard lock(records_.mutex);
    KeywordLibrary* library = FindOwned(records_.keyword_libraries, app_id, id);
    if (library == nullptr) return NoSuchKeywordLibrary();
    if (library->name != name && IsTaken(AllOf(records_.keyword_libraries, app_id), name)) {
      return NameIsTaken("a keyword library");
    }
    library->name = name;
    library->words = words;
    library->updated = records_.clock.Now();
    return *library;
  }

  Status Remove(AppId app_id, std::string_view id) override {
    const std::lock_guard lock(records_.mutex);
    return RemoveOwned(records_.keyword_libraries, app_id, id) ? OkStatus()
                                                               : NoSuchKeywordLibrary();
  }

  Result<KeywordLibrary> Find(AppId app_id, std::string_view id) override {
    const std::lock_guard lock(records_.mutex);
    const KeywordLibrary* library = FindOwned(records_.keyword_libraries, app_id, id);
    if (library == nullptr) return NoSuchKeywordLibrary();
    return *library;
  }

  Result<std::vector<KeywordLibrary>> List(AppId app_id) override {
    const std::lock_guard lock(records_.mutex);
    if (records_.FindApplication(app_id) == nullptr) return NoSuchApplication();
    return AllOf(records_.keyword_libraries, app_id);
  }

 private:
  static bool IsTaken(const std::vector<KeywordLibrary>& mine, std::string_view name) {
    return std::any_of(mine.begin(), mine.end(),
                       [name](const KeywordLibrary& library) { return library.name == name; });
  }

  MemoryRecords& records_;
};

}  // namespace

std::unique_ptr<Vocabularies> MakeMemoryVocabularies(MemoryRecords& records) {
  return std::make_unique<MemoryVocabularies>(records);
}

std::unique_ptr<KeywordLibraries> MakeMemoryKeywordLibraries(MemoryRecords& records) {
  return std::make_unique<MemoryKeywordLibraries>(records);
}

}  // namespace lethe
