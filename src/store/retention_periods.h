#pragma once

// How long an application wants its data held, where that is shorter than what may be
// (seal/data_class.h). A period can become shorter, and is at once, also for what is stored
// already; never longer.

#include <map>

#include "base/status.h"
#include "seal/data_class.h"
#include "store/applications.h"

namespace lethe {

/// Thread: any; calls may wait for the disk
/// Errors: kNotFound for an unknown application; as Store
class RetentionPeriods {
 public:
  virtual ~RetentionPeriods() = default;

  /// What it chose; classes that are not in it have the longest.
  virtual Result<std::map<DataClass, Millis>> Find(AppId app_id) = 0;

  /// Errors: kFailedPrecondition when that is longer than it is now; kInvalidArgument below zero,
  /// for a part of a second, and for monitoring, which bills are made of. Audio may be held zero:
  /// then it is not stored at all. Results can be held a minute at least, or nobody could ask for
  /// them
  /// What is stored is read by it at once where there is little of it, and otherwise as soon as
  /// Apply() has come to it.
  virtual Status Shorten(AppId app_id, DataClass data_class, Millis period) = 0;

  /// Makes at most so much of what is stored hold to a period that became shorter. Returns how
  /// much; less than `limit` when nothing is left. Sweeps call it, in case Shorten() was cut short.
  virtual Result<int> Apply(int limit) = 0;
};

}  // namespace lethe
