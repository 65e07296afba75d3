#pragma once

// What a call was made through. Quotas and usage are counted by it.

#include <array>
#include <optional>
#include <string_view>

namespace lethe {

enum class Interface {
  kSentence,         // SentenceRecognition
  kRecording,        // CreateRecTask
  kRecordingStatus,  // DescribeTaskStatus
  kFlash,            // /asr/flash/v1
  kRealtime,         // /asr/v2
  kOpenAi,           // /v1/audio/transcriptions
  kOpenAiRealtime,   // OpenAI's realtime transcription sessions
  kManagement,       // vocabularies, keyword libraries, usage
};

inline constexpr std::array kInterfaces = {Interface::kSentence,        Interface::kRecording,
                                           Interface::kRecordingStatus, Interface::kFlash,
                                           Interface::kRealtime,        Interface::kOpenAi,
                                           Interface::kOpenAiRealtime,  Interface::kManagement};

/// The name in records, options and metrics, e.g. "recording_status". It never changes.
std::string_view InterfaceName(Interface interface);

/// The interface of that name, if there is one.
std::optional<Interface> FindInterface(std::string_view name);

}  // namespace lethe
