#include "server/internal/realtime_frames.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/random.h"

namespace lethe::server_internal {
namespace {

using Json = nlohmann::ordered_json;
using Kind = StreamEvent::Kind;

// A client's text frames are short; a prompt is the longest of them.
constexpr std::size_t kMaxClientText = std::size_t{64} << 10;

std::int64_t Count(Millis time) { return std::max<std::int64_t>(time.count(), 0); }

std::string Dump(const Json& json) {
  // Models write UTF-8, but a token may be half a character.
  return WriteLossyJson(json);
}

Json Reply(int code, std::string_view message, std::string_view voice_id) {
  return {{"code", code}, {"message", message}, {"voice_id", voice_id}};
}

Json WordObject(const Word& word, std::string_view text, bool stable, bool confidence) {
  Json object = {{"word", text},
                 {"start_time", Count(word.start)},
                 {"end_time", Count(word.end)},
                 {"stable_flag", stable ? 1 : 0}};
  // Two digits say all there is to say.
  if (confidence && std::isfinite(word.confidence)) {
    object["confidence"] = std::round(static_cast<double>(word.confidence) * 100) / 100;
  }
  return object;
}

// The words as asked for, oldest first.
std::vector<Json> WordObjects(const StreamEvent& event, WordInfo info, bool confidence,
                              const std::optional<PostProcessor>& bare) {
  std::vector<Json> objects;
  if (info == WordInfo::kNone) return objects;
  const std::vector<Word>& words = event.segment.words;
  const bool final = event.kind == Kind::kFinal;
  const auto stable = [&](std::size_t last) { return final || last < event.stable_words; };
  if (!bare) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      objects.push_back(WordObject(words[i], words[i].text, stable(i), confidence));
    }
    return objects;
  }
  std::vector<std::string> texts;
  texts.reserve(words.size());
  for (const Word& word : words) texts.push_back(word.text);
  for (const PostWord& word : bare->Apply(texts)) {
    if (word.first >= word.last || word.last > words.size()) continue;
    Word whole = words[word.first];
    whole.end = words[word.last - 1].end;
    // Of several that are one now, the least sure.
    for (std::size_t i = word.first; i < word.last; ++i) {
      whole.confidence = std::min(whole.confidence, words[i].confidence);
    }
    objects.push_back(WordObject(whole, word.text, stable(word.last - 1), confidence));
  }
  return objects;
}

}  // namespace

RealtimeFrames::RealtimeFrames(const RealtimeParameters& parameters, std::string_view language)
    : voice_id_(parameters.voice_id),
      speaker_context_id_(!parameters.sentence_mode || !parameters.speaker_context ? ""
                          : parameters.speaker_context_id.empty()                  ? RandomUuid()
                                                                  : parameters.speaker_context_id),
      word_info_(parameters.word_info),
      confidence_(parameters.confidence),
      filter_empty_(parameters.filter_empty),
      sentence_mode_(parameters.sentence_mode) {
  if (word_info_ != WordInfo::kPlain) return;
  auto bare = PostProcessor::ForLanguage(language, {.punctuation = PunctuationFilter::kDropAll});
  if (bare.ok()) bare_ = *std::move(bare);
}

std::string RealtimeFrames::MessageId(std::optional<std::uint64_t> sentence) {
  std::string id = voice_id_ + "_" + std::to_string(num_messages_++);
  if (sentence) id += "_" + std::to_string(*sentence);
  return id;
}

std::string RealtimeFrames::Handshake() {
  Json frame = Reply(0, "success", voice_id_);
  if (!speaker_context_id_.empty()) frame["speaker_context_id"] = speaker_context_id_;
  return Dump(frame);
}

std::optional<std::string> RealtimeFrames::Event(const StreamEvent& event) {
  const bool final = event.kind == Kind::kFinal;
  std::optional<std::string> frame;
  const bool told = !event.segment.text.empty() || !filter_empty_;
  if (told && sentence_mode_) {
    // An event of its own for a beginning is not known here.
    if (event.kind != Kind::kBegin) frame = Sentence(event);
  } else if (told) {
    const int slice_type = final ? 2 : begun_ ? 1 : 0;
    frame = Classic(event, slice_type);
  }
  begun_ = begun_ || frame.has_value();
  if (final && std::exchange(begun_, false)) ++index_;
  return frame;
}

std::string RealtimeFrames::Classic(const StreamEvent& event, int slice_type) {
  const std::vector<Json> words = WordObjects(event, word_info_, confidence_, bare_);
  const Segment& segment = event.segment;
  Json frame = Reply(0, "success", voice_id_);
  frame["message_id"] = MessageId(index_);
  frame["result"] = {{"slice_type", slice_type},
                     {"index", index_},
                     {"start_time", Count(segment.start)},
                     {"end_time", std::max(Count(segment.start), Count(segment.end))},
                     {"voice_text_str", segment.text},
                     {"word_size", 0},
                     {"word_list", Json::array()}};
  std::size_t first = 0;
  if (event.kind == Kind::kPartial) {
    // Brackets and commas aside, words add up.
    constexpr std::size_t kForTheCount = 4;
    std::size_t size = Dump(frame).size() + kForTheCount;
    first = words.size();
    while (first > 0) {
      size += Dump(words[first - 1]).size() + 1;
      if (size > kMaxClassicFrame) break;
      --first;
    }
  }
  Json& list = frame["result"]["word_list"];
  for (std::size_t i = first; i < words.size(); ++i) list.push_back(words[i]);
  frame["result"]["word_size"] = list.size();
  return Dump(frame);
}

std::string RealtimeFrames::Sentence(const StreamEvent& event) {
  const Segment& segment = event.segment;
  Json sentence = {{"sentence", segment.text},
                   {"sentence_type", event.kind == Kind::kFinal ? 1 : 0},
                   {"sentence_id", index_},
                   // Nobody tells speakers apart here: undecided, as the contract has it.
                   {"speaker_id", -1},
                   {"start_time", Count(segment.start)},
                   {"end_time", std::max(Count(segment.start), Count(segment.end))}};
  if (word_info_ != WordInfo::kNone) {
    sentence["word_list"] = WordObjects(event, word_info_, confidence_, bare_);
  }
  Json frame = Reply(0, "success", voice_id_);
  frame["message_id"] = MessageId(index_);
  frame["sentences"]["sentence_list"] = Json::array({std::move(sentence)});
  return Dump(frame);
}

std::string RealtimeFrames::Final() {
  Json frame = Reply(0, "success", voice_id_);
  frame["message_id"] = MessageId(std::nullopt);
  frame["final"] = 1;
  return Dump(frame);
}

std::string RealtimeFrames::Failure(int code, std::string_view message) {
  Json frame = Reply(code, message, voice_id_);
  frame["message_id"] = MessageId(std::nullopt);
  return Dump(frame);
}

std::string Refusal(int code, std::string_view message, std::string_view voice_id) {
  return Dump(Reply(code, message, voice_id));
}

ClientText ReadClientText(std::string_view text) {
  ClientText read;
  if (text.size() > kMaxClientText) return read;
  const Json json = ParseJson<Json>(text);
  if (!json.is_object()) return read;
  const auto string = [](const Json& object, const char* name) -> std::string {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
  };
  if (string(json, "type") == "end") {
    read.kind = ClientText::Kind::kEnd;
    return read;
  }
  const auto prompts = json.find("prompt");
  const bool context =
      json.contains("context_type") || json.contains("hotword_list") || prompts != json.end();
  if (!context) return read;
  read.kind = ClientText::Kind::kContext;
  read.hot_word_list = string(json, "hotword_list");
  if (prompts == json.end() || !prompts->is_array()) return read;
  for (const Json& prompt : *prompts) {
    const auto data = prompt.is_object() ? prompt.find("context_data") : prompt.end();
    if (data == prompt.end() || !data->is_array()) continue;
    for (const Json& piece : *data) {
      if (piece.is_object()) read.prompt += string(piece, "text") + "\n";
    }
  }
  return read;
}

}  // namespace lethe::server_internal
