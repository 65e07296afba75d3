#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <memory>

#include <sched.h>
#include <sys/resource.h>

#include "app/bench.h"
#include "app/commands.h"
#include "app/recording_samples.h"
#include "base/units.h"

namespace lethe {

Result<std::vector<float>> ReadSamples(const std::string& path, std::size_t max_samples) {
  ASSIGN_OR_RETURN(std::vector<float> samples, ReadRecordingSamples(path, max_samples + 1));
  if (samples.size() <= max_samples) return samples;
  return InvalidArgument("give a shorter recording, this one is longer than " +
                         std::to_string(max_samples / kSampleRate / 60) + " minutes");
}

double Percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double at = share * static_cast<double>(values.size() - 1);
  return values[static_cast<std::size_t>(std::lround(at))];
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double MemoryBytes(std::string_view line) {
  const std::string wanted = std::string(line) + ":";
  std::ifstream status("/proc/self/status");
  for (std::string key; status >> key;) {
    double kib = 0;
    if (key == wanted && status >> kib) return kib * 1024;
  }
  return 0;
}

Status StayOnOneCore() {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(std::max(0, sched_getcpu())), &set);
  if (sched_setaffinity(0, sizeof(set), &set) == 0) return OkStatus();
  return ErrnoStatus(errno, "cannot stay on one core");
}

void AddBenchCommand(CLI::App& program, int& exit_code) {
  CLI::App* bench = program.add_subcommand("bench", "Measure the speed of this machine");
  bench->require_subcommand(1);
  bench->footer(
      "Examples:\n"
      "  lethe bench speed talk.wav            one recording, one core: how long one waits\n"
      "  lethe bench throughput recordings/    many recordings, all cores: how much gets done\n"
      "  lethe bench streams recordings/       live streams: how many at once, how late their "
      "words\n"
      "  lethe bench beside short.wav long.wav a short call while a long recording is transcribed\n"
      "  lethe bench kernels                   the arithmetic beside what this core could do\n"
      "  lethe bench records                   erasures and a sweep over many stored results");
  AddBenchSpeed(*bench, exit_code);
  AddBenchThroughput(*bench, exit_code);
  AddBenchStreams(*bench, exit_code);
  AddBenchBeside(*bench, exit_code);
  AddBenchKernels(*bench, exit_code);
  AddBenchRecords(*bench, exit_code);
}

}  // namespace lethe
