#pragma once

// The news that a recording task is done, told to the URL its caller left: the contract's
// section 4.1. When and whether to tell, and what becomes of the task, is decided elsewhere.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/units.h"
#include "outbound/http_client.h"

namespace lethe {

/// The form's fields, in the contract's order. What is nothing is left out of the form.
struct CallbackFields {
  int code = 0;               ///< 0, or one of the contract's 10000 to 10007
  std::string message;        ///< empty on success
  std::uint64_t task_id = 0;  ///< sent as requestId
  std::uint64_t app_id = 0;
  int project_id = 0;
  std::optional<std::string> audio_url;  ///< nothing if the audio came as data
  std::string text;
  std::optional<std::string> result_detail;  ///< JSON text of the list of sentences
  double audio_seconds = 0;                  ///< finite; sent as audioTime with six decimals
};

/// The body as it is sent, application/x-www-form-urlencoded.
std::string FormEncode(const CallbackFields& fields);

/// The value of X-Lethe-Signature: "t=<unix seconds>,v1=<hex>", the HMAC-SHA256 of
/// "<unix seconds>.<body>". A receiver computes it anew and refuses what is old.
std::string SignCallback(std::string_view key, WallTime now, std::string_view body);

struct CallbackOptions {
  Millis total_time{10'000};
  Millis connect_time{5'000};
};

/// Of one attempt; one that the rules refused is one, too.
struct CallbackOutcome {
  bool delivered = false;
  bool may_try_again = false;  ///< it was not, and another attempt could change that
  /// Why it was not: host and what happened, no content.
  std::string reason;
};

/// Sends callbacks.
///
/// Thread:   any number of Send() at once
/// Lifetime: client and clock must outlive it
class CallbackSender {
 public:
  CallbackSender(OutboundClient& client, const Clock& clock, CallbackOptions options = {})
      : client_(client), clock_(clock), options_(options) {}

  /// Posts the form once. It is delivered when somebody answers HTTP 200 and a JSON object whose
  /// "code" is 0. What will not change (a refused address, a bad URL) is not worth another attempt;
  /// cancelling ends it within a tenth of a second.
  /// `signing_key` empty: no signature. Borrowed for the call, and not copied.
  CallbackOutcome Send(std::string_view url, const CallbackFields& fields,
                       std::string_view signing_key, const CancelledFunction& cancelled = {});

 private:
  Status Attempt(std::string_view url, std::string_view body, std::string_view signing_key,
                 const CancelledFunction& cancelled);

  OutboundClient& client_;
  const Clock& clock_;
  const CallbackOptions options_;
};

}  // namespace lethe
