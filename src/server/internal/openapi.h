#pragma once

// The description of the own interface: src/server/openapi.json, word for word.

#include <string_view>

namespace lethe::server_internal {

std::string_view OpenApiDocument();

}  // namespace lethe::server_internal
