#pragma once

// How a recording task ended: what is kept of it, and what it is called.

#include <cstddef>
#include <string>
#include <string_view>

#include "base/status.h"
#include "store/tasks.h"

namespace lethe {

/// `fetching`: its recording was to be had from a URL.
TaskOutcome FailedOutcome(const Status& status, bool fetching);

/// Somebody asked for its end. Each is like no other, so that one's own is known.
TaskOutcome CancelledOutcome();

/// How a task failed, in the contract's words (section 2.5): whose fault it was is told from them.
/// "cancelled" of one that was.
std::string FailureCode(const std::string& result);

/// The beginning of a text, at most so many bytes of it, whose last character is whole.
std::string CutText(const std::string& text, std::size_t most_bytes);

}  // namespace lethe
