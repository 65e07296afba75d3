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
// A store that does not answer is asked again so often and so long: a database takes less to start
// anew. Whoever looks at the bill is told then.
constexpr std::chrono::seconds kPause{1};
constexpr std::chrono::minutes kPatience{2};

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
    ++counts_[{call.interface, call.result_code}];
    figures_[call.interface].Add(call);
    if (waiting_.size() >= kMostWaiting) {
      ++lost_;
      return;
    }
    waiting_.push_back(std::move(call));
    erased_.push_back(std::move(erased));
    wake = waiting_.size() == 1 || waiting_.size() == kMostWaiting;
    ++recorded_;
  }
  // Between those it is awake, or gathers.
  if (wake) work_.NotifyOne();
}

bool Meter::Flush() {
  const MutexLock lock(mutex_);
  const std::uint64_t all = recorded_, failures = failures_;
  ++flushing_;
  ++flushes_;
  work_.NotifyOne();
  while (written_ < all && failures_ == failures) changed_.Wait(mutex_);
  --flushing_;
  return written_ >= all;
}

Status Meter::WriteUsage(Batch& batch) {
  // Without an answer, all of it may be there or nothing.
  if (batch.tried) {
    ASSIGN_OR_RETURN(batch.in_usage, usage_.Has(batch.calls.front()));
  }
  batch.tried = true;
  if (!batch.in_usage) RETURN_IF_ERROR(usage_.Record(batch.calls));
  batch.in_usage = true;
  return OkStatus();
}

Status Meter::WriteLog(const Batch& batch) {
  if (options_.log == nullptr) return OkStatus();
  std::vector<Operation> operations;
  for (std::size_t i = 0; i < batch.calls.size(); ++i) {
    if (batch.erased[i] != nullptr && *batch.erased[i]) continue;
    const FinishedCall& call = batch.calls[i];
    operations.push_back({.app_id = call.app_id,
                          .call_id = call.call_id,
                          .subject = call.subject,
                          .interface = call.interface,
                          .result_code = call.result_code,
                          .start = call.start,
                          .end = call.end,
                          .facts = call.facts});
    Facts& facts = operations.back().facts;
    facts.push_back({"audio_ms", call.audio});
    facts.push_back({"bytes", call.bytes});
  }
  return options_.log->Record(operations);
}

Status Meter::Write(Batch& batch) {
  Status used = batch.in_usage ? OkStatus() : WriteUsage(batch);
  if (used.code() == StatusCode::kUnavailable) return used;
  const Status logged = WriteLog(batch);
  // What will never be written is not worth that the rest is tried again.
  return used.ok() ? logged : used;
}

bool Meter::WriteOrGiveUp(Batch& batch) {
  const auto given_up = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    const Status written = Write(batch);
    if (written.code() != StatusCode::kUnavailable) return written.ok();
    const MutexLock lock(mutex_);
    // At the end nobody looks any more for what was erased meanwhile.
    if (stopping_ || waiting_.size() >= kMostWaiting ||
        std::chrono::steady_clock::now() >= given_up) {
      return false;
    }
    ++failures_;
    changed_.NotifyAll();
    // Who flushes now is told of this failure; who does so later is worth another attempt at once.
    const std::uint64_t told = flushes_;
    const auto again = std::chrono::steady_clock::now() + kPause;
    while (!stopping_ && flushes_ == told && work_.WaitUntil(mutex_, again)) {
    }
    if (stopping_) return false;
  }
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
    Batch batch;
    batch.calls.swap(waiting_);
    batch.erased.swap(erased_);
    changed_.NotifyAll();  // there is room again
    lock.Unlock();
    if (options_.price) options_.price(batch.calls);
    const bool written = WriteOrGiveUp(batch);
    lock.Lock();
    written_ += batch.calls.size();
    if (!written) lost_ += batch.calls.size();
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
