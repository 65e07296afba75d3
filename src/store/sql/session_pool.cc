#include "store/sql/internal/session_pool.h"

#include <chrono>

namespace lethe {
namespace {

// Somebody who waits longer is better told to come back.
constexpr std::chrono::seconds kMaxWait{10};

}  // namespace

SessionPool::Loan::~Loan() {
  if (pool_ != nullptr) pool_->Return(std::move(connection_), keep_);
}

Result<SessionPool::Loan> SessionPool::Take(std::string_view what) {
  MutexLock lock(mutex_);
  const auto until = std::chrono::steady_clock::now() + kMaxWait;
  while (lent_ >= max_sessions_ && returned_.WaitUntil(mutex_, until)) {
  }
  if (lent_ >= max_sessions_) {
    return Unavailable("cannot " + std::string(what) + ": the records are busy; try again");
  }
  ++lent_;
  std::unique_ptr<Connection> connection;
  if (!idle_.empty()) {
    connection = std::move(idle_.back());
    idle_.pop_back();
  }
  lock.Unlock();
  Loan loan(*this, std::move(connection));
  if (loan.connection_ == nullptr) {
    try {
      loan.connection_ = std::make_unique<Connection>(dialect_, access_);
    } catch (const soci::soci_error& error) {
      return ToCaller(dialect_.Explain(error, what).status);
    }
  }
  return loan;
}

void SessionPool::CloseIdle() {
  std::vector<std::unique_ptr<Connection>> closing;
  const MutexLock lock(mutex_);
  closing.swap(idle_);
}

void SessionPool::Return(std::unique_ptr<Connection> connection, bool keep) {
  if (!keep) connection.reset();  // closed before another may be opened
  {
    const MutexLock lock(mutex_);
    --lent_;
    if (connection != nullptr) idle_.push_back(std::move(connection));
  }
  returned_.NotifyOne();
}

}  // namespace lethe
