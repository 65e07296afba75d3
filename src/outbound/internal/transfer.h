#pragma once

// One request and its answer over one connection of its own, by libcurl.

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/units.h"
#include "outbound/address_rules.h"
#include "outbound/url.h"

namespace lethe {

struct TransferRequest {
  const OutboundUrl& url;
  const AddressRules& rules;
  const std::string& ca_file;  // empty for the system's

  bool post = false;
  std::string_view body;             // of a post
  std::vector<std::string> headers;  // "Name: value"

  std::chrono::steady_clock::time_point deadline;
  Millis connect_time{5'000};
  Millis idle_time{0};  // 0 for no least rate
  int min_bytes_per_second = 0;
  std::uint64_t max_bytes = 0;
  // Whether the body of an answer other than 2xx is wanted too. If not, the answer ends behind its
  // headers.
  bool any_status = false;
  const std::function<bool()>& cancelled;
};

struct TransferAnswer {
  int status = 0;
  std::string location;  // of a redirect, as it was sent
};

/// Errors: those of OutboundClient, but for what depends on the status; messages begin with the
/// host
Result<TransferAnswer> Transfer(const TransferRequest& request,
                                const std::function<Status(std::span<const std::byte>)>& sink);

/// Prepares libcurl, once for the process.
void PrepareTransfers();

}  // namespace lethe
