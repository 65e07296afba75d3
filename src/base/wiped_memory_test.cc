// Goal: memory that is freed was zeroed, in whichever form it is deleted. Method: it is looked at
// where it was, which only a test may; memory that is not ours to zero shows that a mark would be
// seen there.

#include "base/wiped_memory.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include <gtest/gtest.h>

#include "base/aligned_vector.h"

namespace lethe {
namespace {

constexpr std::size_t kSize = 960, kLine = 64;
constexpr unsigned char kMark = 0xab;
// The allocator keeps its lists in what is free.
constexpr std::size_t kLists = 64;

// How much of the mark is at an address.
std::size_t Left(std::uintptr_t at) {
  const volatile auto* bytes = reinterpret_cast<const volatile unsigned char*>(at);
  std::size_t left = 0;
  for (std::size_t i = kLists; i < kSize; ++i) left += bytes[i] == kMark ? 1 : 0;
  return left;
}

std::uintptr_t Mark(void* memory) {
  std::memset(memory, kMark, kSize);
  __asm__ volatile("" : "+r"(memory) : : "memory");  // or it is left out, since nobody reads it
  return reinterpret_cast<std::uintptr_t>(memory);
}

TEST(WipedMemoryTest, NothingIsLeftOfWhatIsDeleted) {
  if (!FreedMemoryIsWiped()) GTEST_SKIP() << "sanitizers have a delete of their own";
  void* plain = std::malloc(kSize);
  const std::uintptr_t seen = Mark(plain);
  std::free(plain);
  EXPECT_EQ(Left(seen), kSize - kLists);

  void* ordinary = ::operator new(kSize);
  const std::uintptr_t first = Mark(ordinary);
  ::operator delete(ordinary);
  EXPECT_EQ(Left(first), 0U);

  void* aligned = ::operator new (kSize, std::align_val_t{kLine});
  const std::uintptr_t second = Mark(aligned);
  ::operator delete (aligned, std::align_val_t{kLine});
  EXPECT_EQ(Left(second), 0U);

  std::uintptr_t third = 0;
  {
    AlignedVector<unsigned char> vector(kSize);
    third = Mark(vector.data());
    EXPECT_EQ(third % kLine, 0U);
  }
  EXPECT_EQ(Left(third), 0U);
}

}  // namespace
}  // namespace lethe
