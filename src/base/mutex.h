#pragma once

// Locks whose use clang checks (-Wthread-safety, in `make lint`): a member says by GUARDED_BY()
// which mutex it needs, a private function by REQUIRES(), and who touches them without it is found.
// To other compilers these words are nothing.
//
// Clang looks at one function at a time, and a lambda is one: what waits for a condition is a loop,
//
//   const MutexLock lock(mutex_);
//   while (!ready_) changed_.Wait(mutex_);
//
// and a lambda that runs under the lock begins with mutex_.AssertHeld(). Constructors and
// destructors are not looked at.

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define LETHE_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define LETHE_THREAD_ATTRIBUTE(x)
#endif

/// Of a class: it can be held, or holds something while it lives.
#define CAPABILITY(name) LETHE_THREAD_ATTRIBUTE(capability(name))
#define SCOPED_CAPABILITY LETHE_THREAD_ATTRIBUTE(scoped_lockable)

/// Of a member: read and written with this mutex held only.
#define GUARDED_BY(mutex) LETHE_THREAD_ATTRIBUTE(guarded_by(mutex))

/// Of a function: who calls it holds these; does not hold these, for it takes them itself.
#define REQUIRES(...) LETHE_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) LETHE_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))

/// Of a function: afterwards these are held; are no longer; are, for it would stop the program
/// otherwise, or somebody vouches for it.
#define ACQUIRE(...) LETHE_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define RELEASE(...) LETHE_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define ASSERT_CAPABILITY(...) LETHE_THREAD_ATTRIBUTE(assert_capability(__VA_ARGS__))

namespace lethe {

/// A std::mutex that clang knows. Mostly it is held by a MutexLock.
class CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ACQUIRE() { mutex_.lock(); }
  void Unlock() RELEASE() { mutex_.unlock(); }

  /// Tells clang, in a lambda that runs under the lock, that it is held. Checks nothing.
  void AssertHeld() const ASSERT_CAPABILITY(this) {}

 private:
  friend class CondVar;
  std::mutex mutex_;
};

/// Holds a mutex while it lives, but for the time between Unlock() and Lock().
class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() RELEASE() {
    if (held_) mutex_.Unlock();
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void Unlock() RELEASE() {
    mutex_.Unlock();
    held_ = false;
  }
  void Lock() ACQUIRE() {
    mutex_.Lock();
    held_ = true;
  }

 private:
  Mutex& mutex_;
  bool held_ = true;
};

/// Waits for what is guarded by a mutex to change. Each wait lets go of the mutex, and holds it
/// again when it is over; it may be over without reason, so whoever waits looks.
///
/// Thread: any; all who wait at one time use the same mutex
class CondVar {
 public:
  void NotifyOne() { changed_.notify_one(); }
  void NotifyAll() { changed_.notify_all(); }

  void Wait(Mutex& mutex) REQUIRES(mutex) {
    Waiting waiting(mutex.mutex_);
    changed_.wait(waiting.lock);
  }

  /// False once the moment has come: whoever waits looks a last time.
  template <class Clock, class Duration>
  bool WaitUntil(Mutex& mutex, const std::chrono::time_point<Clock, Duration>& moment)
      REQUIRES(mutex) {
    Waiting waiting(mutex.mutex_);
    return changed_.wait_until(waiting.lock, moment) == std::cv_status::no_timeout;
  }

 private:
  // The lock that the library's type wants to see; the mutex is and stays its caller's.
  struct Waiting {
    explicit Waiting(std::mutex& mutex) : lock(mutex, std::adopt_lock) {}
    ~Waiting() { lock.release(); }
    std::unique_lock<std::mutex> lock;
  };

  std::condition_variable changed_;
};

}  // namespace lethe
