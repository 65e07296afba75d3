#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <sched.h>

#include "app/commands.h"
#include "app/output.h"
#include "app/setup.h"
#include "audio/speech_reader.h"
#include "kernels/dispatch.h"

namespace lethe {
namespace {

constexpr int kMaxRuns = 10'000;
// Ten minutes of one channel are 38 MB; what is longer tells nothing more about speed.
constexpr std::size_t kMaxSamples = std::size_t{600} * kSampleRate;

struct SpeedOptions {
  std::string file;
  std::string model = kDefaultModel;
  std::string hot_words;
  int runs = 20;
  bool json = false;
};

Result<std::vector<float>> ReadSamples(const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<AudioSource> source, OpenAudioFile(path));
  ASSIGN_OR_RETURN(SpeechReader reader, SpeechReader::Open(std::move(source), ChannelMode::kMix));
  std::vector<float> samples;
  std::vector<std::vector<float>> block;
  while (true) {
    ASSIGN_OR_RETURN(const std::size_t count, reader.Read(block));
    if (count == 0) return samples;
    if (samples.size() + count > kMaxSamples) {
      return InvalidArgument("is longer than ten minutes; give a shorter recording");
    }
    samples.insert(samples.end(), block[0].begin(), block[0].end());
  }
}

// Keeps this process, and the threads it starts, on the core it runs on, so that one thread of
// recognition and the thread that pushes samples share it: one core, as the peers have.
Status StayOnOneCore() {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(std::max(0, sched_getcpu())), &set);
  if (sched_setaffinity(0, sizeof(set), &set) == 0) return OkStatus();
  return ErrnoStatus(errno, "cannot stay on one core");
}

double Percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double at = share * static_cast<double>(values.size() - 1);
  return values[static_cast<std::size_t>(std::lround(at))];
}

Result<std::string> TranscribeOnce(Engine& engine, std::span<const float> samples,
                                   const StreamOptions& options) {
  const std::unique_ptr<Stream> stream = engine.Open(options);
  RETURN_IF_ERROR(stream->PushSamples(samples));
  ASSIGN_OR_RETURN(const std::vector<Segment> segments, stream->Finish());
  std::string text;
  for (const Segment& segment : segments) text += (text.empty() ? "" : " ") + segment.text;
  return text;
}

Status RunSpeed(const SpeedOptions& options) {
  const Result<std::vector<float>> samples = ReadSamples(options.file);
  if (!samples.ok()) return samples.status().WithContext(options.file);
  ASSIGN_OR_RETURN(const KernelTable* kernels, ChooseKernels());
  ASSIGN_OR_RETURN(const LoadedModels models, LoadModels(options.model, *kernels));
  StreamOptions how;
  ASSIGN_OR_RETURN(how.hot_words, LoadHotWords(options.hot_words, {}, *models.speech));
  RETURN_IF_ERROR(StayOnOneCore());
  Engine engine(models.speech, models.voice_activity, {.num_threads = 1});
  // The first run faults the model's pages in and grows the buffers; it is no part of the figure.
  ASSIGN_OR_RETURN(const std::string text, TranscribeOnce(engine, *samples, how));
  std::vector<double> times_ms;
  for (int i = 0; i < options.runs; ++i) {
    const auto begun = std::chrono::steady_clock::now();
    RETURN_IF_ERROR(TranscribeOnce(engine, *samples, how).status());
    const std::chrono::duration<double, std::milli> elapsed =
        std::chrono::steady_clock::now() - begun;
    times_ms.push_back(elapsed.count());
  }
  const double seconds = static_cast<double>(samples->size()) / kSampleRate;
  const double median = Percentile(times_ms, 0.5);
  if (options.json) {
    const nlohmann::ordered_json json = {{"isa", kernels->name},
                                         {"model", models.label.name},
                                         {"audio_seconds", seconds},
                                         {"runs", options.runs},
                                         {"median_ms", median},
                                         {"least_ms", Percentile(times_ms, 0)},
                                         {"p95_ms", Percentile(times_ms, 0.95)},
                                         {"rtf", median / 1000 / seconds},
                                         {"text", text}};
    return WriteStandardOutput(json.dump(2) + "\n");
  }
  std::vector<char> line(256);
  std::snprintf(line.data(), line.size(),
                "%s, one core, %.1f s of audio, %d runs\n"
                "median %.1f ms, least %.1f ms, p95 %.1f ms, real-time factor %.4f\n",
                kernels->name, seconds, options.runs, median, Percentile(times_ms, 0),
                Percentile(times_ms, 0.95), median / 1000 / seconds);
  return WriteStandardOutput(line.data());
}

}  // namespace

void AddBenchCommand(CLI::App& program, int& exit_code) {
  CLI::App* bench = program.add_subcommand("bench", "Measure the speed of this machine");
  bench->require_subcommand(1);
  bench->footer("Example:\n  lethe bench speed talk.wav");
  auto options = std::make_shared<SpeedOptions>();
  CLI::App* speed = bench->add_subcommand(
      "speed", "Transcribe one recording again and again on one core: samples to text");
  speed->footer(
      "Example:\n"
      "  LETHE_ISA=avx2 lethe bench speed --runs 50 talk.wav\n"
      "\n"
      "Voice activity detection and segmentation are included; decoding the file, loading the\n"
      "model and the first run are not. LETHE_ISA chooses an instruction set.");
  speed->add_option("file", options->file, "A recording of ten minutes at most")->required();
  speed->add_option("--runs", options->runs, "How often")
      ->check(CLI::Range(1, kMaxRuns))
      ->capture_default_str();
  speed->add_option("--model", options->model, "Installed speech model")->capture_default_str();
  speed->add_option("--hot-words", options->hot_words, "File of hot words to listen for");
  speed->add_flag("--json", options->json, "Print JSON, with the text");
  speed->callback([options, &exit_code] {
    const Status status = RunSpeed(*options);
    if (!status.ok()) PrintError(status.message());
    exit_code = status.ok() ? kExitOk : kExitFailed;
  });
}

}  // namespace lethe
