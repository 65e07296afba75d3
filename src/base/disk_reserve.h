#pragma once

// Room on a disk for what has to be done when it is full: a file that is there to be given up.

#include <cstdint>
#include <functional>
#include <string>

#include "base/mutex.h"

namespace lethe {

/// Thread: any. Several processes may have one of the same path
class DiskReserve {
 public:
  /// Of a hundred tasks that are erased at once a database's log takes about 1 MB.
  static constexpr std::uint64_t kSize = std::uint64_t{4} << 20;

  /// Does nothing yet. `free_bytes` says how much may still be written; by default the file system
  /// of `path` is asked.
  explicit DiskReserve(std::string path, std::function<std::uint64_t()> free_bytes = {});

  /// Makes the file, or makes it larger, up to kSize and out of no more than half of what is free;
  /// for its owner only, and really allocated. Where there is no room, there is less of it.
  void Fill();

  /// Gives the file's room back if the disk is so full that somebody may miss it. Returns whether
  /// there is more room now, so that what failed is worth another attempt.
  bool GiveUpIfFull();

 private:
  const std::string path_;
  const std::function<std::uint64_t()> free_bytes_;
  Mutex mutex_;  // one at a time
};

}  // namespace lethe
