#include "audio/internal/cage_spawner.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lethe::audio_internal {
namespace {

Status CannotStart(int error) {
  return Unavailable(std::string("a media decoder cannot be started: ") + std::strerror(error));
}

// Runs the program with the socket as its descriptor 0 and nothing else of ours.
int Spawn(const std::vector<std::string>& command, int socket, pid_t* pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, socket, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawn_file_actions_addchdir_np(&actions, "/");
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  // A group of its own: the interrupt key of a terminal is for us, who may still have a recording
  // to finish.
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::vector<char*> arguments;
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  char* environment[] = {nullptr};
  const int error =
      posix_spawn(pid, arguments[0], &actions, &attributes, arguments.data(), environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

// A socket for us and one for the other process; 0 or an errno.
int MakeSockets(std::array<int, 2>& ends) {
  return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0 ? 0 : errno;
}

}  // namespace

Result<CageProcess> CageSpawner::Start() {
  std::array<int, 2> ends{};
  if (const int error = MakeSockets(ends); error != 0) return CannotStart(error);
  // A stem that has died is replaced; one that has just been started is not.
  Result<pid_t> pid = Unavailable("a media decoder cannot be started");
  for (bool fresh = false; !pid.ok() && !fresh;) {
    fresh = stem_ < 0 || num_children_ >= kMaxChildrenOfAStem;
    const Status started = fresh ? StartStem() : OkStatus();
    pid = started.ok() ? AskStem(ends[1]) : started;
    if (!pid.ok()) EndStem();
  }
  close(ends[1]);
  if (!pid.ok()) {
    close(ends[0]);
    return pid.status();
  }
  ++num_children_;
  CageProcess child(*pid, ends[0], options_);
  Patience patience(options_.max_start);
  const CageConfine limits{.max_memory_bytes = options_.max_memory_bytes,
                           .max_cpu_seconds = static_cast<uint32_t>(options_.max_cpu.count()),
                           .allow_unconfined = options_.allow_unconfined ? 1U : 0U};
  // It fits the socket's buffer; whether it arrives, AwaitReady() will know.
  static_cast<void>(child.Send(CageMessage::kConfine, AsBytes(limits), patience));
  return child;
}

Status CageSpawner::StartStem() {
  EndStem();
  std::array<int, 2> ends{};
  if (const int error = MakeSockets(ends); error != 0) return CannotStart(error);
  const int error = Spawn(options_.command, ends[1], &stem_);
  close(ends[1]);
  if (error != 0) {
    stem_ = -1;
    close(ends[0]);
    return CannotStart(error);
  }
  control_ = ends[0];
  num_children_ = 0;
  return OkStatus();
}

void CageSpawner::EndStem() {
  if (stem_ < 0) return;
  kill(stem_, SIGKILL);
  while (waitpid(stem_, nullptr, 0) < 0 && errno == EINTR) {
  }
  close(control_);
  stem_ = -1;
}

Result<pid_t> CageSpawner::AskStem(int socket) {
  char byte = 0;
  iovec part{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> space{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = space.data();
  message.msg_controllen = space.size();
  cmsghdr* const rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(rights), &socket, sizeof(socket));
  if (sendmsg(control_, &message, MSG_NOSIGNAL) != 1) return CannotStart(errno);
  pollfd wait{.fd = control_, .events = POLLIN, .revents = 0};
  const auto most = static_cast<int>(std::min<int64_t>(options_.max_start.count(), 600'000));
  int ready = 0;
  do {
    ready = poll(&wait, 1, most);
  } while (ready < 0 && errno == EINTR);
  int32_t answer = 0;
  if (ready <= 0 || recv(control_, &answer, sizeof(answer), MSG_DONTWAIT) != sizeof(answer)) {
    return Unavailable("a media decoder cannot be started: its program ended or does not answer");
  }
  if (answer <= 0) return CannotStart(-answer);
  return pid_t{answer};
}

}  // namespace lethe::audio_internal
