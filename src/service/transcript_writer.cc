#include "service/transcript_writer.h"

#include <array>
#include <cmath>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace lethe {
namespace {

struct FormatName {
  TranscriptFormat format;
  std::string_view name;
  std::string_view extension;
};
constexpr std::array<FormatName, 5> kFormats = {{{TranscriptFormat::kText, "text", "txt"},
                                                 {TranscriptFormat::kJson, "json", "json"},
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

std::string ChannelPrefix(const Transcript& transcript, const Segment& segment) {
  return transcript.split ? "[" + std::to_string(segment.channel + 1) + "] " : "";
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

std::string Json(const Transcript& transcript) {
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
  return WriteLossyJson(whole, 2) + "\n";
}

}  // namespace

Result<TranscriptFormat> ParseTranscriptFormat(std::string_view name) {
  for (const FormatName& format : kFormats) {
    if (format.name == name) return format.format;
  }
  return InvalidArgument("unknown format (choose text, json, srt, vtt or tsv): " +
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
        out += ChannelPrefix(transcript, segment) + OneLine(segment.text) + "\n";
      }
      break;
    case TranscriptFormat::kJson:
      out = Json(transcript);
      break;
    case TranscriptFormat::kSrt:
      for (std::size_t i = 0; i < transcript.segments.size(); ++i) {
        const Segment& segment = transcript.segments[i];
        if (i > 0) out += "\n";
        out += std::to_string(i + 1) + "\n" + ClockTime(segment.start, ',') + " --> " +
               ClockTime(segment.end, ',') + "\n" + ChannelPrefix(transcript, segment) +
               OneLine(segment.text) + "\n";
      }
      break;
    case TranscriptFormat::kVtt:
      out = "WEBVTT\n";
      for (const Segment& segment : transcript.segments) {
        out += "\n" + ClockTime(segment.start, '.') + " --> " + ClockTime(segment.end, '.') + "\n" +
               ChannelPrefix(transcript, segment) + EscapeVtt(OneLine(segment.text)) + "\n";
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
