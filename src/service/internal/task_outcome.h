#pragma once

// How a recording task ended: what is kept of it, and what it is called.

#include <string>
#include <string_view>

#include "base/status.h"
#include "store/tasks.h"

namespace lethe {

/// `fetching`: its recording was to be had from a URL.
TaskOutcome FailedOutcome(const Status& status, bool fetching);

/// Somebody asked for its end.
TaskOutcome CancelledOutcome();

/// How a task failed, in the contract's words (section 2.5): whose fault it was is told from them.
/// "cancelled" of one that was.
std::string FailureCode(const std::string& result);

}  // namespace lethe
