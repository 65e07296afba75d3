// Goal:   what an utterance gives depends on its samples and on what was asked alone, to the last
//         bit, whatever is decoded beside it; a draft changes nothing but the number of passes, a
//         promise nothing where it is true.
// Method: what an utterance gives alone is what it has to give in company: of the made-up model of
//         tests/support/scripted_model.h, and of the installed one on a made signal.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>

#include <gmock/gmock.h>

#include "engine/internal/test_company.h"
#include "engine/internal/test_same.h"
#include "kernels/dispatch.h"
#include "model/moonshine/moonshine.h"
#include "model/store.h"
#include "tests/golden/signal.h"
#include "tests/support/scripted_model.h"

namespace lethe {
namespace {

class Mixture {
 public:
  explicit Mixture(const SpeechModel& model) : model_(model) {}

  void Add(const Task& task) {
    tasks_.push_back(task);
    alone_.push_back(Alone(model_, task));
  }
  const Request::Answer& alone(std::size_t i) const { return alone_[i]; }

  // Everybody together, in some order, with drafts that are right, partly right, wrong, too long,
  // or none.
  void Check(unsigned seed) const {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    std::vector<std::size_t> order(tasks_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), random);
    Company company(model_);
    for (const std::size_t i : order) {
      Task task = tasks_[i];
      task.priority = static_cast<Priority>(random() % kPriorities);
      const std::vector<int>& right = alone_[i].tokens;
      const int any = right.empty() ? 5 : right.back();
      switch (random() % 5) {
        case 0:
          break;
        case 1:
          task.draft = right;
          break;
        case 2:
          task.draft.assign(right.begin(), right.begin() + static_cast<long>(right.size() / 2));
          task.draft.push_back(any);
          break;
        case 3:
          task.draft.assign(3, any);
          break;
        case 4:
          task.draft = right;
          task.draft.resize(500, any);
          break;
      }
      company.Add(task);
    }
    company.Finish([&random] { return random() % 3 == 0; });
    for (std::size_t i = 0; i < order.size(); ++i) {
      SCOPED_TRACE(order[i]);
      ASSERT_TRUE(company.answers()[i]);
      ExpectSame(*company.answers()[i], alone_[order[i]]);
    }
  }

 private:
  const SpeechModel& model_;
  std::vector<Task> tasks_;
  std::vector<Request::Answer> alone_;
};

TEST(UtteranceIdentityTest, CompanyChangesNoBit) {
  ScriptedModel model;
  Mixture mixture(model);
  constexpr std::array<std::size_t, 3> places = {0, 2, 3};
  for (int i = 0; i < 60; ++i) {
    const int sentence = 100 + 13 * i;
    Task task(Padded(sentence, 3'000 + 977 * static_cast<std::size_t>(i)));
    task.words = i % 3 == 0;
    task.second_hearing = i % 7 != 0;
    task.alternatives = i / 5 % 5;
    if (i % 4 == 0) task.hot_words = HomophonesOf(model, sentence, places);
    mixture.Add(task);
  }
  for (const int sentence : {125, 225, 325, 525}) {  // heard in the same way twice
    Task task(Padded(sentence));
    task.words = sentence > 200;
    task.alternatives = sentence > 300 ? 4 : 0;
    if (sentence != 325) task.hot_words = HomophonesOf(model, sentence, places);
    mixture.Add(task);
  }
  for (unsigned seed = 0; seed < 8; ++seed) mixture.Check(seed);
}

TEST(UtteranceIdentityTest, ADraftThatIsRightTakesAFewPasses) {
  ScriptedModel model;
  int passes = 0;
  model.on_pass = [&passes](std::span<const DecoderRow>) { ++passes; };
  Task task(Padded(111));
  const auto count = [&] {
    passes = 0;
    Company company(model);
    company.Add(task);
    company.Finish();
    return passes;
  };
  const int words = ScriptedModel::NumWords(111);
  EXPECT_EQ(count(), words + 1);
  task.draft = ScriptedModel::Tokens(111);
  EXPECT_EQ(count(), 1);
  task.draft[2] = 5;  // three are right, and what the row of the wrong one is for is known
  EXPECT_EQ(count(), words + 1 - 2);
}

// The model looks for the largest of the others, and nothing else of them is exact.
TEST(UtteranceIdentityTest, TheModelIsToldThatTheFirstTokenMayNotBeTheEnd) {
  ScriptedModel model;
  int first = 0, others = 0;
  model.on_pass = [&](std::span<const DecoderRow> rows) {
    for (const DecoderRow& row : rows) {
      const bool begins = row.token == ScriptedModel::kBegin;
      ++(begins ? first : others);
      EXPECT_EQ(row.forbidden, begins ? ScriptedModel::kEnd : -1);
      EXPECT_FALSE(row.every_logit);
    }
  };
  Company company(model);
  company.Add(Task(Padded(111)));
  Task drafted(Padded(112));
  drafted.draft = ScriptedModel::Tokens(112);
  company.Add(drafted);
  company.Finish();
  EXPECT_EQ(first, 2);
  EXPECT_GT(others, 2);
}

TEST(UtteranceIdentityTest, ASecondHearingThatSaysTheSameAndIsSureNeedsNoSearch) {
  ScriptedModel model;
  bool searched = false;
  model.on_pass = [&searched](std::span<const DecoderRow> rows) {
    for (const DecoderRow& row : rows) searched = searched || row.joint;
  };
  // Unsure at first are all; then: sure, unsure, of another opinion.
  for (const auto& [sentence, wanted] : {std::pair(425, false), {450, true}, {235, true}}) {
    SCOPED_TRACE(sentence);
    for (const bool words : {false, true}) {
      searched = false;
      Task task(Padded(sentence));
      task.words = words;
      const Request::Answer answer = Alone(model, task);
      EXPECT_EQ(searched, wanted);
      EXPECT_EQ(answer.tokens, ScriptedModel::Tokens(sentence));
      EXPECT_EQ(answer.segment.confidence > 0.82f, !wanted);
      EXPECT_EQ(answer.segment.words.size(), words ? answer.tokens.size() : 0u);
      if (wanted) continue;  // so unsure that the word is found in other places too
      task.hot_words = HomophoneOf(model, sentence, 2);
      std::vector<int> expected = answer.tokens;
      std::replace(expected.begin(), expected.end(), answer.tokens[2], answer.tokens[2] + 1);
      EXPECT_EQ(Alone(model, task).tokens, expected);
    }
  }
}

// The second hearing says four times what the first did, and then begins anew instead of ending.
TEST(UtteranceIdentityTest, AnEndThatAGuardMadeIsNoAgreement) {
  ScriptedModel model;
  constexpr int kPhrase = 2, kTimes = 4;
  model.on_logits = [](const ScriptedSequence& sequence, std::vector<float>* logits) {
    std::fill(logits->begin() + ScriptedModel::kEnd, logits->end(), -9.0f);
    const int at = sequence.num_tokens() - 1;
    const bool ends = at == kPhrase * kTimes - 1 && !sequence.again;
    const int token = ends ? ScriptedModel::kEnd : ScriptedModel::Token(at % kPhrase);
    (*logits)[static_cast<std::size_t>(token)] = sequence.again ? 9.0f : -5.5f;
  };
  bool searched = false;
  model.on_pass = [&searched](std::span<const DecoderRow> rows) {
    for (const DecoderRow& row : rows) searched = searched || row.joint;
  };
  Alone(model, Task(Padded(425)));
  EXPECT_TRUE(searched);
}

// All that does not is e^6 times less probable than what the guard drops.
TEST(UtteranceIdentityTest, WhereBothHearingsRunInCirclesSomethingIsFound) {
  ScriptedModel model;
  constexpr int kOnce = 9, kCircle = 11;
  model.on_logits = [](const ScriptedSequence& sequence, std::vector<float>* logits) {
    std::fill(logits->begin() + ScriptedModel::kEnd, logits->end(), -15.0f);
    const int at = sequence.num_tokens() - 1;
    (*logits)[static_cast<std::size_t>(at == 0 ? kOnce : kCircle)] = 10.0f;
    if (at == 3) (*logits)[ScriptedModel::kEnd] = 4;
  };
  const Request::Answer answer = Alone(model, Task(Padded(235)));
  EXPECT_THAT(answer.tokens, testing::ElementsAre(kOnce, kCircle, kCircle));
}

// Numbers of a version that did not compare the hearings.
TEST(UtteranceIdentityTest, WhatWasComparedInVainLeavesNoTrace) {
  ScriptedModel model;
  Task task(Padded(235));
  task.words = true;
  std::vector<Millis::rep> starts;
  for (const Word& word : Alone(model, task).segment.words) starts.push_back(word.start.count());
  EXPECT_THAT(starts, testing::ElementsAre(0, 0, 448, 472, 544, 568, 856, 1192));
  Task hot(Padded(105));
  hot.hot_words = HomophoneOf(model, 105, 2);
  EXPECT_THAT(Alone(model, hot).tokens, testing::ElementsAre(45, 7, 14, 19));
}

// What the search found is exact, also where the second hearing would write something else.
TEST(UtteranceIdentityTest, TheModelIsToldWhatWillBeWritten) {
  ScriptedModel model;
  const std::vector<int> tokens = ScriptedModel::Tokens(235);
  std::size_t told = 0;
  model.on_pass = [&](std::span<const DecoderRow> rows) {
    for (const DecoderRow& row : rows) {
      if (row.wanted < 0) continue;
      const auto& sequence = static_cast<const ScriptedSequence&>(*row.sequence);
      const std::size_t at = static_cast<std::size_t>(&row - rows.data());
      EXPECT_TRUE(sequence.again);
      EXPECT_EQ(row.wanted, at < tokens.size() ? tokens[at] : ScriptedModel::kEnd);
      ++told;
    }
  };
  EXPECT_EQ(Alone(model, Task(Padded(235))).tokens, tokens);
  EXPECT_EQ(told, tokens.size() + 1);
}

TEST(UtteranceIdentityTest, WhatWasPromisedIsKeptAndChangesNothingWhereItIsTrue) {
  ScriptedModel model;
  for (const int sentence : {111, 235}) {
    SCOPED_TRACE(sentence);
    Task task(Padded(sentence));
    const Request::Answer free = Alone(model, task);
    const std::vector<int>& tokens = free.tokens;
    task.promised.assign(tokens.begin(), tokens.begin() + 3);
    const Request::Answer kept = Alone(model, task);
    EXPECT_EQ(kept.tokens, free.tokens);
    EXPECT_EQ(kept.log_probabilities, free.log_probabilities);
    // A promise that the model would break.
    task.promised[1] = ScriptedModel::Token(ScriptedModel::WordAt(sentence, 1), true);
    const Request::Answer broken = Alone(model, task);
    std::vector<int> expected = tokens;
    expected[1] = task.promised[1];
    EXPECT_EQ(broken.tokens, expected);
    EXPECT_LT(broken.segment.confidence, free.segment.confidence);
  }
}

TEST(UtteranceIdentityTest, AHotWordOfWeight100ActsAsOneOf11) {
  ScriptedModel model;
  model.homophone_cost = 8;  // too much for 10
  Task task(Padded(111));
  const Request::Answer plain = Alone(model, task);
  const auto with = [&](int weight) {
    task.hot_words = HomophoneOf(model, 111, 2, weight);
    return Alone(model, task);
  };
  EXPECT_EQ(with(kDefaultHotWordWeight).tokens, plain.tokens);
  const Request::Answer forced = with(kForcedHotWordWeight);
  EXPECT_EQ(forced.tokens[2], plain.tokens[2] + 1);
  ExpectSame(with(kHomophoneHotWordWeight), forced);
  model.homophone_cost = 12;  // too much for any
  EXPECT_EQ(with(kForcedHotWordWeight).tokens, plain.tokens);
  EXPECT_EQ(with(kHomophoneHotWordWeight).tokens, plain.tokens);
}

// Models come from the network; `make test` installs them and insists on them.
TEST(UtteranceIdentityWithModelTest, CompanyChangesNoBit) {
  const auto installed = ModelStore(ModelStore::DefaultDirectory()).Find(kDefaultSpeechModel);
  if (!installed.ok()) {
    ASSERT_EQ(std::getenv("LETHE_TEST_REQUIRE_MODELS"), nullptr) << installed.status().message();
    GTEST_SKIP() << "the model is not installed";
  }
  const auto model = LoadMoonshine(installed->path, *AvailableKernels().back());
  ASSERT_TRUE(model.ok()) << model.status().message();
  std::vector<float> signal;
  for (const std::int16_t v : MakeGoldenSignal()) signal.push_back(static_cast<float>(v) / 32768);
  Mixture mixture(**model);
  int unsure = 0;
  for (int i = 0; i < 8; ++i) {
    // Of 0.6 to 2.7 s, from other places, some of it faster.
    std::vector<float> samples;
    const std::size_t length = 9'600 + 4'800 * static_cast<std::size_t>(i);
    for (std::size_t j = 0; j < length; ++j) {
      const std::size_t at = 3'100 * static_cast<std::size_t>(i) + j * (10 + i % 3) / 10;
      samples.push_back(signal[at % signal.size()]);
    }
    Task task(std::move(samples));
    task.words = i % 2 == 0;
    task.second_hearing = i != 3;
    task.alternatives = i % 4;
    if (i % 3 == 1) {
      // Some word that it might take for what it hears.
      const std::vector<HotWord> words = {{"Dashwood"}, {"amiable", 11}, {"you", 5}, {"Iolanthe"}};
      task.hot_words = *HotWords::Make(words, MakeTokenCodec((*model)->tokenizer()));
    }
    mixture.Add(task);
    unsure += mixture.alone(static_cast<std::size_t>(i)).segment.confidence < 0.82f ? 1 : 0;
  }
  EXPECT_GT(unsure, 0);
  for (unsigned seed = 0; seed < 2; ++seed) mixture.Check(seed);
}

}  // namespace
}  // namespace lethe
