#include "audio/internal/cage_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lethe::audio_internal {
CageProcess::CageProcess(pid_t pid, int fd, const MediaCageOptions& options)
    : pid_(pid),
      fd_(fd),
      max_memory_bytes_(options.max_memory_bytes),
      max_cpu_seconds_(options.max_cpu.count()) {}

CageProcess::CageProcess(CageProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      fd_(std::exchange(other.fd_, -1)),
      max_memory_bytes_(other.max_memory_bytes_),
      max_cpu_seconds_(other.max_cpu_seconds_),
      why_stopped_(std::move(other.why_stopped_)),
      killed_by_system_(other.killed_by_system_),
      in_(std::move(other.in_)) {}

CageProcess::~CageProcess() {
  Reap();
  if (fd_ >= 0) close(fd_);
}

bool CageProcess::IsAlive() const {
  if (pid_ < 0) return false;
  siginfo_t info{};
  const int asked = waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
  return asked == 0 && info.si_pid == 0;
}

Result<MediaConfinement> CageProcess::AwaitReady(const MediaCageOptions& options) {
  Patience patience(options.max_start);
  const std::optional<Message> message = why_stopped_.empty() ? Receive(patience) : std::nullopt;
  if (!message) return Unavailable("a media decoder did not start: " + why_stopped_);
  CageReady ready{};
  CageError error{};
  if (message->type == CageMessage::kError && FromBytes(message->body, &error)) {
    return FailedPrecondition("recordings cannot be decoded in a cage here: " +
                              FromCageText(error.message));
  }
  const bool understood = message->type == CageMessage::kReady && FromBytes(message->body, &ready);
  if (!understood || (ready.seccomp == 0 && !options.allow_unconfined)) {
    return Unavailable("a media decoder did not start: it is another program, or another version");
  }
  return MediaConfinement{.seccomp = ready.seccomp != 0, .landlock_abi = ready.landlock_abi};
}

bool CageProcess::HasPatience(const Patience& patience) {
  if (patience.left().count() > 0) return true;
  Stop("no progress within " + std::to_string(patience.limit().count()) + " ms");
  return false;
}

bool CageProcess::WaitFor(short events, const Patience& patience) {
  if (!HasPatience(patience)) return false;
  const auto left = std::chrono::ceil<Millis>(patience.left()).count();
  pollfd wait{.fd = fd_, .events = events, .revents = 0};
  poll(&wait, 1, static_cast<int>(std::clamp<int64_t>(left, 0, 60'000)));
  return true;
}

bool CageProcess::Send(CageMessage type, std::span<const std::byte> body, Patience& patience) {
  if (pid_ < 0) return false;
  const CageHeader header{.type = type, .body_bytes = static_cast<uint32_t>(body.size())};
  std::span<const std::byte> head = AsBytes(header);
  patience.Begin();
  while (!head.empty() || !body.empty()) {
    std::array<iovec, 2> parts = {
        iovec{.iov_base = const_cast<std::byte*>(head.data()), .iov_len = head.size()},
        iovec{.iov_base = const_cast<std::byte*>(body.data()), .iov_len = body.size()}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t n = sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      if (!WaitFor(POLLOUT, patience)) return false;
      continue;
    }
    if (n < 0) {
      NoteDeath();
      return false;
    }
    const size_t of_head = std::min(head.size(), static_cast<size_t>(n));
    head = head.subspan(of_head);
    body = body.subspan(static_cast<size_t>(n) - of_head);
  }
  patience.End();
  return true;
}

std::optional<CageProcess::Message> CageProcess::Receive(Patience& patience) {
  if (pid_ < 0) return std::nullopt;
  in_.resize(kMaxCageBody);
  CageHeader header{};
  patience.Begin();
  // Also when messages come faster than they are read, and nobody ever waits.
  if (!HasPatience(patience)) return std::nullopt;
  if (!Fill(std::as_writable_bytes(std::span(&header, 1)), patience)) return std::nullopt;
  if (header.body_bytes > in_.size()) {
    Stop("it announced a message of " + std::to_string(header.body_bytes) + " bytes");
    return std::nullopt;
  }
  const std::span<std::byte> body = std::span(in_).first(header.body_bytes);
  if (!Fill(body, patience)) return std::nullopt;
  patience.End();
  return Message{.type = header.type, .body = body};
}

bool CageProcess::Fill(std::span<std::byte> bytes, const Patience& patience) {
  while (!bytes.empty()) {
    const ssize_t n = recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (n > 0) {
      bytes = bytes.subspan(static_cast<size_t>(n));
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      if (!WaitFor(POLLIN, patience)) return false;
      continue;
    }
    NoteDeath();
    return false;
  }
  return true;
}

void CageProcess::NoteDeath() {
  // Its filter lets no child close the socket, so it was not our signal that ended it.
  const int state = Reap();
  std::string why = "it ended too early";
  if (WIFSIGNALED(state)) {
    const int signal = WTERMSIG(state);
    const char* abbreviation = sigabbrev_np(signal);
    const std::string name = abbreviation != nullptr ? abbreviation : std::to_string(signal);
    if (signal == SIGXCPU) {
      why = "it used more than " + std::to_string(max_cpu_seconds_) + " s of processor time";
    } else if (signal == SIGSYS) {
      why = "it tried what it may not do (SIGSYS)";
    } else if (signal == SIGKILL) {
      killed_by_system_ = true;
      why = "the system killed it, mostly for want of memory (SIGKILL)";
    } else {
      why = "it crashed (SIG" + name + ")";
    }
  } else if (WEXITSTATUS(state) == kCageExitNoMemory) {
    why = "it needed more than " + std::to_string(max_memory_bytes_ >> 20) + " MiB of memory";
  }
  Stop(std::move(why));
}

void CageProcess::Stop(std::string why) {
  Reap();
  if (why_stopped_.empty()) why_stopped_ = std::move(why);
}

int CageProcess::Reap() {
  int state = 0;
  if (pid_ < 0) return state;
  // One that has ended already keeps its own reason.
  kill(pid_, SIGKILL);
  while (waitpid(pid_, &state, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return state;
}

}  // namespace lethe::audio_internal
