#pragma once

// What pages of other origins may do in a browser (the Fetch standard's CORS protocol).

#include <string>
#include <string_view>
#include <vector>

#include "server/http.h"

namespace lethe::server_internal {

/// Thread: any; constant
class CrossOriginPolicy {
 public:
  /// Origins as browsers send them, "https://app.example.org"; "*" stands for all. None: no page of
  /// another origin may read an answer.
  explicit CrossOriginPolicy(std::vector<std::string> origins) : origins_(std::move(origins)) {}

  /// What is added to the answer to a request, for its page to be allowed to read it; nothing where
  /// it is not. Cookies are never let in.
  NamedValues AnswerHeaders(const HttpRequest& request) const;

  /// Whether a request asks what its page might send.
  static bool IsPreflight(const HttpRequest& request);
  /// The answer to that. `methods` are those of the path, as the header Allow has them. Any header
  /// may be sent but the console's: its session is not for other pages (docs/decisions.md).
  HttpResponse AnswerPreflight(const HttpRequest& request, std::string_view methods) const;

 private:
  bool Allows(std::string_view origin) const;

  const std::vector<std::string> origins_;
};

}  // namespace lethe::server_internal
