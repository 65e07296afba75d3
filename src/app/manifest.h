#pragma once

// The list of recordings that `lethe eval` scores.

#include <string>
#include <vector>

#include "base/status.h"

namespace lethe {

struct ManifestRow {
  std::string id;
  std::string file;      // as an openable path: relative names are relative to the manifest
  std::string language;  // ISO 639-1; zxx (ISO 639-2): no speech
  double seconds = 0;
  std::string set;         // the part of `source` before ':'
  std::string transcript;  // what was said; may be empty
};

/// Reads a manifest: tab-separated values, the columns named by the first line, of which "file"
/// must be there and "id", "language", "seconds", "source" and "transcript" may be. No quoting.
/// Errors: as opening a file; kInvalidArgument for a table without "file", a row with more fields
/// than
///         columns, a file above 64 MB.
Result<std::vector<ManifestRow>> ReadManifest(const std::string& path);

/// The same from text already in memory; `directory` is what relative names are relative to.
Result<std::vector<ManifestRow>> ParseManifest(std::string_view text, const std::string& directory);

}  // namespace lethe
