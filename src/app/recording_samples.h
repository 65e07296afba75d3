#pragma once

#include <string>
#include <vector>

#include "base/status.h"

namespace lethe {

/// Decodes a recording to 16 kHz mono in [-1, 1]; what is longer than `max_samples` is left out.
/// Errors: as the audio reader; messages do not repeat the path
Result<std::vector<float>> ReadRecordingSamples(const std::string& path, std::size_t max_samples);

}  // namespace lethe
