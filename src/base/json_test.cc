// Goal: JSON comes in and goes out in one way. Method: texts and values at the edges of what JSON
// is.

#include "base/json.h"

#include <string>

#include <gtest/gtest.h>

namespace lethe {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

TEST(JsonTest, WhatIsNoJsonIsDiscarded) {
  for (const char* text : {"", "{", "{\"a\":1}x", "[1,]", "nul", "\"\xff\""}) {
    EXPECT_TRUE(ParseJson<Json>(text).is_discarded()) << text;
    EXPECT_TRUE(ParseJson<OrderedJson>(text).is_discarded()) << text;
  }
}

TEST(JsonTest, OrderedMembersStayWhereTheyWere) {
  const std::string text = R"({"b":[1,2.5],"a":{"é":null}})";
  EXPECT_EQ(WriteJson(ParseJson<OrderedJson>(text)), text);
  EXPECT_EQ(WriteJson(ParseJson<Json>(text)), R"({"a":{"é":null},"b":[1,2.5]})");
}

TEST(JsonTest, AnIndentMakesLines) {
  EXPECT_EQ(WriteJson(ParseJson<OrderedJson>("{\"a\":[1]}"), 2), "{\n  \"a\": [\n    1\n  ]\n}");
}

TEST(JsonTest, AStringThatIsNoUtf8IsReplacedOnlyWhereThatIsAskedFor) {
  const OrderedJson half = {{"text", "caf\xc3"}};
  EXPECT_THROW(WriteJson(half), OrderedJson::type_error);
  EXPECT_EQ(WriteLossyJson(half), "{\"text\":\"caf\uFFFD\"}");
}

}  // namespace
}  // namespace lethe
