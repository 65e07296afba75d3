#include "service/internal/recording_task_request.h"

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace lethe {

using Json = nlohmann::json;

std::string WriteTaskRequest(const RecordingTaskRequest& request) {
  return WriteJson(Json({{"engine", request.engine},
                         {"split", request.split_channels},
                         {"format", request.res_text_format},
                         {"line", request.sentence_max_length},
                         {"profanity", static_cast<int>(request.post.profanity)},
                         {"fillers", static_cast<int>(request.post.fillers)},
                         {"punctuation", static_cast<int>(request.post.punctuation)},
                         {"numbers", static_cast<int>(request.post.numbers)},
                         {"hot_words", request.hot_word_list},
                         {"vocabulary", request.vocabulary_id},
                         {"keywords", request.keyword_library_ids},
                         {"url", request.url}}));
}

Result<RecordingTaskRequest> ReadTaskRequest(const std::string& text) {
  const Json json = ParseJson<Json>(text);
  RecordingTaskRequest request;
  try {
    request.engine = json.at("engine");
    request.split_channels = json.at("split");
    request.res_text_format = json.at("format");
    request.sentence_max_length = json.at("line");
    request.post.profanity = static_cast<ProfanityFilter>(json.at("profanity").get<int>());
    request.post.fillers = static_cast<FillerFilter>(json.at("fillers").get<int>());
    request.post.punctuation = static_cast<PunctuationFilter>(json.at("punctuation").get<int>());
    request.post.numbers = static_cast<NumberFormat>(json.at("numbers").get<int>());
    request.hot_word_list = json.at("hot_words");
    request.vocabulary_id = json.at("vocabulary");
    request.keyword_library_ids = json.at("keywords").get<std::vector<std::string>>();
    request.url = json.at("url");
  } catch (const Json::exception&) {
    return DataLoss("the stored task cannot be read");
  }
  return request;
}

}  // namespace lethe
