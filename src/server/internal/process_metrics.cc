#include "server/internal/process_metrics.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>

#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace lethe::server_internal {
namespace {

namespace fs = std::filesystem;

double WallSeconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

// When the program's static objects were made is near enough to when it was started.
const double kStarted = WallSeconds();

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

std::uint64_t PageBytes() { return static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)); }

std::uint64_t ResidentBytes() {
  std::uint64_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * PageBytes();
}

std::uint64_t OpenFiles() {
  std::error_code error;
  std::uint64_t count = 0;
  for (auto entry = fs::directory_iterator("/proc/self/fd", error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    ++count;
  }
  return count;
}

// The machine's memory, or less where a control group (version 2) has a limit.
std::uint64_t MemoryLimit() {
  std::uint64_t limit = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * PageBytes();
  std::string line;
  std::ifstream groups("/proc/self/cgroup");
  while (std::getline(groups, line)) {
    if (!line.starts_with("0::/")) continue;
    for (fs::path group = line.substr(4);; group = group.parent_path()) {
      std::uint64_t bytes = 0;
      // "max" is no number.
      if (std::ifstream("/sys/fs/cgroup" / group / "memory.max") >> bytes) {
        limit = std::min(limit, bytes);
      }
      if (group.empty()) break;
    }
  }
  return limit;
}

}  // namespace

ProcessFigures ReadProcessFigures(const std::string& data_folder) {
  ProcessFigures figures{.started = kStarted,
                         .cpu_seconds = {},
                         .resident_bytes = ResidentBytes(),
                         .memory_limit = MemoryLimit(),
                         .disk = {}};
  rusage used{};
  if (getrusage(RUSAGE_SELF, &used) == 0) {
    figures.cpu_seconds = Seconds(used.ru_utime) + Seconds(used.ru_stime);
  }
  struct statvfs disk {};
  if (statvfs(data_folder.c_str(), &disk) == 0) {
    figures.disk = {.size = std::uint64_t{disk.f_blocks} * disk.f_frsize,
                    .free = std::uint64_t{disk.f_bavail} * disk.f_frsize};
  }
  return figures;
}

void AddProcessMetrics(MetricsText& text, const std::string& data_folder) {
  const ProcessFigures figures = ReadProcessFigures(data_folder);
  text.Single("process_start_time_seconds", "gauge", "When the process was started, since 1970.",
              figures.started);
  if (figures.cpu_seconds) {
    text.Single("process_cpu_seconds_total", "counter", "Processor time of the process.",
                *figures.cpu_seconds);
  }
  text.Single("process_resident_memory_bytes", "gauge", "Memory of the process, models included.",
              figures.resident_bytes);
  text.Single("lethe_memory_limit_bytes", "gauge",
              "Memory it may have: the machine's, or its control group's.", figures.memory_limit);
  text.Single("process_open_fds", "gauge", "Open files and sockets.", OpenFiles());
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    text.Single("process_max_fds", "gauge", "Files and sockets that may be open.",
                std::uint64_t{files.rlim_cur});
  }
  if (figures.disk) {
    text.Single("lethe_data_size_bytes", "gauge", "Size of the disk that has the data folder.",
                figures.disk->size);
    text.Single("lethe_data_free_bytes", "gauge", "What of it the service may still write.",
                figures.disk->free);
  }
}

}  // namespace lethe::server_internal
