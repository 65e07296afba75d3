#pragma once

// A request and an answer, as the faces see them: values, free of sockets.

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/units.h"

namespace lethe {

template <class T>
using Awaitable = boost::asio::awaitable<T>;

/// Names and values in the order in which they came; names may repeat.
using NamedValues = std::vector<std::pair<std::string, std::string>>;

/// The first value of that name, compared exactly; nothing if there is none.
std::optional<std::string> FindValue(const NamedValues& values, std::string_view name);

/// Splits `a=1&b=&c` without decoding anything; an empty piece is left out.
NamedValues SplitQuery(std::string_view query);

/// Splits and decodes percent signs; a plus sign is a blank only if asked for. Clients sign the
/// decoded values.
NamedValues ParseQuery(std::string_view query, bool plus_is_space);

struct HttpRequest {
  std::string method;
  std::string target;  // as received, raw UTF-8 and all
  std::string path;    // of the target, percent signs decoded
  std::string query;   // of the target, as received, without the question mark
  NamedValues headers;
  std::string body;
  std::string peer;  // the client's address, without port
  // When its first byte was read, if that is known.
  std::optional<std::chrono::steady_clock::time_point> begun;
  // Becomes true once the connection is reset: nobody waits for an answer. May be null. Who closes
  // a connection without that cannot be told from who waits, until an answer is sent.
  std::shared_ptr<const std::atomic<bool>> reset;

  /// A header's value, its name compared without case; empty if there is none.
  std::string_view Header(std::string_view name) const;

  /// For how long it has been here.
  Millis Age() const;
};

/// Writes the pieces of an answer that is told while it is made. Answers false once the client is
/// gone: then it is time to stop.
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;
  virtual Awaitable<bool> Write(std::string_view piece) = 0;
};

/// Tells, once, whether an answer has reached somebody. Of who is there it is told before the
/// answer is sent: who reads it and asks then what the call cost is to find that.
///
/// Thread: one at a time
class AnswerReceipt {
 public:
  explicit AnswerReceipt(std::function<void(bool reached)> tell) : tell_(std::move(tell)) {}
  /// What is never sent reaches nobody.
  ~AnswerReceipt() { Settle(false); }
  AnswerReceipt(const AnswerReceipt&) = delete;
  AnswerReceipt& operator=(const AnswerReceipt&) = delete;

  void Settle(bool reached) {
    if (tell_) std::exchange(tell_, nullptr)(reached);
  }
  bool settled() const { return !tell_; }

 private:
  std::function<void(bool)> tell_;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  NamedValues headers;
  // Set: called after the headers were sent, instead of `body`; each piece goes out as it is
  // written.
  std::function<Awaitable<void>(BodyWriter&)> stream;
  // Set: whoever sends the answer settles it.
  std::shared_ptr<AnswerReceipt> receipt;
};

}  // namespace lethe
