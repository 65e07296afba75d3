#pragma once

// A transcript in the forms of OpenAI's interface.

#include <string>
#include <string_view>

#include "server/http.h"
#include "server/internal/openai_request.h"
#include "service/transcript.h"

namespace lethe::server_internal {

/// The whole answer.
///
///   json          {"text", "usage": {"type": "duration", "seconds"}}
///   text          the text and a line feed
///   srt, vtt      subtitles, of at most 84 characters and seven seconds each
///   verbose_json  {"task", "language" (its English name), "duration" (seconds), "text",
///                 "segments": [{"id", "seek", "start", "end", "text", "tokens", "temperature",
///                 "avg_logprob", "compression_ratio", "no_speech_prob"}], "words": [{"word",
///                 "start", "end"}], "usage"}, segments and words where asked for
///
/// Of a recording that was cut off or damaged the JSON forms have "warning" besides, a sentence in
/// English: ours, not OpenAI's.
///
/// Of a segment, `seek` is its start in hundredths of a second, `avg_logprob` the mean over its
/// tokens as the model gave it, `compression_ratio` that of its text by zlib, as Whisper measures
/// repetition. `tokens` is empty, because numbers of another vocabulary would mislead;
/// `temperature` is 0, because nothing is drawn; `no_speech_prob` is 0, because a segment is what
/// voice activity took for speech, and silence becomes none.
HttpResponse OpenAiAnswer(const Transcript& transcript, const OpenAiRequest& request);

/// Server-sent events: "data: {"type": "transcript.text.delta", "delta"}" and a blank line.
std::string DeltaEvent(std::string_view delta);
/// {"type": "transcript.text.done", "text", "usage"}, and "warning" as above
std::string DoneEvent(const Transcript& transcript);
/// {"error": {...}}
std::string ErrorEvent(const OpenAiError& error);

}  // namespace lethe::server_internal
