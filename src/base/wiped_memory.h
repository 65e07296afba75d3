#pragma once

// Memory that forgets: what is freed is zeroed first, and so is what returned calls left on a
// stack.

namespace lethe {

/// Whether this program's operator delete zeroes what it frees, down to the last byte the allocator
/// had given: audio, text, keys, answers, whatever a C++ object held. Whoever calls this links the
/// operators in, for the whole program. Under the address and thread sanitizers, which have
/// operators of their own, it is false.
///
/// What C libraries allocate is not covered.
bool FreedMemoryIsWiped();

/// Zeroes what calls that have returned left on this thread's stack, 16 KiB deep: for behind
/// library code that had a text in a buffer of its own there.
void WipeReturnedCalls();

}  // namespace lethe
