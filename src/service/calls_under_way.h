#pragma once

// The calls that somebody waits for just now, so that they can be cancelled when their subject asks
// to be forgotten, and ended when the service stops.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "store/applications.h"

namespace lethe {

/// Thread: any
class CallsUnderWay {
 public:
  struct Call {
    AppId app_id = 0;
    Uin uin = 0;
    std::string call_id;
    std::string subject;  // whom it is about: a pseudonym (store/consents.h)
    /// Makes the call end soon, without an answer that has content. Called at most once, from any
    /// thread, also while the call is ending.
    std::function<void()> cancel;
    /// As `cancel`, because the service stops: the call fails, and its answer says why.
    std::function<void()> cut_off = nullptr;
  };

  /// A call's place in the list, for as long as it lives.
  class Entry {
   public:
    Entry() = default;
    Entry(CallsUnderWay* calls, std::uint64_t number) : calls_(calls), number_(number) {}
    Entry(Entry&& other) noexcept { Swap(other); }
    Entry& operator=(Entry&& other) noexcept {
      Swap(other);
      return *this;
    }
    ~Entry() {
      if (calls_ != nullptr) calls_->Remove(number_);
    }

   private:
    void Swap(Entry& other) {
      std::swap(calls_, other.calls_);
      std::swap(number_, other.number_);
    }

    CallsUnderWay* calls_ = nullptr;
    std::uint64_t number_ = 0;
  };

  [[nodiscard]] Entry Add(Call call);

  /// Which calls; all that is set has to fit, and something of call, account and
  /// person has to be.
  struct Selector {
    std::optional<AppId> app_id;
    std::optional<Uin> uin;
    std::string call_id;
    std::string subject;
    std::function<bool(const std::string& call_id)> is_call;  // where only that is known
  };
  /// Cancels them; returns how many.
  std::size_t Cancel(const Selector& selector);

  /// Cuts off all of them, and from now on every one as it is added.
  void CutOff();

  std::size_t size() const;

 private:
  void Remove(std::uint64_t number);

  mutable Mutex mutex_;
  std::uint64_t next_ GUARDED_BY(mutex_) = 1;
  std::map<std::uint64_t, Call> calls_ GUARDED_BY(mutex_);
  bool is_cut_off_ GUARDED_BY(mutex_) = false;
};

/// Whether a call was erased; null: it cannot be.
using ErasedFlag = std::shared_ptr<const std::atomic<bool>>;

/// A call that looks now and then whether it was cancelled or cut off, or its caller has left. It
/// has to live until its end is recorded: an erasure that no longer finds it looks for its record.
///
/// Thread: any
class CancellableCall {
 public:
  /// `then` is called besides, as CallsUnderWay::Call::cancel and cut_off are.
  CancellableCall(CallsUnderWay& calls, AppId app_id, Uin uin, std::string call_id,
                  std::string subject, const std::function<void()>& then = nullptr)
      : entry_(calls.Add({.app_id = app_id,
                          .uin = uin,
                          .call_id = std::move(call_id),
                          .subject = std::move(subject),
                          .cancel = Ender(cancelled_, then),
                          .cut_off = Ender(cut_off_, then)})) {}
  /// `left` becomes true when the caller has gone away; null: that is not known.
  CancellableCall(CallsUnderWay& calls, const Application& application, std::string call_id,
                  std::string subject = {}, std::shared_ptr<const std::atomic<bool>> left = nullptr)
      : CancellableCall(calls, application.id, application.uin, std::move(call_id),
                        std::move(subject)) {
    left_ = std::move(left);
  }

  bool cancelled() const { return *cancelled_; }
  ErasedFlag erased() const { return cancelled_; }
  bool cut_off() const { return *cut_off_; }
  bool left() const { return left_ != nullptr && *left_; }
  /// Nobody waits for what it would still find out.
  bool over() const { return cancelled() || cut_off() || left(); }

 private:
  using Flag = std::shared_ptr<std::atomic<bool>>;

  static std::function<void()> Ender(Flag flag, std::function<void()> then) {
    return [flag = std::move(flag), then = std::move(then)] {
      *flag = true;
      if (then) then();
    };
  }

  // Shared: they may be set while the call's entry is being taken out.
  const Flag cancelled_ = std::make_shared<std::atomic<bool>>(false);
  const Flag cut_off_ = std::make_shared<std::atomic<bool>>(false);
  std::shared_ptr<const std::atomic<bool>> left_;  // constant after construction
  const CallsUnderWay::Entry entry_;
};

}  // namespace lethe
