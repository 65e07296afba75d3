#pragma once

// For tests: recordings made in memory, inputs that behave like pipes, and what was heard in them.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "audio/audio_source.h"
#include "audio/byte_source.h"
#include "audio/media_decoder.h"

namespace lethe {

inline void PrintTo(const Status& status, std::ostream* out) {
  *out << StatusCodeName(status.code()) << ": " << status.message();
}

}  // namespace lethe

namespace lethe::audio_internal {

inline std::span<const std::byte> BytesOf(const std::string& bytes) {
  return std::as_bytes(std::span(bytes));
}

/// A pipe: it does not know its size, and gives no more than `piece` bytes at a time.
class Pipe final : public ByteSource {
 public:
  explicit Pipe(std::string bytes, size_t piece = 1)
      : bytes_(std::move(bytes)), piece_(piece), inner_(BorrowBytes(BytesOf(bytes_))) {}

  Result<size_t> Read(std::span<std::byte> bytes) override {
    return inner_->Read(bytes.first(std::min(bytes.size(), piece_)));
  }

 private:
  const std::string bytes_;
  const size_t piece_;
  const std::unique_ptr<ByteSource> inner_;
};

/// In the place of FFmpeg's libraries where only our own readers are meant.
class NoDecoder final : public MediaDecoder {
 public:
  Result<std::unique_ptr<AudioSource>> Open(std::unique_ptr<ByteSource> /*bytes*/) override {
    return InvalidArgument("was given to the media decoder");
  }
};

/// All there is in a recording, or why there is not.
struct Heard {
  Status status;
  AudioFormat format;
  std::vector<float> samples;  // interleaved; what came before an error, too
  std::string warning;
};

inline Heard Hear(Result<std::unique_ptr<AudioSource>> source) {
  Heard heard;
  if (!source.ok()) {
    heard.status = source.status();
    return heard;
  }
  heard.format = (*source)->format();
  std::vector<float> block(static_cast<size_t>(heard.format.channels) * 777 + 1);
  while (true) {
    const auto n = (*source)->Read(block);
    if (!n.ok()) heard.status = n.status();
    if (!n.ok() || *n == 0) break;
    EXPECT_EQ(*n % static_cast<size_t>(heard.format.channels), 0U);
    heard.samples.insert(heard.samples.end(), block.begin(),
                         block.begin() + static_cast<ptrdiff_t>(*n));
  }
  if (heard.status.ok()) {
    EXPECT_EQ((*source)->Read(block).value(), 0U) << "the end did not stay the end";
  }
  heard.warning = (*source)->warning();
  return heard;
}

inline Heard HearFile(const std::string& bytes, const AudioInputOptions& options = {}) {
  return Hear(OpenAudioBytes(BytesOf(bytes), options));
}

inline Heard HearPipe(const std::string& bytes, size_t piece = 1,
                      const AudioInputOptions& options = {}) {
  return Hear(OpenAudio(std::make_unique<Pipe>(bytes, piece), options));
}

/// A Status of that code whose message is one line and holds `part`.
MATCHER_P2(FailsWith, code, part, "") {
  const std::string& message = arg.message();
  return arg.code() == code && !message.empty() && message.find('\n') == std::string::npos &&
         message.find(part) != std::string::npos;
}

/// An unsigned number as its bytes.
inline std::string Number(uint64_t value, size_t num_bytes, bool big_endian = false) {
  std::string bytes;
  for (size_t i = 0; i < num_bytes; ++i) bytes += static_cast<char>(value >> (8 * i));
  if (big_endian) std::reverse(bytes.begin(), bytes.end());
  return bytes;
}

inline std::string Numbers(const std::vector<uint64_t>& values, size_t num_bytes,
                           bool big_endian = false) {
  std::string bytes;
  for (const uint64_t value : values) bytes += Number(value, num_bytes, big_endian);
  return bytes;
}

inline std::string Chunk(const std::string& name, const std::string& body, bool big_endian = false,
                         bool padded = true) {
  std::string chunk = name + Number(body.size(), 4, big_endian) + body;
  if (padded && body.size() % 2 != 0) chunk += '\0';
  return chunk;
}

/// A WAV file, field by field; by default an honest one: 16-bit, mono, 16 kHz, without a sample.
struct Wav {
  std::string name = "RIFF";
  uint16_t tag = 1;
  uint16_t channels = 1;
  uint32_t sample_rate = 16'000;
  uint16_t bits = 16;
  std::string data;
  bool extensible = false;
  std::string before_format;  // whole chunks
  std::string before_data;
  std::string after_data;
  // Where the header lies.
  std::optional<uint32_t> riff_size;
  std::optional<uint32_t> data_size;
  std::optional<uint16_t> frame_bytes;

  std::string Bytes() const {
    const bool big = name == "RIFX";
    const auto frame = static_cast<uint16_t>(frame_bytes.value_or((bits + 7) / 8 * channels));
    std::string format = Number(extensible ? 0xFFFE : tag, 2, big) + Number(channels, 2, big) +
                         Number(sample_rate, 4, big) +
                         Number(uint64_t{sample_rate} * frame, 4, big) + Number(frame, 2, big) +
                         Number(bits, 2, big);
    if (extensible) {
      // Size of the extension, valid bits, speakers, and the tag as a GUID.
      format += Number(22, 2, big) + Number(bits, 2, big) + Number(0, 4, big) +
                Number(tag, 2, big) +
                std::string("\x00\x00\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71", 14);
    }
    std::string data_chunk = Chunk("data", data, big);
    if (data_size) data_chunk.replace(4, 4, Number(*data_size, 4, big));
    const std::string body =
        "WAVE" + before_format + Chunk("fmt ", format, big) + before_data + data_chunk + after_data;
    return name + Number(riff_size.value_or(static_cast<uint32_t>(body.size())), 4, big) + body;
  }
};

// Either sound or one line; whatever came out is finite.
inline void ExpectSoundOrOneLine(const Heard& heard) {
  if (heard.status.ok()) {
    EXPECT_FALSE(heard.samples.empty());
  } else {
    EXPECT_THAT(heard.status, FailsWith(StatusCode::kInvalidArgument, ""));
  }
  for (const float sample : heard.samples) ASSERT_TRUE(std::isfinite(sample));
  EXPECT_EQ(heard.warning.find('\n'), std::string::npos);
}

}  // namespace lethe::audio_internal
