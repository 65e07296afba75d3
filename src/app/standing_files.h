#pragma once

// Files that a service has open for as long as it runs: whether their names still lead to them.
// What is written to a file that was removed or replaced is gone when the service stops, and no
// write says so.

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/fact.h"

namespace lethe {

/// Thread: any, once all is watched
class StandingFiles {
 public:
  /// From now on the name has to lead to the file that it leads to now. Where there is none,
  /// nothing is watched.
  void Watch(Label what, const std::string& path);

  /// What does not stand as it did, if anything; a file that is put back does. One that cannot be
  /// looked at does, too: it may be a disk that does not answer.
  std::optional<Label> Lost() const;

 private:
  struct File {
    Label what;
    std::string path;
    dev_t device;
    ino_t inode;
  };
  std::vector<File> files_;
};

}  // namespace lethe
