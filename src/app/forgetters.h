#pragma once

// Everything in a data folder that is held for a time, for the sweeper.

#include <optional>
#include <string_view>
#include <vector>

#include "app/data_folder.h"
#include "retention/sweeper.h"

namespace lethe {

/// Lifetime: `data` outlives them
std::vector<Forgetter> Forgetters(DataFolder& data);

/// Removes recordings whose tasks are finished or erased, or whose time is over, about `limit` of
/// them; of one application, if it is named. Returns how many. Errors: the first; one that cannot
/// be removed is in no other's way
Result<int> RemoveObjects(DataFolder& data, int limit, std::optional<AppId> within = {});

/// The one that forgets nothing, but writes the clock down, which has to be done as often.
inline constexpr std::string_view kSavingTheClock = "clock";

/// Whether that is a forgetter that removes recordings, which may be out of reach elsewhere.
bool IsOfRecordings(std::string_view forgetter);

}  // namespace lethe
