#pragma once

// Applications: who may call, and how much. An account (Uin) has applications (AppId), an
// application has keys (store/keys.h). Numbers are given once and never again, so that records of
// a removed application are nobody else's.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "store/interface.h"

namespace lethe {

using AppId = std::uint64_t;
using Uin = std::uint64_t;

inline constexpr AppId kFirstAppId = 1'300'000'001;
inline constexpr Uin kFirstUin = 100'000'000'001;
inline constexpr std::size_t kMaxApplications = 1000;
inline constexpr std::size_t kMaxApplicationName = 64;  // bytes
inline constexpr int kMaxQuota = 1'000'000;

/// What an application may do through one interface, where it differs from the service's default.
struct Quota {
  std::optional<int> calls_per_second;  // 0: none
  std::optional<int> concurrency;       // calls at once; 0: none

  bool operator==(const Quota&) const = default;
};

struct Application {
  AppId id = 0;
  Uin uin = 0;
  std::string name;
  bool enabled = true;
  WallTime created;
  std::map<Interface, Quota> quotas;  // the overrides only
  bool consent_required = false;      // nobody is processed without (store/consents.h)
  // What its calls of a calendar month may cost, in millionths of the price table's currency; 0:
  // what is free, and no more. None: nothing is refused for what it costs.
  std::optional<std::int64_t> monthly_limit;
  // Since when its account owes fees. None: nobody said so.
  std::optional<WallTime> overdue_since;

  bool operator==(const Application&) const = default;
};

struct NewApplication {
  std::string name;
  std::optional<Uin> uin;  // an account that has an application already; none: a new account
};

/// Thread: any; calls may wait for the disk
/// Errors: kNotFound for a number that no application has; besides them, as said and as Store
class Applications {
 public:
  virtual ~Applications() = default;

  /// Errors: kInvalidArgument for a name that is empty, longer than kMaxApplicationName, no UTF-8
  /// or has control characters; kFailedPrecondition when it is taken; kNotFound for an unknown
  /// account; kResourceExhausted at kMaxApplications
  virtual Result<Application> Create(const NewApplication& wanted) = 0;

  virtual Result<Application> Find(AppId id) = 0;
  virtual Result<Application> FindByName(std::string_view name) = 0;

  /// All of them, oldest first.
  virtual Result<std::vector<Application>> List() = 0;

  /// Errors: as Create()
  virtual Status Rename(AppId id, std::string_view name) = 0;

  /// The keys of a disabled application are refused until it is enabled.
  virtual Status SetEnabled(AppId id, bool enabled) = 0;

  /// Whether a call is processed only if the person it is about has consented.
  virtual Status SetConsentRequired(AppId id, bool required) = 0;

  /// Ends the limit when there is none.
  /// Errors: kInvalidArgument for one below 0
  virtual Status SetMonthlyLimit(AppId id, std::optional<std::int64_t> limit) = 0;

  /// Says it of all applications of an account, and of those that it gets later; none: all is paid.
  /// Errors: kNotFound for an unknown account
  virtual Status SetOverdue(Uin uin, std::optional<WallTime> since) = 0;

  /// Replaces what is overridden for one interface; an empty quota ends the override.
  /// Errors: kInvalidArgument for a number below 0 or above kMaxQuota
  virtual Status SetQuota(AppId id, Interface interface, const Quota& quota) = 0;

  /// Removes the application with its keys, vocabularies, keyword libraries, consents and tasks,
  /// and destroys the key that its texts are sealed under. Its usage stays for as long as usage is
  /// kept. Errors: kFailedPrecondition while an object store has recordings of it, whose tasks say
  /// where
  virtual Status Remove(AppId id) = 0;
};

}  // namespace lethe
