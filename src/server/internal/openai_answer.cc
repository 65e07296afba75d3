#include "server/internal/openai_answer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>
#include <zlib.h>

#include "base/json.h"
#include "server/internal/openai_models.h"
#include "service/transcript_writer.h"

namespace lethe::server_internal {
namespace {

using Json = nlohmann::ordered_json;

std::string Write(const Json& object) { return WriteLossyJson(object); }

double Seconds(Millis time) { return static_cast<double>(time.count()) / 1000.0; }

Json UsageOf(const Transcript& transcript) {
  // As it is billed: a part of a second is a whole one.
  return {{"type", "duration"}, {"seconds", (transcript.duration.count() + 999) / 1000}};
}

double MeanLogProbability(const Segment& segment) {
  // The smallest float above zero has -103; what is below counts as that.
  constexpr double kLeast = 1e-45;
  return std::log(std::max(static_cast<double>(segment.confidence), kLeast));
}

double CompressionRatio(const std::string& text) {
  uLongf size = compressBound(text.size());
  std::string compressed(size, '\0');
  const int done = compress(reinterpret_cast<Bytef*>(compressed.data()), &size,
                            reinterpret_cast<const Bytef*>(text.data()), text.size());
  if (done != Z_OK || size == 0) return 1;
  return static_cast<double>(text.size()) / static_cast<double>(size);
}

Json SegmentsOf(const Transcript& transcript) {
  Json list = Json::array();
  for (std::size_t id = 0; id < transcript.segments.size(); ++id) {
    const Segment& segment = transcript.segments[id];
    list.push_back({{"id", id},
                    {"seek", segment.start.count() / 10},
                    {"start", Seconds(segment.start)},
                    {"end", Seconds(segment.end)},
                    // Clients join the texts without anything between them.
                    {"text", " " + segment.text},
                    {"tokens", Json::array()},
                    {"temperature", 0.0},
                    {"avg_logprob", MeanLogProbability(segment)},
                    {"compression_ratio", CompressionRatio(segment.text)},
                    {"no_speech_prob", 0.0}});
  }
  return list;
}

Json WordsOf(const Transcript& transcript) {
  Json list = Json::array();
  for (const Segment& segment : transcript.segments) {
    for (const Word& word : segment.words) {
      list.push_back(
          {{"word", word.text}, {"start", Seconds(word.start)}, {"end", Seconds(word.end)}});
    }
  }
  return list;
}

Json WithWarning(const Transcript& transcript, Json answer) {
  if (!transcript.warning.empty()) answer["warning"] = "The recording " + transcript.warning + ".";
  return answer;
}

std::string Verbose(const Transcript& transcript, const OpenAiRequest& request) {
  Json answer = {{"task", "transcribe"},
                 {"language", LanguageName(transcript.language)},
                 {"duration", Seconds(transcript.duration)},
                 {"text", transcript.Text()}};
  if (request.segments) answer["segments"] = SegmentsOf(transcript);
  if (request.words) answer["words"] = WordsOf(transcript);
  answer["usage"] = UsageOf(transcript);
  return Write(WithWarning(transcript, std::move(answer)));
}

std::string Event(const Json& data) { return "data: " + Write(data) + "\n\n"; }

}  // namespace

HttpResponse OpenAiAnswer(const Transcript& transcript, const OpenAiRequest& request) {
  constexpr const char* kPlain = "text/plain; charset=utf-8";
  switch (request.format) {
    case OpenAiFormat::kText:
      return {.content_type = kPlain, .body = transcript.Text() + "\n"};
    case OpenAiFormat::kSrt:
      return {.content_type = kPlain, .body = FormatTranscript(transcript, TranscriptFormat::kSrt)};
    case OpenAiFormat::kVtt:
      return {.content_type = kPlain, .body = FormatTranscript(transcript, TranscriptFormat::kVtt)};
    case OpenAiFormat::kVerboseJson:
      return {.body = Verbose(transcript, request)};
    case OpenAiFormat::kJson:
      break;
  }
  return {.body = Write(WithWarning(
              transcript, {{"text", transcript.Text()}, {"usage", UsageOf(transcript)}}))};
}

std::string DeltaEvent(std::string_view delta) {
  return Event({{"type", "transcript.text.delta"}, {"delta", delta}});
}

std::string DoneEvent(const Transcript& transcript) {
  return Event(WithWarning(transcript, {{"type", "transcript.text.done"},
                                        {"text", transcript.Text()},
                                        {"usage", UsageOf(transcript)}}));
}

std::string ErrorEvent(const OpenAiError& error) {
  return "data: " + OpenAiErrorBody(error) + "\n\n";
}

}  // namespace lethe::server_internal
