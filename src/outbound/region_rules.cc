#include "outbound/region_rules.h"

#include <algorithm>

namespace lethe {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  });
  return lower;
}

// The labels of a name, from its end on: "a.b.com" is com, b, a.
std::vector<std::string> LabelsFromTheEnd(std::string_view host) {
  std::vector<std::string> labels;
  while (!host.empty()) {
    const std::size_t dot = host.rfind('.');
    labels.emplace_back(host.substr(dot == host.npos ? 0 : dot + 1));
    host = dot == host.npos ? std::string_view() : host.substr(0, dot);
  }
  return labels;
}

bool EndsIn(const std::vector<std::string>& labels, std::initializer_list<const char*> end) {
  return labels.size() >= end.size() && std::equal(end.begin(), end.end(), labels.begin());
}

}  // namespace

std::optional<std::string> RegionInHost(std::string_view host) {
  const std::vector<std::string> labels = LabelsFromTheEnd(Lower(host));
  const auto label = [&](std::size_t i) { return i < labels.size() ? labels[i] : std::string(); };
  // [BUCKET.]cos.REGION.myqcloud.com, and .tencentcos.cn; a bucket's name has no dots
  if (EndsIn(labels, {"com", "myqcloud"}) || EndsIn(labels, {"cn", "tencentcos"})) {
    if (label(3) == "cos" && !label(2).empty() && labels.size() <= 5) return label(2);
  }
  // [BUCKET.]s3.REGION.amazonaws.com[.cn], also as s3.dualstack.REGION and s3-REGION
  const bool china = EndsIn(labels, {"cn", "com", "amazonaws"});
  if (china || EndsIn(labels, {"com", "amazonaws"})) {
    const std::size_t at = china ? 3 : 2;
    const std::string before = label(at + 1);
    const bool dualstack = before == "dualstack" && label(at + 2) == "s3";
    if ((before == "s3" || dualstack) && !label(at).empty()) return label(at);
    if (label(at).starts_with("s3-")) return label(at).substr(3);
  }
  // BUCKET.oss-REGION[-internal].aliyuncs.com
  if (EndsIn(labels, {"com", "aliyuncs"}) && label(2).starts_with("oss-")) {
    constexpr std::string_view kInternal = "-internal";
    std::string region = label(2).substr(4);
    if (region.ends_with(kInternal)) region.resize(region.size() - kInternal.size());
    if (!region.empty()) return region;
  }
  return std::nullopt;
}

Result<RegionRules> RegionRules::Create(RegionRulesOptions options) {
  const auto empty = [](const std::string& name) { return name.empty(); };
  if (std::any_of(options.allow.begin(), options.allow.end(), empty)) {
    return InvalidArgument("a region that may be reached has no name");
  }
  RegionRules rules;
  rules.options_.allow = std::move(options.allow);
  for (const auto& [host, region] : options.hosts) {
    if (host.empty() || host == "." || region.empty()) {
      return InvalidArgument("a host and its region both have names: " + host + " = " + region);
    }
    rules.options_.hosts[Lower(host)] = region;
  }
  return rules;
}

std::optional<std::string> RegionRules::RegionOf(std::string_view host) const {
  // What the configuration says goes before what a name seems to say; the nearest name first.
  const std::string name = Lower(host);
  if (const auto own = options_.hosts.find(name); own != options_.hosts.end()) return own->second;
  for (std::size_t dot = name.find('.'); dot != name.npos; dot = name.find('.', dot + 1)) {
    const auto below = options_.hosts.find(name.substr(dot));
    if (below != options_.hosts.end()) return below->second;
  }
  return RegionInHost(name);
}

Status RegionRules::Check(std::string_view host) const {
  if (options_.allow.empty()) return OkStatus();
  const std::optional<std::string> region = RegionOf(host);
  if (!region) {
    return PermissionDenied(std::string(host) +
                            ": nobody knows in which region it is, and only some may be reached");
  }
  if (std::find(options_.allow.begin(), options_.allow.end(), *region) != options_.allow.end()) {
    return OkStatus();
  }
  return PermissionDenied(std::string(host) +
                          ": is in a region that may not be reached: " + *region);
}

}  // namespace lethe
