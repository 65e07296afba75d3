#include "server/internal/flash_answer.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "service/subtitle_lines.h"
#include "text/post_processor.h"

namespace lethe::server_internal {
namespace {

using Json = nlohmann::ordered_json;

// The words as a processor leaves them, with their times.
std::vector<Word> Rewritten(const PostProcessor& processor, const std::vector<Word>& words) {
  std::vector<std::string> texts;
  for (const Word& word : words) texts.push_back(word.text);
  std::vector<Word> result;
  for (const PostWord& word : processor.Apply(texts)) {
    result.push_back({.text = word.text,
                      .start = words[word.first].start,
                      .end = words[word.last - 1].end,
                      .confidence = words[word.first].confidence});
  }
  return result;
}

Json WordList(const std::vector<Word>& words) {
  Json list = Json::array();
  for (const Word& word : words) {
    list.push_back({{"word", word.text},
                    {"start_time", word.start.count()},
                    {"end_time", word.end.count()},
                    {"stable_flag", 1}});
  }
  return list;
}

// The sentences of a transcript as they shall be told.
std::vector<Segment> Sentences(const Transcript& transcript, const FlashParameters& wanted) {
  if (wanted.words == FlashWords::kSubtitles) {
    return CutIntoLines(transcript, wanted.longest_line, wanted.punctuation);
  }
  std::vector<Segment> sentences = transcript.segments;
  if (wanted.words == FlashWords::kWithoutPunctuation) {
    const auto filter = PostProcessor::ForLanguage(transcript.language,
                                                   {.punctuation = PunctuationFilter::kDropAll});
    if (!filter.ok()) return sentences;
    for (Segment& sentence : sentences) sentence.words = Rewritten(*filter, sentence.words);
  }
  return sentences;
}

std::string Write(const Json& object) { return WriteLossyJson(object); }

}  // namespace

std::string FlashAnswer(std::string_view request_id, const Transcript& transcript,
                        const FlashParameters& wanted) {
  const std::vector<Segment> sentences = Sentences(transcript, wanted);
  Json results = Json::array();
  const int num_channels = transcript.split ? transcript.channels : 1;
  for (int channel = 0; channel < num_channels; ++channel) {
    std::string text;
    Json list = Json::array();
    for (const Segment& sentence : sentences) {
      if (sentence.channel != channel) continue;
      text += (text.empty() ? "" : " ") + sentence.text;
      list.push_back({{"text", sentence.text},
                      {"start_time", sentence.start.count()},
                      {"end_time", sentence.end.count()},
                      {"speaker_id", channel},
                      {"word_list", WordList(wanted.words == FlashWords::kNone ? std::vector<Word>()
                                                                               : sentence.words)}});
    }
    results.push_back(
        {{"text", text}, {"channel_id", channel}, {"sentence_list", std::move(list)}});
  }
  return Write({{"request_id", request_id},
                {"code", 0},
                {"message", ""},
                {"audio_duration", transcript.duration.count()},
                {"flash_result", std::move(results)}});
}

std::string FlashRefusal(std::string_view request_id, FlashCode code, std::string_view message) {
  return Write(
      {{"request_id", request_id}, {"code", static_cast<int>(code)}, {"message", message}});
}

}  // namespace lethe::server_internal
