// Goal: whom a call is about can be read in one way only, or it is refused. Method: requests by
// hand.

#include "server/internal/subject.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"

namespace lethe::server_internal {
namespace {

Result<std::string> NameOf(const std::string& query, const NamedValues& headers = {}) {
  return SubjectName({.query = query, .headers = headers});
}

TEST(SubjectNameTest, IsThatOfTheHeaderOrOfTheAddress) {
  EXPECT_EQ(*NameOf("a=1"), "");
  EXPECT_EQ(*NameOf("a=1&lethe_subject=Ann%20Lee%2B"), "Ann Lee+");
  EXPECT_EQ(*NameOf("", {{"X-LETHE-Subject", "ann+lee"}}), "ann+lee");
  EXPECT_EQ(*NameOf("lethe_subject=ann", {{"X-Lethe-Subject", "ann"}}), "ann");
  EXPECT_EQ(*NameOf("lethe_subject=ann&lethe_subject=%61nn"), "ann");
}

TEST(SubjectNameTest, WhatCouldBeReadInTwoWaysIsRefused) {
  for (const char* query :
       {"lethe_subject=ann&lethe_subject=bob", "lethe_subject=ann+lee",
        "lethe_subject=", "lethe_subject", "lethe_subject=ann&lethe_subject="}) {
    EXPECT_THAT(NameOf(query).status(), HasCode(StatusCode::kInvalidArgument)) << query;
  }
  EXPECT_THAT(NameOf("lethe_subject=ann", {{"X-Lethe-Subject", "bob"}}).status(),
              HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(NameOf("", {{"X-Lethe-Subject", ""}}).status(),
              HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(NameOf("", {{"X-Lethe-Subject", "ann"}, {"x-lethe-subject", "bob"}}).status(),
              HasCode(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace lethe::server_internal
