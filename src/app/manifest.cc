#include "app/manifest.h"

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unordered_map>

namespace lethe {
namespace {

constexpr std::size_t kMaxManifestBytes = 64U << 20U;

std::vector<std::string_view> Split(std::string_view line) {
  std::vector<std::string_view> fields;
  for (;;) {
    const std::size_t tab = line.find('\t');
    fields.push_back(line.substr(0, tab));
    if (tab == std::string_view::npos) return fields;
    line.remove_prefix(tab + 1);
  }
}

}  // namespace

Result<std::vector<ManifestRow>> ParseManifest(std::string_view text,
                                               const std::string& directory) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::unordered_map<std::string_view, std::size_t> columns;
  std::size_t num_columns = 0;
  std::vector<ManifestRow> rows;
  for (std::size_t line_number = 1; !text.empty(); ++line_number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    const std::vector<std::string_view> fields = Split(line);
    if (columns.empty()) {
      num_columns = fields.size();
      for (std::size_t i = 0; i < fields.size(); ++i) columns.emplace(fields[i], i);
      if (!columns.contains("file")) {
        return InvalidArgument(
            "the first line of a manifest names tab-separated columns, one of "
            "which is \"file\"; columns here: " +
            std::to_string(num_columns));
      }
      continue;
    }
    if (fields.size() > num_columns) {
      return InvalidArgument("more fields than columns in line " + std::to_string(line_number));
    }
    const auto field = [&](std::string_view name) {
      const auto column = columns.find(name);
      return column == columns.end() || column->second >= fields.size()
                 ? std::string()
                 : std::string(fields[column->second]);
    };
    ManifestRow row{.id = field("id"),
                    .file = field("file"),
                    .language = field("language"),
                    .set = field("source"),
                    .transcript = field("transcript")};
    if (row.file.empty()) {
      return InvalidArgument("no file name in line " + std::to_string(line_number));
    }
    if (row.id.empty()) row.id = row.file;
    if (!directory.empty() && !std::filesystem::path(row.file).is_absolute()) {
      row.file = (std::filesystem::path(directory) / row.file).string();
    }
    row.set = row.set.substr(0, row.set.find(':'));
    row.seconds = std::strtod(field("seconds").c_str(), nullptr);
    if (!std::isfinite(row.seconds) || row.seconds < 0) row.seconds = 0;
    rows.push_back(std::move(row));
  }
  if (columns.empty()) return InvalidArgument("the manifest is empty");
  return rows;
}

Result<std::vector<ManifestRow>> ReadManifest(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return InvalidArgument("this is a directory; name the table in it, e.g. manifest.tsv");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return ErrnoStatus(errno, "cannot open the manifest");
  std::string text(kMaxManifestBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return Unavailable("cannot read the manifest");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxManifestBytes) {
    return InvalidArgument("a manifest may have at most 64 MB");
  }
  return ParseManifest(text, std::filesystem::path(path).parent_path().string());
}

}  // namespace lethe
