#include "audio/internal/speex_frames.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "audio/ogg_writer.h"

namespace lethe::audio_internal {
namespace {

using Kind = SpeexFrame::Kind;

// Bits of a layer by its mode, the mode's own included; 0: there is no such mode.
constexpr std::array<std::size_t, 16> kNarrowBits = {5, 43, 119, 160, 220, 300, 364, 492, 79};
constexpr std::array<std::size_t, 8> kWideBits = {4, 36, 112, 192, 352};
constexpr int kMaxBands = 3;
constexpr std::size_t kMaxFrame = (492 + 2 * 352 + 7) / 8;
constexpr int kMinFrames = 5;
constexpr int kNarrowRate = 8'000;
constexpr std::uint64_t kNarrowSamples = 160;  // 20 ms, in every band
constexpr std::size_t kReadBytes = 4096;

// Bits, the highest of a byte first.
class Bits {
 public:
  explicit Bits(std::span<const std::byte> bytes) : bytes_(bytes) {}

  bool Has(std::size_t end) const { return end <= bytes_.size() * 8; }
  std::size_t At(std::size_t begin, std::size_t count) const {
    std::size_t value = 0;
    for (std::size_t i = begin; i < begin + count; ++i) {
      value = value << 1 | (std::to_integer<std::size_t>(bytes_[i / 8]) >> (7 - i % 8) & 1);
    }
    return value;
  }

 private:
  std::span<const std::byte> bytes_;
};

std::size_t PrefixBytes(SpeexFraming framing) {
  switch (framing) {
    case SpeexFraming::kBare:
      return 0;
    case SpeexFraming::kByte:
      return 1;
    case SpeexFraming::kLittleEndian:
    case SpeexFraming::kBigEndian:
      break;
  }
  return 2;
}

// As ReadSpeexFrame(), behind the length that may stand before it, which has to be the frame's own.
SpeexFrame ReadFramed(std::span<const std::byte> bytes, SpeexFraming framing, bool last) {
  const std::size_t prefix = PrefixBytes(framing);
  if (prefix == 0) return ReadSpeexFrame(bytes, last);
  if (bytes.size() < prefix) return {.kind = Kind::kCut};
  auto length = std::to_integer<std::size_t>(bytes[0]);
  if (prefix == 2) {
    const auto second = std::to_integer<std::size_t>(bytes[1]);
    length = framing == SpeexFraming::kBigEndian ? length << 8 | second : second << 8 | length;
  }
  if (length == 0 || length > kMaxFrame) return {};
  if (bytes.size() < prefix + length) return {.kind = Kind::kCut};
  const SpeexFrame frame = ReadSpeexFrame(bytes.subspan(prefix, length), true);
  return frame.bytes == length ? frame : SpeexFrame{};
}

std::string Header(int bands) {
  const int mode = bands - 1;
  std::string header = "Speex   ";
  header.resize(28);                   // who encoded it is not known
  AppendLittleEndian(&header, 1, 4);   // the header's version
  AppendLittleEndian(&header, 80, 4);  // its size
  AppendLittleEndian(&header, kNarrowRate << mode, 4);
  AppendLittleEndian(&header, static_cast<std::uint64_t>(mode), 4);
  AppendLittleEndian(&header, 4, 4);           // the bit stream's version
  AppendLittleEndian(&header, 1, 4);           // channels
  AppendLittleEndian(&header, 0xffffffff, 4);  // bits in a second: not known
  AppendLittleEndian(&header, kNarrowSamples << mode, 4);
  AppendLittleEndian(&header, 0, 4);  // constant rate; decoders do not ask
  AppendLittleEndian(&header, 1, 4);  // frames in a packet
  header.resize(80);
  return header;
}

class SpeexOgg final : public ByteSource {
 public:
  SpeexOgg(std::unique_ptr<ByteSource> frames, SpeexFraming framing)
      : frames_(std::move(frames)), framing_(framing) {}

  Result<size_t> Read(std::span<std::byte> bytes) override {
    while (ready_begin_ == ready_.size()) {
      ready_.clear();
      ready_begin_ = 0;
      const size_t before = held_.size();
      held_.resize(before + kReadBytes);
      auto n = frames_->Read(std::span(held_).subspan(before));
      held_.resize(before + (n.ok() ? *n : 0));
      if (!n.ok()) return n.status();
      if (*n == 0 && held_.empty()) return size_t{0};
      RETURN_IF_ERROR(Take(*n == 0));
      if (*n == 0) held_.clear();  // the beginning of a frame whose end never came
    }
    const size_t n = std::min(bytes.size(), ready_.size() - ready_begin_);
    std::copy_n(ready_.begin() + static_cast<ptrdiff_t>(ready_begin_), n, bytes.begin());
    ready_begin_ += n;
    return n;
  }

 private:
  // Makes pages of the whole frames that are held; `last`: no more will be.
  Status Take(bool last) {
    std::span<const std::byte> rest = held_;
    while (!rest.empty()) {
      const SpeexFrame frame = ReadFramed(rest, framing_, last);
      if (frame.kind == Kind::kCut) break;
      if (frame.kind == Kind::kNone || (bands_ > 0 && frame.bands != bands_)) {
        return InvalidArgument("holds a Speex frame that is none");
      }
      if (bands_ == 0) {
        bands_ = frame.bands;
        writer_.Append(Header(bands_), 0, &ready_);
        writer_.Append(std::string(8, '\0'), 0, &ready_);  // nothing is said about it
      }
      granule_ += kNarrowSamples << (bands_ - 1);
      const auto* packet = reinterpret_cast<const char*>(rest.data()) + PrefixBytes(framing_);
      writer_.Append({packet, frame.bytes}, granule_, &ready_);
      rest = rest.subspan(PrefixBytes(framing_) + frame.bytes);
    }
    held_.erase(held_.begin(), held_.end() - static_cast<ptrdiff_t>(rest.size()));
    return OkStatus();
  }

  const std::unique_ptr<ByteSource> frames_;
  const SpeexFraming framing_;
  OggWriter writer_;
  int bands_ = 0;  // of the first frame
  std::uint64_t granule_ = 0;
  std::vector<std::byte> held_;  // less than a frame, between calls
  std::vector<std::byte> ready_;
  size_t ready_begin_ = 0;
};

}  // namespace

SpeexFrame ReadSpeexFrame(std::span<const std::byte> bytes, bool last) {
  const Bits bits(bytes);
  if (!bits.Has(5)) return {.kind = Kind::kCut};
  // The first bit says "wide band", which cannot come first.
  if (bits.At(0, 1) != 0) return {};
  std::size_t end = kNarrowBits[bits.At(1, 4)];
  if (end == 0) return {};
  SpeexFrame frame;
  while (true) {
    if (!bits.Has(end) || (!bits.Has(end + 1) && !last)) return {.kind = Kind::kCut};
    // A padding begins with 0, and so does whatever frame comes next.
    if (!bits.Has(end + 1) || bits.At(end, 1) == 0) break;
    if (!bits.Has(end + 4)) return {.kind = Kind::kCut};
    if (frame.bands == kMaxBands) return {};
    const std::size_t layer = kWideBits[bits.At(end + 1, 3)];
    if (layer == 0) return {};
    ++frame.bands;
    end += layer;
  }
  frame.bytes = (end + 7) / 8;
  const std::size_t padding = frame.bytes * 8 - end;
  if (padding > 0 && bits.At(end, padding) != (std::size_t{1} << (padding - 1)) - 1) return {};
  frame.kind = Kind::kWhole;
  return frame;
}

std::optional<SpeexFraming> FindSpeexFraming(std::span<const std::byte> start) {
  for (const SpeexFraming framing : {SpeexFraming::kBare, SpeexFraming::kByte,
                                     SpeexFraming::kLittleEndian, SpeexFraming::kBigEndian}) {
    std::span<const std::byte> rest = start;
    int bands = 0;
    int frames = 0;
    while (true) {
      const SpeexFrame frame = ReadFramed(rest, framing, false);
      if (frame.kind == Kind::kCut && frames >= kMinFrames) return framing;
      if (frame.kind != Kind::kWhole || (bands > 0 && frame.bands != bands)) break;
      bands = frame.bands;
      ++frames;
      rest = rest.subspan(PrefixBytes(framing) + frame.bytes);
    }
  }
  return std::nullopt;
}

std::unique_ptr<ByteSource> SpeexAsOgg(std::unique_ptr<ByteSource> frames, SpeexFraming framing) {
  return std::make_unique<SpeexOgg>(std::move(frames), framing);
}

}  // namespace lethe::audio_internal
