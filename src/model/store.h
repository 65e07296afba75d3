#pragma once

// The folder of installed models: one folder for each, with model.safetensors and manifest.json.
//
// A model appears in one step (a rename) or not at all. What was fetched for an attempt that failed
// is kept in ".staging" and used by the next, once its hash has been checked.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/catalogue.h"

namespace lethe {

struct InstalledModel {
  std::string name;
  std::string family;
  std::string language;
  std::string licence;
  std::string source;
  std::string sha256;
  std::uint64_t bytes = 0;
  std::string path;  // of model.safetensors
};

/// What is going on ("fetching llama-tokenizer-js@1.2.2"), and how much of all the steps is done,
/// 0..1.
using PullProgress = std::function<void(std::string_view step, double done)>;

class ModelStore {
 public:
  /// Lifetime: `catalogue` must outlive it
  explicit ModelStore(std::string directory,
                      const std::vector<CatalogueEntry>& catalogue = Catalogue())
      : directory_(std::move(directory)), catalogue_(catalogue) {}

  /// $LETHE_MODELS, else $XDG_DATA_HOME/lethe/models, else ~/.local/share/lethe/models.
  static std::string DefaultDirectory();

  const std::string& directory() const { return directory_; }

  /// The installed models by name; a folder without a readable manifest is none.
  std::vector<InstalledModel> List() const;

  /// Errors: kFailedPrecondition when it is not installed, with the command that installs it;
  ///         kNotFound for a name nobody knows, with the names there are
  Result<InstalledModel> Find(std::string_view name) const;

  /// Fetches a model of the catalogue with the npm client, checks its hashes, imports and installs
  /// it. Does nothing when it is installed and whole; what an earlier version imported stays where
  /// npm fetches nothing, which the last step reported says.
  /// Errors: kNotFound for an unknown name; kFailedPrecondition without npm; kUnavailable when npm
  ///         fails; kDataLoss when a hash differs; as ErrnoStatus() for the disk
  Status Pull(std::string_view name, const PullProgress& progress);

  /// Installs a Hugging Face directory under `name`; `language` is an ISO 639-1 code or "unknown".
  /// Errors: kInvalidArgument for a bad or used name; as ImportHuggingFace()
  Status Import(const std::string& path, std::string_view name, std::string_view language);

  /// Compares an installed model with its hash. Errors: as Find(); kDataLoss when it differs;
  /// kFailedPrecondition when it is what an earlier version imported
  Status Verify(std::string_view name) const;

  /// Errors: as Find()
  Status Remove(std::string_view name);

 private:
  // The source files' contents.
  Result<std::vector<std::string>> FetchAll(const CatalogueEntry& entry, const std::string& staging,
                                            const PullProgress& report);
  Status Install(const InstalledModel& model, const std::vector<std::byte>& file);
  Result<std::string> Fetch(const SourceFile& source, const std::string& staging,
                            const std::function<void()>& idle);

  const std::string directory_;
  const std::vector<CatalogueEntry>& catalogue_;
};

}  // namespace lethe
