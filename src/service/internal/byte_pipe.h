#pragma once

// Compressed bytes on their way from a connection to the thread that decodes them.

#include <cstddef>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "audio/byte_source.h"
#include "base/mutex.h"
#include "base/status.h"

namespace lethe::internal {

/// One recording after another, in bounded memory: who pushes never waits, who reads does.
///
/// Thread: any; one reads
class BytePipe {
 public:
  /// `most` bytes wait at a time.
  explicit BytePipe(std::size_t most) : most_(most) {}

  /// Takes all of the bytes or, when there is no room, none and answers false. They belong to the
  /// recording before them, or begin one.
  bool Push(std::span<const std::byte> bytes, bool begins_recording);

  /// No more will come.
  void Finish();

  /// Nobody wants the rest: whoever reads is woken and told so, what comes is thrown away.
  void Abort();

  /// Waits until there is something of the next recording, which Read() then reads; what was left
  /// of the one before is thrown away. False when there is none any more.
  bool NextRecording();

  /// Waits for bytes of this recording; 0 is its end. Errors: kCancelled after Abort()
  Result<std::size_t> Read(std::span<std::byte> bytes);

 private:
  bool ended() const REQUIRES(mutex_) { return recordings_.size() > 1 || finished_; }

  // Constant after construction.
  const std::size_t most_;
  // Any thread.
  Mutex mutex_;
  CondVar changed_;
  // The first is being read if reading_.
  std::deque<std::vector<std::byte>> recordings_ GUARDED_BY(mutex_);
  std::size_t begin_ GUARDED_BY(mutex_) = 0;    // of what is unread in the first
  std::size_t waiting_ GUARDED_BY(mutex_) = 0;  // bytes unread, in all
  bool reading_ GUARDED_BY(mutex_) = false;
  bool finished_ GUARDED_BY(mutex_) = false, aborted_ GUARDED_BY(mutex_) = false;
};

/// The recording that a pipe is at, as decoders read it. Keeps the pipe alive.
std::unique_ptr<ByteSource> ReadPipe(std::shared_ptr<BytePipe> pipe);

}  // namespace lethe::internal
