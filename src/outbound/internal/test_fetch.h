#pragma once

// What the tests of the client share.

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "base/check.h"
#include "outbound/http_client.h"

namespace lethe {

inline constexpr const char* kSecretQuery = "?sign=s3cr3t";

inline AddressRules RulesAllowing(std::vector<std::string> allow) {
  auto rules = AddressRules::Create({.allow = std::move(allow)});
  LETHE_CHECK(rules.ok());
  return *std::move(rules);
}

struct Fetched {
  Status status;
  std::string body;

  StatusCode code() const { return status.code(); }
  const std::string& message() const { return status.message(); }
};

/// Fetches, and holds the message against the promise that it shows no part of a URL's query.
inline Fetched FetchAll(OutboundClient& client, const std::string& url,
                        const FetchLimits& limits = {}) {
  Fetched fetched;
  fetched.status = client.Fetch(url, limits, [&](std::span<const std::byte> bytes) {
    fetched.body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return OkStatus();
  });
  EXPECT_THAT(fetched.message(), ::testing::Not(::testing::HasSubstr("s3cr3t")));
  EXPECT_THAT(fetched.message(), ::testing::Not(::testing::HasSubstr("?")));
  return fetched;
}

}  // namespace lethe
