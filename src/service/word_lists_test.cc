// Goal: lists of hot words are read as the contract writes them, and a bad one is refused without
// repeating what is in it. Method: lists by hand.

#include "service/word_lists.h"

#include <set>
#include <string>

#include <gmock/gmock.h>

#include "base/clock.h"
#include "tests/support/test_store.h"

namespace lethe {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(HotWordEntriesTest, AreReadWithAndWithoutWeights) {
  const auto words =
      ParseHotWordEntries("Lethe|5, Styx ,a|b|100,,\xe8\x85\xbe\xe8\xae\xaf\xe4\xba\x91|10");
  EXPECT_FALSE(words.ok());  // a bar within a word
  const auto good = ParseHotWordEntries("Lethe|5, Styx ,,\xe8\x85\xbe\xe8\xae\xaf\xe4\xba\x91|100");
  ASSERT_TRUE(good.ok()) << good.status().message();
  ASSERT_EQ(good->size(), 3U);
  EXPECT_EQ((*good)[0].phrase, "Lethe");
  EXPECT_EQ((*good)[0].weight, 5);
  EXPECT_EQ((*good)[1].phrase, "Styx");
  EXPECT_EQ((*good)[1].weight, kDefaultHotWordWeight);
  EXPECT_EQ((*good)[2].weight, 100);
}

TEST(HotWordEntriesTest, BadOnesAreNamedByTheirPlaceAlone) {
  for (const char* list : {"good|1,secret|12", "good,secret|0", "good,secret|x", "good,secret|5x",
                           "good,|5", "good,secretsecretsecretsecretsecret1|5"}) {
    const auto words = ParseHotWordEntries(list);
    ASSERT_FALSE(words.ok()) << list;
    EXPECT_THAT(words.status().message(), HasSubstr("hot word 2")) << list;
    EXPECT_THAT(words.status().message(), Not(HasSubstr("secret"))) << list;
  }
  std::string many;
  for (int i = 0; i < 129; ++i) many += "w,";
  EXPECT_THAT(ParseHotWordEntries(many).status().message(), HasSubstr("128"));
}

TEST(HotWordCheckTest, CountsCharactersAndFewerOfChinese) {
  EXPECT_EQ(CheckHotWord(std::string(30, 'x'), 1), HotWordProblem::kNone);
  EXPECT_EQ(CheckHotWord(std::string(31, 'x'), 1), HotWordProblem::kTooLong);
  std::string accents, chinese;
  for (int i = 0; i < 30; ++i) accents += "\xc3\xa9";
  EXPECT_EQ(CheckHotWord(accents, 11), HotWordProblem::kNone);
  for (int i = 0; i < 11; ++i) chinese += "\xe8\x85\xbe";
  EXPECT_EQ(CheckHotWord(chinese, 11), HotWordProblem::kTooLong);
  EXPECT_EQ(CheckHotWord(chinese.substr(3), 100), HotWordProblem::kNone);
  EXPECT_EQ(CheckHotWord("\xff", 5), HotWordProblem::kIllFormed);
  EXPECT_EQ(CheckHotWord("a\nb", 5), HotWordProblem::kIllFormed);
  EXPECT_EQ(CheckHotWord("", 5), HotWordProblem::kEmpty);
  EXPECT_EQ(CheckHotWord("a", 12), HotWordProblem::kWeight);
}

class WordListsTest : public ::testing::Test {
 protected:
  WordListsTest() : store_(SystemClock()), lists_(store_->vocabularies()) {
    app_ = store_->applications().Create({.name = "one"})->id;
    other_ = store_->applications().Create({.name = "two"})->id;
    // Letters are tokens.
    engine_.codec.encode = [](std::string_view text) {
      std::vector<int> tokens;
      for (const char c : text) {
        if (static_cast<unsigned char>(c) >= 0x80) return std::vector<int>();
        tokens.push_back(static_cast<unsigned char>(c));
      }
      return tokens;
    };
    engine_.codec.kinds = std::make_shared<const std::vector<TokenCodec::Kind>>(
        256, TokenCodec::Kind::kContinuesWord);
  }

  std::string Vocabulary(AppId app, const std::string& word) {
    return store_->vocabularies().Create(app, {.name = "v", .words = {{word, 5}}})->id;
  }

  TestStore store_;
  WordLists lists_;
  SpeechEngine engine_;
  AppId app_ = 0, other_ = 0;
};

TEST_F(WordListsTest, TheInlineListGoesBeforeTheVocabularyAndThatBeforeTheDefault) {
  EXPECT_EQ(*lists_.Resolve(app_, engine_, "", ""), nullptr);
  const std::string named = Vocabulary(app_, "named"), standard = Vocabulary(app_, "standard");
  ASSERT_TRUE(store_->vocabularies().SetDefault(app_, standard, true).ok());
  const auto first = [&](std::string_view list, std::string_view id) {
    return (*lists_.Resolve(app_, engine_, list, id))->words()[0].phrase;
  };
  EXPECT_EQ(first("", ""), "standard");
  EXPECT_EQ(first("", named), "named");
  EXPECT_EQ(first("inline|3", named), "inline");
  // Spelled once, and anew once it has changed.
  EXPECT_EQ(*lists_.Resolve(app_, engine_, "", named), *lists_.Resolve(app_, engine_, "", named));
}

TEST_F(WordListsTest, EveryFormOfAWordIsSpelledOnce) {
  std::multiset<std::string> spelled;
  engine_.codec.encode = [&, encode = engine_.codec.encode](std::string_view text) {
    spelled.emplace(text);
    return encode(text);
  };
  ASSERT_NE(*lists_.Resolve(app_, engine_, "styx|5,Lethe,river Cocytus", ""), nullptr);
  for (const std::string& text : spelled) EXPECT_EQ(spelled.count(text), 1U) << text;
  EXPECT_THAT(spelled, ::testing::IsSupersetOf({" styx", "Styx", " river Cocytus", "lethe"}));
}

TEST_F(WordListsTest, AnothersVocabularyDoesNotExistAndWordsNobodyCanWriteAreLeftOut) {
  const std::string id = Vocabulary(other_, "secret");
  EXPECT_EQ(lists_.Resolve(app_, engine_, "", id).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(*lists_.Resolve(app_, engine_, "\xe8\x85\xbe|5", ""), nullptr);
  EXPECT_EQ((*lists_.Resolve(app_, engine_, "\xe8\x85\xbe|5,Lethe", ""))->spellings()[0].word, 1);
}

}  // namespace
}  // namespace lethe
