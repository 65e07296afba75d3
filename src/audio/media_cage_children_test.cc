// The children that the tests of the cage start, and the main() that turns this program into them:
// `audio_test --child=NAME`.
//
// "media-child" is the honest one. The others stand for a decoder that has crashed, hangs, or was
// taken over by its recording; each confines itself as the honest one does and then misbehaves in
// its own way. Those that try what is forbidden report what came of it, if they live to do so.

#include <array>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audio/internal/media_child.h"
#include "audio/internal/test_cage.h"
#include "audio/media_cage.h"

namespace lethe {
namespace {

using audio_internal::AsBytes;
using audio_internal::CageEnd;
using audio_internal::CageError;
using audio_internal::CageHeader;
using audio_internal::CageMessage;
using audio_internal::CageOpen;
using audio_internal::CageOpened;
using audio_internal::CageRead;
using audio_internal::CageReady;
using audio_internal::CageSeek;
using audio_internal::ChildChannel;
using audio_internal::ConfineAsAsked;
using audio_internal::GiveUpFiles;
using audio_internal::RunStem;
using audio_internal::ToCageText;

using Child = std::function<void(ChildChannel&)>;

void SendOpened(ChildChannel& channel, int32_t rate = 16'000, int32_t channels = 1,
                double seconds = -1, const char* container = "mp3") {
  channel.Send(CageMessage::kOpened, AsBytes(CageOpened{.declared_seconds = seconds,
                                                        .sample_rate = rate,
                                                        .channels = channels,
                                                        .container = ToCageText<64>(container),
                                                        .codec = ToCageText<64>("mp3")}));
}

void SendHeader(CageMessage type, uint32_t body_bytes) {
  const CageHeader header{.type = type, .body_bytes = body_bytes};
  static_cast<void>(!write(0, &header, sizeof(header)));
}

void SendSamples(ChildChannel& channel, const std::vector<float>& samples) {
  channel.Send(CageMessage::kSamples, std::as_bytes(std::span(samples)));
}

void WaitForNothing(ChildChannel& channel) {
  while (true) channel.Receive({CageMessage::kPosition});
}

// What comes after the recording is open.
Child Confined(Child then) {
  return [then = std::move(then)](ChildChannel& channel) {
    ConfineAsAsked(channel);
    channel.ReceiveBody<CageOpen>(CageMessage::kOpen);
    then(channel);
  };
}

void Report(ChildChannel& channel, const std::string& what) {
  channel.SendError(InvalidArgument(what));
}

// A call that gives a negative number when it is refused.
Child Trying(std::function<long()> call) {
  return Confined([call = std::move(call)](ChildChannel& channel) {
    Report(channel, call() < 0 ? "refused, errno " + std::to_string(errno) : "allowed");
  });
}

long MapExecutable() {
  void* const page =
      mmap(nullptr, 4'096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return page == MAP_FAILED ? -1 : 0;
}

long MakeExecutable() {
  void* const page =
      mmap(nullptr, 4'096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return mprotect(page, 4'096, PROT_READ | PROT_EXEC);
}

long Execute() {
  char* const arguments[] = {nullptr};
  return execve("/bin/true", arguments, arguments);
}

[[noreturn]] void Crash() {
  volatile uintptr_t nowhere = 64;
  *reinterpret_cast<volatile char*>(nowhere) = 1;
  std::abort();
}

[[noreturn]] void Spin() {
  volatile unsigned turns = 0;
  while (true) turns = turns + 1;
}

void EatMemory() {
  std::vector<std::vector<char>> eaten;
  while (true) eaten.emplace_back(size_t{16} << 20, 'x');
}

int OpenDescriptors() {
  int found = 0;
  for (int fd = 0; fd < 1'000; ++fd) found += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return found;
}

void ReportSurroundings(ChildChannel& channel) {
  // fcntl() is not for the confined.
  const std::string found = std::to_string(OpenDescriptors()) + " descriptors, " +
                            std::to_string(environ[0] == nullptr ? 0 : 1) + " variables";
  Confined([&](ChildChannel& confined) { Report(confined, found); })(channel);
}

void TryFilesWithoutFilter(ChildChannel& channel) {
  channel.Receive({CageMessage::kConfine});
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  const int version = GiveUpFiles();
  const bool refused = open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES;
  channel.Send(CageMessage::kReady, AsBytes(CageReady{.seccomp = 1, .landlock_abi = version}));
  channel.ReceiveBody<CageOpen>(CageMessage::kOpen);
  Report(channel, refused ? "refused" : "allowed");
}

const std::map<std::string, Child>& Children() {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  static const std::map<std::string, Child> children = {
      // Never ready.
      {"ends-before-it-is-ready", [](ChildChannel&) {}},
      {"never-ready",
       [](ChildChannel& channel) {
         channel.Receive({CageMessage::kConfine});
         WaitForNothing(channel);
       }},
      {"cannot-be-confined",
       [](ChildChannel& channel) {
         channel.Receive({CageMessage::kConfine});
         channel.SendError(FailedPrecondition("no seccomp"));
       }},
      {"not-confined",
       [](ChildChannel& channel) {
         channel.Receive({CageMessage::kConfine});
         channel.Send(CageMessage::kReady, AsBytes(CageReady{}));
       }},
      // Broken.
      {"ends", Confined([](ChildChannel&) {})},
      {"crashes", Confined([](ChildChannel&) { Crash(); })},
      {"aborts", Confined([](ChildChannel&) { std::abort(); })},
      {"spins", Confined([](ChildChannel&) { Spin(); })},
      {"eats-memory", Confined([](ChildChannel&) { EatMemory(); })},
      {"crashes-midway", Confined([](ChildChannel& channel) {
         SendOpened(channel);
         SendSamples(channel, std::vector<float>(1'000, 0.5F));
         Crash();
       })},
      {"is-silent", Confined(WaitForNothing)},
      {"is-silent-midway", Confined([](ChildChannel& channel) {
         SendOpened(channel);
         WaitForNothing(channel);
       })},
      {"sends-half", Confined([](ChildChannel& channel) {
         SendHeader(CageMessage::kSamples, 400);
         static_cast<void>(!write(0, "half", 4));
         WaitForNothing(channel);
       })},
      {"reads-the-end-for-ever", Confined([](ChildChannel& channel) {
         while (true) {
           channel.Send(CageMessage::kRead, AsBytes(CageRead{.max_bytes = 1'000}));
           channel.Receive({CageMessage::kBytes});
         }
       })},
      {"seeks-and-never-listens", Confined([](ChildChannel& channel) {
         while (true) channel.Send(CageMessage::kSeek, AsBytes(CageSeek{.position = 0}));
       })},
      {"never-ends", Confined([](ChildChannel& channel) {
         SendOpened(channel);
         while (true) SendSamples(channel, std::vector<float>(16'000, 0.5F));
       })},
      // Hostile.
      {"talks-http", Confined([](ChildChannel& channel) {
         static_cast<void>(!write(0, "GET / HTTP/1.1\r\n", 16));
         WaitForNothing(channel);
       })},
      {"unknown-message",
       Confined([](ChildChannel& channel) { channel.Send(CageMessage{999}, {}); })},
      {"message-of-ours",
       Confined([](ChildChannel& channel) { channel.Send(CageMessage::kBytes, {}); })},
      {"huge-message",
       Confined([](ChildChannel&) { SendHeader(CageMessage::kSamples, 0xFFFFFFFF); })},
      {"short-message", Confined([](ChildChannel& channel) {
         channel.Send(CageMessage::kOpened, std::as_bytes(std::span("short")));
       })},
      {"65-channels", Confined([](ChildChannel& channel) { SendOpened(channel, 16'000, 65); })},
      {"no-channel", Confined([](ChildChannel& channel) { SendOpened(channel, 16'000, 0); })},
      {"no-rate", Confined([](ChildChannel& channel) { SendOpened(channel, 0); })},
      {"endless-length", Confined([](ChildChannel& channel) {
         SendOpened(channel, 16'000, 1, std::numeric_limits<double>::infinity());
       })},
      {"two-lines",
       Confined([](ChildChannel& channel) { SendOpened(channel, 16'000, 1, -1, "a\nb"); })},
      {"opened-twice", Confined([](ChildChannel& channel) {
         SendOpened(channel);
         SendOpened(channel, 8'000, 2);
       })},
      {"samples-first", Confined([](ChildChannel& channel) {
         SendSamples(channel, {0.5F, 0.5F});
       })},
      {"half-a-frame", Confined([](ChildChannel& channel) {
         SendOpened(channel, 16'000, 2);
         SendSamples(channel, {0.5F, 0.5F, 0.5F});
       })},
      {"no-samples", Confined([](ChildChannel& channel) {
         SendOpened(channel);
         SendSamples(channel, {});
       })},
      {"not-numbers", Confined([](ChildChannel& channel) {
         SendOpened(channel);
         SendSamples(channel, {0.5F, kNan});
       })},
      {"end-first", Confined([](ChildChannel& channel) {
         channel.Send(CageMessage::kEnd, AsBytes(CageEnd{}));
       })},
      {"reads-nothing", Confined([](ChildChannel& channel) {
         channel.Send(CageMessage::kRead, AsBytes(CageRead{.max_bytes = 0}));
       })},
      {"reads-too-much", Confined([](ChildChannel& channel) {
         channel.Send(CageMessage::kRead, AsBytes(CageRead{.max_bytes = 1U << 30}));
       })},
      {"seeks-too-far", Confined([](ChildChannel& channel) {
         channel.Send(CageMessage::kSeek, AsBytes(CageSeek{.position = UINT64_MAX}));
       })},
      {"fails-with-ok", Confined([](ChildChannel& channel) {
         channel.Send(CageMessage::kError, AsBytes(CageError{.message = ToCageText<508>("x")}));
       })},
      {"fails-in-two-lines",
       Confined([](ChildChannel& channel) { channel.SendError(InvalidArgument("a\nb")); })},
      {"fails-for-others",
       Confined([](ChildChannel& channel) { channel.SendError(Unavailable("all is down")); })},
      // What is forbidden.
      {"opens-a-file", Trying([] { return long{open("/etc/passwd", O_RDONLY | O_CLOEXEC)}; })},
      {"makes-a-file",
       Trying([] { return long{creat("/tmp/lethe_cage_test_must_not_exist", 0600)}; })},
      {"opens-a-socket", Trying([] { return long{socket(AF_INET, SOCK_STREAM, 0)}; })},
      {"runs-a-program", Trying(Execute)},
      {"forks", Trying([] { return syscall(SYS_fork); })},
      {"clones", Trying([] { return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); })},
      {"kills-its-parent", Trying([] { return long{kill(getppid(), 0)}; })},
      {"signals-its-parent",
       Trying([] { return syscall(SYS_tgkill, getpid() - 1, getpid() - 1, 0); })},
      {"traces", Trying([] { return syscall(SYS_ptrace, 0, 0, 0, 0); })},
      {"maps-code", Trying(MapExecutable)},
      {"makes-code", Trying(MakeExecutable)},
      {"writes-elsewhere", Trying([] { return long{write(1, "x", 1)}; })},
      {"raises-limits", Trying([] { return syscall(SYS_prlimit64, 0, 7, nullptr, nullptr); })},
      {"io-uring", Trying([] { return syscall(425, 1, nullptr); })},
      {"opens-a-file-without-filter", TryFilesWithoutFilter},
      {"reports-surroundings", ReportSurroundings},
  };
  return children;
}

// Has a cage, and waits to be killed.
int BeParent() {
  const auto cage = CagedMediaDecoder::Start(audio_internal::TestCageOptions());
  if (!cage.ok()) return 1;
  while (true) pause();
}

}  // namespace
}  // namespace lethe

int main(int argc, char** argv) {
  constexpr std::string_view kChild = "--child=";
  if (argc == 2 && std::string_view(argv[1]).starts_with(kChild)) {
    const std::string name(std::string_view(argv[1]).substr(kChild.size()));
    if (name == "media-child") lethe::RunMediaChild();
    if (name == "parent") return lethe::BeParent();
    lethe::RunStem(lethe::Children().at(name));
  }
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
