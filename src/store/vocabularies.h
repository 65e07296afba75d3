#pragma once

// Vocabularies: lists of hot words that an application keeps here (contract, section 3.4).

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "store/applications.h"

namespace lethe {

inline constexpr std::size_t kMaxVocabularies = 30;  // per application
inline constexpr std::size_t kMaxVocabularyWords = 1000;
// Coarse limits in bytes, which keep rows small. The finer rules of the contract, in characters,
// are the service's.
inline constexpr std::size_t kMaxVocabularyName = 1024;
inline constexpr std::size_t kMaxVocabularyDescription = 4096;
inline constexpr std::size_t kMaxVocabularyWord = 256;

struct WeightedWord {
  std::string word;
  int weight = 0;

  bool operator==(const WeightedWord&) const = default;
};

struct Vocabulary {
  std::string id;  // 32 hexadecimal digits
  AppId app_id = 0;
  std::string name, description;
  std::vector<WeightedWord> words;
  bool is_default = false;  // applied to calls that name none; at most one per application
  WallTime created, updated;

  bool operator==(const Vocabulary&) const = default;
};

struct NewVocabulary {
  std::string name, description;
  std::vector<WeightedWord> words;
};

/// What to replace; what is left out stays.
struct VocabularyChange {
  std::optional<std::string> name, description;
  std::optional<std::vector<WeightedWord>> words;
};

/// Thread: any; calls may wait for the disk
/// Errors: kNotFound for an unknown application, and for an id that is unknown or another
/// application's; besides them, as said and as Store
class Vocabularies {
 public:
  virtual ~Vocabularies() = default;

  /// Errors: kResourceExhausted at kMaxVocabularies and beyond kMaxVocabularyWords;
  /// kInvalidArgument for text that is too long, no UTF-8 or, in a word, has control characters
  virtual Result<Vocabulary> Create(AppId app_id, const NewVocabulary& wanted) = 0;

  /// Errors: as Create()
  virtual Result<Vocabulary> Update(AppId app_id, std::string_view id,
                                    const VocabularyChange& change) = 0;

  virtual Status Remove(AppId app_id, std::string_view id) = 0;
  virtual Result<Vocabulary> Find(AppId app_id, std::string_view id) = 0;

  /// All of an application, oldest first; at most kMaxVocabularies.
  virtual Result<std::vector<Vocabulary>> List(AppId app_id) = 0;

  /// Makes it the application's default, in place of the one before, or no longer its default.
  virtual Status SetDefault(AppId app_id, std::string_view id, bool is_default) = 0;

  /// The application's default, if it has one.
  virtual Result<std::optional<Vocabulary>> FindDefault(AppId app_id) = 0;
};

}  // namespace lethe
