#pragma once

// TLS writes to a socket whose other end is gone raise SIGPIPE, which would end the program.
// libcurl could ignore the signal for the whole process, which is not its to decide and not safe
// with threads.

#include <csignal>
#include <ctime>

namespace lethe {

/// Keeps SIGPIPE from this thread while it lives.
class SigpipeGuard {
 public:
  SigpipeGuard() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~SigpipeGuard() {
    // One that came meanwhile was ours.
    constexpr timespec kNoWait{};
    if (!was_pending_) sigtimedwait(&pipe_, nullptr, &kNoWait);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SigpipeGuard(const SigpipeGuard&) = delete;
  SigpipeGuard& operator=(const SigpipeGuard&) = delete;

 private:
  sigset_t pipe_;
  sigset_t before_;
  bool was_pending_ = false;
};

}  // namespace lethe
