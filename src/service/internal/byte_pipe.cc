#include "service/internal/byte_pipe.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace lethe::internal {
namespace {

// What is read is let go of in pieces of this size at least.
constexpr std::size_t kReadAtFront = std::size_t{64} << 10;

class PipeSource final : public ByteSource {
 public:
  explicit PipeSource(std::shared_ptr<BytePipe> pipe) : pipe_(std::move(pipe)) {}
  Result<std::size_t> Read(std::span<std::byte> bytes) override { return pipe_->Read(bytes); }

 private:
  const std::shared_ptr<BytePipe> pipe_;
};

}  // namespace

bool BytePipe::Push(std::span<const std::byte> bytes, bool begins_recording) {
  if (bytes.empty()) return true;
  const MutexLock lock(mutex_);
  if (aborted_ || finished_) return true;
  if (bytes.size() > most_ - waiting_) return false;
  if (begins_recording || recordings_.empty()) recordings_.emplace_back();
  recordings_.back().insert(recordings_.back().end(), bytes.begin(), bytes.end());
  waiting_ += bytes.size();
  changed_.NotifyAll();
  return true;
}

void BytePipe::Finish() {
  const MutexLock lock(mutex_);
  finished_ = true;
  changed_.NotifyAll();
}

void BytePipe::Abort() {
  const MutexLock lock(mutex_);
  aborted_ = true;
  recordings_.clear();
  reading_ = false;
  begin_ = waiting_ = 0;
  changed_.NotifyAll();
}

bool BytePipe::NextRecording() {
  const MutexLock lock(mutex_);
  if (std::exchange(reading_, false)) {
    waiting_ -= recordings_.front().size() - begin_;
    recordings_.pop_front();
    begin_ = 0;
  }
  while (!aborted_ && !finished_ && recordings_.empty()) changed_.Wait(mutex_);
  reading_ = !aborted_ && !recordings_.empty();
  return reading_;
}

Result<std::size_t> BytePipe::Read(std::span<std::byte> bytes) {
  const MutexLock lock(mutex_);
  while (!aborted_ && reading_ && begin_ >= recordings_.front().size() && !ended()) {
    changed_.Wait(mutex_);
  }
  if (aborted_ || !reading_) return Cancelled("nobody wants this recording any more");
  std::vector<std::byte>& first = recordings_.front();
  const std::size_t n = std::min(bytes.size(), first.size() - begin_);
  if (n > 0) std::memcpy(bytes.data(), first.data() + begin_, n);
  begin_ += n;
  waiting_ -= n;
  // Half of it at least, or what waits would be moved again and again.
  if (begin_ >= kReadAtFront && begin_ >= first.size() / 2) {
    first.erase(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }
  return n;
}

std::unique_ptr<ByteSource> ReadPipe(std::shared_ptr<BytePipe> pipe) {
  return std::make_unique<PipeSource>(std::move(pipe));
}

}  // namespace lethe::internal
