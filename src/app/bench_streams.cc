#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/bench.h"
#include "app/commands.h"
#include "app/finish.h"
#include "app/inputs.h"
#include "app/live_player.h"
#include "app/output.h"
#include "app/recording_samples.h"
#include "app/setup.h"
#include "base/json.h"
#include "base/mutex.h"
#include "kernels/dispatch.h"

namespace lethe {
namespace {

using Clock = LivePlayer::Clock;
using std::chrono::duration;
using std::chrono::duration_cast;

// Recordings to speak: enough for variety, not more than a laptop has room for.
constexpr std::size_t kMaxSamples = std::size_t{1800} * kSampleRate;
constexpr std::size_t kMaxClip = std::size_t{60} * kSampleRate;
// Silence behind each: longer than what ends an utterance.
constexpr std::size_t kPause = std::size_t{12} * kSampleRate / 10;
// Before it counts: every stream has begun, and buffers have grown.
constexpr double kWarmUpSeconds = 3;
constexpr int kMaxStreams = 4000;

struct Options {
  std::vector<std::string> inputs;
  std::string model = kDefaultModel;
  int streams = 0;
  int most = 1000;
  double seconds = 20;
  double target_ms = 300;
  int interval_ms = 500;
  int silence_ms = 600;
  bool no_partials = false;
  bool words = false;
  double hang_up = 0;
  int threads = 0;
  bool json = false;
};

// What one run with a number of streams gave.
struct Run {
  int streams = 0;
  double seconds = 0;
  std::vector<double> final_ms;    // from the endpoint to the final
  std::vector<double> cadence_ms;  // from partial to partial of an utterance
  std::vector<double> lag_ms;      // from the audio a partial knows to the partial
  std::int64_t turned_away = 0;    // samples
  std::int64_t hung_up = 0;
  double cpu_share = 0;  // of the cores used
  double resident_begin_bytes = 0, resident_end_bytes = 0;
};

Result<SharedSamples> ReadClip(const std::string& path) {
  ASSIGN_OR_RETURN(std::vector<float> samples, ReadRecordingSamples(path, kMaxClip));
  samples.resize(samples.size() + kPause, 0.0f);
  return SharedSamples(std::make_shared<const std::vector<float>>(std::move(samples)));
}

// Names on standard error what cannot be read, and says so in `all_read`.
Result<std::vector<SharedSamples>> ReadClips(const std::vector<std::string>& inputs,
                                             bool* all_read) {
  std::vector<std::string> files;
  *all_read = ExpandFolders(inputs, &files);
  std::vector<SharedSamples> clips;
  std::size_t total = 0;
  for (const std::string& file : files) {
    const Result<SharedSamples> clip = ReadClip(file);
    if (!clip.ok()) {
      PrintError(file, clip.status());
      *all_read = false;
      continue;
    }
    clips.push_back(*clip);
    total += (*clip)->size();
    if (total > kMaxSamples) break;
  }
  if (clips.empty()) return InvalidArgument("there is no recording to speak");
  return clips;
}

// Many clients at once, for some seconds, and what they saw.
class StreamLoad {
 public:
  StreamLoad(Engine& engine, const std::vector<SharedSamples>& clips, const Options& options)
      : clips_(clips),
        options_(options),
        player_(engine,
                {.words = options.words,
                 .partials = !options.no_partials,
                 .partial_interval = Millis(options.interval_ms),
                 .trailing_silence = Millis(options.silence_ms),
                 .notify = {}},
                1.0) {}

  Result<Run> Play(int streams, const std::function<void(double)>& progress) {
    {
      const MutexLock lock(mutex_);
      run_.streams = streams;
    }
    for (int i = 0; i < streams; ++i) AddVoice(Jitter(2.0));
    const Clock::time_point begun = Clock::now();
    double cpu_begin = 0;
    Clock::time_point counted_from{};
    const auto stop = [&] {
      const double elapsed = duration<double>(Clock::now() - begun).count();
      progress(elapsed);
      if (!counting_ && elapsed >= kWarmUpSeconds) {
        counting_ = true;
        counted_from = Clock::now();
        const MutexLock lock(mutex_);
        cpu_begin = CpuSeconds();
        run_.resident_begin_bytes = MemoryBytes("VmRSS");
      }
      return elapsed >= kWarmUpSeconds + options_.seconds;
    };
    RETURN_IF_ERROR(player_.Play(stop));
    const double resident_end_bytes = MemoryBytes("VmRSS");
    stopped_ = true;
    const MutexLock lock(mutex_);
    run_.resident_end_bytes = resident_end_bytes;
    run_.seconds = duration<double>(Clock::now() - counted_from).count();
    run_.cpu_share = (CpuSeconds() - cpu_begin) / run_.seconds;
    run_.turned_away = player_.turned_away();
    return run_;
  }

 private:
  Clock::duration Jitter(double seconds) {
    return duration_cast<Clock::duration>(
        duration<double>(std::uniform_real_distribution(0.0, seconds)(random_)));
  }

  void AddVoice(Clock::duration start_after) {
    auto at = std::make_shared<std::size_t>(random_() % clips_.size());
    auto last_partial =
        std::make_shared<std::pair<int, Clock::time_point>>(-1, Clock::time_point{});
    LivePlayer::Voice voice{.next = [this, at] { return clips_[(*at)++ % clips_.size()]; },
                            .on_event =
                                [this, last_partial](const StreamEvent& event, double latency_ms) {
                                  Count(event, latency_ms, last_partial.get());
                                },
                            .on_end = {},
                            .start_after = start_after};
    if (options_.hang_up > 0) {
      voice.hang_up_after = start_after + Jitter(2 * options_.hang_up);
      voice.on_end = [this] {
        if (stopped_) return;
        {
          const MutexLock lock(mutex_);
          ++run_.hung_up;
        }
        AddVoice({});
      };
    }
    player_.Add(std::move(voice));
  }

  void Count(const StreamEvent& event, double latency_ms,
             std::pair<int, Clock::time_point>* last_partial) {
    const MutexLock lock(mutex_);
    if (!counting_) return;
    if (event.kind == StreamEvent::Kind::kFinal) run_.final_ms.push_back(latency_ms);
    if (event.kind != StreamEvent::Kind::kPartial) return;
    const Clock::time_point now = Clock::now();
    run_.lag_ms.push_back(latency_ms);
    if (last_partial->first == event.utterance) {
      run_.cadence_ms.push_back(duration<double, std::milli>(now - last_partial->second).count());
    }
    *last_partial = {event.utterance, now};
  }

  const std::vector<SharedSamples>& clips_;
  const Options& options_;
  std::mt19937 random_{20'26};
  std::atomic<bool> counting_ = false, stopped_ = false;
  Mutex mutex_;
  Run run_ GUARDED_BY(mutex_);
  LivePlayer player_;  // last: its events use all of the above
};

bool Holds(const Run& run, const Options& options) {
  return !run.final_ms.empty() && run.turned_away == 0 &&
         Percentile(run.final_ms, 0.95) <= options.target_ms;
}

nlohmann::ordered_json Json(const Run& run) {
  const auto spread = [](const std::vector<double>& values) {
    return nlohmann::ordered_json{{"count", values.size()},
                                  {"p50", Percentile(values, 0.5)},
                                  {"p95", Percentile(values, 0.95)},
                                  {"p99", Percentile(values, 0.99)}};
  };
  return {{"streams", run.streams},
          {"seconds", run.seconds},
          {"final_ms", spread(run.final_ms)},
          {"partial_cadence_ms", spread(run.cadence_ms)},
          {"partial_lag_ms", spread(run.lag_ms)},
          {"turned_away_samples", run.turned_away},
          {"hung_up", run.hung_up},
          {"cores_used", run.cpu_share},
          {"resident_begin_bytes", run.resident_begin_bytes},
          {"resident_end_bytes", run.resident_end_bytes}};
}

constexpr std::string_view kHead =
    "         |     final after endpoint, ms      | partials: every, ms  behind, ms |\n"
    " streams |   count     p50     p95     p99   |    p50     p95     p50     p95  | cores  "
    "resident MB\n";

std::string Row(const Run& run) {
  std::vector<char> line(256);
  std::snprintf(line.data(), line.size(),
                "%8d | %7zu %7.0f %7.0f %7.0f   |%7.0f %7.0f %7.0f %7.0f  | %5.2f  %.0f%s\n",
                run.streams, run.final_ms.size(), Percentile(run.final_ms, 0.5),
                Percentile(run.final_ms, 0.95), Percentile(run.final_ms, 0.99),
                Percentile(run.cadence_ms, 0.5), Percentile(run.cadence_ms, 0.95),
                Percentile(run.lag_ms, 0.5), Percentile(run.lag_ms, 0.95), run.cpu_share,
                run.resident_end_bytes / (1 << 20),
                run.turned_away > 0 ? "  audio waited for room" : "");
  return line.data();
}

Result<int> RunStreams(const Options& options) {
  bool all_read = true;
  ASSIGN_OR_RETURN(const std::vector<SharedSamples> clips, ReadClips(options.inputs, &all_read));
  const int exit_code = all_read ? kExitOk : kExitFailed;
  ASSIGN_OR_RETURN(const KernelTable* kernels, ChooseKernels());
  ASSIGN_OR_RETURN(const LoadedModels models, LoadModels(options.model, *kernels));
  Engine engine(models.speech, models.voice_activity,
                {.num_threads = options.threads, .max_streams = kMaxStreams});
  ProgressLine progress(StandardErrorIsTerminal());
  std::vector<Run> runs;
  const auto measure = [&](int streams) -> Result<bool> {
    const auto show = [&](double elapsed) {
      if (!progress.Due()) return;
      progress.Show(std::to_string(streams) + " streams, " +
                    std::to_string(static_cast<int>(elapsed)) + " s");
    };
    StreamLoad load(engine, clips, options);
    ASSIGN_OR_RETURN(const Run run, load.Play(streams, show));
    progress.Clear();
    runs.push_back(run);
    if (!options.json) {
      RETURN_IF_ERROR(WriteStandardOutput((runs.size() == 1 ? std::string(kHead) : "") + Row(run)));
    }
    return Holds(run, options);
  };
  int most = 0;
  if (options.streams > 0) {
    ASSIGN_OR_RETURN(const bool held, measure(options.streams));
    most = held ? options.streams : 0;
  } else {
    // Doubles until it does not hold, then halves the gap until it is 6 % wide.
    int fails = options.most + 1;
    for (int n = 8; n < fails; n = std::min(2 * n, options.most)) {
      ASSIGN_OR_RETURN(const bool held, measure(n));
      (held ? most : fails) = n;
      if (held && n == options.most) break;
    }
    while (fails - most > std::max(1, most / 16)) {
      const int n = (fails + most) / 2;
      ASSIGN_OR_RETURN(const bool held, measure(n));
      (held ? most : fails) = n;
    }
  }
  if (options.json) {
    nlohmann::ordered_json json = {{"isa", kernels->name},
                                   {"model", models.label.name},
                                   {"threads", engine.num_threads()},
                                   {"target_ms", options.target_ms},
                                   {"most_streams", most},
                                   {"runs", nlohmann::ordered_json::array()}};
    for (const Run& run : runs) json["runs"].push_back(Json(run));
    RETURN_IF_ERROR(WriteStandardOutput(WriteJson(json, 2) + "\n"));
    return exit_code;
  }
  std::vector<char> line(160);
  std::snprintf(line.data(), line.size(),
                "%s, %d threads: %d streams with p95 of finals within %.0f ms of their endpoint\n",
                kernels->name, engine.num_threads(), most, options.target_ms);
  RETURN_IF_ERROR(WriteStandardOutput(line.data()));
  return exit_code;
}

}  // namespace

void AddBenchStreams(CLI::App& bench, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = bench.add_subcommand(
      "streams",
      "Speak recordings into many live streams at once and see how late their words are");
  command->footer(
      "Example:\n"
      "  lethe bench streams recordings/\n"
      "  lethe bench streams --streams 80 --seconds 1800 --hang-up 20 recordings/\n"
      "\n"
      "Every stream speaks at the pace of speech, in chunks of 100 ms, with 1.2 s of silence "
      "behind\n"
      "each recording; half an hour of recordings is used at most, a minute of each. A final is "
      "counted from the audio by which its endpoint is known. Without\n"
      "--streams the number is doubled, then narrowed down to the largest whose p95 holds.");
  command->add_option("recordings", options->inputs, "Recordings, or folders of them")->required();
  command->add_option("--streams", options->streams, "So many, instead of searching for the most")
      ->check(CLI::Range(1, kMaxStreams));
  command->add_option("--most", options->most, "Search no further than this")
      ->check(CLI::Range(8, kMaxStreams))
      ->capture_default_str();
  command->add_option("--seconds", options->seconds, "How long each number is measured")
      ->check(CLI::Range(1.0, 86'400.0))
      ->capture_default_str();
  command->add_option("--target-ms", options->target_ms, "The p95 to hold")
      ->check(CLI::Range(1.0, 60'000.0))
      ->capture_default_str();
  command->add_option("--partial-interval-ms", options->interval_ms, "From partial to partial")
      ->check(CLI::Range(100, 10'000))
      ->capture_default_str();
  command->add_option("--silence-ms", options->silence_ms, "Silence that ends an utterance")
      ->check(CLI::Range(200, 1'100))
      ->capture_default_str();
  command->add_flag("--no-partials", options->no_partials, "Finals only");
  command->add_flag("--words", options->words, "With word times");
  command
      ->add_option("--hang-up", options->hang_up,
                   "Clients hang up after so many seconds on average, and others call")
      ->check(CLI::Range(0.0, 3'600.0));
  command->add_option("--model", options->model, "Installed speech model")->capture_default_str();
  command->add_option("--threads", options->threads, "Shards; 0 means one for each core")
      ->check(CLI::Range(0, kMaxThreads))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print JSON");
  Finish(command, exit_code, [options] { return RunStreams(*options); });
}

}  // namespace lethe
