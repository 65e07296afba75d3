#pragma once

// Places for keys in memory that is locked and left out of core dumps, in pages that are guarded.

#include <cstddef>
#include <memory>
#include <vector>

#include "base/mutex.h"

namespace lethe::seal_internal {

/// Places of kSize bytes each, many to a page: to map, lock and unmap a page for each key
/// interrupts every core that runs a thread of this process. Who gives one back leaves zeros.
///
/// Thread: any
class LockedSlots {
 public:
  static constexpr std::size_t kSize = 32;

  /// Those of the process, which are there until its end.
  static LockedSlots& Shared();

  LockedSlots();
  LockedSlots(const LockedSlots&) = delete;
  LockedSlots& operator=(const LockedSlots&) = delete;

  /// A place that nobody else has.
  unsigned char* Take();
  /// Of Take(); wipes it.
  void Return(unsigned char* slot);

 private:
  struct Free {
    void operator()(unsigned char* page) const;
  };

  Mutex mutex_;
  std::vector<std::unique_ptr<unsigned char, Free>> pages_ GUARDED_BY(mutex_);
  std::vector<unsigned char*> free_ GUARDED_BY(mutex_);  // the last one given back is taken first
};

}  // namespace lethe::seal_internal
