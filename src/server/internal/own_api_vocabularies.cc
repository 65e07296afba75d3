#include "server/internal/own_api_vocabularies.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "server/internal/own_api_json.h"
#include "service/word_lists.h"

namespace lethe::server_internal {
namespace {

using Json = OwnApiJson;

Json Show(const Vocabulary& vocabulary, bool with_words) {
  Json shown = {{"vocab_id", vocabulary.id},
                {"app_id", vocabulary.app_id},
                {"name", vocabulary.name},
                {"description", vocabulary.description},
                {"default", vocabulary.is_default},
                {"created", UnixSeconds(vocabulary.created)},
                {"updated", UnixSeconds(vocabulary.updated)},
                {"size", vocabulary.words.size()}};
  if (!with_words) return shown;
  Json words = Json::array();
  for (const auto& [word, weight] : vocabulary.words) {
    words.push_back({{"word", word}, {"weight", weight}});
  }
  shown["words"] = std::move(words);
  return shown;
}

// Never with the word itself, which may be somebody's name.
Status CheckWord(std::size_t place, const WeightedWord& word) {
  const HotWordProblem problem = CheckHotWord(word.word, word.weight);
  if (problem == HotWordProblem::kNone) return OkStatus();
  const std::string which = "word " + std::to_string(place) + " ";
  if (problem == HotWordProblem::kWeight) {
    return InvalidArgument(which + "needs a weight of 1 to 11, or 100");
  }
  return InvalidArgument(which +
                         "has to be 1 to 30 characters (10 of Chinese) without bar and comma");
}

Result<std::vector<WeightedWord>> ReadWords(const Json& list) {
  if (!list.is_array() || list.empty() || list.size() > kMaxVocabularyWords) {
    return InvalidArgument("words is a list of 1 to " + std::to_string(kMaxVocabularyWords) +
                           ", each with word and weight");
  }
  std::vector<WeightedWord> words;
  for (const Json& entry : list) {
    RETURN_IF_ERROR(CheckFields(entry, {"word", "weight"}));
    WeightedWord word;
    std::optional<int> weight;
    RETURN_IF_ERROR(ReadText(entry, "word", &word.word));
    RETURN_IF_ERROR(ReadInteger(entry, "weight", &weight));
    word.weight = weight.value_or(0);
    RETURN_IF_ERROR(CheckWord(words.size() + 1, word));
    words.push_back(std::move(word));
  }
  return words;
}

Result<VocabularyChange> ReadChange(const Json& object) {
  VocabularyChange change;
  if (object.contains("name")) {
    RETURN_IF_ERROR(ReadText(object, "name", &change.name.emplace()));
    if (CountCharacters(*change.name) > kMaxVocabularyNameCharacters) {
      return InvalidArgument("name may have at most " +
                             std::to_string(kMaxVocabularyNameCharacters) + " characters");
    }
  }
  if (const auto field = object.find("description"); field != object.end()) {
    // It may be emptied.
    if (!field->is_string()) return InvalidArgument("description has to be a text");
    change.description = field->get<std::string>();
    if (CountCharacters(*change.description) > kMaxVocabularyDescriptionCharacters) {
      return InvalidArgument("description may have at most " +
                             std::to_string(kMaxVocabularyDescriptionCharacters) + " characters");
    }
  }
  if (const auto field = object.find("words"); field != object.end()) {
    ASSIGN_OR_RETURN(change.words, ReadWords(*field));
  }
  return change;
}

Result<Vocabulary> Create(Vocabularies& vocabularies, AppId app_id, const Json& object) {
  ASSIGN_OR_RETURN(const VocabularyChange wanted, ReadChange(object));
  if (!wanted.name || !wanted.words || object.contains("default") || object.contains("remove")) {
    return InvalidArgument("to make a vocabulary say name and words, and description if you like");
  }
  return vocabularies.Create(app_id, {.name = *wanted.name,
                                      .description = wanted.description.value_or(""),
                                      .words = *wanted.words});
}

// The vocabulary after a change; of one that is removed, nothing.
Result<std::optional<Vocabulary>> Alter(Vocabularies& vocabularies, AppId app_id,
                                        const std::string& id, const Json& object) {
  std::optional<bool> is_default, remove;
  RETURN_IF_ERROR(ReadFlag(object, "default", &is_default));
  RETURN_IF_ERROR(ReadFlag(object, "remove", &remove));
  ASSIGN_OR_RETURN(const VocabularyChange change, ReadChange(object));
  const bool replaces = change.name || change.description || change.words;
  if (int{replaces} + int{is_default.has_value()} + int{remove.has_value()} != 1 ||
      !remove.value_or(true)) {
    return InvalidArgument(
        "beside vocab_id say what to replace (name, description, words), or default, or "
        "\"remove\": true");
  }
  if (remove) {
    RETURN_IF_ERROR(vocabularies.Remove(app_id, id));
    return std::optional<Vocabulary>();
  }
  if (is_default) {
    RETURN_IF_ERROR(vocabularies.SetDefault(app_id, id, *is_default));
  } else {
    RETURN_IF_ERROR(vocabularies.Update(app_id, id, change).status());
  }
  ASSIGN_OR_RETURN(Vocabulary after, vocabularies.Find(app_id, id));
  return std::optional(std::move(after));
}

Result<std::optional<Vocabulary>> Change(Vocabularies& vocabularies, const OwnApiCaller& caller,
                                         const std::string& body) {
  ASSIGN_OR_RETURN(const Json object, ReadObject(body, {"app_id", "vocab_id", "name", "description",
                                                        "words", "default", "remove"}));
  std::optional<AppId> named;
  std::string id;
  RETURN_IF_ERROR(ReadNumber(object, "app_id", &named));
  RETURN_IF_ERROR(ReadText(object, "vocab_id", &id));
  ASSIGN_OR_RETURN(const AppId app_id, NamedApplication(caller, named));
  if (!id.empty()) return Alter(vocabularies, app_id, id, object);
  ASSIGN_OR_RETURN(Vocabulary made, Create(vocabularies, app_id, object));
  return std::optional(std::move(made));
}

}  // namespace

HttpResponse ShowVocabularies(Vocabularies& vocabularies, const OwnApiCaller& caller,
                              const HttpRequest& request) {
  const Json query = ReadQuery(request);
  std::optional<AppId> named;
  std::string id;
  Status status = ReadNumber(query, "app_id", &named);
  if (status.ok()) status = ReadText(query, "vocab_id", &id);
  if (!status.ok()) return OwnApiError(status);
  const auto app_id = NamedApplication(caller, named);
  if (!app_id.ok()) return OwnApiError(app_id.status());
  Json list = Json::array();
  if (!id.empty()) {
    const auto found = vocabularies.Find(*app_id, id);
    if (!found.ok()) return OwnApiError(found.status());
    list.push_back(Show(*found, true));
  } else {
    const auto all = vocabularies.List(*app_id);
    if (!all.ok()) return OwnApiError(all.status());
    for (const Vocabulary& vocabulary : *all) list.push_back(Show(vocabulary, false));
  }
  return OwnApiAnswer({{"vocabularies", std::move(list)}});
}

HttpResponse ChangeVocabulary(Vocabularies& vocabularies, const OwnApiCaller& caller,
                              const std::string& body) {
  const auto after = Change(vocabularies, caller, body);
  if (!after.ok()) return OwnApiError(after.status());
  return OwnApiAnswer({{"vocabulary", *after ? Show(**after, true) : Json()}});
}

}  // namespace lethe::server_internal
