#include <algorithm>
#include <array>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/bench.h"
#include "app/finish.h"
#include "app/kernel_cases.h"
#include "app/output.h"
#include "app/table.h"
#include "base/json.h"
#include "kernels/dispatch.h"

namespace lethe {
namespace {

constexpr int kMaxMilliseconds = 10'000;
// Reading less than this again and again would time the call.
constexpr double kLeastRead = 16'384;
// Enough for a call to be nothing beside them.
constexpr std::int64_t kPeakRounds = 10'000;

struct KernelOptions {
  std::string isa;
  int milliseconds = 40;
  bool json = false;
};

// What this thread has computed for. While another process has the core, it stands still.
double ThreadSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// Seconds that `run` takes when nothing disturbs it: the least of several measurements, each long
// enough for the clock.
double LeastSeconds(double budget, const std::function<void()>& run) {
  constexpr int kMeasurements = 8, kLeastMeasurements = 3, kMaxRuns = 1'000'000;
  run();  // buffers and branch predictors have seen it once
  const double begun = ThreadSeconds();
  double least = 1e9, now = begun;
  for (int done = 0, runs = 1; done < kLeastMeasurements || now < begun + budget; ++done) {
    for (int i = 0; i < runs; ++i) run();
    const double before = std::exchange(now, ThreadSeconds());
    least = std::min(least, (now - before) / runs);
    if (now - before < budget / kMeasurements && runs < kMaxRuns) runs *= 2;
  }
  return least;
}

// What this core does at most.
class Roof {
 public:
  Roof(const PeakTable& peak, double budget) : peak_(peak), budget_(budget) {
    rates_ = {Rate(peak.multiply_integers), Rate(peak.multiply_shorts), Rate(peak.multiply_floats)};
  }

  const PeakTable& peak() const { return peak_; }
  double operations_per_second(Arithmetic arithmetic) const {
    return rates_[static_cast<std::size_t>(arithmetic)];
  }

  // Reads a buffer of the size of that working set, in the better of two ways. Sizes come again and
  // memory is what neighbours disturb most, so the best of all measurements of a size counts.
  void MeasureMemory(double working_set) {
    const std::int64_t bytes = Size(working_set);
    if (buffer_.size() * sizeof(Line) < static_cast<std::size_t>(bytes)) {
      buffer_.resize(static_cast<std::size_t>(bytes) / sizeof(Line));
    }
    double& rate = bytes_per_second_[bytes];
    for (const auto read : {peak_.read, peak_.read_ahead}) {
      const double seconds =
          LeastSeconds(budget_ / 2, [&] { seen_ ^= read(buffer_.data(), bytes); });
      rate = std::max(rate, static_cast<double>(bytes) / seconds);
    }
  }
  double bytes_per_second(double working_set) const {
    return bytes_per_second_.at(Size(working_set));
  }

 private:
  struct alignas(64) Line {
    char bytes[64] = {};
  };

  static std::int64_t Size(double working_set) {
    return static_cast<std::int64_t>(std::max(kLeastRead, working_set)) / kReadBlock * kReadBlock;
  }

  double Rate(std::int64_t (*multiply)(std::int64_t)) const {
    const auto operations = static_cast<double>(multiply(kPeakRounds));
    return operations / LeastSeconds(4 * budget_, [&] { multiply(kPeakRounds); });
  }

  const PeakTable& peak_;
  const double budget_;
  std::array<double, 3> rates_{};                    // by Arithmetic
  std::map<std::int64_t, double> bytes_per_second_;  // by the size of the working set
  std::vector<Line> buffer_;
  std::uint64_t seen_ = 0;
};

struct Measured {
  KernelCase what;
  double seconds = 0;
  double bytes_per_second = 0;       // that memory gives
  double operations_per_second = 0;  // that arithmetic gives

  double arithmetic() const { return what.operations / operations_per_second; }
  double memory() const { return what.bytes / bytes_per_second; }
  bool bound_by_memory() const { return memory() > arithmetic(); }
  double attainable() const { return std::max(memory(), arithmetic()); }
  double share() const { return attainable() / seconds; }
};

std::string ToText(const KernelTable& kernels, const Roof& roof,
                   const std::vector<Measured>& measured) {
  Table table(
      3, {"kernel", "where", "shape", "us", "GOP/s", "GB/s", "bound by", "attainable us", "share"});
  for (const Measured& m : measured) {
    table.Add({m.what.kernel, m.what.where, m.what.shape, ShowNumber(1e6 * m.seconds, 2),
               ShowNumber(m.what.operations / m.seconds / 1e9, 1),
               ShowNumber(m.what.bytes / m.seconds / 1e9, 1),
               m.bound_by_memory() ? "memory" : "arithmetic", ShowNumber(1e6 * m.attainable(), 2),
               ShowNumber(m.share(), 2)});
  }
  const auto peak = [&](const char* instruction, Arithmetic arithmetic) {
    return std::string(instruction) + " " +
           ShowNumber(roof.operations_per_second(arithmetic) / 1e9, 0) + " GOP/s";
  };
  return std::string(kernels.name) + " on " + CpuName() + ", one core; at most " +
         peak(roof.peak().integer_instruction, Arithmetic::kIntegers) + ", " +
         peak(roof.peak().short_instruction, Arithmetic::kShorts) + ", " +
         peak(roof.peak().float_instruction, Arithmetic::kFloats) + "\n\n" + table.Text();
}

std::string ToJson(const KernelTable& kernels, const Roof& roof,
                   const std::vector<Measured>& measured) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const Measured& m : measured) {
    rows.push_back({{"kernel", m.what.kernel},
                    {"where", m.what.where},
                    {"shape", m.what.shape},
                    {"microseconds", 1e6 * m.seconds},
                    {"gop_per_second", m.what.operations / m.seconds / 1e9},
                    {"gb_per_second", m.what.bytes / m.seconds / 1e9},
                    {"working_set_bytes", m.what.working_set},
                    {"attainable_gb_per_second", m.bytes_per_second / 1e9},
                    {"attainable_microseconds", 1e6 * m.attainable()},
                    {"bound_by", m.bound_by_memory() ? "memory" : "arithmetic"},
                    {"share", m.share()}});
  }
  const auto peak = [&](const char* instruction, Arithmetic arithmetic) {
    return nlohmann::ordered_json{{"instruction", instruction},
                                  {"gop_per_second", roof.operations_per_second(arithmetic) / 1e9}};
  };
  const nlohmann::ordered_json json = {
      {"isa", kernels.name},
      {"processor", CpuName()},
      {"integers", peak(roof.peak().integer_instruction, Arithmetic::kIntegers)},
      {"shorts", peak(roof.peak().short_instruction, Arithmetic::kShorts)},
      {"floats", peak(roof.peak().float_instruction, Arithmetic::kFloats)},
      {"kernels", std::move(rows)}};
  return WriteJson(json, 2) + "\n";
}

Result<const KernelTable*> NamedKernels(const std::string& isa) {
  Result<const KernelTable*> table = FindKernels(isa);
  if (!table.ok()) return table.status().WithContext("--isa");
  return table;
}

Status RunKernels(const KernelOptions& options) {
  ASSIGN_OR_RETURN(const KernelTable* kernels,
                   options.isa.empty() ? ChooseKernels() : NamedKernels(options.isa));
  RETURN_IF_ERROR(StayOnOneCore());
  const double budget = options.milliseconds / 1000.0;
  ProgressLine progress(StandardErrorIsTerminal());
  progress.Show("measuring what this core can do");
  Roof roof(PeakOf(*kernels), budget);
  std::vector<Measured> measured;
  for (KernelCase& what : KernelCases(*kernels)) {
    progress.Show(what.kernel + ", " + what.where);
    Measured m{.what = std::move(what)};
    m.operations_per_second = roof.operations_per_second(m.what.arithmetic);
    roof.MeasureMemory(m.what.working_set);
    m.seconds = LeastSeconds(budget, m.what.run);
    m.what.run = nullptr;  // and its memory is free
    measured.push_back(std::move(m));
  }
  progress.Clear();
  for (Measured& m : measured) m.bytes_per_second = roof.bytes_per_second(m.what.working_set);
  return WriteStandardOutput(options.json ? ToJson(*kernels, roof, measured)
                                          : ToText(*kernels, roof, measured));
}

}  // namespace

void AddBenchKernels(CLI::App& bench, int& exit_code) {
  auto options = std::make_shared<KernelOptions>();
  CLI::App* command = bench.add_subcommand(
      "kernels", "Compare each piece of the arithmetic with what this core could do");
  command->footer(
      "Examples:\n"
      "  lethe bench kernels\n"
      "  lethe bench kernels --isa avx2 --json\n"
      "\n"
      "A kernel cannot be faster than its arithmetic on registers, nor than memory brings what it\n"
      "reads and writes. Both are measured here: by a loop of the multiplying instruction and\n"
      "nothing else, and by reading as much memory as goes by until the kernel sees the same "
      "bytes\n"
      "again (for the decoder, the weights of a whole pass). The slower of the two is what bounds\n"
      "it; \"share\" is that time over the time it takes, so 1 is the best there is. A fused\n"
      "multiply-add counts as two operations and everything else as one, though it takes as long\n"
      "and a division longer: what is no product cannot quite come to 1.\n"
      "\n"
      "No model is needed: shapes are those of Moonshine tiny and Silero. Times are the least of\n"
      "many, without those in which another process had the core; neighbours that use the same\n"
      "caches are felt all the same. The rates of AMX are measured where the CPU has it.");
  command->add_option("--isa", options->isa,
                      "Instruction set, as lethe doctor lists them; the fastest if not given");
  command->add_option("--milliseconds", options->milliseconds, "How long to measure each kernel")
      ->check(CLI::Range(1, kMaxMilliseconds))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print JSON");
  Finish(command, exit_code, [options] { return RunKernels(*options); });
}

}  // namespace lethe
