#pragma once

// In which regions recordings may be fetched and callers told. Where a host is can be known by its
// name alone, when it is an object store of a cloud that writes the region into it, or when the
// configuration says so; of any other nobody knows, and it is refused.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace lethe {

/// The region that the name of a cloud's object store has in it: COS, S3 and OSS. None: it is no
/// such name. Source: the vendors' lists of endpoints
std::optional<std::string> RegionInHost(std::string_view host);

struct RegionRulesOptions {
  /// Regions that may be reached; none: all of the world.
  std::vector<std::string> allow;
  /// Where hosts are whose names do not say it: names, or with a dot before them all below a name.
  std::map<std::string, std::string> hosts;
};

/// Thread: any; constant
class RegionRules {
 public:
  RegionRules() = default;
  /// Errors: kInvalidArgument for an empty name of a region or host
  static Result<RegionRules> Create(RegionRulesOptions options);

  /// Errors: kPermissionDenied for a host in another region, or one of which nobody knows
  Status Check(std::string_view host) const;

 private:
  std::optional<std::string> RegionOf(std::string_view host) const;

  RegionRulesOptions options_;
};

}  // namespace lethe
