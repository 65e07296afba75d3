#include "service/recognizer.h"

#include <string_view>

namespace lethe {

bool IsWav(std::span<const std::byte> bytes) {
  if (bytes.size() < 12) return false;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), 12);
  return (text.starts_with("RIFF") || text.starts_with("RF64")) && text.ends_with("WAVE");
}

Result<Transcript> Recognizer::Recognize(const RecognitionRequest& request) {
  if (request.audio.empty()) return InvalidArgument("is empty; send a recording");
  AudioInputOptions input{.media_decoder = &media_};
  if (request.format == "pcm" && !IsWav(request.audio)) {
    input.raw =
        RawPcm{.sample_rate = request.pcm_rate > 0 ? request.pcm_rate : request.engine.sample_rate};
  }
  ASSIGN_OR_RETURN(std::unique_ptr<AudioSource> source, OpenAudioBytes(request.audio, input));
  Transcriber transcriber(*request.engine.speech->engine, request.engine.speech->label);
  return transcriber.TranscribeSource(std::move(source), "",
                                      {.channels = request.channels,
                                       .words = request.words,
                                       .post = request.post,
                                       .hot_words = request.hot_words,
                                       .max_duration = request.max_duration,
                                       .progress = request.progress,
                                       .on_segment = request.on_segment,
                                       .cancelled = request.cancelled});
}

}  // namespace lethe
