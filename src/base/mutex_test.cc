// Goal: what is guarded is touched by one thread at a time, and who waits is woken. Method: threads
// count together, hand a number to and fro, and wait for what does not come. That clang finds what
// is touched without its lock is tried by scripts/lint.sh.

#include "base/mutex.h"

#include <chrono>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace lethe {
namespace {

using SteadyClock = std::chrono::steady_clock;

class Counter {
 public:
  void Add() {
    const MutexLock lock(mutex_);
    ++count_;
    changed_.NotifyAll();
  }
  // Between two additions the mutex is free.
  void AddTwice() {
    MutexLock lock(mutex_);
    ++count_;
    lock.Unlock();
    std::this_thread::yield();
    lock.Lock();
    ++count_;
  }
  int count() {
    const MutexLock lock(mutex_);
    return count_;
  }
  void AwaitAtLeast(int count) {
    const MutexLock lock(mutex_);
    while (count_ < count) changed_.Wait(mutex_);
  }
  bool AwaitAtLeast(int count, SteadyClock::time_point until) {
    const MutexLock lock(mutex_);
    while (count_ < count && changed_.WaitUntil(mutex_, until)) {
    }
    return count_ >= count;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  int count_ GUARDED_BY(mutex_) = 0;
};

TEST(MutexTest, ThreadsThatCountTogetherLoseNothing) {
  constexpr int kThreads = 4, kEach = 2'000;
  Counter counter;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) {
        counter.Add();
        counter.AddTwice();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter.count(), kThreads * kEach * 3);
}

TEST(MutexTest, LockThatWasLetGoOfIsFreeAtItsEnd) {
  Mutex mutex;
  {
    MutexLock lock(mutex);
    lock.Unlock();
  }
  const MutexLock again(mutex);
}

TEST(CondVarTest, WhoWaitsIsWokenWithTheMutexHeld) {
  Counter mine, theirs;
  std::thread other([&] {
    for (int n = 1; n <= 500; ++n) {
      mine.AwaitAtLeast(n);
      theirs.Add();
    }
  });
  for (int n = 1; n <= 500; ++n) {
    mine.Add();
    theirs.AwaitAtLeast(n);
    EXPECT_EQ(theirs.count(), n);
  }
  other.join();
}

TEST(CondVarTest, WaitForWhatDoesNotComeIsOver) {
  Counter counter;
  const auto until = SteadyClock::now() + std::chrono::milliseconds(20);
  EXPECT_FALSE(counter.AwaitAtLeast(1, until));
  EXPECT_GE(SteadyClock::now(), until);
  counter.Add();
  EXPECT_TRUE(counter.AwaitAtLeast(1, until));
}

}  // namespace
}  // namespace lethe
