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
  EXPECT_LE(turns(Priority::kRecording), kTasks / 5);
  EXPECT_LE(turns(Priority::kShortCall), kTasks / 5);
}

TEST(UtteranceOrderTest, WhoHasFinishedSpeakingIsEncodedAtOnceBesideAnyNumberOfRecordings) {
  ScriptedModel model;
  Company company(model);
  for (int i = 0; i < 40; ++i) company.Add(Task(Padded(111), Priority::kRecording));
  bool encodes = true;
  const auto notice = [&encodes] {
    encodes = true;
    return false;
  };
  // Until recordings wait, because many are being decoded.
  while (encodes) {
    encodes = false;
    company.Step(notice);
  }
  company.Add(Task(Padded(118)));
  company.Step(notice);
  EXPECT_TRUE(encodes);
  company.Finish();
}

}  // namespace
}  // namespace lethe
