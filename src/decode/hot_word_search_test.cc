// Goal:   a hot word that was said and missed is written; one that was not said costs nothing,
//         even where it begins well; what the model says of itself stays its own.
// Method: a made-up model that is a table: which tokens may follow a text, and how probable they
//         are. It computes from the tokens the sequence really holds, so a wrong `keep` shows.

#include "decode/hot_word_search.h"

#include <cmath>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lethe {
namespace {

const std::vector<std::string> kPieces = {
    "<begin>", "<end>", " the", " Swiss", " Sm", "ith", "s",     "oke",    " came",  " home", " by",
    " boat",   " Swi",  "ft",   ".",      " a",  " to", " late", " about", " aboat", "'s"};
constexpr int kBegin = 0, kEnd = 1;

std::string Decode(std::span<const int> tokens) {
  std::string text;
  for (const int token : tokens) text += kPieces[static_cast<std::size_t>(token)];
  return text;
}

// The longest piece first.
std::vector<int> Encode(std::string_view text) {
  std::vector<int> tokens;
  while (!text.empty()) {
    int best = -1;
    for (int i = 2; i < static_cast<int>(kPieces.size()); ++i) {
      const std::string& piece = kPieces[static_cast<std::size_t>(i)];
      if (!text.starts_with(piece)) continue;
      if (best < 0 || piece.size() > kPieces[static_cast<std::size_t>(best)].size()) best = i;
    }
    if (best < 0) return {};
    tokens.push_back(best);
    text.remove_prefix(kPieces[static_cast<std::size_t>(best)].size());
  }
  return tokens;
}

TokenCodec Codec() {
  auto kinds = std::make_shared<std::vector<TokenCodec::Kind>>();
  for (const std::string& piece : kPieces) {
    kinds->push_back(piece[0] == ' '               ? TokenCodec::Kind::kBeginsWord
                     : std::isalpha(piece[0]) != 0 ? TokenCodec::Kind::kContinuesWord
                                                   : TokenCodec::Kind::kOther);
  }
  return {.encode = Encode, .kinds = std::move(kinds)};
}

// Log-probabilities of what may follow the end of a text; the rest has -20.
using Model = std::map<std::string, std::map<std::string, float>>;

// "the Swiss came home by boat", where " Swiss" may as well have been " Sm" + "ith" + "s".
Model TheSwiss(float first = -1, float second = -0.1f) {
  return {{"", {{" the", -0.01f}}},
          {" the", {{" Swiss", -0.2f}, {" Sm", first}, {" a", -3}}},
          {" Swiss", {{" came", -0.1f}}},
          {" Sm", {{"ith", second}, {"oke", -0.5f}}},
          {"ith", {{"s", -0.1f}, {" came", -4}}},
          {"oke", {{" came", -0.1f}}},
          {"s", {{" came", -0.1f}, {".", -3}}},
          {" came", {{" home", -0.1f}}},
          {" home", {{" by", -0.1f}, {" late", -2}}},
          {" by", {{" boat", -0.1f}}},
          {" boat", {{"<end>", -0.1f}}},
          {" late", {{"<end>", -0.1f}}}};
}

std::vector<float> Logits(const Model& model, std::span<const int> tokens) {
  std::vector<float> logits(kPieces.size(), -20.0f);
  const std::string text = Decode(tokens);
  const std::map<std::string, float>* next = nullptr;
  std::size_t longest = 0;
  for (const auto& [end, table] : model) {
    if (text.ends_with(end) && (next == nullptr || end.size() > longest)) {
      next = &table;
      longest = end.size();
    }
  }
  for (const auto& [piece, p] : *next) {
    logits[static_cast<std::size_t>(std::find(kPieces.begin(), kPieces.end(), piece) -
                                    kPieces.begin())] = p;
  }
  return logits;
}

struct Answer {
  std::string text;
  std::vector<float> log_probabilities;
  bool changed = false;
  int passes = 0;
};

Answer Recognize(const Model& model, const std::vector<HotWord>& list, int max_tokens = 20,
                 int max_rows = 4) {
  const auto words = HotWords::Make(list, Codec());
  EXPECT_TRUE(words.ok());
  const GreedyOptions options{.end_token = kEnd, .max_tokens = max_tokens};
  GreedySearch greedy;
  greedy.Begin(options);
  HotWordSearch search(Decode);
  search.Begin(**words, options);
  std::vector<int> sequence;  // what the model has taken, but for the begin token
  for (int token = kBegin; token != kEnd;) {
    std::vector<float> logits = Logits(model, sequence);
    token = greedy.Choose(ScalarKernels(), logits);
    search.Listen(logits, greedy.log_sum(), token);
    if (token != kEnd) sequence.push_back(token);
  }
  search.BeginTrials(greedy);
  Answer answer;
  std::vector<int> rows;
  for (int keep = 0; search.Next(max_rows, &keep, &rows); ++answer.passes) {
    EXPECT_GE(keep, 1);
    EXPECT_LE(keep, static_cast<int>(sequence.size()) + 1);
    EXPECT_FALSE(rows.empty());
    EXPECT_LE(static_cast<int>(rows.size()), max_rows);
    if (answer.passes > 1000 || rows.empty()) {
      ADD_FAILURE() << "goes on for ever";
      break;
    }
    sequence.resize(static_cast<std::size_t>(keep) - 1);
    bool wanted = true;
    for (const int token : rows) {
      sequence.push_back(token);
      std::vector<float> logits = Logits(model, sequence);
      if (wanted) wanted = search.Take(ScalarKernels(), logits);
    }
  }
  answer.text = Decode(search.tokens());
  answer.log_probabilities.assign(search.log_probabilities().begin(),
                                  search.log_probabilities().end());
  answer.changed = search.changed();
  return answer;
}

TEST(HotWordSearchTest, AWordThatWasMissedIsWritten) {
  for (int max_rows : {1, 2, 4, 9}) {
    const Answer answer = Recognize(TheSwiss(), {{"Smiths"}}, 20, max_rows);
    EXPECT_EQ(answer.text, " the Smiths came home by boat");
    EXPECT_TRUE(answer.changed);
  }
  EXPECT_EQ(Recognize(TheSwiss(), {{"Smiths came"}}).text, " the Smiths came home by boat");
}

TEST(HotWordSearchTest, WithoutItsWordNothingChanges) {
  const Answer answer = Recognize(TheSwiss(), {{"a boat"}, {"late"}});
  EXPECT_EQ(answer.text, " the Swiss came home by boat");
  EXPECT_FALSE(answer.changed);
  EXPECT_EQ(Recognize(TheSwiss(), {}).passes, 0);
}

TEST(HotWordSearchTest, ProbabilitiesAreTheModelsOwn) {
  const Answer answer = Recognize(TheSwiss(), {{"Smiths"}});
  std::vector<int> tokens;
  ASSERT_EQ(answer.log_probabilities.size(), 8u);
  for (const int token : Encode(answer.text)) {
    const std::vector<float> logits = Logits(TheSwiss(), tokens);
    double sum = 0;
    for (const float v : logits) sum += std::exp(v);
    EXPECT_NEAR(answer.log_probabilities[tokens.size()],
                logits[static_cast<std::size_t>(token)] - std::log(sum), 1e-4);
    tokens.push_back(token);
  }
}

TEST(HotWordSearchTest, AWordThatBeginsWellAndGoesWrongCostsNothing) {
  // " Sm" is nearly as good as " Swiss", "ith" is ruled out.
  const Answer answer = Recognize(TheSwiss(-0.3f, -15), {{"Smiths", kForcedHotWordWeight}});
  EXPECT_EQ(answer.text, " the Swiss came home by boat");
  const std::vector<float> plain = Recognize(TheSwiss(-0.3f, -15), {}).log_probabilities;
  EXPECT_EQ(answer.log_probabilities, plain);
}

TEST(HotWordSearchTest, AWordThatDoesNotSoundLikeIt) {
  Model model = TheSwiss();
  model[" the"] = {{" Swiss", -0.2f}, {" boat", -2}};
  model[" boat"] = {{" came", -0.1f}, {"<end>", -2.5f}};
  EXPECT_EQ(Recognize(model, {{"boat"}}).text, Recognize(model, {}).text);
}

TEST(HotWordSearchTest, MoreWeightNeverWritesLess) {
  bool written = false;
  int changes = 0;
  for (int weight = 1; weight <= kForcedHotWordWeight; ++weight) {
    const bool now = Recognize(TheSwiss(-2), {{"Smiths", weight}}).changed;
    EXPECT_TRUE(now || !written) << weight;
    changes += now != written;
    written = now;
  }
  EXPECT_TRUE(written);
  EXPECT_EQ(changes, 1);
  EXPECT_FALSE(Recognize(TheSwiss(-2), {{"Smiths", 1}}).changed);
  EXPECT_TRUE(Recognize(TheSwiss(-2), {{"Smiths", kHomophoneHotWordWeight}}).changed);
}

TEST(HotWordSearchTest, AWordHasToEndWhereItEnds) {
  // The model would go on: "Smith" + "s".
  const Answer answer = Recognize(TheSwiss(), {{"Smith", kForcedHotWordWeight}});
  EXPECT_THAT(answer.text, testing::Not(testing::HasSubstr("Smiths")));
}

TEST(HotWordSearchTest, OfTwoWordsTheMoreProbableIsWritten) {
  EXPECT_EQ(Recognize(TheSwiss(), {{"Smiths"}, {"Smith"}}).text, " the Smiths came home by boat");
  EXPECT_EQ(Recognize(TheSwiss(), {{"Smith"}, {"Smiths"}}).text, " the Smiths came home by boat");
  // What is there has a bonus too.
  EXPECT_EQ(Recognize(TheSwiss(), {{"Smiths"}, {"Swiss"}}).text, " the Swiss came home by boat");
}

TEST(HotWordSearchTest, TheRestOfTheTextStays) {
  // Behind the word the model comes back to what was there, then would end otherwise.
  Model model = TheSwiss();
  model["Smiths came home by"] = {{" to", -0.1f}, {" boat", -2}};
  EXPECT_EQ(Recognize(model, {{"Smiths"}}).text, " the Smiths came home by boat");
}

TEST(HotWordSearchTest, WhatFollowsTheWordHasToSoundAsItDid) {
  Model model = TheSwiss();
  model["Smiths came home"] = {{" to", -0.1f}};
  model[" to"] = {{" boat", -0.1f}};
  EXPECT_FALSE(Recognize(model, {{"Smiths came home"}}).changed);
  model["Smiths came home"] = {{" by", -0.1f}};
  EXPECT_TRUE(Recognize(model, {{"Smiths came home"}}).changed);
}

TEST(HotWordSearchTest, AGenitiveBelongsToTheWord) {
  Model model = TheSwiss();
  model["ith"] = {{"'s", -0.1f}};
  model["'s"] = {{" came", -0.1f}};
  EXPECT_EQ(Recognize(model, {{"Smith"}}).text, " the Smith's came home by boat");
}

TEST(HotWordSearchTest, AWordInPlaceOfTwoIsWorthLess) {
  // All sound the same, and neither word is probable.
  Model model = TheSwiss();
  model[" by"] = {{" a", -0.1f}, {" about", -5}, {" aboat", -5}};
  model[" a"] = {{" boat", -0.1f}};
  model[" about"] = model[" aboat"] = {{"<end>", -0.1f}};
  EXPECT_FALSE(Recognize(model, {{"about"}}).changed);
  // The two words, but for the space.
  EXPECT_TRUE(Recognize(model, {{"aboat"}}).changed);
  EXPECT_TRUE(Recognize(model, {{"about", kForcedHotWordWeight}}).changed);
}

TEST(HotWordSearchTest, SeveralWordsInOneText) {
  Model model = TheSwiss();
  model[" by"] = {{" boat", -0.1f}, {" to", -2.5f}};
  model[" boat"] = {{" the", -0.1f}, {"<end>", -3}};
  model["boat the"] = {{" Swiss", -0.2f}, {" Sm", -1}};
  model["boat the Swiss"] = {{"<end>", -0.1f}};
  model["boat the Smiths"] = {{"<end>", -0.1f}};
  EXPECT_EQ(Recognize(model, {{"Smiths"}}).text, " the Smiths came home by boat the Smiths");
}

TEST(HotWordSearchTest, TheGuardsOfGreedySearchHold) {
  // A text that runs in circles, and one that reaches its limit.
  Model circles = TheSwiss();
  circles[" boat"] = {{" the", -0.1f}, {"<end>", -5}};
  EXPECT_LT(Recognize(circles, {{"Smiths"}}, 200).text.size(), 300u);
  for (int most = 1; most < 12; ++most) {
    const Answer answer = Recognize(circles, {{"Smiths"}, {"the Smiths"}}, most);
    EXPECT_LE(answer.log_probabilities.size(), static_cast<std::size_t>(most));
  }
}

TEST(HotWordSearchTest, AThousandWordsAreTriedInBoundedTime) {
  std::vector<HotWord> words;
  for (int i = 0; i < 1000; ++i) {
    std::string word = "s";
    for (int n = i; n > 0; n /= 3) word += n % 3 == 0 ? "s" : n % 3 == 1 ? "ith" : "oke";
    if (word.size() <= kMaxHotWordLetters) words.push_back({"Sm" + word.substr(1) + "s"});
  }
  EXPECT_LT(Recognize(TheSwiss(), words).passes, 500);
}

}  // namespace
}  // namespace lethe
