#include "server/internal/flash_answer.h"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "text/post_processor.h"

namespace lethe::server_internal {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 14> kMarks = {".",  ",",  "?",  "!",  ";",  ":",  "。",
                                                     "，", "？", "！", "；", "：", "、", "…"};

bool EndsInMark(std::string_view word) {
  while (word.ends_with('"') || word.ends_with('\'') || word.ends_with(')')) word.remove_suffix(1);
  return std::any_of(kMarks.begin(), kMarks.end(),
                     [&](std::string_view mark) { return word.ends_with(mark); });
}

// "p.m. and": what goes on in lower case was no end of a sentence.
bool GoesOn(const Word& word, const Word& next) {
  return word.text.ends_with('.') && !next.text.empty() && next.text[0] >= 'a' &&
         next.text[0] <= 'z';
}

// As people who write Chinese count: a character is one, and a word in letters is one.
int Length(std::string_view word) {
  int length = 0;
  bool letters = false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const auto byte = static_cast<unsigned char>(word[i]);
    // What is written without spaces has three bytes, from U+3040 on; below that are marks.
    const bool mark = byte == 0xe3 && word.substr(i + 1).starts_with('\x80');
    if (byte >= 0xe3 && byte <= 0xed && !mark) ++length;
    letters = letters || byte < 0x80;
  }
  return std::max(1, length + (letters && length > 0 ? 1 : 0));
}

// Where each word begins in a segment's text. Empty if the words are not in it, in their order.
std::vector<std::size_t> PlacesOfWords(const Segment& segment) {
  std::vector<std::size_t> places;
  std::size_t at = 0;
  for (const Word& word : segment.words) {
    at = segment.text.find(word.text, at);
    if (at == std::string::npos) return {};
    places.push_back(at);
    at += word.text.size();
  }
  return places;
}

// Does to words what a processor does, keeping their times.
std::vector<Word> Rewritten(const PostProcessor& processor, const std::vector<Word>& words,
                            std::string* text) {
  std::vector<std::string> texts;
  for (const Word& word : words) texts.push_back(word.text);
  const std::vector<PostWord> written = processor.Apply(texts);
  if (text != nullptr) *text = processor.Join(written);
  std::vector<Word> result;
  for (const PostWord& word : written) {
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
  std::vector<Segment> sentences;
  const auto filter = PostProcessor::ForLanguage(
      transcript.language,
      {.punctuation = wanted.words == FlashWords::kWithoutPunctuation ? PunctuationFilter::kDropAll
                                                                      : wanted.punctuation});
  for (const Segment& segment : transcript.segments) {
    if (wanted.words == FlashWords::kSubtitles) {
      for (Segment& line : CutIntoLines(segment, wanted.longest_line)) {
        if (filter.ok() && wanted.punctuation != PunctuationFilter::kKeep) {
          line.words = Rewritten(*filter, line.words, &line.text);
        }
        if (!line.text.empty()) sentences.push_back(std::move(line));
      }
      continue;
    }
    sentences.push_back(segment);
    if (wanted.words == FlashWords::kWithoutPunctuation && filter.ok()) {
      sentences.back().words = Rewritten(*filter, segment.words, nullptr);
    }
  }
  return sentences;
}

std::string Write(const Json& object) { return WriteLossyJson(object); }

}  // namespace

std::vector<Segment> CutIntoLines(const Segment& segment, int longest) {
  const std::vector<std::size_t> places = PlacesOfWords(segment);
  if (places.empty()) return {segment};
  std::vector<Segment> lines;
  std::size_t first = 0;
  int length = 0;
  const auto cut = [&](std::size_t last) {
    const std::size_t end = places[last] + segment.words[last].text.size();
    Segment line = segment;
    line.text = segment.text.substr(places[first], end - places[first]);
    line.words.assign(segment.words.begin() + static_cast<std::ptrdiff_t>(first),
                      segment.words.begin() + static_cast<std::ptrdiff_t>(last) + 1);
    // The outer borders stay where voice activity had them.
    if (first > 0) line.start = line.words.front().start;
    if (last + 1 < segment.words.size()) line.end = line.words.back().end;
    lines.push_back(std::move(line));
    first = last + 1;
    length = 0;
  };
  for (std::size_t i = 0; i < segment.words.size(); ++i) {
    const Word& word = segment.words[i];
    if (longest > 0 && i > first && length + Length(word.text) > longest) cut(i - 1);
    length += Length(word.text);
    const bool last = i + 1 == segment.words.size();
    if (last || (EndsInMark(word.text) && !GoesOn(word, segment.words[i + 1]))) cut(i);
  }
  return lines;
}

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
