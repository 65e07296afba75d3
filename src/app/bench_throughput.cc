#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/bench.h"
#include "app/commands.h"
#include "app/finish.h"
#include "app/inputs.h"
#include "app/output.h"
#include "app/setup.h"
#include "app/table.h"
#include "base/json.h"
#include "base/mutex.h"
#include "kernels/dispatch.h"

namespace lethe {
namespace {

constexpr int kMaxRepeat = 10'000;
// Recordings under way for each worker: enough that a batch, which is shared by their segments, is
// full while some of them are still being listened to.
constexpr int kStreamsPerWorker = 16;
// What may be held decoded: two hours, 461 MB.
constexpr double kMaxHeldSeconds = 7200;
constexpr auto kMaxHeldSamples = static_cast<std::size_t>(kMaxHeldSeconds) * kSampleRate;

struct ThroughputOptions {
  std::vector<std::string> inputs;
  std::string model = kDefaultModel;
  int threads = 0;
  int repeat = 1;
  bool json = false;
};

struct Recording {
  std::string path;
  double seconds = 0;
  bool failed = false;
  std::vector<float> samples;
};

// What all recordings took together, `repeat` times.
struct Pass {
  double wall_seconds = 0;
  double cpu_seconds = 0;
  double audio_seconds = 0;
  std::size_t segments = 0;
  double per_second() const { return wall_seconds > 0 ? audio_seconds / wall_seconds : 0; }
  double per_core_second() const { return cpu_seconds > 0 ? audio_seconds / cpu_seconds : 0; }
};

// Calls work(0) to work(count - 1), `at_once` at a time, and waits for all.
void ForEach(std::size_t count, std::size_t at_once, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < std::min(count, at_once); ++i) {
    threads.emplace_back([&] {
      for (std::size_t job; (job = next++) < count;) work(job);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

class Throughput {
 public:
  Throughput(const ThroughputOptions& options, const LoadedModels& models,
             const std::vector<std::string>& files)
      : repeat_(static_cast<std::size_t>(options.repeat)),
        engine_(models.speech, models.voice_activity, {.num_threads = options.threads}),
        transcriber_(engine_, models.label) {
    for (const std::string& file : files) recordings_.push_back({.path = file});
  }

  int num_threads() const { return engine_.num_threads(); }
  std::size_t num_recordings() const { return recordings_.size(); }
  double audio_seconds() const {
    double seconds = 0;
    for (const Recording& recording : recordings_) seconds += recording.seconds;
    return seconds;
  }

  // Reads, decodes and transcribes; names on standard error what cannot be, once, and forgets it.
  Pass FilesToText() {
    const Pass pass = Time("files to text", [this](Recording* recording) -> Result<std::size_t> {
      ASSIGN_OR_RETURN(const Transcript transcript, transcriber_.Transcribe(recording->path, {}));
      const MutexLock lock(mutex_);
      recording->seconds = static_cast<double>(transcript.duration.count()) / 1000;
      return transcript.segments.size();
    });
    std::erase_if(recordings_, [](const Recording& recording) { return recording.failed; });
    return pass;
  }

  // Transcribes what is decoded before.
  // Errors: as the audio reader, for a recording that is not what it was a moment ago
  Result<Pass> SamplesToText() {
    for (Recording& recording : recordings_) {
      Result<std::vector<float>> samples = ReadSamples(recording.path, kMaxHeldSamples);
      if (!samples.ok()) return samples.status().WithContext(recording.path);
      recording.samples = std::move(*samples);
    }
    return Time("samples to text", [this](Recording* recording) -> Result<std::size_t> {
      ASSIGN_OR_RETURN(const std::unique_ptr<Stream> stream, engine_.Open({}));
      RETURN_IF_ERROR(stream->PushSamples(recording->samples));
      ASSIGN_OR_RETURN(const std::vector<Segment> segments, stream->Finish());
      return segments.size();
    });
  }

 private:
  Pass Time(const std::string& what,
            const std::function<Result<std::size_t>(Recording*)>& transcribe) {
    Pass pass;
    std::size_t done = 0;
    ProgressLine progress(StandardErrorIsTerminal());
    const std::size_t jobs = recordings_.size() * repeat_;
    const double cpu_begun = CpuSeconds();
    const Stopwatch watch;
    const auto at_once = std::size_t{kStreamsPerWorker} * static_cast<std::size_t>(num_threads());
    ForEach(jobs, at_once, [&](std::size_t i) {
      Recording& recording = recordings_[i % recordings_.size()];
      const Result<std::size_t> segments = transcribe(&recording);
      const MutexLock lock(mutex_);
      if (segments.ok()) {
        pass.segments += *segments;
        pass.audio_seconds += recording.seconds;
      } else if (!recording.failed) {
        recording.failed = true;
        PrintError(recording.path, segments.status());
      }
      ++done;
      if (!progress.Due()) return;
      progress.Show(what + ": " + std::to_string(done) + " of " + std::to_string(jobs) +
                    " recordings, " + ShowDuration(pass.audio_seconds) + " in " +
                    ShowDuration(watch.Seconds()));
    });
    pass.wall_seconds = watch.Seconds();
    pass.cpu_seconds = CpuSeconds() - cpu_begun;
    return pass;
  }

  const std::size_t repeat_;
  Engine engine_;
  Transcriber transcriber_;
  std::vector<Recording> recordings_;
  Mutex mutex_;  // what a recording's threads, one for each repetition, say of it
};

nlohmann::ordered_json ToJson(const Pass& pass) {
  return {{"wall_seconds", pass.wall_seconds},
          {"cpu_seconds", pass.cpu_seconds},
          {"audio_seconds_per_second", pass.per_second()},
          {"audio_seconds_per_core_second", pass.per_core_second()},
          {"segments", pass.segments}};
}

Result<int> RunThroughput(const ThroughputOptions& options) {
  std::vector<std::string> files;
  bool all_good = ExpandFolders(options.inputs, &files);
  if (files.empty()) return kExitFailed;
  ASSIGN_OR_RETURN(const KernelTable* kernels, ChooseKernels());
  ASSIGN_OR_RETURN(const LoadedModels models, LoadModels(options.model, *kernels));
  Throughput bench(options, models, files);
  const Pass from_files = bench.FilesToText();
  const std::size_t count = bench.num_recordings(), skipped = files.size() - count;
  if (count == 0) return kExitFailed;
  all_good = all_good && skipped == 0;
  const double peak = MemoryBytes("VmHWM");  // before samples are held
  std::optional<Pass> from_samples;
  if (bench.audio_seconds() <= kMaxHeldSeconds) {
    ASSIGN_OR_RETURN(from_samples, bench.SamplesToText());
  }
  if (options.json) {
    const nlohmann::ordered_json json = {
        {"isa", kernels->name},
        {"model", models.label.name},
        {"threads", bench.num_threads()},
        {"recordings", count},
        {"skipped", skipped},
        {"repeat", options.repeat},
        {"audio_seconds", bench.audio_seconds()},
        {"files_to_text", ToJson(from_files)},
        {"samples_to_text", from_samples ? ToJson(*from_samples) : nlohmann::ordered_json()},
        {"peak_resident_bytes", peak}};
    RETURN_IF_ERROR(WriteStandardOutput(WriteJson(json, 2) + "\n"));
    return all_good ? kExitOk : kExitFailed;
  }
  Table table(1, {"", "wall s", "core s", "audio s per s", "audio s per core s"});
  const auto add = [&](const char* what, const Pass& pass) {
    table.Add({what, ShowNumber(pass.wall_seconds, 2), ShowNumber(pass.cpu_seconds, 2),
               ShowNumber(pass.per_second(), 1), ShowNumber(pass.per_core_second(), 1)});
  };
  add("files to text", from_files);
  if (from_samples) add("samples to text", *from_samples);
  RETURN_IF_ERROR(WriteStandardOutput(
      std::string(kernels->name) + ", threads: " + std::to_string(bench.num_threads()) + "; " +
      ShowDuration(bench.audio_seconds()) + " of audio, recordings: " + std::to_string(count) +
      ", skipped: " + std::to_string(skipped) + ", times each: " + std::to_string(options.repeat) +
      "\n\n" + table.Text() +
      (from_samples ? "" : "samples to text: not measured, more than two hours would be held\n") +
      "\npeak resident memory, files to text: " + ShowBytes(peak) + "\n"));
  return all_good ? kExitOk : kExitFailed;
}

}  // namespace

void AddBenchThroughput(CLI::App& bench, int& exit_code) {
  auto options = std::make_shared<ThroughputOptions>();
  CLI::App* command = bench.add_subcommand(
      "throughput", "Transcribe many recordings at once on all cores: seconds of audio a second");
  command->footer(
      "Examples:\n"
      "  lethe bench throughput recordings/\n"
      "  lethe bench throughput --repeat 20 short.wav shorter.wav\n"
      "\n"
      "All recordings are transcribed twice. \"files to text\" includes reading, decoding and\n"
      "resampling, and is what peak memory is given for; \"samples to text\" begins with samples "
      "in\n"
      "memory, and is what other engines are compared by. Both include voice activity detection\n"
      "and segmentation; loading the model is in neither. Core seconds are the time that cores\n"
      "worked on it, and hardly feel others who use the machine. Many recordings are under way at "
      "a "
      "time,\n"
      "so that segments of different ones share a batch: a few short ones do not fill it, which "
      "is\n"
      "what --repeat is for. What cannot be read is named and left out; the exit code is then 1.");
  command->add_option("input", options->inputs, "Recordings, or folders of them")->required();
  command->add_option("--threads", options->threads, "Worker threads; 0 means one for each core")
      ->check(CLI::Range(0, kMaxThreads))
      ->capture_default_str();
  command->add_option("--repeat", options->repeat, "How often each recording is transcribed")
      ->check(CLI::Range(1, kMaxRepeat))
      ->capture_default_str();
  command->add_option("--model", options->model, "Installed speech model")->capture_default_str();
  command->add_flag("--json", options->json, "Print JSON");
  Finish(command, exit_code, [options] { return RunThroughput(*options); });
}

}  // namespace lethe
