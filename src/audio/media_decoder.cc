#include "audio/media_decoder.h"

#include <utility>

#include "audio/internal/ffmpeg_source.h"
#include "audio/internal/rewindable_bytes.h"

namespace lethe {
namespace {

class FfmpegDecoder final : public MediaDecoder {
 public:
  Result<std::unique_ptr<AudioSource>> Open(std::unique_ptr<ByteSource> bytes) override {
    return audio_internal::OpenWithFfmpeg(
        std::make_unique<audio_internal::RewindableBytes>(std::move(bytes)));
  }
};

}  // namespace

MediaDecoder& InProcessMediaDecoder() {
  static FfmpegDecoder decoder;
  return decoder;
}

}  // namespace lethe
