#include <atomic>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/bench.h"
#include "app/data_folder.h"
#include "app/finish.h"
#include "app/output.h"
#include "base/json.h"
#include "base/random.h"
#include "retention/sweeper.h"
#include "service/eraser.h"

namespace lethe {
namespace {

namespace fs = std::filesystem;

// As long as a minute of speech, more or less.
constexpr std::size_t kResultBytes = 900;
// Calls beside a sweep come at this pace, the same one as without it.
constexpr std::chrono::milliseconds kPace{5};

struct Options {
  std::int64_t results = 100'000, erasures = 1'000, calls = 2'000;
  std::string folder, keep;
  bool json = false;
};

// Goes away with everything in it.
class Folder {
 public:
  explicit Folder(const fs::path& parent)
      : path_(parent / ("lethe-bench-records-" + RandomHex(8))) {}
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string path() const { return path_.string(); }

 private:
  const fs::path path_;
};

struct Latencies {
  std::vector<double> ms;

  void Add(double seconds) { ms.push_back(seconds * 1000); }
  nlohmann::ordered_json Json() const {
    return {{"p50", Percentile(ms, 0.5)},
            {"p95", Percentile(ms, 0.95)},
            {"p99", Percentile(ms, 0.99)},
            {"worst", Percentile(ms, 1)}};
  }
};

// What is stored of calls that are over.
Result<std::vector<TaskId>> StoreResults(DataFolder& data, AppId app_id, std::int64_t count) {
  Tasks& tasks = data.store->tasks();
  const TaskHolder me{.node = "bench"};
  const std::string result(kResultBytes, 'w');
  std::vector<TaskId> ids;
  ids.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(
        const Task task,
        tasks.Create({.app_id = app_id, .request_id = RandomHex(32), .request = "{}"}));
    ASSIGN_OR_RETURN(const auto claimed, tasks.Claim(me));
    if (!claimed) return Unavailable("a task that was just made is not there");
    RETURN_IF_ERROR(tasks.Finish(claimed->id, claimed->lease, {.result = result}));
    ids.push_back(task.id);
    if (i % 10'000 == 9'999) PrintNote("stored " + std::to_string(i + 1) + " results");
  }
  return ids;
}

// Each from the request to the receipts.
Result<Latencies> Erase(DataFolder& data, LedgerFeed& feed, const std::vector<TaskId>& ids,
                        std::int64_t count) {
  Eraser eraser({.store = *data.store, .recordings = data.recordings.get(), .feed = &feed});
  Latencies latencies;
  // Evenly over all that is stored.
  const std::size_t step = std::max<std::size_t>(1, ids.size() / static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < ids.size(); i += step) {
    const Stopwatch watch;
    ASSIGN_OR_RETURN(const Erasure erasure,
                     eraser.Erase({.task = ids[i]}, ErasureCause::kRequested));
    latencies.Add(watch.Seconds());
    if (erasure.receipts.size() != 1) return Unavailable("an erasure was not proven");
  }
  return latencies;
}

// What a call asks of the records: a task is made, and asked about.
Result<Latencies> Call(DataFolder& data, AppId app_id, std::int64_t count,
                       const std::function<bool()>& enough) {
  Latencies latencies;
  for (std::int64_t i = 0; i < count && !enough(); ++i) {
    const Stopwatch watch;
    ASSIGN_OR_RETURN(const Task task,
                     data.store->tasks().Create({.app_id = app_id, .request = "{}"}));
    RETURN_IF_ERROR(data.store->tasks().Find(app_id, task.id).status());
    latencies.Add(watch.Seconds());
    std::this_thread::sleep_for(kPace);
  }
  return latencies;
}

// Only what is stored, for measurements of a service.
Status Fill(const Options& options) {
  ASSIGN_OR_RETURN(DataFolder data, OpenDataFolder({.data = options.keep}, SystemClock(), true));
  ASSIGN_OR_RETURN(const Application application,
                   data.store->applications().Create({.name = "bench"}));
  RETURN_IF_ERROR(StoreResults(data, application.id, options.results).status());
  return WriteStandardOutput("stored " + std::to_string(options.results) + " results in " +
                             options.keep + "\n");
}

Status Run(const Options& options) {
  if (!options.keep.empty()) return Fill(options);
  const Folder folder(options.folder.empty() ? fs::current_path() : fs::path(options.folder));
  const WallTime begin = std::chrono::floor<std::chrono::hours>(SystemClock().Now());
  ManualClock clock(begin);
  RecordsOptions records{.data = folder.path()};
  std::vector<TaskId> ids;
  AppId app_id = 0;
  {
    // A place without a disk: what is measured comes later.
    const bool has_memory = fs::is_directory("/dev/shm");
    const Folder memory(has_memory ? fs::path("/dev/shm") : fs::path(folder.path()).parent_path());
    RecordsOptions there{.data = memory.path()};
    ASSIGN_OR_RETURN(DataFolder data, OpenDataFolder(there, clock, true));
    ASSIGN_OR_RETURN(const Application application,
                     data.store->applications().Create({.name = "bench"}));
    app_id = application.id;
    ASSIGN_OR_RETURN(ids, StoreResults(data, app_id, options.results));
    LedgerFeed feed(data.store->journal(), data.ledger, *data.clock);
    RETURN_IF_ERROR(feed.CatchUp());
    feed.Stop();
    data.recordings.reset();
    data.store.reset();
    std::error_code error;
    fs::copy(memory.path(), folder.path(), fs::copy_options::recursive, error);
    if (error) return ErrnoStatus(error.value(), "cannot copy the records");
  }
  ASSIGN_OR_RETURN(DataFolder data, OpenDataFolder(records, clock, false));
  LedgerFeed feed(data.store->journal(), data.ledger, *data.clock);
  RETURN_IF_ERROR(feed.CatchUp());
  ASSIGN_OR_RETURN(const Latencies erase, Erase(data, feed, ids, options.erasures));
  feed.Start();

  ASSIGN_OR_RETURN(const Application other, data.store->applications().Create({.name = "other"}));
  ASSIGN_OR_RETURN(const Latencies alone,
                   Call(data, other.id, options.calls, [] { return false; }));
  // All that was stored is over; what is made from now on is not.
  clock.Advance(kTaskLifetime + std::chrono::hours(1));
  std::atomic<bool> done = false;
  Sweeper sweeper({{"tasks",
                    [&](int limit) -> Result<int> {
                      auto removed = data.store->tasks().RemoveExpired(limit);
                      if (removed.ok() && *removed < limit) done = true;
                      return removed;
                    }}},
                  {});
  const Stopwatch sweep;
  double sweep_seconds = 0;
  sweeper.Start();
  ASSIGN_OR_RETURN(const Latencies beside, Call(data, other.id, 1'000'000'000, [&] {
                     if (done && sweep_seconds == 0) sweep_seconds = sweep.Seconds();
                     return done.load();
                   }));
  sweeper.Stop();
  feed.Stop();
  const nlohmann::ordered_json result = {{"results", options.results},
                                         {"erase_ms", erase.Json()},
                                         {"call_ms", alone.Json()},
                                         {"call_beside_sweep_ms", beside.Json()},
                                         {"calls_beside_sweep", beside.ms.size()},
                                         {"sweep_seconds", sweep_seconds}};
  if (options.json) return WriteStandardOutput(WriteJson(result, 2) + "\n");
  char line[512];
  std::string text = std::to_string(options.results) + " results stored\n";
  const auto show = [&](const char* what, const Latencies& latencies) {
    std::snprintf(line, sizeof(line), "%-28s %6zu times  p50 %7.2f  p95 %7.2f  p99 %7.2f ms\n",
                  what, latencies.ms.size(), Percentile(latencies.ms, 0.5),
                  Percentile(latencies.ms, 0.95), Percentile(latencies.ms, 0.99));
    text += line;
  };
  show("erase one, with receipt", erase);
  show("make and find a task", alone);
  show("the same beside a sweep", beside);
  std::snprintf(line, sizeof(line), "the sweep of all of them     %.1f s\n", sweep_seconds);
  return WriteStandardOutput(text + line);
}

}  // namespace

void AddBenchRecords(CLI::App& bench, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      bench.add_subcommand("records", "Erasures and a sweep, over many stored results, on a disk");
  command->footer(
      "Example:\n"
      "  lethe bench records --results 1000000 --folder /var/tmp\n"
      "\n"
      "Makes a data folder of its own there, which is removed at the end, and fills it in memory\n"
      "(/dev/shm), about a gigabyte for a million results.");
  command->add_option("--results", options->results, "Results stored")
      ->check(CLI::Range(1'000, 10'000'000))
      ->capture_default_str();
  command->add_option("--erasures", options->erasures, "Of them erased one by one")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command->add_option("--calls", options->calls, "Calls without a sweep")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--folder", options->folder, "Where; the current one if it is not named");
  command->add_option("--keep", options->keep,
                      "Only fill this new data folder, and leave it there (bench/sweep.py)");
  command->add_flag("--json", options->json, "Print JSON");
  Finish(command, exit_code, [options] { return Run(*options); });
}

}  // namespace lethe
