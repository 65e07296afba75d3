#include "audio/internal/media_child.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>

#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "audio/internal/ffmpeg_source.h"
#include "audio/internal/rewindable_bytes.h"
#include "audio/media_cage.h"

namespace lethe {
namespace audio_internal {

void ChildChannel::GiveUp() { _exit(1); }

void ChildChannel::Send(CageMessage type, std::span<const std::byte> body) {
  const CageHeader header{.type = type, .body_bytes = static_cast<uint32_t>(body.size())};
  if (body.size() > kMaxCageBody) GiveUp();
  std::memcpy(out_.data(), &header, sizeof(header));
  if (!body.empty()) std::memcpy(out_.data() + sizeof(header), body.data(), body.size());
  std::span<const std::byte> left = std::span(out_).first(sizeof(header) + body.size());
  while (!left.empty()) {
    const ssize_t n = write(0, left.data(), left.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) GiveUp();
    left = left.subspan(static_cast<size_t>(n));
  }
}

void ChildChannel::SendError(const Status& status) {
  Send(CageMessage::kError, AsBytes(CageError{.code = static_cast<uint32_t>(status.code()),
                                              .message = ToCageText<508>(status.message())}));
}

std::pair<CageMessage, std::span<const std::byte>> ChildChannel::Receive(
    std::initializer_list<CageMessage> expected) {
  const auto fill = [](std::span<std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t n = read(0, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) GiveUp();
      bytes = bytes.subspan(static_cast<size_t>(n));
    }
  };
  CageHeader header{};
  fill(std::as_writable_bytes(std::span(&header, 1)));
  if (header.body_bytes > in_.size() ||
      std::find(expected.begin(), expected.end(), header.type) == expected.end()) {
    GiveUp();
  }
  const std::span<std::byte> body = std::span(in_).first(header.body_bytes);
  fill(body);
  return {header.type, body};
}

namespace {

// The recording, which the parent reads for us.
class RemoteBytes final : public ByteSource {
 public:
  RemoteBytes(ChildChannel& channel, uint64_t size) : channel_(channel) {
    if (size != kUnknownSize) size_ = size;
  }

  Result<size_t> Read(std::span<std::byte> bytes) override {
    if (bytes.empty()) return size_t{0};
    const auto wanted = static_cast<uint32_t>(std::min(bytes.size(), kMaxCageBody));
    channel_.Send(CageMessage::kRead, AsBytes(CageRead{.max_bytes = wanted}));
    const auto [type, body] = channel_.Receive({CageMessage::kBytes, CageMessage::kFailed});
    if (type == CageMessage::kFailed || body.size() > bytes.size()) return NotReadable();
    std::copy(body.begin(), body.end(), bytes.begin());
    return body.size();
  }

  std::optional<uint64_t> size() const override { return size_; }

  Status Seek(uint64_t position) override {
    if (!size_) return ByteSource::Seek(position);
    channel_.Send(CageMessage::kSeek, AsBytes(CageSeek{.position = std::min(position, *size_)}));
    const auto [type, body] = channel_.Receive({CageMessage::kPosition, CageMessage::kFailed});
    return type == CageMessage::kPosition ? OkStatus() : NotReadable();
  }

 private:
  // The parent has the true reason, and reports it instead.
  static Status NotReadable() { return InvalidArgument("cannot be read"); }

  ChildChannel& channel_;
  std::optional<uint64_t> size_;
};

// Decodes a little sound of our own: what libraries do once, they do while they may still do it,
// and the first recording does not wait for it.
void WarmUp() {
  std::vector<std::byte> bytes(4'096, std::byte{0x20});
  // A Sun .au header: where the sound begins, its size, 16 bits, 8 kHz, mono.
  const std::array<uint32_t, 6> header = {0x2e736e64, 24, 0xFFFFFFFF, 3, 8'000, 1};
  for (size_t i = 0; i < header.size() * 4; ++i) {
    bytes[i] = static_cast<std::byte>(header[i / 4] >> (8 * (3 - i % 4)));
  }
  const auto source = OpenWithFfmpeg(std::make_unique<RewindableBytes>(BorrowBytes(bytes)));
  // The C library looks up the size of memory in the first large sort.
  std::vector<uint32_t> numbers(2'000);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<uint32_t>(i * 7'919 % 2'000);
  std::qsort(numbers.data(), numbers.size(), sizeof(uint32_t), [](const void* a, const void* b) {
    return static_cast<int>(*static_cast<const uint32_t*>(a)) -
           static_cast<int>(*static_cast<const uint32_t*>(b));
  });
}

void Decode(ChildChannel& channel) {
  const auto open = channel.ReceiveBody<CageOpen>(CageMessage::kOpen);
  auto source = OpenWithFfmpeg(
      std::make_unique<RewindableBytes>(std::make_unique<RemoteBytes>(channel, open.size)));
  if (!source.ok()) return channel.SendError(source.status());
  const AudioFormat& format = (*source)->format();
  channel.Send(CageMessage::kOpened,
               AsBytes(CageOpened{.declared_seconds = format.declared_seconds.value_or(-1),
                                  .sample_rate = format.sample_rate,
                                  .channels = format.channels,
                                  .container = ToCageText<64>(format.container),
                                  .codec = ToCageText<64>(format.codec)}));
  std::vector<float> block(kMaxCageBody / sizeof(float));
  while (true) {
    const Result<size_t> n = (*source)->Read(block);
    if (!n.ok()) return channel.SendError(n.status());
    if (*n == 0) break;
    channel.Send(CageMessage::kSamples, std::as_bytes(std::span(block).first(*n)));
  }
  channel.Send(CageMessage::kEnd,
               AsBytes(CageEnd{.warning = ToCageText<512>((*source)->warning())}));
}

// The next one that the parent hands over; below 0 when it is gone.
int ReceiveSocket() {
  char byte = 0;
  iovec part{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> space{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = space.data();
  message.msg_controllen = space.size();
  ssize_t n = 0;
  do {
    n = recvmsg(0, &message, 0);
  } while (n < 0 && errno == EINTR);
  const cmsghdr* const rights = n == 1 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (rights == nullptr || rights->cmsg_type != SCM_RIGHTS) return -1;
  int socket = -1;
  std::memcpy(&socket, CMSG_DATA(rights), sizeof(socket));
  return socket;
}

[[noreturn]] void RunToEnd(const std::function<void(ChildChannel&)>& work) {
  try {
    ChildChannel channel;
    work(channel);
  } catch (const std::bad_alloc&) {
    _exit(kCageExitNoMemory);
  }
  // Destructors of the whole program would ask for calls that are no longer allowed.
  _exit(0);
}

}  // namespace

void ConfineAsAsked(ChildChannel& channel) {
  const auto asked = channel.ReceiveBody<CageConfine>(CageMessage::kConfine);
  const auto confinement = ConfineThisProcess({.max_memory_bytes = asked.max_memory_bytes,
                                               .max_cpu_seconds = asked.max_cpu_seconds,
                                               .allow_unconfined = asked.allow_unconfined != 0});
  if (!confinement.ok()) {
    channel.SendError(confinement.status());
    _exit(1);
  }
  channel.Send(CageMessage::kReady, AsBytes(CageReady{.seccomp = confinement->seccomp ? 1U : 0U,
                                                      .landlock_abi = confinement->landlock_abi}));
}

void RunStem(const std::function<void(ChildChannel&)>& work) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (true) {
    const int socket = ReceiveSocket();
    if (socket < 0) _exit(0);  // our parent is gone
    // As fork(), but the new process is our sibling: who asked for it learns how it ends.
    const long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
      if (dup2(socket, 0) != 0) _exit(1);
      close(socket);
      RunToEnd(work);
    }
    const auto answer = static_cast<int32_t>(pid < 0 ? -errno : pid);
    close(socket);
    if (write(0, &answer, sizeof(answer)) != sizeof(answer)) _exit(1);
  }
}

}  // namespace audio_internal

void RunMediaChild() {
  audio_internal::WarmUp();
  audio_internal::RunStem([](audio_internal::ChildChannel& channel) {
    audio_internal::ConfineAsAsked(channel);
    audio_internal::Decode(channel);
  });
}

}  // namespace lethe
