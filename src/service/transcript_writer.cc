#include "service/transcript_writer.h"

#include <array>
#include <cmath>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "service/internal/subtitles.h"

namespace lethe {
namespace {

struct FormatName {
  TranscriptFormat format;
  std::string_view name;
  std::string_view extension;
};
constexpr std::array<FormatName, 6> kFormats = {{{TranscriptFormat::kText, "text", "txt"},
                                                 {TranscriptFormat::kJson, "json", "json"},
                                                 {TranscriptFormat::kJsonLine, "jsonl", "jsonl"},
                                                 {TranscriptFormat::kSrt, "srt", "srt"},
                                                 {TranscriptFormat::kVtt, "vtt", "vtt"},
                                                 {TranscriptFormat::kTsv, "tsv", "tsv"}}};

/// "01:02:03,004": subtitles write the decimal mark in two ways.
std::string ClockTime(Millis time, char mark) {
  const long long ms = time.count();
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%02lld:%02lld:%02lld%c%03lld", ms / 3'600'000,
                ms / 60'000 % 60, ms / 1'000 % 60, mark, ms % 1'000);
  return text.data();
}

std::string ChannelPrefix(const Transcript& transcript, int channel) {
  return transcript.split ? "[" + std::to_string(channel + 1) + "] " : "";
}

/// A line feed inside a text would end its line, row or cue.
std::string OneLine(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return text;
}

/// WebVTT gives "&" and "<" a meaning, and "-->" must not occur in a cue.
std::string EscapeVtt(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

double Seconds(Millis time) { return static_cast<double>(time.count()) / 1000.0; }

/// Four digits: what lies below is noise, and it doubles the size of the file.
double Rounded(double value) { return std::isfinite(value) ? std::round(value * 1e4) / 1e4 : 0.0; }

std::string Json(const Transcript& transcript, int indent) {
  using Object = nlohmann::ordered_json;
  Object segments = Object::array();
  for (std::size_t id = 0; id < transcript.segments.size(); ++id) {
    const Segment& segment = transcript.segments[id];
    Object object = {{"id", id},
                     {"start", Seconds(segment.start)},
                     {"end", Seconds(segment.end)},
                     {"text", segment.text},
                     {"confidence", Rounded(segment.confidence)},
                     {"channel", segment.channel}};
    if (!segment.words.empty()) {
      Object words = Object::array();
      for (const Word& word : segment.words) {
        words.push_back({{"text", word.text},
                         {"start", Seconds(word.start)},
                         {"end", Seconds(word.end)},
                         {"confidence", Rounded(word.confidence)}});
      }
      object["words"] = std::move(words);
    }
    if (!segment.alternatives.empty()) {
      Object alternatives = Object::array();
      for (const Alternative& alternative : segment.alternatives) {
        alternatives.push_back({{"text", alternative.text},
                                {"confidence", Rounded(alternative.confidence)},
                                {"log_probability", Rounded(alternative.log_probability)}});
      }
      object["alternatives"] = std::move(alternatives);
    }
    segments.push_back(std::move(object));
  }
  const Object whole = {{"source", transcript.source},
                        {"text", transcript.Text()},
                        {"language", transcript.language},
                        {"model", transcript.model},
                        {"duration", Seconds(transcript.duration)},
                        {"channels", transcript.channels},
                        {"sample_rate", transcript.sample_rate},
                        {"segments", std::move(segments)}};
  // Ill-formed UTF-8 (a file's name may hold any bytes) is replaced instead of thrown at us.
  return WriteLossyJson(whole, indent) + "\n";
}

}  // namespace

Result<TranscriptFormat> ParseTranscriptFormat(std::string_view name) {
  for (const FormatName& format : kFormats) {
    if (format.name == name) return format.format;
  }
  return InvalidArgument("unknown format (choose text, json, jsonl, srt, vtt or tsv): " +
                         std::string(name));
}

std::string_view FileExtension(TranscriptFormat format) {
  for (const FormatName& known : kFormats) {
    if (known.format == format) return known.extension;
  }
  return "txt";
}

std::string FormatTranscript(const Transcript& transcript, TranscriptFormat format) {
  std::string out;
  switch (format) {
    case TranscriptFormat::kText:
      for (const Segment& segment : transcript.segments) {
        out += ChannelPrefix(transcript, segment.channel) + OneLine(segment.text) + "\n";
      }
      break;
    case TranscriptFormat::kJson:
      out = Json(transcript, 2);
      break;
    case TranscriptFormat::kJsonLine:
      out = Json(transcript, -1);
      break;
    case TranscriptFormat::kSrt: {
      int number = 0;
      for (const internal::Cue& cue : internal::CutIntoCues(transcript)) {
        if (number > 0) out += "\n";
        out += std::to_string(++number) + "\n" + ClockTime(cue.start, ',') + " --> " +
               ClockTime(cue.end, ',') + "\n" + ChannelPrefix(transcript, cue.channel) +
               OneLine(cue.text) + "\n";
      }
      break;
    }
    case TranscriptFormat::kVtt:
      out = "WEBVTT\n";
      for (const internal::Cue& cue : internal::CutIntoCues(transcript)) {
        out += "\n" + ClockTime(cue.start, '.') + " --> " + ClockTime(cue.end, '.') + "\n" +
               ChannelPrefix(transcript, cue.channel) + EscapeVtt(OneLine(cue.text)) + "\n";
      }
      break;
    case TranscriptFormat::kTsv:
      out = transcript.split ? "start\tend\tchannel\ttext\n" : "start\tend\ttext\n";
      for (const Segment& segment : transcript.segments) {
        out += std::to_string(segment.start.count()) + "\t" + std::to_string(segment.end.count()) +
               "\t" + (transcript.split ? std::to_string(segment.channel) + "\t" : "") +
               OneLine(segment.text) + "\n";
      }
      break;
  }
  return out;
}

}  // namespace lethe
