// Goal:   no query and no text frame of a realtime call crashes its readers; what is read lies
// within
//         the contract's ranges.
// Method: the first line is the query, the rest a text frame.

#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "server/internal/realtime_frames.h"
#include "server/internal/realtime_parameters.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lethe;
  using namespace lethe::server_internal;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(input.find('\n'), input.size());
  const NamedValues query = ParseQuery(input.substr(0, line), false);
  const auto read = ParseRealtimeParameters(query);
  if (read.ok()) {
    LETHE_CHECK(read->noise_threshold >= -2 && read->noise_threshold <= 2);
    LETHE_CHECK(read->trailing_silence >= Millis(200) && read->max_utterance <= Millis(90'000));
  }
  LETHE_CHECK(VoiceId(query).size() <= 128 * 4);
  (void)ReadClientText(input.substr(std::min(line + 1, input.size())));
  return 0;
}
