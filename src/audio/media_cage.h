#pragma once

// Other people's decoders, each in a process of its own that may do nothing but decode.
//
// CagedMediaDecoder is a MediaDecoder for recordings of strangers. This program is executed anew as
// `lethe media-child`, with one socket, no environment and no other descriptor; that process, the
// stem, never sees a recording, and divides into children that do. Before it sees a byte a child
// gives up its rights: no new privileges, no files (landlock, where the kernel has it), no system
// calls but those that compute, allocate, and read and write its socket (seccomp); memory and
// processor time are limited. It decodes one recording and ends, so nothing of one caller's audio
// is there for the next.
//
// What comes back is believed no more than the recording was: sizes, formats and samples are
// checked, and a child that breaks the protocol, crashes, spins or never ends is killed. That is an
// error of one recording, and of nobody else.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "audio/media_decoder.h"
#include "base/status.h"
#include "base/units.h"

namespace lethe {

struct MediaCageOptions {
  /// The program to run and its arguments; it calls RunMediaChild(). Not looked for on PATH.
  std::vector<std::string> command = {"/proc/self/exe", "media-child"};
  /// Children that wait, started and confined, for the next recording.
  int max_idle = 2;
  /// Recordings decoded at the same time.
  int max_busy = 32;
  /// How long Open() waits for one of them to end.
  Millis max_wait{5'000};
  /// How long a child may take to start.
  Millis max_start{10'000};
  /// How long a child may be waited for without a new sample out or a new byte in. Waiting for the
  /// bytes of the recording does not count.
  Millis max_stall{10'000};
  /// Address space of a child, its libraries (about 200 MiB) included. Not enforced in builds with
  /// a sanitizer, which reserves terabytes.
  uint64_t max_memory_bytes = uint64_t{768} * 1024 * 1024;
  /// Processor time for one recording. Five hours of mp3 need about two minutes.
  std::chrono::seconds max_cpu{600};
  /// Sound in one recording; what claims more is a media bomb, or a mistake.
  std::chrono::seconds max_audio{6 * 3600};
  /// Goes on where the kernel refuses the filter of system calls. Then a recording that takes over
  /// its decoder has the rights of this user, within the limits above.
  bool allow_unconfined = false;
};

/// What holds the children, as the kernel of this machine allows.
struct MediaConfinement {
  bool seccomp = false;
  /// Its version; 0 when the kernel has none, or it is switched off.
  int landlock_abi = 0;
};

/// Decodes each recording in a child process without rights.
/// Thread: any
/// Lifetime: outlives the sources it opened
class CagedMediaDecoder final : public MediaDecoder {
 public:
  /// Starts the pool and waits for its first child.
  /// Errors: kFailedPrecondition when children cannot be confined here; kUnavailable when they
  ///         cannot be started
  static Result<std::unique_ptr<CagedMediaDecoder>> Start(MediaCageOptions options = {});
  /// Kills and reaps the children.
  ~CagedMediaDecoder() override;

  /// As MediaDecoder::Open(). Destroying the source kills its child at once.
  /// Errors: besides, here and from AudioSource::Read(): kUnavailable when all decoders are busy
  ///         or none can be started; kInvalidArgument "the recording's decoder was stopped: ..."
  ///         when it crashed, used up its memory or time, or was not believed, but kUnavailable
  ///         when the system killed it; kResourceExhausted beyond max_audio
  Result<std::unique_ptr<AudioSource>> Open(std::unique_ptr<ByteSource> bytes) override;

  /// Constant.
  const MediaConfinement& confinement() const;

  /// Children that wait, those still starting included. For metrics and tests.
  int idle() const;
  /// Children that have a recording.
  int busy() const;

 private:
  class Pool;
  explicit CagedMediaDecoder(std::unique_ptr<Pool> pool);

  const std::unique_ptr<Pool> pool_;
};

/// What the program does for a cage: becomes the stem of children, each of which confines itself,
/// decodes the recording that comes over its socket, and ends. Call it first in main(), before
/// there is a second thread or an open file.
[[noreturn]] void RunMediaChild();

}  // namespace lethe
