#include "seal/internal/locked_slots.h"

#include <sodium.h>

#include "base/check.h"

namespace lethe::seal_internal {

// What libsodium, with its canary before it, puts into one page.
constexpr std::size_t kPage = 4096 - LockedSlots::kSize;
static_assert(kPage % LockedSlots::kSize == 0);

void LockedSlots::Free::operator()(unsigned char* page) const { sodium_free(page); }

LockedSlots& LockedSlots::Shared() {
  // Never destroyed: keys in static storage may outlive any order of ends.
  static auto* const slots = new LockedSlots;
  return *slots;
}

LockedSlots::LockedSlots() { LETHE_CHECK(sodium_init() >= 0); }

unsigned char* LockedSlots::Take() {
  const MutexLock lock(mutex_);
  if (free_.empty()) {
    auto* const page = static_cast<unsigned char*>(sodium_malloc(kPage));
    LETHE_CHECK(page != nullptr);
    pages_.emplace_back(page);
    free_.reserve(pages_.size() * kPage / kSize);  // so that Return() needs no memory
    for (std::size_t at = kPage; at > 0; at -= kSize) free_.push_back(page + at - kSize);
  }
  unsigned char* const slot = free_.back();
  free_.pop_back();
  return slot;
}

void LockedSlots::Return(unsigned char* slot) {
  sodium_memzero(slot, kSize);
  const MutexLock lock(mutex_);
  free_.push_back(slot);
}

}  // namespace lethe::seal_internal
