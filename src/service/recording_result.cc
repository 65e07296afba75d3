#include "service/recording_result.h"

#include <algorithm>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "base/json.h"
#include "service/subtitle_lines.h"

namespace lethe {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kAsciiPunctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

bool IsPunctuation(char c) { return kAsciiPunctuation.find(c) != std::string_view::npos; }

std::string ClockText(Millis time) {
  const auto millis = time.count();
  char text[48];
  std::snprintf(text, sizeof text, "%lld:%lld.%03lld", static_cast<long long>(millis / 60'000),
                static_cast<long long>(millis / 1000 % 60), static_cast<long long>(millis % 1000));
  return text;
}

// The words of a text, in lower case and without punctuation, a blank before and behind each: what
// a keyword is looked for in.
std::string Searchable(std::string_view text) {
  std::string words = " ";
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string word = WithoutPunctuation(text.substr(0, end));
    if (!word.empty()) words += ToLowerAscii(word) + " ";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

Json FindKeywords(const std::string& text, const std::vector<KeywordLibrary>& libraries) {
  const std::string words = Searchable(text);
  Json results = Json::array();
  for (const KeywordLibrary& library : libraries) {
    Json found = Json::array();
    for (const std::string& keyword : library.words) {
      if (words.find(Searchable(keyword)) != std::string::npos) found.push_back(keyword);
    }
    if (!found.empty()) {
      results.push_back({{"KeyWordLibID", library.id},
                         {"KeyWordLibName", library.name},
                         {"KeyWords", std::move(found)}});
    }
  }
  return results.empty() ? Json() : results;
}

Json Detail(const Segment& segment, Millis silence, const RecordingResultOptions& options) {
  Json words = Json::array();
  std::string slice;
  for (const Word& word : segment.words) {
    const std::string bare = WithoutPunctuation(word.text);
    if (!bare.empty()) slice += (slice.empty() ? "" : " ") + bare;
    const std::string& shown = options.res_text_format == 1 ? bare : word.text;
    if (shown.empty()) continue;
    words.push_back({{"Word", shown},
                     {"OffsetStartMs", (word.start - segment.start).count()},
                     {"OffsetEndMs", (word.end - segment.start).count()}});
  }
  const double seconds = static_cast<double>((segment.end - segment.start).count()) / 1000;
  const double speed =
      seconds > 0 ? static_cast<double>(CountCharacters(segment.text)) / seconds : 0.0;
  const std::size_t num_words = words.size();
  return {{"FinalSentence", segment.text},
          {"SliceSentence", slice},
          {"WrittenText", ""},
          {"StartMs", segment.start.count()},
          {"EndMs", segment.end.count()},
          {"WordsNum", num_words},
          {"Words", std::move(words)},
          {"SpeechSpeed", static_cast<double>(static_cast<long long>(speed * 10 + 0.5)) / 10},
          {"SpeakerId", segment.channel},
          {"EmotionalEnergy", 0.0},
          {"SilenceTime", silence.count()},
          {"EmotionType", nullptr},
          {"KeyWordResults", FindKeywords(segment.text, options.keywords)},
          {"LangType", ""},
          {"SpeakerRoleName", ""}};
}

}  // namespace

std::string WithoutPunctuation(std::string_view word) {
  while (!word.empty() && IsPunctuation(word.front())) word.remove_prefix(1);
  while (!word.empty() && IsPunctuation(word.back())) word.remove_suffix(1);
  return std::string(word);
}

RecordingResult MakeRecordingResult(const Transcript& transcript,
                                    const RecordingResultOptions& options) {
  const std::vector<Segment> sentences =
      options.res_text_format == 3
          ? CutIntoLines(transcript, options.sentence_max_length, options.line_punctuation)
          : transcript.segments;
  RecordingResult result;
  Json details = Json::array();
  Millis heard{0};
  for (const Segment& sentence : sentences) {
    result.text += "[" + ClockText(sentence.start) + "," + ClockText(sentence.end) +
                   (transcript.split ? "," + std::to_string(sentence.channel) : "") + "]  " +
                   sentence.text + "\n";
    const Millis silence = std::max(Millis(0), sentence.start - heard);
    heard = std::max(heard, sentence.end);
    if (options.res_text_format > 0) details.push_back(Detail(sentence, silence, options));
  }
  result.detail = options.res_text_format > 0 ? WriteJson(details) : "null";
  return result;
}

}  // namespace lethe
