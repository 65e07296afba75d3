// Lists of hot words: what is read, what is refused and how it is said, and how a text is
// respelled. Method: a tokenizer of single bytes.

#include "decode/hot_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lethe {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

TokenCodec Bytes() {
  auto kinds =
      std::make_shared<std::vector<TokenCodec::Kind>>(256, TokenCodec::Kind::kContinuesWord);
  (*kinds)[' '] = TokenCodec::Kind::kBeginsWord;
  return {.encode =
              [](std::string_view text) {
                std::vector<int> tokens;
                for (const char c : text) tokens.push_back(static_cast<unsigned char>(c));
                return tokens;
              },
          .kinds = std::move(kinds)};
}

Result<std::shared_ptr<const HotWords>> Make(const std::vector<HotWord>& words) {
  return HotWords::Make(words, Bytes());
}

std::string Problem(const HotWord& word) {
  const auto made = Make({word});
  return made.ok() ? "" : made.status().message();
}

TEST(HotWordsTest, AnEntryIsAPhraseAndPerhapsAWeight) {
  const auto plain = ParseHotWord("  Norland   Park ");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->phrase, "Norland Park");
  EXPECT_EQ(plain->weight, kDefaultHotWordWeight);
  const auto weighted = ParseHotWord("Dashwood | 11");
  ASSERT_TRUE(weighted.ok());
  EXPECT_EQ(weighted->phrase, "Dashwood");
  EXPECT_EQ(weighted->weight, 11);
  EXPECT_TRUE(ParseHotWord("Dashwood|100").ok());
  for (const char* bad : {"Dashwood|", "Dashwood|0", "Dashwood|12", "Dashwood|-1", "Dashwood|ten",
                          "Dashwood|10x", "Dashwood|99999999999999999999", "Dashwood|1.5"}) {
    const auto word = ParseHotWord(bad);
    ASSERT_FALSE(word.ok()) << bad;
    EXPECT_THAT(word.status().message(), HasSubstr("from 1 to 11, or 100"));
    EXPECT_THAT(word.status().message(), HasSubstr("Dashwood"));
  }
}

TEST(HotWordsTest, AFileNamesTheLineThatIsWrong) {
  const auto list = ParseHotWordList("\xEF\xBB\xBF# names\n\nDashwood|5\r\n  Norland  \n");
  ASSERT_TRUE(list.ok());
  ASSERT_THAT(*list, SizeIs(2));
  EXPECT_EQ((*list)[0].weight, 5);
  EXPECT_EQ((*list)[1].phrase, "Norland");
  const auto bad = ParseHotWordList("a\nb\n|3\n");
  ASSERT_FALSE(bad.ok());
  EXPECT_THAT(bad.status().message(), HasSubstr("line 3: a hot word is empty"));
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "word" + std::to_string(i) + "\n";
  const auto too_many = ParseHotWordList(many);
  ASSERT_FALSE(too_many.ok());
  EXPECT_THAT(too_many.status().message(), HasSubstr("line 1001: more than 1000"));
}

TEST(HotWordsTest, WhatIsNoWordIsRefusedByName) {
  EXPECT_THAT(Problem({""}), HasSubstr("empty"));
  EXPECT_THAT(Problem({" \t "}), HasSubstr("empty"));
  EXPECT_THAT(Problem({"?!"}), HasSubstr("'?!'"));
  EXPECT_THAT(Problem({"a\x01z"}), HasSubstr("control characters: 'a?z'"));
  EXPECT_THAT(Problem({"caf\xE9"}), HasSubstr("no UTF-8 text: 'caf?'"));
  EXPECT_THAT(Problem({"\xED\xA0\x80"}), HasSubstr("no UTF-8"));
  EXPECT_THAT(Problem({std::string(10'000, 'x')}), HasSubstr("more than 30 characters: 'xxx"));
  EXPECT_LT(Problem({std::string(10'000, 'x')}).size(), 120u);
  EXPECT_THAT(Problem({"Dashwood", 0}), HasSubstr("'Dashwood' has 0"));
  // 30 characters of three bytes each.
  std::string chinese;
  for (int i = 0; i < 30; ++i) chinese += "\xE4\xB8\xAD";
  EXPECT_EQ(Problem({chinese}), "");
  const auto many = Make(std::vector<HotWord>(10'000, HotWord{"word"}));
  ASSERT_FALSE(many.ok());
  EXPECT_THAT(many.status().message(), HasSubstr("more than 1000 hot words: 10000"));
}

TEST(HotWordsTest, DuplicatesKeepTheLargestWeightAndTheFirstSpelling) {
  const auto words = Make({{"iPhone", 3}, {"IPHONE", 8}, {"iphone", 5}});
  ASSERT_TRUE(words.ok());
  ASSERT_THAT((*words)->words(), SizeIs(1));
  EXPECT_EQ((*words)->words()[0].weight, 8);
  EXPECT_EQ((*words)->words()[0].phrase, "iPhone");
}

TEST(HotWordsTest, SpellingsAreGroupedByTheirFirstToken) {
  // Prefixes of each other, too.
  const auto words = Make({{"Ann", 2}, {"Anna", 7}, {"ANNABEL"}, {"\xE4\xB8\xAD"}});
  ASSERT_TRUE(words.ok());
  int spellings = 0, last = -1;
  for (const HotWords::Start& start : (*words)->starts()) {
    EXPECT_GT(start.token, last);
    last = start.token;
    for (int i = start.begin; i < start.end; ++i, ++spellings) {
      const HotWords::Spelling& spelling = (*words)->spellings()[static_cast<std::size_t>(i)];
      EXPECT_EQ(spelling.tokens.front(), start.token);
      EXPECT_NE(spelling.word, 3) << "a word without a sound is never searched for";
    }
  }
  EXPECT_EQ(spellings, static_cast<int>((*words)->spellings().size()));
  // "Ann" and "ann", "Anna" and "anna", "ANNABEL", "annabel" and "Annabel"; each with a space and
  // without.
  EXPECT_EQ(spellings, 14);
}

TEST(HotWordsTest, TextIsRespelledAsTheCallerWroteIt) {
  const auto words = Make({{"iPhone"}, {"Smart Mirror"}, {"mirror"}, {"Ann"}, {"C++"}});
  ASSERT_TRUE(words.ok());
  std::string text = "Iphone, smart mirror's \"Mirror\" and Anna saw ann. c++ IPHONES";
  (*words)->Respell(&text);
  EXPECT_EQ(text, "iPhone, Smart Mirror's \"mirror\" and Anna saw Ann. C++ IPHONES");
  std::string empty;
  (*words)->Respell(&empty);
  EXPECT_EQ(empty, "");
  std::string bytes = "\xFF ann\xE4\xB8\xAD Ann";
  (*words)->Respell(&bytes);
  EXPECT_EQ(bytes, "\xFF ann\xE4\xB8\xAD Ann");
}

}  // namespace
}  // namespace lethe
