#pragma once

// A child process and our end of its socket. Nothing it sends is believed.

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

#include "audio/internal/cage_protocol.h"
#include "audio/media_cage.h"
#include "base/status.h"

namespace lethe::audio_internal {

/// How long somebody may still be waited for, whatever else happens meanwhile.
class Patience {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Patience(Millis limit) : limit_(limit), left_(limit) {}
  /// There was progress: all of it again.
  void Renew() { left_ = limit_; }
  /// The time from Begin() to End() is spent.
  void Begin() { begun_ = Clock::now(); }
  void End() {
    left_ -= std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begun_);
  }
  Millis limit() const { return limit_; }
  /// What is left of it now, between Begin() and End().
  std::chrono::nanoseconds left() const { return left_ - (Clock::now() - begun_); }

 private:
  Millis limit_;
  std::chrono::nanoseconds left_;
  Clock::time_point begun_;
};

/// One child: killed and reaped at the latest by the destructor.
/// Thread: one at a time
class CageProcess {
 public:
  struct Message {
    CageMessage type;
    std::span<const std::byte> body;  // until the next Receive()
  };

  /// Takes over a child of ours and our end of its socket.
  CageProcess(pid_t pid, int fd, const MediaCageOptions& options);
  ~CageProcess();
  CageProcess(CageProcess&& other) noexcept;
  CageProcess& operator=(CageProcess&&) = delete;

  bool IsAlive() const;

  /// Waits until the child has confined itself.
  /// Errors: kFailedPrecondition when it cannot; kUnavailable when it is gone or too slow
  Result<MediaConfinement> AwaitReady(const MediaCageOptions& options);

  /// Sends a message, or receives one. False, and why_stopped() says why: the child is dead then.
  bool Send(CageMessage type, std::span<const std::byte> body, Patience& patience);
  std::optional<Message> Receive(Patience& patience);

  /// Kills the child, and notes the reason unless there is one already.
  void Stop(std::string why);
  /// Why the child did not end well, e.g. "it crashed (SIGSEGV)".
  const std::string& why_stopped() const { return why_stopped_; }
  /// Whether neither the recording nor we did that: the machine has too little memory, say.
  bool killed_by_system() const { return killed_by_system_; }

 private:
  // Stops the child and is false when patience is over.
  bool HasPatience(const Patience& patience);
  // Waits until the socket has something, or something has happened to it.
  bool WaitFor(short events, const Patience& patience);
  bool Fill(std::span<std::byte> bytes, const Patience& patience);
  // The socket is closed: the child is dead or dying, and says by its end why.
  void NoteDeath();
  int Reap();

  pid_t pid_;  // -1 when reaped
  int fd_;
  uint64_t max_memory_bytes_;
  int64_t max_cpu_seconds_;
  std::string why_stopped_;
  bool killed_by_system_ = false;
  std::vector<std::byte> in_;
};

}  // namespace lethe::audio_internal
