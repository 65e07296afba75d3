#pragma once

// What the process and its disk need of the machine.

#include <string>

#include "server/internal/metrics_text.h"

namespace lethe::server_internal {

/// Adds the metrics that every Prometheus client library gives of its process (process_*), and the
/// disk of a folder. What the kernel does not tell is left out.
void AddProcessMetrics(MetricsText& text, const std::string& data_folder);

}  // namespace lethe::server_internal
