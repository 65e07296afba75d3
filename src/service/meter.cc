#include "service/meter.h"

#include <charconv>
#include <chrono>
#include <utility>

namespace lethe {
namespace {

// Rows are written together: each time costs whoever is called meanwhile some of a core, and two
// leaves of the ledger for each application. Who has to see them flushes; a process that is killed
// loses as much.
constexpr std::chrono::milliseconds kGather{250};

}  // namespace

bool IsServerFault(std::string_view result_code) {
  if (result_code == "InternalError" || result_code.starts_with("InternalError.") ||
      result_code == "ServiceUnavailable" || result_code == "ResourceInsufficient") {
    return true;
  }
  int number = 0;
  const char* const end = result_code.data() + result_code.size();
  const auto [after, error] = std::from_chars(result_code.data(), end, number);
  if (error != std::errc() || after != end) return false;
  return number < 0 || number / 100 == 5 || number / 1000 == 5;
}

Meter::Meter(Usage& usage, MeterOptions options)
    : usage_(usage), options_(std::move(options)), thread_([this] { Run(); }) {}

Meter::~Meter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  work_.notify_one();
  thread_.join();
}

void Meter::Record(FinishedCall call, ErasedFlag erased) {
  call.server_fault = !call.succeeded && IsServerFault(call.result_code);
  call.region = options_.region;
  bool wake = false;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_.size() < kMostWaiting || stopping_; });
    ++counts_[{call.interface, call.result_code}];
    figures_[call.interface].Add(call);
    waiting_.push_back(std::move(call));
    erased_.push_back(std::move(erased));
    wake = waiting_.size() == 1 || waiting_.size() == kMostWaiting;
    ++recorded_;
  }
  // Between those it is awake, or gathers.
  if (wake) work_.notify_one();
}

void Meter::Flush() {
  std::unique_lock lock(mutex_);
  const std::uint64_t all = recorded_;
  ++flushing_;
  work_.notify_one();
  changed_.wait(lock, [&] { return written_ >= all; });
  --flushing_;
}

Status Meter::Write(std::vector<FinishedCall> calls, const std::vector<ErasedFlag>& erased) {
  Status status = usage_.Record(calls);
  if (options_.log == nullptr) return status;
  std::vector<Operation> operations;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (erased[i] != nullptr && *erased[i]) continue;
    FinishedCall& call = calls[i];
    operations.push_back({.app_id = call.app_id,
                          .call_id = std::move(call.call_id),
                          .subject = std::move(call.subject),
                          .interface = call.interface,
                          .result_code = std::move(call.result_code),
                          .start = call.start,
                          .end = call.end,
                          .facts = std::move(call.facts)});
    Facts& facts = operations.back().facts;
    facts.push_back({"audio_ms", call.audio});
    facts.push_back({"bytes", call.bytes});
  }
  const Status logged = options_.log->Record(operations);
  return status.ok() ? logged : status;
}

void Meter::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    work_.wait_for(lock, kGather, [this] {
      return stopping_ || flushing_ > 0 || waiting_.size() >= kMostWaiting;
    });
    std::vector<FinishedCall> batch;
    batch.swap(waiting_);
    std::vector<ErasedFlag> erased;
    erased.swap(erased_);
    changed_.notify_all();  // there is room again
    lock.unlock();
    if (options_.price) options_.price(batch);
    const std::size_t rows = batch.size();
    const Status written = Write(std::move(batch), erased);
    lock.lock();
    written_ += rows;
    if (!written.ok()) lost_ += rows;
    changed_.notify_all();
  }
}

std::map<std::pair<Interface, std::string>, std::uint64_t> Meter::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

std::map<Interface, CallFigures> Meter::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

std::uint64_t Meter::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

}  // namespace lethe
