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
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  work_.NotifyOne();
  thread_.join();
}

void Meter::Record(FinishedCall call, ErasedFlag erased) {
  call.server_fault = !call.succeeded && IsServerFault(call.result_code);
  call.region = options_.region;
  bool wake = false;
  {
    const MutexLock lock(mutex_);
    while (waiting_.size() >= kMostWaiting && !stopping_) changed_.Wait(mutex_);
    ++counts_[{call.interface, call.result_code}];
    figures_[call.interface].Add(call);
    waiting_.push_back(std::move(call));
    erased_.push_back(std::move(erased));
    wake = waiting_.size() == 1 || waiting_.size() == kMostWaiting;
    ++recorded_;
  }
  // Between those it is awake, or gathers.
  if (wake) work_.NotifyOne();
}

void Meter::Flush() {
  const MutexLock lock(mutex_);
  const std::uint64_t all = recorded_;
  ++flushing_;
  work_.NotifyOne();
  while (written_ < all) changed_.Wait(mutex_);
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
  MutexLock lock(mutex_);
  while (true) {
    while (!stopping_ && waiting_.empty()) work_.Wait(mutex_);
    if (waiting_.empty()) return;
    const auto until = std::chrono::steady_clock::now() + kGather;
    while (!stopping_ && flushing_ == 0 && waiting_.size() < kMostWaiting &&
           work_.WaitUntil(mutex_, until)) {
    }
    std::vector<FinishedCall> batch;
    batch.swap(waiting_);
    std::vector<ErasedFlag> erased;
    erased.swap(erased_);
    changed_.NotifyAll();  // there is room again
    lock.Unlock();
    if (options_.price) options_.price(batch);
    const std::size_t rows = batch.size();
    const Status written = Write(std::move(batch), erased);
    lock.Lock();
    written_ += rows;
    if (!written.ok()) lost_ += rows;
    changed_.NotifyAll();
  }
}

std::map<std::pair<Interface, std::string>, std::uint64_t> Meter::counts() const {
  const MutexLock lock(mutex_);
  return counts_;
}

std::map<Interface, CallFigures> Meter::figures() const {
  const MutexLock lock(mutex_);
  return figures_;
}

std::uint64_t Meter::lost() const {
  const MutexLock lock(mutex_);
  return lost_;
}

}  // namespace lethe
