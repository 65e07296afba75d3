#include "store/interface.h"

namespace lethe {

std::string_view InterfaceName(Interface interface) {
  switch (interface) {
    case Interface::kSentence:
      return "sentence";
    case Interface::kRecording:
      return "recording";
    case Interface::kRecordingStatus:
      return "recording_status";
    case Interface::kFlash:
      return "flash";
    case Interface::kRealtime:
      return "realtime";
    case Interface::kOpenAi:
      return "openai";
    case Interface::kOpenAiRealtime:
      return "openai_realtime";
    case Interface::kManagement:
      return "management";
  }
  return "unknown";
}

std::optional<Interface> FindInterface(std::string_view name) {
  for (const Interface interface : kInterfaces) {
    if (InterfaceName(interface) == name) return interface;
  }
  return std::nullopt;
}

}  // namespace lethe
