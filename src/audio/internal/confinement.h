#pragma once

// A process gives up its rights, for good.

#include <cstdint>

#include "audio/media_cage.h"
#include "base/status.h"

namespace lethe::audio_internal {

struct ConfinementLimits {
  uint64_t max_memory_bytes = 0;
  uint32_t max_cpu_seconds = 0;
  bool allow_unconfined = false;
};

/// Leaves this process memory, processor time and descriptor 0, and takes the rest: the rights of
/// root, files, network, other processes, new descriptors and whatever else is a system call. It
/// dies with the thread that started it. A call that is not allowed ends the process with SIGSYS;
/// those that libraries make to look around fail with EPERM.
/// Errors: kFailedPrecondition when the kernel has no such filter, unless allow_unconfined
Result<MediaConfinement> ConfineThisProcess(const ConfinementLimits& limits);

/// The part that is landlock: no files by name, no TCP ports, no signals to others. Returns its
/// version, or 0 where the kernel has none. Needs PR_SET_NO_NEW_PRIVS.
int GiveUpFiles();

}  // namespace lethe::audio_internal
