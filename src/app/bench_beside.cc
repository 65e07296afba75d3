#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/bench.h"
#include "app/commands.h"
#include "app/finish.h"
#include "app/output.h"
#include "app/recording_samples.h"
#include "app/setup.h"
#include "base/json.h"
#include "kernels/dispatch.h"

namespace lethe {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxShort = std::size_t{60} * kSampleRate;
constexpr std::size_t kMaxLong = std::size_t{600} * kSampleRate;

struct Options {
  std::string short_file, long_file;
  std::string model = kDefaultModel;
  int calls = 100;
  int threads = 0;
  bool json = false;
};

// A recording without end, pushed as fast as the engine takes it.
class EndlessRecording {
 public:
  EndlessRecording(Engine& engine, std::span<const float> samples)
      : thread_([this, &engine, samples] { Push(engine, samples); }) {}
  ~EndlessRecording() {
    stop_ = true;
    thread_.join();
  }
  // Why it ended before it was told to; OK while it goes on.
  Status status() const { return ended_ ? status_ : OkStatus(); }
  double audio_seconds() const { return static_cast<double>(pushed_.load()) / kSampleRate; }

 private:
  void Push(Engine& engine, std::span<const float> samples) {
    status_ = PushUntilStopped(engine, samples);
    ended_ = true;
  }

  Status PushUntilStopped(Engine& engine, std::span<const float> samples) {
    ASSIGN_OR_RETURN(const std::unique_ptr<Stream> stream, engine.Open({}));
    while (!stop_) {
      for (std::size_t i = 0; i < samples.size() && !stop_; i += kSampleRate) {
        const auto part =
            samples.subspan(i, std::min<std::size_t>(kSampleRate, samples.size() - i));
        RETURN_IF_ERROR(stream->PushSamples(part));
        pushed_ += part.size();
        stream->TakeSegments();
      }
    }
    return OkStatus();
  }

  std::atomic<bool> stop_ = false, ended_ = false;
  Status status_;  // once it ended
  std::atomic<std::size_t> pushed_ = 0;
  std::thread thread_;
};

// Milliseconds from a call's first sample to its text, call after call.
Result<std::vector<double>> Call(Engine& engine, std::span<const float> samples, int calls) {
  std::vector<double> times_ms;
  for (int i = 0; i < calls; ++i) {
    const Clock::time_point begun = Clock::now();
    ASSIGN_OR_RETURN(const std::unique_ptr<Stream> stream, engine.Open({}));
    RETURN_IF_ERROR(stream->PushSamples(samples));
    RETURN_IF_ERROR(stream->Finish().status());
    times_ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begun).count());
    // Not in step with the recording's segments.
    std::this_thread::sleep_for(std::chrono::milliseconds(5 + i % 17));
  }
  return times_ms;
}

Status RunBeside(const Options& options) {
  const auto read = [](const std::string& path, std::size_t most) {
    Result<std::vector<float>> samples = ReadRecordingSamples(path, most);
    return samples.ok() ? std::move(samples) : samples.status().WithContext(path);
  };
  ASSIGN_OR_RETURN(const std::vector<float> brief, read(options.short_file, kMaxShort));
  ASSIGN_OR_RETURN(const std::vector<float> lasting, read(options.long_file, kMaxLong));
  for (const auto& [file, samples] :
       {std::pair(&options.short_file, &brief), std::pair(&options.long_file, &lasting)}) {
    if (samples->empty()) return InvalidArgument(*file + ": has no samples");
  }
  ASSIGN_OR_RETURN(const KernelTable* kernels, ChooseKernels());
  ASSIGN_OR_RETURN(const LoadedModels models, LoadModels(options.model, *kernels));
  Engine engine(models.speech, models.voice_activity, {.num_threads = options.threads});
  RETURN_IF_ERROR(Call(engine, brief, 3).status());  // grows the buffers
  ASSIGN_OR_RETURN(const std::vector<double> alone, Call(engine, brief, options.calls));
  std::vector<double> beside;
  double rate = 0;
  {
    EndlessRecording recording(engine, lasting);
    // Past its first minute, which goes ahead as a call does.
    while (recording.audio_seconds() < 120) {
      RETURN_IF_ERROR(recording.status());
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    const double audio_begin = recording.audio_seconds();
    const Clock::time_point begun = Clock::now();
    ASSIGN_OR_RETURN(beside, Call(engine, brief, options.calls));
    const std::chrono::duration<double> elapsed = Clock::now() - begun;
    rate = (recording.audio_seconds() - audio_begin) / elapsed.count();
  }
  const auto spread = [](const std::vector<double>& times) {
    return nlohmann::ordered_json{{"p50_ms", Percentile(times, 0.5)},
                                  {"p95_ms", Percentile(times, 0.95)},
                                  {"p99_ms", Percentile(times, 0.99)}};
  };
  const double seconds = static_cast<double>(brief.size()) / kSampleRate;
  if (options.json) {
    const nlohmann::ordered_json json = {{"isa", kernels->name},
                                         {"threads", engine.num_threads()},
                                         {"call_seconds", seconds},
                                         {"calls", options.calls},
                                         {"alone", spread(alone)},
                                         {"beside", spread(beside)},
                                         {"recording_seconds_per_second", rate}};
    return WriteStandardOutput(WriteJson(json, 2) + "\n");
  }
  std::vector<char> text(400);
  std::snprintf(text.data(), text.size(),
                "%s, %d threads, %d calls of %.1f s\n"
                "alone               p50 %6.1f ms  p95 %6.1f ms  p99 %6.1f ms\n"
                "beside a recording  p50 %6.1f ms  p95 %6.1f ms  p99 %6.1f ms\n"
                "the recording went on at %.0f s of audio a second\n",
                kernels->name, engine.num_threads(), options.calls, seconds, Percentile(alone, 0.5),
                Percentile(alone, 0.95), Percentile(alone, 0.99), Percentile(beside, 0.5),
                Percentile(beside, 0.95), Percentile(beside, 0.99), rate);
  return WriteStandardOutput(text.data());
}

}  // namespace

void AddBenchBeside(CLI::App& bench, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = bench.add_subcommand(
      "beside", "How long a short call takes, alone and beside a recording that never ends");
  command->footer(
      "Example:\n"
      "  lethe bench beside question.wav lecture.mp3\n"
      "\n"
      "The recording is repeated for as long as the calls take; the calls come one after another.");
  command->add_option("short", options->short_file, "A recording of a minute at most")->required();
  command->add_option("long", options->long_file, "Its first ten minutes are repeated")->required();
  command->add_option("--calls", options->calls, "How many calls, alone and beside")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command->add_option("--model", options->model, "Installed speech model")->capture_default_str();
  command->add_option("--threads", options->threads, "Shards; 0 means one for each core")
      ->check(CLI::Range(0, kMaxThreads))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print JSON");
  Finish(command, exit_code, [options] { return RunBeside(*options); });
}

}  // namespace lethe
