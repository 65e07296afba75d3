#include "app/recording_samples.h"

#include <algorithm>

#include "audio/speech_reader.h"

namespace lethe {

Result<std::vector<float>> ReadRecordingSamples(const std::string& path, std::size_t max_samples) {
  ASSIGN_OR_RETURN(std::unique_ptr<AudioSource> source, OpenAudioFile(path));
  ASSIGN_OR_RETURN(SpeechReader reader, SpeechReader::Open(std::move(source), ChannelMode::kMix));
  std::vector<float> samples;
  std::vector<std::vector<float>> block;
  while (samples.size() < max_samples) {
    ASSIGN_OR_RETURN(const std::size_t count, reader.Read(block));
    if (count == 0) break;
    const auto part = std::span(block[0]).first(std::min(count, max_samples - samples.size()));
    samples.insert(samples.end(), part.begin(), part.end());
  }
  return samples;
}

}  // namespace lethe
