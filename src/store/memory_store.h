#pragma once

// Records that live as long as the process: for tests, and for who wants to keep nothing.

#include <memory>

#include "base/clock.h"
#include "store/store.h"

namespace lethe {

/// Lifetime: the clock has to outlive the store
std::unique_ptr<Store> MakeMemoryStore(const Clock& clock);

}  // namespace lethe
