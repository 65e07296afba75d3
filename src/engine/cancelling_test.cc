// Goal:   who goes away at whatever stage of being transcribed is not answered, leaves no trace in
//         anybody else's answer, and leaves its place and its joint search free.
// Method: a batch is taken step by step with the made-up model of tests/support/scripted_model.h,
//         once for every step after which somebody may go.

#include <set>

#include <gmock/gmock.h>

#include "engine/internal/test_company.h"
#include "engine/internal/test_same.h"
#include "tests/support/scripted_model.h"
#include "tests/support/stage_watch.h"

namespace lethe {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

TEST(CancellingTest, TheMadeUpModelGoesThroughEveryStage) {
  ScriptedModel model;
  Task task{Padded(235)};
  task.words = true;
  // Heard wrongly at first, then corrected; hot words bring out homophones.
  const std::vector<int> said = ScriptedModel::Tokens(235);
  EXPECT_EQ(Alone(model, task).tokens, said);
  Task once = task;
  once.second_hearing = false;
  EXPECT_NE(Alone(model, once).tokens, said);
  EXPECT_LT(Alone(model, once).segment.confidence, HearingOptions().unsure);
  task.hot_words = HomophoneOf(model, 235, 2);
  const Request::Answer answer = Alone(model, task);
  ASSERT_EQ(answer.tokens.size(), said.size());
  EXPECT_EQ(answer.tokens[2], said[2] + 1);
  EXPECT_THAT(answer.segment.words, SizeIs(said.size()));
}

// Lets who says `sentence` go away, once after every number of steps; adds the stages it was in.
void GoAwayAtEveryStage(ScriptedModel& model, int sentence, const Task& victim,
                        std::set<Stage>* stages) {
  // Unsure ones, which hold the joint searches while the victim waits, and others.
  std::vector<Task> others;
  for (const int other : {135, 240, 345, 450}) others.emplace_back(Padded(other));
  others[1].words = true;
  others[2].alternatives = 2;
  others[1].hot_words = HomophoneOf(model, 240, 3);
  others.emplace_back(Padded(341), Priority::kLivePartial);
  others.emplace_back(Padded(555), Priority::kShortCall);
  others.emplace_back(Padded(560), Priority::kRecording);
  std::vector<Request::Answer> alone;
  for (const Task& task : others) alone.push_back(Alone(model, task));
  const Request::Answer follower = Alone(model, victim);

  bool answered = false;
  for (int steps = 0; !answered && !testing::Test::HasFailure(); ++steps) {
    SCOPED_TRACE(steps);
    StageWatch watch(&model, sentence);
    const auto cancelled = std::make_shared<std::atomic<bool>>(false);
    Company company(model);
    for (std::size_t i = 0; i < 4; ++i) company.Add(others[i]);
    const std::size_t gone = company.Add(victim, cancelled);
    for (std::size_t i = 4; i < others.size(); ++i) company.Add(others[i]);
    // A layer of the encoder at a time.
    const auto interrupt = [] { return true; };
    for (int i = 0; i < steps; ++i) company.Step(interrupt);
    answered = company.answers()[gone].has_value();
    if (answered) break;
    stages->insert(watch.stage());
    *cancelled = true;
    company.Step(interrupt);
    // Not even who it was is kept, once it had entered.
    if (watch.stage() != Stage::kNone) {
      EXPECT_EQ(cancelled.use_count(), 1);
    }
    company.Finish(interrupt);
    EXPECT_FALSE(company.answers()[gone]) << "answered though it had gone";
    EXPECT_EQ(cancelled.use_count(), 1);
    for (std::size_t i = 0; i < others.size(); ++i) {
      SCOPED_TRACE(i);
      const auto& answer = company.answers()[i < 4 ? i : i + 1];
      ASSERT_TRUE(answer);
      ExpectSame(*answer, alone[i]);
    }
    // Every place is free again, and so are the searches: as many as have place are answered.
    for (int i = 0; i < UtteranceBatch::kMaxUtterances; ++i) company.Add(victim);
    company.Finish();
    for (auto i = others.size() + 1; i < company.answers().size(); ++i) {
      ASSERT_TRUE(company.answers()[i]);
      ExpectSame(*company.answers()[i], follower);
    }
  }
}

TEST(CancellingTest, WhoGoesAwayAtWhateverStageLeavesNoTrace) {
  ScriptedModel model;
  Task victim{Padded(235)};
  victim.words = true;
  victim.hot_words = HomophoneOf(model, 235, 2);
  std::set<Stage> stages;
  GoAwayAtEveryStage(model, 235, victim, &stages);
  EXPECT_THAT(stages, ElementsAre(Stage::kNone, Stage::kEncoding, Stage::kGreedy,
                                  Stage::kEncodingAgain, Stage::kComparing, Stage::kWaiting,
                                  Stage::kJoint, Stage::kWriting, Stage::kTrials, Stage::kReview));
}

TEST(CancellingTest, WhoGoesAwayWhileAlternativesAreSearchedLeavesNoTrace) {
  ScriptedModel model;
  // Over its only hearing, and over both.
  for (const int sentence : {111, 235}) {
    SCOPED_TRACE(sentence);
    Task victim{Padded(sentence)};
    victim.alternatives = kMaxAlternatives;
    EXPECT_GT(Alone(model, victim).segment.alternatives.size(), 1u);
    std::set<Stage> stages;
    GoAwayAtEveryStage(model, sentence, victim, &stages);
    EXPECT_GE(stages.size(), 3u);
  }
}

TEST(CancellingTest, EverybodyMayGoAtOnce) {
  ScriptedModel model;
  Company company(model);
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  for (int steps = 0; steps < 60; ++steps) {
    for (int i = 0; i < UtteranceBatch::kMaxUtterances; ++i) {
      *cancelled = false;
      company.Add(Task{Padded(135 + 105 * (i % 3))}, cancelled);
    }
    for (int i = 0; i < steps; ++i) company.Step([] { return true; });
    *cancelled = true;
    company.Finish();
    EXPECT_EQ(cancelled.use_count(), 1);
  }
}

}  // namespace
}  // namespace lethe
