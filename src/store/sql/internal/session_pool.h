#pragma once

// Sessions with one database, opened when they are needed and lent to one user at a time.

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "store/sql/internal/connection.h"

namespace lethe {

/// Thread: any
class SessionPool {
 public:
  /// A session while it is lent. It is closed at the end unless Keep() says that it is in order.
  class Loan {
   public:
    Loan(SessionPool& pool, std::unique_ptr<Connection> connection)
        : pool_(&pool), connection_(std::move(connection)) {}
    ~Loan();
    Loan(Loan&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)),
          connection_(std::move(other.connection_)),
          keep_(other.keep_) {}
    Loan& operator=(Loan&&) = delete;

    Connection& operator*() const { return *connection_; }
    void Keep() { keep_ = true; }

   private:
    friend class SessionPool;
    SessionPool* pool_;
    std::unique_ptr<Connection> connection_;
    bool keep_ = false;
  };

  /// Lifetime: the dialect has to outlive the pool
  SessionPool(const Dialect& dialect, Access access)
      : dialect_(dialect), access_(access), max_sessions_(dialect.max_sessions()) {}

  /// Errors: kUnavailable when none becomes free in ten seconds; as Dialect::Explain() when a new
  /// one cannot be opened. `what` is for messages
  Result<Loan> Take(std::string_view what);

  /// Closes those that nobody has.
  void CloseIdle();

 private:
  void Return(std::unique_ptr<Connection> connection, bool keep);

  // Constant after construction.
  const Dialect& dialect_;
  const Access access_;
  const std::size_t max_sessions_;
  // Any thread.
  Mutex mutex_;
  CondVar returned_;
  std::size_t lent_ GUARDED_BY(mutex_) = 0;
  std::vector<std::unique_ptr<Connection>> idle_ GUARDED_BY(mutex_);
};

}  // namespace lethe
