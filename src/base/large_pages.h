#pragma once

// Memory in large pages.

#include <cstddef>
#include <span>

namespace lethe {

/// Memory that is zero at first, in pages of 2 MiB where the system gives them: whoever reads
/// megabytes again and again looks up few addresses. It is rounded up to whole large pages.
/// Lifetime: bytes() is valid until the object is destroyed
class LargePages {
 public:
  LargePages() = default;
  explicit LargePages(std::size_t size);
  ~LargePages();
  LargePages(LargePages&& other) noexcept;
  LargePages& operator=(LargePages&& other) noexcept;

  /// Of the size that was asked for; empty when there was not so much memory.
  std::span<std::byte> bytes() const { return bytes_; }

 private:
  std::span<std::byte> bytes_;
};

}  // namespace lethe
