#include "server/internal/body_decoder.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/encoding.h"

namespace lethe::server_internal {
namespace {

// Of what is made at once, before the limits are asked.
constexpr std::size_t kStep = std::size_t{64} << 10;

bool IsGzip(std::string_view coding) {
  const std::string name = ToLowerAscii(coding);
  return name == "gzip" || name == "x-gzip";
}

}  // namespace

bool BodyDecoder::Knows(std::string_view coding) {
  return IsGzip(coding) || ToLowerAscii(coding) == "deflate";
}

BodyDecoder::BodyDecoder(std::string_view coding) : gzip_(IsGzip(coding)) {
  constexpr int kGzip = 16;  // added to the window's size
  LETHE_CHECK(inflateInit2(&stream_, gzip_ ? MAX_WBITS + kGzip : MAX_WBITS) == Z_OK);
}

BodyDecoder::~BodyDecoder() { inflateEnd(&stream_); }

std::pair<int, std::string_view> BodyDecoder::Take(std::string* piece, std::size_t most,
                                                   ByteLoan& loan) {
  using Refusal = std::pair<int, std::string_view>;
  const Refusal malformed(400, "the request's body is not what its Content-Encoding says");
  begun_ = begun_ || !piece->empty();
  std::array<char, kStep> made;
  stream_.next_in = reinterpret_cast<Bytef*>(piece->data());
  stream_.avail_in = static_cast<uInt>(piece->size());
  stream_.avail_out = 0;
  while (stream_.avail_in > 0 || (stream_.avail_out == 0 && begun_ && !ended_)) {
    if (ended_) {
      // Files of gzip may be joined end to end (RFC 1952, section 2.2).
      if (!gzip_ || inflateReset(&stream_) != Z_OK) return malformed;
      ended_ = false;
    }
    stream_.next_out = reinterpret_cast<Bytef*>(made.data());
    stream_.avail_out = static_cast<uInt>(made.size());
    const int result = inflate(&stream_, Z_NO_FLUSH);
    const std::size_t count = made.size() - stream_.avail_out;
    if (count > most - std::min(most, body_.size())) {
      return Refusal(413, "the request's body is too large once it is unpacked");
    }
    if (!loan.Grow(body_.size() + count + piece->size())) {
      return Refusal(503, "too much is being uploaded at the moment");
    }
    body_.append(made.data(), count);
    ended_ = result == Z_STREAM_END;
    if (result == Z_BUF_ERROR) break;  // all that was to be had of this piece
    if (result != Z_OK && !ended_) return malformed;
  }
  piece->clear();
  return Refusal(0, "");
}

}  // namespace lethe::server_internal
