#pragma once

// Status and Result: expected failures are values.
//
// Whose mistake an error is decides its code (see the style guide, section 4): the caller's
// (kInvalidArgument, kNotFound, ...), the world's (kUnavailable, kResourceExhausted, ...). Our own
// mistakes are no Status: they CHECK (base/check.h). A message is one line that says what is wrong
// and, where there is something to do, what to do; it ends with what varies.

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace lethe {

enum class StatusCode {
  kOk,
  kInvalidArgument,     // the input is wrong: a damaged file, an unknown option
  kNotFound,            // what was named does not exist
  kPermissionDenied,    // it exists, but may not be read or written
  kFailedPrecondition,  // something else has to be done first, e.g. a model pulled
  kResourceExhausted,   // a limit or a disk is full
  kUnavailable,         // somebody else did not answer; trying again may help
  kDataLoss,            // what we stored is not what we stored: a hash does not match
  kUnimplemented,       // known, but not offered
  kCancelled,           // the caller gave up
};

/// Names a code as messages and JSON show it, e.g. "invalid argument".
std::string_view StatusCodeName(StatusCode code);

/// The outcome of something that can fail. Cheap when ok.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {
    LETHE_CHECK(code != StatusCode::kOk);
  }

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }

  /// Puts "context: " before the message, for example the file it is about.
  Status WithContext(std::string_view context) const;

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

inline Status OkStatus() { return {}; }
Status InvalidArgument(std::string message);
Status NotFound(std::string message);
Status PermissionDenied(std::string message);
Status FailedPrecondition(std::string message);
Status ResourceExhausted(std::string message);
Status Unavailable(std::string message);
Status DataLoss(std::string message);
Status Unimplemented(std::string message);
Status Cancelled(std::string message);

/// Turns an errno into a Status whose message says what was done to what, e.g.
/// "cannot open talk.wav: Permission denied".
Status ErrnoStatus(int error_number, std::string_view what);

/// A T, or the Status that says why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(Status status) : status_(std::move(status)) { LETHE_CHECK(!status_.ok()); }
  Result(T value) : value_(std::move(value)) {}

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }

  T& value() & {
    LETHE_CHECK(ok());
    return *value_;
  }
  const T& value() const& {
    LETHE_CHECK(ok());
    return *value_;
  }
  T&& value() && {
    LETHE_CHECK(ok());
    return std::move(*value_);
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  Status status_;
  std::optional<T> value_;
};

#define LETHE_CONCAT_INNER(a, b) a##b
#define LETHE_CONCAT(a, b) LETHE_CONCAT_INNER(a, b)

/// Leaves the function with the status if it is not ok.
#define RETURN_IF_ERROR(expression)                                                           \
  do {                                                                                        \
    if (::lethe::Status lethe_status = (expression); !lethe_status.ok()) return lethe_status; \
  } while (false)

/// ASSIGN_OR_RETURN(auto file, OpenFile(path)): the value, or leaves with the status.
#define ASSIGN_OR_RETURN(declaration, expression) \
  ASSIGN_OR_RETURN_INNER(LETHE_CONCAT(lethe_result_, __LINE__), declaration, expression)
#define ASSIGN_OR_RETURN_INNER(result, declaration, expression) \
  auto result = (expression);                                   \
  if (!result.ok()) return result.status();                     \
  declaration = *std::move(result)

}  // namespace lethe
