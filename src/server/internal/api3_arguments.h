#pragma once

// The arguments of an API 3.0 action, however they came: as JSON, or flattened into a form or a
// query (contract, sections 2.1 and 2.3).

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "server/http.h"

namespace lethe::server_internal {

/// More arguments than any call has: what comes with more is refused before it costs their memory.
inline constexpr std::size_t kMaxArguments = 20'000;

/// What an action refuses a call with: the contract's code and one line.
struct ApiError {
  std::string code;
  std::string message;
};

/// A value or an ApiError.
template <class T>
using ApiResult = std::variant<T, ApiError>;

/// Thread: one
class ApiArguments {
 public:
  /// A JSON object of at most kMaxArguments values. Errors: InvalidParameter.ErrorParsequest
  static ApiResult<ApiArguments> FromJson(const std::string& body);
  /// `Name=1`, `List.0=a`, `List.0.Sub=b`; all values are text. What is beyond kMaxArguments is
  /// left out.
  static ApiArguments FromFlat(const NamedValues& values);

  /// Each gives nothing when the argument is absent or null, and notes an error when it has another
  /// type; `required` notes one also when it is absent. The first error noted is the answer.
  std::optional<std::string> Text(const char* name, bool required = false);
  std::optional<std::int64_t> Number(const char* name, bool required = false);
  /// One of [least, most]; `standard` when absent.
  std::int64_t Choice(const char* name, std::int64_t least, std::int64_t most,
                      std::int64_t standard);
  std::optional<bool> Flag(const char* name);
  std::vector<std::string> Texts(const char* name);
  /// The elements of an array of objects.
  std::vector<ApiArguments> Objects(const char* name);
  bool Has(const char* name) const;

  void Note(ApiError error);
  const std::optional<ApiError>& error() const { return error_; }

 private:
  ApiArguments(nlohmann::json values, bool flat) : values_(std::move(values)), flat_(flat) {}

  const nlohmann::json* Find(const char* name, bool required);

  nlohmann::json values_;
  bool flat_ = false;  // numbers are text
  std::optional<ApiError> error_;
};

}  // namespace lethe::server_internal
