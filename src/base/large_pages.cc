#include "base/large_pages.h"

#include <cstdint>
#include <utility>

#include <sys/mman.h>

namespace lethe {
namespace {

constexpr std::size_t kPage = std::size_t{2} << 20;

std::size_t WholePages(std::size_t size) { return (size + kPage - 1) / kPage * kPage; }

}  // namespace

LargePages::LargePages(std::size_t size) {
  if (size == 0 || size > SIZE_MAX - 2 * kPage) return;
  // A page more, to begin at a whole one; what is around it is given back.
  const std::size_t whole = WholePages(size);
  void* memory =
      ::mmap(nullptr, whole + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  auto* first = static_cast<std::byte*>(memory);
  const std::size_t before = (kPage - reinterpret_cast<std::uintptr_t>(first) % kPage) % kPage;
  std::byte* begin = first + before;
  if (before > 0) ::munmap(first, before);
  if (before < kPage) ::munmap(begin + whole, kPage - before);
  // Without large pages it is memory all the same.
  static_cast<void>(::madvise(begin, whole, MADV_HUGEPAGE));
  bytes_ = {begin, size};
}

LargePages::~LargePages() {
  if (!bytes_.empty()) ::munmap(bytes_.data(), WholePages(bytes_.size()));
}

LargePages::LargePages(LargePages&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

LargePages& LargePages::operator=(LargePages&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

}  // namespace lethe
