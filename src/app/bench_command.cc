#include <algorithm>
#include <cerrno>
#include <cmath>
#include <memory>

#include <sched.h>

#include "app/bench.h"
#include "app/commands.h"
#include "audio/speech_reader.h"

namespace lethe {

Result<std::vector<float>> ReadSamples(const std::string& path, std::size_t max_samples) {
  ASSIGN_OR_RETURN(std::unique_ptr<AudioSource> source, OpenAudioFile(path));
  ASSIGN_OR_RETURN(SpeechReader reader, SpeechReader::Open(std::move(source), ChannelMode::kMix));
  std::vector<float> samples;
  std::vector<std::vector<float>> block;
  while (true) {
    ASSIGN_OR_RETURN(const std::size_t count, reader.Read(block));
    if (count == 0) return samples;
    if (samples.size() + count > max_samples) {
      return InvalidArgument("give a shorter recording, this one is longer than " +
                             std::to_string(max_samples / kSampleRate / 60) + " minutes");
    }
    samples.insert(samples.end(), block[0].begin(), block[0].end());
  }
}

double Percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double at = share * static_cast<double>(values.size() - 1);
  return values[static_cast<std::size_t>(std::lround(at))];
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
      "  lethe bench kernels                   the arithmetic beside what this core could do");
  AddBenchSpeed(*bench, exit_code);
  AddBenchThroughput(*bench, exit_code);
  AddBenchKernels(*bench, exit_code);
}

}  // namespace lethe
