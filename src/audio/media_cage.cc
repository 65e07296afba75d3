#include "audio/media_cage.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <thread>
#include <utility>

#include "audio/internal/cage_process.h"
#include "audio/internal/cage_spawner.h"
#include "audio/internal/caged_source.h"
#include "base/check.h"
#include "base/mutex.h"

namespace lethe {

using audio_internal::CagedSource;
using audio_internal::CageProcess;
using audio_internal::CageSpawner;

// One thread, the keeper, starts all children: each dies with the thread that started it, so that
// none is left when this process is killed, and that thread has to outlive them.
class CagedMediaDecoder::Pool {
 public:
  explicit Pool(MediaCageOptions options) : options_(std::move(options)) {}

  ~Pool() {
    {
      const MutexLock lock(mutex_);
      LETHE_CHECK(busy_ == 0 && waiting_ == 0);
      stopping_ = true;
    }
    changed_.NotifyAll();
    if (keeper_.joinable()) keeper_.join();
  }

  // Proves with one child that all of them will work.
  Status Start() {
    {
      const MutexLock lock(mutex_);
      proving_ = 1;
    }
    keeper_ = std::thread([this] { Keep(); });
    ASSIGN_OR_RETURN(CageProcess child, Take(Patience::Clock::now() + options_.max_start));
    Result<MediaConfinement> confinement = child.AwaitReady(options_);
    if (confinement.ok()) confinement_ = *confinement;
    const MutexLock lock(mutex_);
    --busy_;
    proving_ = 0;
    if (confinement.ok()) idle_.push_front({.process = std::move(child), .ready = true});
    return confinement.ok() ? OkStatus() : confinement.status();
  }

  Result<std::unique_ptr<AudioSource>> Open(std::unique_ptr<ByteSource> bytes) {
    const auto deadline = Patience::Clock::now() + options_.max_wait;
    // Those that died while they waited are no fault of the recording; when one more cannot be
    // started, that is no accident.
    Status failed;
    for (int attempt = 0; attempt < options_.max_idle + 2; ++attempt) {
      ASSIGN_OR_RETURN(Idle child, TakeIdle(deadline));
      failed = MakeReady(child);
      if (!failed.ok()) {
        GiveBack();
        continue;
      }
      auto source = std::make_unique<CagedSource>(std::move(child.process), std::move(bytes),
                                                  options_, [this] { GiveBack(); });
      RETURN_IF_ERROR(source->Open());
      return std::unique_ptr<AudioSource>(std::move(source));
    }
    return failed;
  }

  const MediaConfinement& confinement() const { return confinement_; }
  int idle() const {
    const MutexLock lock(mutex_);
    return static_cast<int>(idle_.size());
  }
  int busy() const {
    const MutexLock lock(mutex_);
    return busy_;
  }

 private:
  struct Idle {
    CageProcess process;
    bool ready = false;  // said so already
  };
  using Patience = audio_internal::Patience;

  Result<CageProcess> Take(Patience::Clock::time_point deadline) {
    ASSIGN_OR_RETURN(Idle child, TakeIdle(deadline));
    return std::move(child.process);
  }

  Status MakeReady(Idle& child) const {
    if (!child.process.IsAlive()) return Unavailable("a media decoder died while it waited");
    return child.ready ? OkStatus() : child.process.AwaitReady(options_).status();
  }

  // Takes a child and a place among the busy ones.
  Result<Idle> TakeIdle(Patience::Clock::time_point deadline) {
    MutexLock lock(mutex_);
    ++waiting_;
    changed_.NotifyAll();
    while (!HasOne() && changed_.WaitUntil(mutex_, deadline)) {
    }
    --waiting_;
    if (!HasOne()) return Unavailable("media decoders are all busy; try again later");
    if (idle_.empty()) return std::exchange(start_status_, OkStatus());
    Idle child = std::move(idle_.front());
    idle_.pop_front();
    ++busy_;
    lock.Unlock();
    changed_.NotifyAll();
    return child;
  }

  void GiveBack() {
    {
      const MutexLock lock(mutex_);
      --busy_;
    }
    changed_.NotifyAll();
  }

  // Whether a child may be taken, or it may be said that none can be started.
  bool HasOne() const REQUIRES(mutex_) {
    return busy_ < options_.max_busy && (!idle_.empty() || !start_status_.ok());
  }

  bool WantsOne() const REQUIRES(mutex_) {
    const int wanted = std::max(options_.max_idle, waiting_ > 0 ? 1 : 0);
    const int there = static_cast<int>(idle_.size()) + (busy_ > 0 ? proving_ : 0);
    return there < wanted && start_status_.ok();
  }

  void Keep() {
    CageSpawner spawner(options_);
    MutexLock lock(mutex_);
    while (true) {
      while (!stopping_ && !WantsOne()) changed_.Wait(mutex_);
      if (stopping_) break;
      lock.Unlock();
      Result<CageProcess> child = spawner.Start();
      lock.Lock();
      if (child.ok()) {
        idle_.push_back({.process = *std::move(child)});
      } else {
        // Kept until somebody asks: without that there would be no end of trying.
        start_status_ = child.status();
      }
      changed_.NotifyAll();
    }
    std::deque<Idle> last;
    last.swap(idle_);
    lock.Unlock();
  }

  // Constant after construction, or after Start().
  const MediaCageOptions options_;
  MediaConfinement confinement_;
  std::thread keeper_;
  // Any thread.
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Idle> idle_ GUARDED_BY(mutex_);
  int busy_ GUARDED_BY(mutex_) = 0;
  int waiting_ GUARDED_BY(mutex_) = 0;
  int proving_ GUARDED_BY(mutex_) = 0;  // 1 while Start() has a child that it will give back
  bool stopping_ GUARDED_BY(mutex_) = false;
  Status start_status_ GUARDED_BY(mutex_);
};

CagedMediaDecoder::CagedMediaDecoder(std::unique_ptr<Pool> pool) : pool_(std::move(pool)) {}
CagedMediaDecoder::~CagedMediaDecoder() = default;

Result<std::unique_ptr<CagedMediaDecoder>> CagedMediaDecoder::Start(MediaCageOptions options) {
  LETHE_CHECK(!options.command.empty() && options.max_idle >= 0 && options.max_busy > 0);
  auto pool = std::make_unique<Pool>(std::move(options));
  RETURN_IF_ERROR(pool->Start());
  return std::unique_ptr<CagedMediaDecoder>(new CagedMediaDecoder(std::move(pool)));
}

Result<std::unique_ptr<AudioSource>> CagedMediaDecoder::Open(std::unique_ptr<ByteSource> bytes) {
  return pool_->Open(std::move(bytes));
}

const MediaConfinement& CagedMediaDecoder::confinement() const { return pool_->confinement(); }
int CagedMediaDecoder::idle() const { return pool_->idle(); }
int CagedMediaDecoder::busy() const { return pool_->busy(); }

}  // namespace lethe
