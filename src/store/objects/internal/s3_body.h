#pragma once

// The body of a Put: exactly as long as was said, hashed on its way.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "base/status.h"
#include "store/objects.h"
#include "store/objects/internal/md5.h"

namespace lethe {

/// Thread: one
class S3Body {
 public:
  /// Up to so much is read before anything is sent, so that it can be sent again, and signed.
  static constexpr std::uint64_t kMaxWhole = std::uint64_t{1} << 20;

  /// Reads the body of `size` bytes if it is short enough. The source is borrowed.
  /// Errors: those of the source; kInvalidArgument when it has more or fewer bytes
  static Result<S3Body> Create(std::uint64_t size, const ObjectSource& source);

  bool is_whole() const { return whole_.has_value(); }
  const std::string& whole() const { return *whole_; }

  /// Fills from the front; fewer than asked for only at the end.
  Result<std::size_t> Read(std::span<char> bytes);

  /// Begins anew; only of a whole one, or of one that was not read from yet.
  void Rewind();

  bool is_sent() const { return done_ == size_; }

  /// The MD5 of what was read, once all was; empty where there is no MD5.
  const std::string& Md5Digits();

 private:
  S3Body(std::uint64_t size, const ObjectSource& source) : size_(size), source_(&source) {}
  Result<std::size_t> ReadSource(std::span<char> bytes);

  std::uint64_t size_;
  const ObjectSource* source_;
  std::optional<std::string> whole_;
  std::uint64_t done_ = 0;
  std::unique_ptr<Md5> md5_ = std::make_unique<Md5>();
  std::string digits_;
};

}  // namespace lethe
