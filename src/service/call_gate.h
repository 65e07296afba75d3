#pragma once

// How much an application may ask of each interface: calls per second, calls at once.

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "base/mutex.h"
#include "base/status.h"
#include "store/applications.h"

namespace lethe {

/// What everybody may do unless an application has a quota of its own. Nothing: no limit.
struct GateLimits {
  std::optional<int> calls_per_second;
  std::optional<int> concurrency;
};

/// The contract's defaults (section 9.1), and ours for what is not in it.
std::map<Interface, GateLimits> DefaultGateLimits();

/// Whose limit a refused call has met.
enum class GateRefusal { kRate, kConcurrency };

class CallGate;

/// A call that was let in; leaves when it is destroyed.
class Permit {
 public:
  Permit() = default;
  ~Permit() { Leave(); }
  Permit(Permit&& other) noexcept {
    std::swap(gate_, other.gate_);
    std::swap(key_, other.key_);
  }
  Permit& operator=(Permit&& other) noexcept {
    Leave();
    gate_ = std::exchange(other.gate_, nullptr);
    key_ = other.key_;
    return *this;
  }

 private:
  friend class CallGate;
  using Key = std::pair<AppId, Interface>;
  Permit(CallGate* gate, Key key) : gate_(gate), key_(key) {}
  void Leave();

  CallGate* gate_ = nullptr;
  Key key_;
};

/// Thread: any. Lifetime: outlives its permits
class CallGate {
 public:
  using Clock = std::chrono::steady_clock;

  explicit CallGate(std::map<Interface, GateLimits> limits) : limits_(std::move(limits)) {}

  /// Lets a call in, or says which limit it met. A second's worth of calls may come at once; then
  /// there is room as time passes.
  std::variant<Permit, GateRefusal> Enter(const Application& application, Interface interface,
                                          Clock::time_point now = Clock::now());

  /// Calls that are inside.
  int inside(AppId app_id, Interface interface) const;

 private:
  friend class Permit;
  struct State {
    int inside = 0;
    double tokens = 0;
    Clock::time_point filled;
    bool seen = false;
  };
  void Leave(Permit::Key key);

  // Constant after construction.
  const std::map<Interface, GateLimits> limits_;
  // Any thread.
  mutable Mutex mutex_;
  // As many as applications times interfaces.
  std::map<Permit::Key, State> states_ GUARDED_BY(mutex_);
};

}  // namespace lethe
