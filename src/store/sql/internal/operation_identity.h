#pragma once

// Whose a row of the operation log is, for sealing it.

#include <string_view>

#include "seal/sealer.h"
#include "store/applications.h"

namespace lethe {

/// `key` is the keyed hash of the call's id. Lifetime: as the key
inline Identity OperationIdentity(AppId app_id, std::string_view key) {
  return {.data_class = DataClass::kOperationLog, .tenant = app_id, .id = key, .field = "facts"};
}

}  // namespace lethe
