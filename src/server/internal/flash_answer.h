#pragma once

// A transcript as a flash call is answered.

#include <string>
#include <string_view>
#include <vector>

#include "server/internal/flash_parameters.h"
#include "service/transcript.h"

namespace lethe::server_internal {

/// Numbers of the contract, section 8.
enum class FlashCode {
  kOk = 0,
  kParameter = 4001,
  kAuthentication = 4002,
  kNotActivated = 4003,
  kSpent = 4004,
  kOverdue = 4005,
  kConcurrency = 4006,
  kDecoding = 4007,
  kUploadTimedOut = 4008,
  kClientGone = 4009,  // told to whose call was erased
  kTooLarge = 4011,
  kEmpty = 4012,
  kServer = 5001,
  kRecognition = 5002,
  kTimedOut = 5003,
};

/// JSON: {"request_id", "code", "message", "audio_duration" (ms), "flash_result": [{"text",
/// "channel_id", "sentence_list": [{"text", "start_time", "end_time" (ms), "speaker_id",
/// "word_list": [{"word", "start_time", "end_time", "stable_flag"}]}]}]}. Times of words count from
/// the beginning of the recording, as those of sentences do.
///
/// With subtitles the transcript still has its punctuation; what `wanted` says about it is done
/// here, after the lines were cut.
std::string FlashAnswer(std::string_view request_id, const Transcript& transcript,
                        const FlashParameters& wanted);

std::string FlashRefusal(std::string_view request_id, FlashCode code, std::string_view message);

}  // namespace lethe::server_internal
