// Goal:   in a batch the more urgent are answered first, in whatever order they came, and all are
//         answered.
// Method: a batch is taken step by step with the made-up model of tests/support/scripted_model.h;
//         what is looked at is the order of answers, never a time.

#include <algorithm>

#include <gmock/gmock.h>

#include "engine/internal/test_company.h"
#include "tests/support/scripted_model.h"

namespace lethe {
namespace {

TEST(UtteranceOrderTest, TheMoreUrgentAreAnsweredFirstInWhateverOrderTheyCame) {
  ScriptedModel model;
  std::vector<Priority> urgency = {Priority::kLiveFinal, Priority::kLivePartial,
                                   Priority::kShortCall, Priority::kRecording};
  do {
    Company company(model);
    std::vector<Priority> asked, answered;
    // Two of each are all that may wait for the encoder; all of the same length.
    for (const Priority priority : urgency) {
      for (int i = 0; i < 2; ++i) {
        company.Add(Task(Padded(111 + 7 * i), priority));
        asked.push_back(priority);
      }
    }
    company.Finish([] { return false; });
    for (const std::size_t number : company.order()) answered.push_back(asked[number]);
    std::sort(asked.begin(), asked.end());
    EXPECT_EQ(answered, asked) << testing::PrintToString(urgency);
  } while (std::next_permutation(urgency.begin(), urgency.end()));
}

TEST(UtteranceOrderTest, TheLessUrgentGoOnBesideAnyNumberOfTheMoreUrgent) {
  ScriptedModel model;
  for (const Priority patient :
       {Priority::kLivePartial, Priority::kShortCall, Priority::kRecording}) {
    Company company(model);
    const std::size_t number = company.Add(Task(Padded(235), patient));
    company.Step([] { return true; });
    // There is never a step without finals waiting for the encoder and in the decoder.
    int finals = 0;
    while (!company.answers()[number] && finals < 1'000) {
      while (company.batch().HasRoom(Priority::kLiveFinal)) {
        company.Add(Task(Padded(111)));
        company.Step([] { return true; });
        ++finals;
      }
      company.Step([] { return true; });
    }
    EXPECT_TRUE(company.answers()[number]) << finals << " finals went before it";
    company.Finish();
  }
}

// An encoding drives the decoder's weights out of the caches.
TEST(UtteranceOrderTest, RecordingsAreEncodedInTurnsOfMany) {
  constexpr int kTasks = 40;
  const auto turns = [](Priority priority) {
    ScriptedModel model;
    Company company(model);
    for (int i = 0; i < kTasks; ++i) company.Add(Task(Padded(111 + 7 * (i % 5)), priority));
    int count = 0;
    bool encoded_before = false;
    while (!company.empty()) {
      bool encodes = false;
      company.Step([&encodes] {
        encodes = true;
        return false;
      });
      if (encodes && !encoded_before) ++count;
      encoded_before = encodes;
    }
    return count;
  };
  EXPECT_LE(turns(Priority::kRecording), kTasks / 4);
  EXPECT_LE(turns(Priority::kShortCall), kTasks / 4);
}

TEST(UtteranceOrderTest, WhoHasFinishedSpeakingIsEncodedAtOnceAndOpensNoTurnForRecordings) {
  constexpr int kTenWords = 111, kFourWords = 112;
  ScriptedModel model;
  Company company(model);
  for (int i = 0; i < 40; ++i) {
    company.Add(Task(Padded(i % 3 == 0 ? kTenWords : kFourWords), Priority::kRecording));
  }
  bool encodes = true;
  const auto notice = [&encodes] {
    encodes = true;
    return false;
  };
  // Until the short ones of a turn are answered, and others wait because three long ones are still
  // being decoded.
  while (encodes || company.order().size() < 5) {
    encodes = false;
    company.Step(notice);
  }
  const std::size_t final = company.Add(Task(Padded(kFourWords)));
  company.Step(notice);
  EXPECT_TRUE(encodes);
  encodes = false;
  while (!company.answers()[final]) company.Step(notice);
  company.Step(notice);
  EXPECT_FALSE(encodes);
  EXPECT_EQ(company.order().size(), 6U) << "the long ones should still be there";
  company.Finish();
}

}  // namespace
}  // namespace lethe
