#pragma once

// Bodies that come compressed.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <zlib.h>

#include "server/internal/limits.h"

namespace lethe::server_internal {

/// Undoes one Content-Encoding, piece by piece as a body comes. What it makes counts like a body
/// that came as it is: a few bytes that would become many are given up where the limit is.
///
/// Source: RFC 9110, section 8.4.1
class BodyDecoder {
 public:
  /// What an answer that refuses another coding has to name (section 15.5.16).
  static constexpr std::string_view kCodings = "gzip, deflate";
  static bool Knows(std::string_view coding);

  /// Requires: Knows(coding)
  explicit BodyDecoder(std::string_view coding);
  ~BodyDecoder();
  BodyDecoder(const BodyDecoder&) = delete;
  BodyDecoder& operator=(const BodyDecoder&) = delete;

  /// Takes a piece, which is empty then. A status and a reason to refuse the body; 0 if all is
  /// well.
  std::pair<int, std::string_view> Take(std::string* piece, std::size_t most, ByteLoan& loan);

  /// Whether it may end here. A request without a body may name a coding all the same.
  bool complete() const { return ended_ || !begun_; }
  std::string body() && { return std::move(body_); }

 private:
  const bool gzip_;
  z_stream stream_{};
  std::string body_;
  bool begun_ = false;
  bool ended_ = false;
};

}  // namespace lethe::server_internal
