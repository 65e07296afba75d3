#pragma once

// The only way out of the service: recordings fetched from a caller's URL, results posted to a
// caller's URL.
//
// Nothing leaves that AddressRules do not allow. The address of every connection is checked where
// it is made, after names are resolved, so neither a name that changes its address between two
// questions nor a redirect gets past. Proxies, cookies, credentials and everything else that
// libcurl could take from its surroundings are off; certificates are verified; nothing is
// decompressed; nothing touches a disk. Messages name the host and what happened, never the URL,
// whose query may be a signature.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "base/units.h"
#include "outbound/address_rules.h"
#include "outbound/region_rules.h"
#include "outbound/url.h"

namespace lethe {

struct OutboundOptions {
  /// Calls under way at once; more wait for their turn, within their total time.
  int max_concurrent = 16;
  /// Whether a redirect may lead from https to http.
  bool allow_downgrade = false;
  /// Certificates to trust, a PEM file; empty for the system's.
  std::string ca_file;
  /// Where hosts may be.
  RegionRules regions;
};

/// Asked ten times a second while a call waits; true ends it with kCancelled. May be empty.
using CancelledFunction = std::function<bool()>;

struct FetchLimits {
  std::uint64_t max_bytes = 1'000'000'000;
  Millis total_time{600'000};  ///< for everything, redirects and waiting for a turn included
  Millis connect_time{5'000};  ///< for one connection: name, TCP and TLS
  /// A server has to send `min_bytes_per_second` on average over each stretch of this length, the
  /// first answer included. Time spent in the sink is not counted.
  Millis idle_time{15'000};
  int min_bytes_per_second = 500;
  int max_redirects = 5;
  CancelledFunction cancelled;
};

struct PostLimits {
  Millis total_time{10'000};
  Millis connect_time{5'000};
  CancelledFunction cancelled;
};

struct HttpAnswer {
  int status = 0;
  std::string body;
};

inline constexpr std::size_t kMaxAnswerBytes = 65'536;

/// Takes the next bytes of a body; a Status that is not ok ends the call with it.
/// Lifetime: the bytes are borrowed until it returns
using BodySink = std::function<Status(std::span<const std::byte>)>;

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

/// Makes calls that block until they are done.
///
/// Errors: kInvalidArgument   what is given is no URL for us, see ParseOutboundUrl()
///         kPermissionDenied  AddressRules refuse the address or port, RegionRules the host, or a
///                            redirect went from https to http
///         kNotFound          an answer that trying again will not change, e.g. "h: HTTP 404"
///         kResourceExhausted larger than the limit, or more redirects
///         kUnavailable       no such name, no connection, TLS, time, an end in the middle, HTTP
///                            408, 429 and 5xx; trying again may help
///         kCancelled         the caller, or Stop()
/// Thread: any number of calls at once, max_concurrent of them under way
class OutboundClient {
 public:
  explicit OutboundClient(AddressRules rules, OutboundOptions options = {});
  /// Stop()s.
  ~OutboundClient();
  OutboundClient(const OutboundClient&) = delete;
  OutboundClient& operator=(const OutboundClient&) = delete;

  /// Says at once what can be known without the network: whether the URL will be refused by its
  /// form, its port or the address written in it. A name that passes may still resolve to what is
  /// refused.
  Status CheckUrl(std::string_view url) const;

  /// Gets a URL, following redirects, and gives the body to `sink`, piece by piece, from the
  /// calling thread. When it fails, the sink may have had a part. Only a 2xx answer has a body for
  /// us.
  Status Fetch(std::string_view url, const FetchLimits& limits, const BodySink& sink);

  /// Posts `body` and returns the answer, whatever its status; redirects are not followed.
  /// Errors: also kInvalidArgument for a header that holds a line break, and kResourceExhausted
  ///         for an answer of more than kMaxAnswerBytes
  Result<HttpAnswer> Post(std::string_view url, const std::string& content_type,
                          std::string_view body, const HttpHeaders& headers,
                          const PostLimits& limits);

  /// Refuses new calls, cancels those under way and waits for them.
  void Stop();

 private:
  class Turn;

  Status CheckRules(const OutboundUrl& url) const;

  // Constant after construction.
  const AddressRules rules_;
  const OutboundOptions options_;
  // Any thread.
  Mutex mutex_;
  CondVar changed_;
  int calls_ GUARDED_BY(mutex_) = 0;    // entered and not left
  int running_ GUARDED_BY(mutex_) = 0;  // of these, not waiting
  std::atomic<bool> stopping_ = false;
};

}  // namespace lethe
