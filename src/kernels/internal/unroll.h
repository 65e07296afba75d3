#pragma once

// Loops whose index is a constant to the compiler. The accumulators of a tile are arrays; they live
// in registers only if every index is known before the optimiser splits arrays up, which a plain
// loop of constant length does not guarantee.

namespace lethe::kernels_internal {

template <int kIndex, int kCount, class Body>
[[gnu::always_inline]] inline void UnrollFrom(const Body& body) {
  if constexpr (kIndex < kCount) {
    body.template operator()<kIndex>();
    UnrollFrom<kIndex + 1, kCount>(body);
  }
}

/// body.operator()<0>(), ... <kCount - 1>(), in order.
template <int kCount, class Body>
[[gnu::always_inline]] inline void Unroll(const Body& body) {
  UnrollFrom<0, kCount>(body);
}

}  // namespace lethe::kernels_internal
