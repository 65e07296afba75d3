#pragma once

// The forms in which a transcript leaves the house.

#include <string>
#include <string_view>

#include "base/status.h"
#include "service/transcript.h"

namespace lethe {

enum class TranscriptFormat {
  kText,  // one segment a line
  kJson,
  kJsonLine,  // the same JSON without a line feed inside: several of them are JSON Lines
  kSrt,       // SubRip subtitles
  kVtt,       // WebVTT subtitles
  kTsv,       // start and end in milliseconds, channel when split, text
};

/// Reads "text", "json", "jsonl", "srt", "vtt" or "tsv".
/// Errors: kInvalidArgument for anything else.
Result<TranscriptFormat> ParseTranscriptFormat(std::string_view name);

/// The ending of a file in this format, without a dot: "txt", "json", "jsonl", "srt" and so on.
std::string_view FileExtension(TranscriptFormat format);

/// Writes a transcript in a format; UTF-8, ends with a line feed unless it is empty text.
///
/// With channels apart, the subtitle and text forms name the channel ("[1] hello"), counted from 1
/// as people do; JSON and TSV carry its index from 0.
///
/// Of subtitles, a cue has at most 84 characters and seven seconds where the transcript has words
/// to cut its segments between, and is a segment where it has none. Other forms do not cut.
///
/// JSON: {"source", "text", "language", "model", "duration" (seconds), "channels", "sample_rate",
/// "segments": [{"id", "start", "end" (seconds), "text", "confidence", "channel", "words":
/// [{"text", "start", "end", "confidence"}], "alternatives": [{"text", "confidence",
/// "log_probability"}]}]}; "words" and "alternatives" only where the transcript has them. Other
/// forms have no place for alternatives.
std::string FormatTranscript(const Transcript& transcript, TranscriptFormat format);

}  // namespace lethe
