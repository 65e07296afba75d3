#include "app/ledger_report.h"

#include <ctime>

#include <nlohmann/json.hpp>

#include "app/table.h"
#include "base/encoding.h"
#include "base/json.h"

namespace lethe {
namespace {

using nlohmann::ordered_json;

// "2026-11-24 12:00:00 UTC".
std::string ShowSeconds(std::chrono::sys_seconds time) {
  const std::time_t seconds = time.time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text;
}

std::string ShowCount(std::uint64_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string Heading(const Verification& verified) {
  std::string text = "Ledger    " + verified.origin + "\nLeaves    " +
                     std::to_string(verified.num_leaves) + ", under " +
                     ShowCount(verified.num_heads, "signed head") + "\n";
  if (verified.last_head) text += "Last head " + ShowSeconds(verified.last_head->time) + "\n";
  if (!verified.keys.empty()) text += "First key " + verified.keys.front().Text() + "\n";
  if (verified.keys.size() > 1) {
    text += "          handed over " + ShowCount(verified.keys.size() - 1, "time") + ", now " +
            verified.keys.back().Text() + "\n";
  }
  text += verified.is_key_trusted
              ? "          The key that is trusted signs it.\n"
              : "          Not compared: with --public-key, this also shows whose ledger it is.\n";
  return text;
}

std::string ShowLargest(const Lateness& lateness) {
  if (!lateness.largest) return "-";
  return lateness.largest->count() > 0 ? std::to_string(lateness.largest->count()) + " s" : "none";
}

// Where no head was signed for long.
std::string Gaps(const Verification& verified) {
  if (!verified.longest_gap) return "";
  const HeadGap& longest = *verified.longest_gap;
  return ShowCount(verified.num_gaps, "time") +
         " without a head for more than a day, at most from " + ShowSeconds(longest.from) + " to " +
         ShowSeconds(longest.to) +
         ":\nthe service was stopped, or signed none; when what is between was written is its "
         "word.\n";
}

std::string Accounts(const Verification& verified) {
  Table table(1, {"CLASS", "CREATED", "ERASED", "LIVE", "OVERDUE", "REFUSED", "LARGEST LATENESS",
                  "CREATED = LIVE + ERASED"});
  for (std::size_t i = 0; i < kDataClasses.size(); ++i) {
    const ClassAccount& account = verified.classes[i];
    table.Add({std::string(DataClassName(kDataClasses[i])), std::to_string(account.created),
               std::to_string(account.erased), std::to_string(account.live),
               std::to_string(account.overdue), std::to_string(account.refused),
               ShowLargest(account.lateness), account.is_complete() ? "yes" : "NO"});
  }
  const KeysAccount& keys = verified.keys_of_hours;
  table.Add({"keys of hours", "-", std::to_string(keys.destroyed), "-",
             std::to_string(keys.missing), "-", ShowLargest(keys.lateness), "-"});
  return table.Text();
}

std::string LatenessTable(const Verification& verified) {
  std::vector<std::string> heads = {"LATE BY"};
  for (const DataClass data_class : kDataClasses) heads.emplace_back(DataClassName(data_class));
  heads.emplace_back("keys");
  Table table(1, heads);
  const char* const names[kNumLatenessBins] = {
      "nothing",        "at most 1 s", "at most 10 s",  "at most 1 min",
      "at most 10 min", "at most 1 h", "at most 1 day", "more"};
  for (std::size_t bin = 0; bin < kNumLatenessBins; ++bin) {
    std::vector<std::string> row = {names[bin]};
    for (const ClassAccount& account : verified.classes) {
      row.push_back(std::to_string(account.lateness.bins[bin]));
    }
    row.push_back(std::to_string(verified.keys_of_hours.lateness.bins[bin]));
    table.Add(row);
  }
  return table.Text();
}

std::string Findings(const Verification& verified) {
  if (verified.is_clean()) return "No findings.\n";
  std::string text = ShowCount(verified.num_findings, "finding") + ":\n";
  for (const Finding& finding : verified.findings) {
    text += "  " + std::string(FindingKindName(finding.kind)) + ": " + finding.what + "\n";
  }
  if (verified.num_findings > verified.findings.size()) {
    text += "  and " + std::to_string(verified.num_findings - verified.findings.size()) + " more\n";
  }
  return text;
}

ordered_json LatenessJson(const Lateness& of) {
  ordered_json bins = ordered_json::array();
  for (std::size_t bin = 0; bin < kNumLatenessBins; ++bin) {
    ordered_json entry = {{"count", of.bins[bin]}};
    if (bin < kLatenessBounds.size()) entry["at_most_s"] = kLatenessBounds[bin];
    bins.push_back(entry);
  }
  ordered_json lateness = {{"largest_s", nullptr}, {"leaf", nullptr}, {"histogram", bins}};
  if (of.largest) {
    lateness["largest_s"] = of.largest->count();
    lateness["leaf"] = of.largest_leaf;
  }
  return lateness;
}

ordered_json AccountJson(const ClassAccount& account) {
  ordered_json causes = ordered_json::object();
  for (std::size_t i = 1; i < kNumErasureCauses; ++i) {
    causes[std::string(ErasureCauseName(static_cast<ErasureCause>(i)))] = account.erased_for[i];
  }
  return {{"created", account.created}, {"erased", account.erased},
          {"live", account.live},       {"overdue", account.overdue},
          {"refused", account.refused}, {"complete", account.is_complete()},
          {"erased_for", causes},       {"lateness", LatenessJson(account.lateness)}};
}

}  // namespace

std::string LedgerReport(const Verification& verified) {
  std::string text = Heading(verified) + "\n" + Accounts(verified) + "\n" +
                     LatenessTable(verified) + "\n" +
                     ShowCount(verified.policy_changes, "changed period") + "\n" + Gaps(verified) +
                     "\n" + Findings(verified) + "\nThis cannot show:\n";
  for (const std::string_view line : CannotProve()) text.append("  ").append(line).append("\n");
  return text;
}

std::string LedgerReportJson(const Verification& verified) {
  ordered_json report = {{"origin", verified.origin},
                         {"leaves", verified.num_leaves},
                         {"heads", verified.num_heads},
                         {"last_head", nullptr},
                         {"keys", ordered_json::array()},
                         {"key_is_trusted", verified.is_key_trusted},
                         {"classes", ordered_json::object()},
                         {"policy_changes", verified.policy_changes},
                         {"epoch_keys_destroyed", verified.keys_of_hours.destroyed},
                         {"epoch_keys_missing", verified.keys_of_hours.missing},
                         {"epoch_keys_lateness", LatenessJson(verified.keys_of_hours.lateness)},
                         {"num_gaps", verified.num_gaps},
                         {"longest_gap", nullptr},
                         {"num_findings", verified.num_findings},
                         {"findings", ordered_json::array()},
                         {"cannot_prove", ordered_json::array()}};
  if (verified.last_head) {
    report["last_head"] = {{"size", verified.last_head->size},
                           {"root", Base64Encode(verified.last_head->root)},
                           {"time", verified.last_head->time.time_since_epoch().count()}};
  }
  if (verified.longest_gap) {
    report["longest_gap"] = {{"from", verified.longest_gap->from.time_since_epoch().count()},
                             {"to", verified.longest_gap->to.time_since_epoch().count()}};
  }
  for (const VerifierKey& key : verified.keys) report["keys"].push_back(key.Text());
  for (std::size_t i = 0; i < kDataClasses.size(); ++i) {
    report["classes"][std::string(DataClassName(kDataClasses[i]))] =
        AccountJson(verified.classes[i]);
  }
  for (const Finding& finding : verified.findings) {
    report["findings"].push_back(
        {{"kind", std::string(FindingKindName(finding.kind))}, {"what", finding.what}});
  }
  for (const std::string_view line : CannotProve()) {
    report["cannot_prove"].push_back(std::string(line));
  }
  return WriteJson(report, 2) + "\n";
}

}  // namespace lethe
