#pragma once

// EXPECT_THAT(status, IsOk()) and EXPECT_THAT(result, HasCode(StatusCode::kNotFound)).

#include <string>

#include <gmock/gmock.h>

#include "base/status.h"

namespace lethe {

/// Expects success of a Status or a Result, and shows the message otherwise.
MATCHER(IsOk, "is ok") {
  if constexpr (requires { arg.status(); }) {
    if (!arg.ok()) *result_listener << arg.status().message();
  } else {
    if (!arg.ok()) *result_listener << arg.message();
  }
  return arg.ok();
}

/// Expects a Status or a Result of that code.
MATCHER_P(HasCode, code, "has the code " + std::string(StatusCodeName(code))) {
  if constexpr (requires { arg.status(); }) {
    *result_listener << StatusCodeName(arg.status().code()) << ": " << arg.status().message();
    return arg.status().code() == code;
  } else {
    *result_listener << StatusCodeName(arg.code()) << ": " << arg.message();
    return arg.code() == code;
  }
}

}  // namespace lethe
