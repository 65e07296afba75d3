#include <memory>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/bench.h"
#include "app/commands.h"
#include "app/finish.h"
#include "app/output.h"
#include "app/setup.h"
#include "base/json.h"
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

Result<std::string> TranscribeOnce(Engine& engine, std::span<const float> samples,
                                   const StreamOptions& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Stream> stream, engine.Open(options));
  RETURN_IF_ERROR(stream->PushSamples(samples));
  ASSIGN_OR_RETURN(const std::vector<Segment> segments, stream->Finish());
  std::string text;
  for (const Segment& segment : segments) text += (text.empty() ? "" : " ") + segment.text;
  return text;
}

Status RunSpeed(const SpeedOptions& options) {
  const Result<std::vector<float>> samples = ReadSamples(options.file, kMaxSamples);
  if (!samples.ok()) return samples.status().WithContext(options.file);
  ASSIGN_OR_RETURN(const KernelTable* kernels, ChooseKernels());
  ASSIGN_OR_RETURN(const LoadedModels models, LoadModels(options.model, *kernels));
  // One thread of recognition and the thread that pushes samples share a core, as the peers have
  // one.
  StreamOptions how;
  ASSIGN_OR_RETURN(how.hot_words, LoadHotWords(options.hot_words, {}, *models.speech));
  RETURN_IF_ERROR(StayOnOneCore());
  Engine engine(models.speech, models.voice_activity, {.num_threads = 1});
  // The first run faults the model's pages in and grows the buffers; it is no part of the figure.
  ASSIGN_OR_RETURN(const std::string text, TranscribeOnce(engine, *samples, how));
  std::vector<double> times_ms;
  for (int i = 0; i < options.runs; ++i) {
    const Stopwatch watch;
    RETURN_IF_ERROR(TranscribeOnce(engine, *samples, how).status());
    times_ms.push_back(1000 * watch.Seconds());
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
    return WriteStandardOutput(WriteJson(json, 2) + "\n");
  }
  return WriteStandardOutput(std::string(kernels->name) + ", one core, " + ShowNumber(seconds, 1) +
                             " s of audio, " + std::to_string(options.runs) + " runs\nmedian " +
                             ShowNumber(median, 1) + " ms, least " +
                             ShowNumber(Percentile(times_ms, 0), 1) + " ms, p95 " +
                             ShowNumber(Percentile(times_ms, 0.95), 1) + " ms, real-time factor " +
                             ShowNumber(median / 1000 / seconds, 4) + "\n");
}

}  // namespace

void AddBenchSpeed(CLI::App& bench, int& exit_code) {
  auto options = std::make_shared<SpeedOptions>();
  CLI::App* speed = bench.add_subcommand(
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
  Finish(speed, exit_code, [options] { return RunSpeed(*options); });
}

}  // namespace lethe
