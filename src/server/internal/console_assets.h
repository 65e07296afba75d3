#pragma once

// The files of the console's page, as console/build.mjs made them: they are part of the program.

#include <span>
#include <string_view>

namespace lethe::server_internal {

struct ConsoleAsset {
  std::string_view path;  // behind /console/; empty: the page itself
  std::string_view content_type;
  std::string_view etag;     // with its quotation marks
  bool is_named_by_content;  // another content would have another path
  std::string_view plain, gzip, brotli;
};

/// None when the program was built without a console (LETHE_CONSOLE=OFF).
std::span<const ConsoleAsset> ConsoleAssets();

}  // namespace lethe::server_internal
