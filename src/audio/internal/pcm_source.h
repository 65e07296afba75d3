#pragma once

// Samples that need no decoder: integers, floats and the two telephone laws.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audio/audio_source.h"
#include "audio/byte_source.h"

namespace lethe::audio_internal {

enum class PcmEncoding { kU8, kS16, kS24, kS32, kF32, kF64, kALaw, kMuLaw };

/// Bytes of one sample.
size_t SampleBytes(PcmEncoding encoding);

/// The name FFmpeg gives it, e.g. "pcm_s16le", so that both readers speak alike.
std::string PcmCodecName(PcmEncoding encoding, bool big_endian);

/// Converts samples.
/// Shapes: bytes [n * SampleBytes()] -> samples [n]
/// Units:  integers to [-1, 1); floats as they are, NaN where a 64-bit one is no 32-bit one
/// Source: audio/g711.h
void DecodePcm(PcmEncoding encoding, bool big_endian, std::span<const std::byte> bytes,
               std::span<float> samples);

struct PcmLayout {
  PcmEncoding encoding = PcmEncoding::kS16;
  bool big_endian = false;
  /// Bytes of sound that follow; nothing: all there are.
  std::optional<uint64_t> data_bytes;
};

/// Reads samples from where `bytes` stands.
class PcmSource final : public AudioSource {
 public:
  PcmSource(std::unique_ptr<ByteSource> bytes, AudioFormat format, const PcmLayout& layout);

  const AudioFormat& format() const override { return format_; }
  Result<size_t> Read(std::span<float> interleaved) override;
  std::string warning() const override { return warning_; }

 private:
  // The input ended with `left_over` bytes of a frame.
  void NoteEnd(size_t left_over);

  const std::unique_ptr<ByteSource> bytes_;
  const AudioFormat format_;
  const PcmLayout layout_;
  const size_t frame_bytes_;
  std::vector<std::byte> buffer_;
  uint64_t bytes_read_ = 0;
  bool ended_ = false;
  std::string warning_;
};

/// "ends early: 12.0 s promised, 7.4 s found".
std::string EndsEarly(double promised_seconds, double found_seconds);

}  // namespace lethe::audio_internal
