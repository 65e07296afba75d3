// Goal: arguments mean the same in JSON, forms and queries, and hostile ones cost nothing. Method:
// by hand.

#include "server/internal/api3_arguments.h"

#include <gmock/gmock.h>

namespace lethe::server_internal {
namespace {

using ::testing::ElementsAre;

ApiArguments Json(const std::string& text) {
  return std::get<ApiArguments>(ApiArguments::FromJson(text));
}

TEST(ApiArgumentsTest, FlattenedListsAndObjectsAreRebuilt) {
  ApiArguments flat = ApiArguments::FromFlat({{"TaskId", "1000000286"},
                                              {"Names.0", "a"},
                                              {"Names.1", "b"},
                                              {"WordWeights.0.Word", "Lethe"},
                                              {"WordWeights.0.Weight", "5"},
                                              {"OnlySelf", "true"}});
  EXPECT_EQ(flat.Number("TaskId"), 1'000'000'286);
  EXPECT_THAT(flat.Texts("Names"), ElementsAre("a", "b"));
  std::vector<ApiArguments> words = flat.Objects("WordWeights");
  ASSERT_EQ(words.size(), 1U);
  EXPECT_EQ(words[0].Text("Word"), "Lethe");
  EXPECT_EQ(words[0].Number("Weight"), 5);
  EXPECT_EQ(flat.Flag("OnlySelf"), true);
  EXPECT_FALSE(flat.error());
}

TEST(ApiArgumentsTest, TypesAreHeldToInJson) {
  ApiArguments arguments = Json(R"({"A": "5", "B": 1.5, "C": 18446744073709551615, "D": null})");
  EXPECT_EQ(arguments.Number("D", false), std::nullopt);
  EXPECT_FALSE(arguments.error());
  for (const char* name : {"A", "B", "C"}) {
    ApiArguments fresh = arguments;
    EXPECT_EQ(fresh.Number(name), std::nullopt);
    EXPECT_EQ(fresh.error()->code, "InvalidParameter") << name;
  }
  EXPECT_EQ(arguments.Text("D", true), std::nullopt);
  EXPECT_EQ(arguments.error()->code, "MissingParameter");
  // The first error stays.
  EXPECT_EQ(arguments.Choice("A", 0, 1, 0), 0);
  EXPECT_EQ(arguments.error()->code, "MissingParameter");
}

TEST(ApiArgumentsTest, WhatIsNoObjectOrTooDeepIsRefused) {
  for (const std::string& text :
       {std::string("["), std::string("[]"), std::string("{"), std::string("{}x"),
        std::string(100'000, '['), "{\"a\":" + std::string(100'000, '[') + "}"}) {
    const auto refused = ApiArguments::FromJson(text);
    ASSERT_TRUE(std::holds_alternative<ApiError>(refused)) << text.substr(0, 20);
    EXPECT_EQ(std::get<ApiError>(refused).code, "InvalidParameter.ErrorParsequest");
  }
  // Brackets in text are no depth.
  EXPECT_EQ(Json("{\"a\": \"" + std::string(100, '[') + "\\\"]\"}").Text("a")->size(), 102U);
}

TEST(ApiArgumentsTest, FlattenedNamesThatMakeNoSenseAreLeftOut) {
  ApiArguments flat = ApiArguments::FromFlat({{"A.1000000000", "x"},
                                              {"B.5", "gap"},
                                              {"C.0", "list"},
                                              {"C.Name", "object"},
                                              {"..", "dots"},
                                              {"D.-1", "minus"}});
  EXPECT_THAT(flat.Texts("C"), ElementsAre("list"));
  EXPECT_FALSE(flat.error());
}

}  // namespace
}  // namespace lethe::server_internal
