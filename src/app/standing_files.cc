#include "app/standing_files.h"

#include <cerrno>

#include <sys/stat.h>

namespace lethe {

void StandingFiles::Watch(Label what, const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return;
  files_.push_back({.what = what, .path = path, .device = about.st_dev, .inode = about.st_ino});
}

std::optional<Label> StandingFiles::Lost() const {
  for (const File& file : files_) {
    struct stat about {};
    const bool there = ::stat(file.path.c_str(), &about) == 0;
    if (!there && errno != ENOENT && errno != ENOTDIR) continue;
    if (!there || about.st_dev != file.device || about.st_ino != file.inode) return file.what;
  }
  return std::nullopt;
}

}  // namespace lethe
