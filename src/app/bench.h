#pragma once

// `lethe bench`: its commands, a file each, and what they share. None of them judges a time; they
// say what it was.

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/App.hpp>

#include "base/status.h"

namespace lethe {

void AddBenchSpeed(CLI::App& bench, int& exit_code);
void AddBenchThroughput(CLI::App& bench, int& exit_code);
void AddBenchStreams(CLI::App& bench, int& exit_code);
void AddBenchBeside(CLI::App& bench, int& exit_code);
void AddBenchKernels(CLI::App& bench, int& exit_code);
void AddBenchRecords(CLI::App& bench, int& exit_code);

/// A recording decoded whole, mixed to one channel at 16 kHz.
/// Errors: as the audio reader; kInvalidArgument beyond `max_samples`
Result<std::vector<float>> ReadSamples(const std::string& path, std::size_t max_samples);

/// The value below which `share` (0..1) of the values lie, the nearest that is there; 0 of none.
double Percentile(std::vector<double> values, double share);

/// Processor time of this process so far, all threads together.
double CpuSeconds();

/// A line of /proc/self/status that gives a size: "VmRSS", what is resident now, or "VmHWM", the
/// most that ever was; pages of the model file included. 0 when there is no such line.
double MemoryBytes(std::string_view line);

/// Keeps this process, and the threads it starts from now on, on the core it runs on.
Status StayOnOneCore();

/// Seconds since it was made.
class Stopwatch {
 public:
  double Seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
  }

 private:
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

}  // namespace lethe
