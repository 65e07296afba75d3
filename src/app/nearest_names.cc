#include "app/nearest_names.h"

#include <algorithm>
#include <utility>

namespace lethe {
namespace {

// Longer ones are no slip of the fingers.
constexpr std::size_t kMaxTyped = 40;
constexpr std::size_t kMostNames = 3;

// Edits from one to the other, a swap of neighbours being one (optimal string alignment).
std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1,
                             cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::vector<std::string> NearestNames(std::string_view typed,
                                      const std::vector<std::string>& names) {
  if (typed.empty() || typed.size() > kMaxTyped) return {};
  std::vector<std::pair<std::size_t, std::string>> near;
  for (const std::string& name : names) {
    const std::size_t distance = name.starts_with(typed) ? 0 : EditDistance(typed, name);
    if (distance <= std::max<std::size_t>(1, typed.size() / 3)) near.emplace_back(distance, name);
  }
  std::sort(near.begin(), near.end());
  near.resize(std::min(near.size(), kMostNames));
  std::vector<std::string> nearest;
  for (auto& [distance, name] : near) nearest.push_back(std::move(name));
  return nearest;
}

}  // namespace lethe
