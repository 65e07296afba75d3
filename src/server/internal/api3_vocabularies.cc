// Vocabularies of hot words (contract, section 3.4).

#include <charconv>

#include "base/encoding.h"
#include "server/internal/api3_actions.h"

namespace lethe::server_internal {
namespace {

constexpr std::size_t kMaxWordText = std::size_t{1} << 20;

ApiError WordError(std::size_t place, HotWordProblem problem) {
  const std::string which = "Word " + std::to_string(place) + " ";
  if (problem == HotWordProblem::kWeight) {
    return {"InvalidParameterValue.InvalidWordWeight",
            which + "needs a weight of 1 to 11, or 100."};
  }
  return {"InvalidParameterValue.InvalidParameterLength",
          which + "has to be 1 to 30 characters (10 of Chinese) without bar and comma."};
}

// Lines of `word|weight` in base64.
ApiResult<std::vector<WeightedWord>> ParseWordWeightStr(const std::string& encoded) {
  const auto text = Base64Decode(encoded);
  if (!text || !IsUtf8(*text) || text->size() > kMaxWordText) {
    return ApiError{"InvalidParameterValue.InvalidWordWeightStr",
                    "`WordWeightStr` is no base64 of UTF-8 lines."};
  }
  std::vector<WeightedWord> words;
  std::string_view rest = *text;
  if (rest.starts_with("\xef\xbb\xbf")) rest.remove_prefix(3);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    const std::size_t bar = line.rfind('|');
    WeightedWord word{.word = std::string(line.substr(0, bar)), .weight = 0};
    const std::string_view weight =
        bar == std::string_view::npos ? std::string_view() : line.substr(bar + 1);
    const auto [read, error] =
        std::from_chars(weight.data(), weight.data() + weight.size(), word.weight);
    if (read != weight.data() + weight.size()) word.weight = 0;  // "5abc" is no weight
    words.push_back(std::move(word));
    if (words.size() > kMaxVocabularyWords) break;  // refused below
  }
  return words;
}

// The words of a call, checked; nothing when it names none.
ApiResult<std::optional<std::vector<WeightedWord>>> ReadWords(ApiCall& call) {
  std::optional<std::vector<WeightedWord>> words;
  if (const auto encoded = call.arguments.Text("WordWeightStr"); encoded && !encoded->empty()) {
    auto parsed = ParseWordWeightStr(*encoded);
    if (const auto* error = std::get_if<ApiError>(&parsed)) return *error;
    words = std::get<std::vector<WeightedWord>>(std::move(parsed));
  } else if (call.arguments.Has("WordWeights")) {
    words.emplace();
    for (ApiArguments& entry : call.arguments.Objects("WordWeights")) {
      words->push_back({.word = entry.Text("Word", true).value_or(""),
                        .weight = static_cast<int>(std::clamp<std::int64_t>(
                            entry.Number("Weight", true).value_or(0), -1, 1000))});
      if (entry.error()) return *entry.error();
    }
  }
  if (call.arguments.error()) return *call.arguments.error();
  if (!words) return words;
  if (words->size() > kMaxVocabularyWords) {
    return ApiError{"LimitExceeded.VocabFull", "A vocabulary has at most 1000 words."};
  }
  for (std::size_t i = 0; i < words->size(); ++i) {
    const HotWordProblem problem = CheckHotWord((*words)[i].word, (*words)[i].weight);
    if (problem != HotWordProblem::kNone) return WordError(i + 1, problem);
  }
  return words;
}

std::optional<ApiError> CheckTexts(const std::optional<std::string>& name,
                                   const std::optional<std::string>& description) {
  const bool bad_name =
      name && (name->empty() || CountCharacters(*name) > kMaxVocabularyNameCharacters);
  const bool bad_description =
      description && CountCharacters(*description) > kMaxVocabularyDescriptionCharacters;
  if (!bad_name && !bad_description) return std::nullopt;
  return ApiError{"InvalidParameterValue.InvalidParameterLength",
                  bad_name ? "`Name` has to be 1 to 255 characters."
                           : "`Description` may have at most 1000 characters."};
}

ApiError VocabularyError(const Status& status) {
  if (status.code() == StatusCode::kNotFound) {
    return {"InvalidParameterValue.InvalidVocabId", "There is no such vocabulary."};
  }
  if (status.code() == StatusCode::kResourceExhausted) {
    return {"LimitExceeded.VocabFull", status.message()};
  }
  return StoreError(status);
}

ApiFields Show(const Vocabulary& vocabulary) {
  ApiFields words = ApiFields::array();
  for (const WeightedWord& word : vocabulary.words) {
    words.push_back({{"Word", word.word}, {"Weight", word.weight}});
  }
  return {{"Name", vocabulary.name},
          {"Description", vocabulary.description},
          {"VocabId", vocabulary.id},
          {"WordWeights", std::move(words)},
          {"CreateTime", ShowTime(vocabulary.created)},
          {"UpdateTime", ShowTime(vocabulary.updated)},
          {"State", vocabulary.is_default ? 1 : 0}};
}

Vocabularies& Of(ApiCall& call) { return call.context.store.vocabularies(); }

std::string VocabId(ApiCall& call) { return call.arguments.Text("VocabId", true).value_or(""); }

}  // namespace

ApiAnswer CreateAsrVocab(ApiCall& call) {
  const auto name = call.arguments.Text("Name", true);
  const auto description = call.arguments.Text("Description");
  auto words = ReadWords(call);
  if (const auto* error = std::get_if<ApiError>(&words)) return *error;
  if (const auto error = CheckTexts(name, description)) return *error;
  const auto& list = std::get<std::optional<std::vector<WeightedWord>>>(words);
  if (!list || list->empty()) {
    return ApiError{"MissingParameter",
                    "Words are missing: give `WordWeights` or `WordWeightStr`."};
  }
  const auto created = Of(call).Create(
      call.application.id,
      {.name = name.value_or(""), .description = description.value_or(""), .words = *list});
  if (!created.ok()) return VocabularyError(created.status());
  return ApiFields{{"VocabId", created->id}};
}

ApiAnswer UpdateAsrVocab(ApiCall& call) {
  const std::string id = VocabId(call);
  const auto name = call.arguments.Text("Name");
  const auto description = call.arguments.Text("Description");
  auto words = ReadWords(call);
  if (const auto* error = std::get_if<ApiError>(&words)) return *error;
  if (const auto error = CheckTexts(name, description)) return *error;
  const auto& list = std::get<std::optional<std::vector<WeightedWord>>>(words);
  if (list && list->empty()) {
    return ApiError{"InvalidParameterValue.InvalidParameterLength",
                    "A vocabulary has at least one word: leave out `WordWeights` and "
                    "`WordWeightStr` to keep its words."};
  }
  const auto updated = Of(call).Update(call.application.id, id,
                                       {.name = name, .description = description, .words = list});
  if (!updated.ok()) return VocabularyError(updated.status());
  return ApiFields{{"VocabId", updated->id}};
}

ApiAnswer DeleteAsrVocab(ApiCall& call) {
  const std::string id = VocabId(call);
  if (call.arguments.error()) return *call.arguments.error();
  const Status removed = Of(call).Remove(call.application.id, id);
  if (!removed.ok()) return VocabularyError(removed);
  return ApiFields::object();
}

ApiAnswer GetAsrVocab(ApiCall& call) {
  const std::string id = VocabId(call);
  if (call.arguments.error()) return *call.arguments.error();
  const auto found = Of(call).Find(call.application.id, id);
  if (!found.ok()) return VocabularyError(found.status());
  return Show(*found);
}

ApiAnswer GetAsrVocabList(ApiCall& call) {
  const std::int64_t offset = call.arguments.Number("Offset").value_or(0);
  const std::int64_t limit = call.arguments.Number("Limit").value_or(kMaxVocabularies);
  if (call.arguments.error()) return *call.arguments.error();
  if (offset < 0 || limit < 0) {
    return ApiError{"InvalidParameterValue", "`Offset` and `Limit` cannot be negative."};
  }
  const auto found = Of(call).List(call.application.id);
  if (!found.ok()) return VocabularyError(found.status());
  ApiFields list = ApiFields::array();
  for (std::size_t i = static_cast<std::size_t>(offset); i < found->size(); ++i) {
    if (list.size() >= static_cast<std::size_t>(limit)) break;
    ApiFields shown = Show((*found)[i]);
    shown["TagInfos"] = ApiFields::array();
    list.push_back(std::move(shown));
  }
  return ApiFields{{"VocabList", std::move(list)}, {"TotalCount", found->size()}};
}

ApiAnswer SetVocabState(ApiCall& call) {
  const std::string id = VocabId(call);
  const std::int64_t state = call.arguments.Number("State", true).value_or(0);
  if (call.arguments.error()) return *call.arguments.error();
  if (state != 0 && state != 1) {
    return ApiError{"InvalidParameterValue.InvalidVocabState", "`State` is 0 or 1."};
  }
  const Status set = Of(call).SetDefault(call.application.id, id, state == 1);
  if (!set.ok()) return VocabularyError(set);
  return ApiFields{{"VocabId", id}};
}

ApiAnswer DownloadAsrVocab(ApiCall& call) {
  const std::string id = VocabId(call);
  if (call.arguments.error()) return *call.arguments.error();
  const auto found = Of(call).Find(call.application.id, id);
  if (!found.ok()) return VocabularyError(found.status());
  std::string lines;
  for (const WeightedWord& word : found->words) {
    lines += word.word + "|" + std::to_string(word.weight) + "\n";
  }
  return ApiFields{{"VocabId", found->id}, {"WordWeightStr", Base64Encode(lines)}};
}

}  // namespace lethe::server_internal
