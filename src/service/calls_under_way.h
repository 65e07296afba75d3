#pragma once

// The calls that somebody waits for just now, so that they can be cancelled when their subject asks
// to be forgotten.

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

  std::size_t size() const;

 private:
  void Remove(std::uint64_t number);

  mutable Mutex mutex_;
  std::uint64_t next_ GUARDED_BY(mutex_) = 1;
  std::map<std::uint64_t, Call> calls_ GUARDED_BY(mutex_);
};

/// Whether a call was erased; null: it cannot be.
using ErasedFlag = std::shared_ptr<const std::atomic<bool>>;

/// A call that looks now and then whether it was cancelled. It has to live until its end is
/// recorded: an erasure that no longer finds it looks for its record.
///
/// Thread: any
class CancellableCall {
 public:
  /// `then` is called besides, as CallsUnderWay::Call::cancel is.
  CancellableCall(CallsUnderWay& calls, AppId app_id, Uin uin, std::string call_id,
                  std::string subject, std::function<void()> then = nullptr)
      : entry_(calls.Add({.app_id = app_id,
                          .uin = uin,
                          .call_id = std::move(call_id),
                          .subject = std::move(subject),
                          .cancel = [cancelled = cancelled_, then = std::move(then)] {
                            *cancelled = true;
                            if (then) then();
                          }})) {}
  CancellableCall(CallsUnderWay& calls, const Application& application, std::string call_id,
                  std::string subject = {})
      : CancellableCall(calls, application.id, application.uin, std::move(call_id),
                        std::move(subject)) {}

  bool cancelled() const { return *cancelled_; }
  ErasedFlag erased() const { return cancelled_; }

 private:
  // Shared: it may be set while the call's entry is being taken out.
  const std::shared_ptr<std::atomic<bool>> cancelled_ = std::make_shared<std::atomic<bool>>(false);
  const CallsUnderWay::Entry entry_;
};

}  // namespace lethe
