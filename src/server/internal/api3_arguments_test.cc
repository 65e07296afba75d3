// Goal: arguments mean the same in JSON, forms and queries, and hostile ones cost nothing. Method:
// by hand.

#include "server/internal/api3_arguments.h"

#include <algorithm>

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
  std::string many = "{\"a\":[1";
  for (std::size_t i = 0; i < kMaxArguments; ++i) many += ",1";
  EXPECT_TRUE(std::holds_alternative<ApiArguments>(ApiArguments::FromJson(many + "]}")));
  EXPECT_TRUE(std::holds_alternative<ApiError>(ApiArguments::FromJson(many + ",1]}")));
  // Brackets in text are no depth.
  EXPECT_EQ(Json("{\"a\": \"" + std::string(100, '[') + "\\\"]\"}").Text("a")->size(), 102U);
}

TEST(ApiArgumentsTest, FlattenedListsMayComeInAnyOrder) {
  // Go sends them sorted as text, Java in the order of its hashes.
  NamedValues values;
  for (int i = 0; i < 12; ++i) {
    const std::string place = "WordWeights." + std::to_string(i);
    values.emplace_back(place + ".Word", "w" + std::to_string(i));
    values.emplace_back(place + ".Weight", "5");
  }
  std::sort(values.begin(), values.end());
  for (int round = 0; round < 3; ++round) {
    ApiArguments flat = ApiArguments::FromFlat(values);
    std::vector<ApiArguments> words = flat.Objects("WordWeights");
    ASSERT_EQ(words.size(), 12U);
    for (int i = 0; i < 12; ++i) {
      EXPECT_EQ(words[i].Text("Word"), "w" + std::to_string(i));
      EXPECT_EQ(words[i].Number("Weight"), 5);
    }
    EXPECT_FALSE(flat.error());
    std::reverse(values.begin(), values.end());
    if (round == 1) std::rotate(values.begin(), values.begin() + 7, values.end());
  }
}

TEST(ApiArgumentsTest, AFlattenedListWithAGapIsRefused) {
  for (const char* name : {"B.5", "B.1.Word", "B.1000000000", "B.0.C.1", "D.-1"}) {
    const ApiArguments flat = ApiArguments::FromFlat({{"A", "x"}, {name, "y"}});
    ASSERT_TRUE(flat.error()) << name;
    EXPECT_EQ(flat.error()->code, "InvalidParameter");
    EXPECT_THAT(flat.error()->message, testing::HasSubstr(name));
  }
}

TEST(ApiArgumentsTest, FlattenedNamesThatMakeNoSenseAreLeftOut) {
  ApiArguments flat =
      ApiArguments::FromFlat({{"C.Name", "object"}, {"C.0", "list"}, {"..", "dots"}});
  EXPECT_THAT(flat.Texts("C"), ElementsAre("list"));
  EXPECT_FALSE(flat.error());
}

}  // namespace
}  // namespace lethe::server_internal
