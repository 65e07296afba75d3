#pragma once

// What the process and its disk need of the machine.

#include <cstdint>
#include <optional>
#include <string>

#include "server/internal/metrics_text.h"

namespace lethe::server_internal {

/// What the kernel does not tell is not set.
struct ProcessFigures {
  double started = 0;  // seconds since 1970
  std::optional<double> cpu_seconds;
  std::uint64_t resident_bytes = 0;
  std::uint64_t memory_limit = 0;  // the machine's, or its control group's
  struct Disk {
    std::uint64_t size = 0, free = 0;  // bytes; those that this user may still write
  };
  std::optional<Disk> disk;
};

/// Of this process, and the disk of a folder.
ProcessFigures ReadProcessFigures(const std::string& data_folder);

/// Adds the metrics that every Prometheus client library gives of its process (process_*), and the
/// disk of a folder. What the kernel does not tell is left out.
void AddProcessMetrics(MetricsText& text, const std::string& data_folder);

}  // namespace lethe::server_internal
