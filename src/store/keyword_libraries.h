#pragma once

// Keyword libraries: words that an application wants to be told of (contract, section 3.5).

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "store/applications.h"

namespace lethe {

inline constexpr std::size_t kMaxKeywordLibraries = 30;  // per application
inline constexpr std::size_t kMaxKeywords = 100;         // per library
// Coarse limits in bytes; the finer rules, in characters, are the service's.
inline constexpr std::size_t kMaxKeywordLibraryName = 128;
inline constexpr std::size_t kMaxKeyword = 128;

struct KeywordLibrary {
  std::string id;  // 32 hexadecimal digits
  AppId app_id = 0;
  std::string name;  // unique within the application
  std::vector<std::string> words;
  WallTime created, updated;

  bool operator==(const KeywordLibrary&) const = default;
};

/// Thread: any; calls may wait for the disk
/// Errors: kNotFound for an unknown application, and for an id that is unknown or another
/// application's; besides them, as said and as Store
class KeywordLibraries {
 public:
  virtual ~KeywordLibraries() = default;

  /// Errors: kResourceExhausted at kMaxKeywordLibraries and beyond kMaxKeywords;
  /// kFailedPrecondition when the application has a library of that name; kInvalidArgument for text
  /// that is too long, no UTF-8 or has control characters
  virtual Result<KeywordLibrary> Create(AppId app_id, std::string_view name,
                                        const std::vector<std::string>& words) = 0;

  /// Replaces name and words. Errors: as Create()
  virtual Result<KeywordLibrary> Update(AppId app_id, std::string_view id, std::string_view name,
                                        const std::vector<std::string>& words) = 0;

  virtual Status Remove(AppId app_id, std::string_view id) = 0;
  virtual Result<KeywordLibrary> Find(AppId app_id, std::string_view id) = 0;

  /// All of an application, oldest first; at most kMaxKeywordLibraries.
  virtual Result<std::vector<KeywordLibrary>> List(AppId app_id) = 0;
};

}  // namespace lethe
