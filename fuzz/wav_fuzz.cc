// Goal:   no bytes make the WAV reader crash, hang, allocate without bound, or give a sample that
//         is not finite; and a pipe gives the same samples as a file.
// Method: the input is opened as a file and as a pipe, with nothing behind the MediaDecoder, so
// that
//         FFmpeg's parsers are not what is fuzzed.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "audio/audio_source.h"
#include "audio/byte_source.h"
#include "audio/media_decoder.h"
#include "base/check.h"

namespace {

class NoDecoder final : public lethe::MediaDecoder {
 public:
  lethe::Result<std::unique_ptr<lethe::AudioSource>> Open(
      std::unique_ptr<lethe::ByteSource> /*bytes*/) override {
    return lethe::InvalidArgument("not a WAV");
  }
};

// Memory that does not know its size, in pieces of awkward length.
class Pipe final : public lethe::ByteSource {
 public:
  explicit Pipe(std::span<const std::byte> bytes) : inner_(lethe::BorrowBytes(bytes)) {}
  lethe::Result<size_t> Read(std::span<std::byte> bytes) override {
    return inner_->Read(bytes.first(std::min<size_t>(bytes.size(), 7)));
  }

 private:
  std::unique_ptr<lethe::ByteSource> inner_;
};

// The number of samples; nothing if the input is refused, at the beginning or on the way.
std::optional<size_t> CountSamples(std::unique_ptr<lethe::ByteSource> bytes) {
  NoDecoder decoder;
  auto source = lethe::OpenAudio(std::move(bytes), {.media_decoder = &decoder});
  if (!source.ok()) return std::nullopt;
  size_t total = 0;
  std::vector<float> block(1000);
  while (true) {
    const auto n = (*source)->Read(block);
    if (!n.ok()) return std::nullopt;
    if (*n == 0) break;
    LETHE_CHECK(*n % static_cast<size_t>((*source)->format().channels) == 0);
    for (size_t i = 0; i < *n; ++i) LETHE_CHECK(std::isfinite(block[i]));
    total += *n;
  }
  LETHE_CHECK(total > 0);
  return total;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto from_file = CountSamples(lethe::BorrowBytes(bytes));
  const auto from_pipe = CountSamples(std::make_unique<Pipe>(bytes));
  // A pipe cannot see that a size of zero is a lie about the file, so only agreement on content
  // that both accept is asked for.
  if (from_file && from_pipe) LETHE_CHECK(*from_file == *from_pipe);
  return 0;
}
