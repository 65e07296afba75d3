#include "base/wiped_memory.h"

#include <array>
#include <cstdlib>
#include <cstring>
#include <new>

#include <malloc.h>

namespace lethe {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
bool FreedMemoryIsWiped() { return false; }
#else
bool FreedMemoryIsWiped() { return true; }
#endif

[[gnu::noinline]] void WipeReturnedCalls() {
  std::array<char, 16'384> stack;  // lies where theirs lay
  explicit_bzero(stack.data(), stack.size());
}

}  // namespace lethe

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

// operator new is the library's, which calls malloc() and aligned_alloc(); all other forms of
// delete come down to these. The size is asked for, for not every delete knows it, and a string
// that became shorter has more behind its end.
void operator delete(void* memory) noexcept {
  if (memory != nullptr) explicit_bzero(memory, malloc_usable_size(memory));
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { operator delete(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  operator delete(memory);
}

#endif
