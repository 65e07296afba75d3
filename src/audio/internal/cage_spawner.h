#pragma once

// Where children come from.

#include <sys/types.h>

#include "audio/internal/cage_process.h"
#include "audio/media_cage.h"
#include "base/status.h"

namespace lethe::audio_internal {

/// Starts children without loading and linking the program for each: that is done once, by a stem,
/// a process with one thread that never sees a recording and divides when it is asked to. The
/// halves are children of this process, not of the stem.
/// Thread: one for all of its life, which is longer than that of the children: they die with it
class CageSpawner {
 public:
  explicit CageSpawner(const MediaCageOptions& options) : options_(options) {}
  ~CageSpawner() { EndStem(); }
  CageSpawner(const CageSpawner&) = delete;
  CageSpawner& operator=(const CageSpawner&) = delete;

  /// Starts a child and sends it its limits. Does not wait until it is confined.
  /// Errors: kUnavailable
  Result<CageProcess> Start();

 private:
  // Children of one stem have the same random addresses. So few have that one who learns them from
  // a crash here and a leak there cannot use them for long.
  static constexpr int kMaxChildrenOfAStem = 64;

  Status StartStem();
  void EndStem();
  // Hands the stem the child's socket, gets the child's number.
  Result<pid_t> AskStem(int socket);

  const MediaCageOptions& options_;
  pid_t stem_ = -1;
  int control_ = -1;
  int num_children_ = 0;
};

}  // namespace lethe::audio_internal
