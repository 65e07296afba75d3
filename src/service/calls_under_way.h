#pragma once

// The calls that somebody waits for just now, so that they can be cancelled when their subject asks
// to be forgotten.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "store/applications.h"

namespace lethe {

/// Thread: any
class CallsUnderWay {
 public:
  struct Call {
    AppId app_id = 0;
    Uin uin = 0;
    std::string call_id;
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

  /// Which calls; all that is set has to fit, and something of call and account has to be.
  struct Selector {
    std::optional<AppId> app_id;
    std::optional<Uin> uin;
    std::string call_id;
  };
  /// Cancels them; returns how many.
  std::size_t Cancel(const Selector& selector);

  std::size_t size() const;

 private:
  void Remove(std::uint64_t number);

  mutable std::mutex mutex_;
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, Call> calls_;
};

}  // namespace lethe
