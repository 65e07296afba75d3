// Goal:   a list of alternatives begins with the answer, has no text twice, and is put together
//         over the parts of an utterance; asking for one changes no answer and costs nobody else
//         theirs.
// Method: lists by hand; the made-up model of tests/support/fake_models.h, which has a word that is
//         nearly the next one.

#include "engine/internal/alternatives.h"

#include <cmath>
#include <thread>

#include <gmock/gmock.h>

#include "engine/engine.h"
#include "tests/support/fake_models.h"

namespace lethe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

std::vector<std::string> Texts(const std::vector<Alternative>& alternatives) {
  std::vector<std::string> texts;
  for (const Alternative& alternative : alternatives) texts.push_back(alternative.text);
  return texts;
}

// Token n is the word "tn"; 0 is nothing.
std::string Written(std::span<const int> tokens) {
  std::string text;
  for (const int token : tokens) {
    if (token > 0) text += (text.empty() ? "t" : " t") + std::to_string(token);
  }
  return text;
}

const Segment kAnswer{.text = "t1 t2", .confidence = 0.9F, .num_tokens = 2, .words = {}};

TEST(ListAlternativesTest, TheAnswerIsFirstAndNoTextComesTwice) {
  const std::vector<BeamSearch::Hypothesis> found = {
      {.tokens = {1, 3}, .sum = -1, .written = -0.5},
      {.tokens = {1, 2}, .sum = -2, .written = -2},     // the answer, less probable here
      {.tokens = {1, 0, 3}, .sum = -3, .written = -3},  // the first text again
      {.tokens = {0}, .sum = -4, .written = -4},        // nothing
      {.tokens = {4, 5, 6}, .sum = -5, .written = -4.5}};
  const auto list = ListAlternatives(kAnswer, -0.25, found, Written, 4);
  EXPECT_THAT(Texts(list), ElementsAre("t1 t2", "t1 t3", "t4 t5 t6"));
  EXPECT_EQ(list[0].confidence, 0.9F);
  EXPECT_EQ(list[0].log_probability, -0.25);
  EXPECT_FLOAT_EQ(list[1].confidence, std::exp(-0.25F));
  EXPECT_EQ(list[1].log_probability, -1);
  EXPECT_FLOAT_EQ(list[2].confidence, std::exp(-1.5F));
  EXPECT_THAT(ListAlternatives(kAnswer, -0.25, found, Written, 2), SizeIs(2));
  EXPECT_THAT(ListAlternatives({}, 0, found, Written, 4), IsEmpty()) << "nothing was said";
}

std::vector<Alternative> Pair(const std::string& first, const std::string& second, double lost) {
  return {{.text = first, .confidence = 0.9F, .log_probability = -1, .num_tokens = 1},
          {.text = second, .confidence = 0.5F, .log_probability = -1 - lost, .num_tokens = 2}};
}

TEST(JoinAlternativesTest, TheMostProbablePairsStandBehindTheAnswers) {
  const auto joined = JoinAlternatives(Pair("a", "b", 3), Pair("c", "d", 2), 4);
  EXPECT_THAT(Texts(joined), ElementsAre("a c", "a d", "b c", "b d"));
  EXPECT_EQ(joined[1].log_probability, -4);
  EXPECT_EQ(joined[1].num_tokens, 3);
  EXPECT_FLOAT_EQ(joined[1].confidence, std::cbrt(0.9F * 0.5F * 0.5F));
  EXPECT_THAT(Texts(JoinAlternatives(Pair("a", "b", 3), Pair("c", "d", 2), 3)), SizeIs(3));
  // An answer that is less probable than what follows it stays first.
  EXPECT_THAT(Texts(JoinAlternatives(Pair("a", "b", -3), Pair("c", "d", -2), 4)),
              ElementsAre("a c", "b d", "b c", "a d"));
  EXPECT_THAT(Texts(JoinAlternatives(Pair("a", "a b", 1), Pair("b c", "c", 2), 4)),
              ElementsAre("a b c", "a b b c", "a c"));
}

TEST(JoinAlternativesTest, WhereNothingWasSaidNothingIsJoined) {
  EXPECT_THAT(Texts(JoinAlternatives({}, Pair("c", "d", 2), 4)), ElementsAre("c", "d"));
  EXPECT_THAT(Texts(JoinAlternatives(Pair("a", "b", 3), {}, 4)), ElementsAre("a", "b"));
  EXPECT_THAT(JoinAlternatives({}, {}, 4), IsEmpty());
}

class AlternativesTest : public testing::Test {
 protected:
  std::vector<Segment> Transcribe(std::span<const float> samples, const StreamOptions& options) {
    const auto stream = *engine_.Open(options);
    EXPECT_TRUE(stream->PushSamples(samples).ok());
    return *stream->Finish();
  }

  const std::shared_ptr<FakeModel> model_ = std::make_shared<FakeModel>();
  Engine engine_{model_, std::make_shared<LoudnessActivity>(), {.num_threads = 1}};
};

TEST_F(AlternativesTest, ThereAreNoneUnlessAskedForAndOneIsTheAnswer) {
  const std::vector<float> samples = SpeechOf({kVagueWord});
  EXPECT_THAT(Transcribe(samples, {})[0].alternatives, IsEmpty());
  const int passes = model_->passes;
  const auto segments = Transcribe(samples, {.alternatives = 1});
  EXPECT_EQ(model_->passes, 2 * passes) << "the answer needs no search";
  ASSERT_THAT(segments[0].alternatives, SizeIs(1));
  EXPECT_EQ(segments[0].alternatives[0].text, segments[0].text);
  EXPECT_EQ(segments[0].alternatives[0].confidence, segments[0].confidence);
}

TEST_F(AlternativesTest, ASureAnswerIsSearchedForWhatElseItMayBe) {
  const auto segments = Transcribe(SpeechOf({kVagueWord, 20}), {.alternatives = 4});
  ASSERT_THAT(segments, SizeIs(2));
  const std::vector<Alternative>& list = segments[0].alternatives;
  ASSERT_THAT(list, SizeIs(4));
  EXPECT_EQ(list[0].text, "w45 w45");
  EXPECT_THAT(Texts(list), UnorderedElementsAre("w45 w45", "w46 w45", "w45 w46", "w46 w46"));
  EXPECT_EQ(list[3].text, "w46 w46");
  // Of the two words one is e^3 times as likely as the other.
  const double sure = -std::log(1 + std::exp(-3.0));
  EXPECT_NEAR(list[0].log_probability, 2 * sure, 1e-3);
  EXPECT_NEAR(list[1].log_probability, 2 * sure - 3, 1e-3);
  EXPECT_NEAR(list[3].log_probability, 2 * sure - 6, 1e-3);
  EXPECT_NEAR(list[3].confidence, std::exp(sure - 3), 1e-3);
  // All else is too far from it.
  EXPECT_THAT(Texts(segments[1].alternatives), ElementsAre("w20 w20"));
}

TEST_F(AlternativesTest, AnUnsureAnswerIsSearchedForInBothHearings) {
  const auto without = Transcribe(SpeechOf({kHardWord}), {});
  const int passes = model_->passes;
  const auto one = Transcribe(SpeechOf({kHardWord}), {.alternatives = 1});
  EXPECT_EQ(model_->passes, 2 * passes) << "the answer needs no search for others";
  const auto segments = Transcribe(SpeechOf({kHardWord}), {.alternatives = 4});
  EXPECT_EQ(segments[0].text, without[0].text);
  EXPECT_EQ(segments[0].confidence, without[0].confidence);
  const std::vector<Alternative>& list = segments[0].alternatives;
  ASSERT_GE(list.size(), 3U);
  EXPECT_EQ(list[0].text, "w40 w40");
  EXPECT_THAT(Texts({list[1], list[2]}), UnorderedElementsAre("w41 w40", "w40 w41"));
  EXPECT_EQ(list[0].log_probability, one[0].alternatives[0].log_probability);
  // One hearing has the other word with 4.5 of 20 and the other hearing with nothing.
  EXPECT_NEAR(list[1].log_probability, list[0].log_probability - (20 - 4.5) / 2, 1e-3);
}

TEST_F(AlternativesTest, MoreThanThereMayBeAreRefused) {
  for (const int bad : {-1, kMaxAlternatives + 1}) {
    EXPECT_EQ(engine_.Open({.alternatives = bad}).status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(engine_.OpenLive({.alternatives = bad}).status().code(),
              StatusCode::kInvalidArgument);
  }
}

TEST_F(AlternativesTest, ALiveUtterancesPartsAreJoinedAndPartialsHaveNone) {
  // Longer than a part may be.
  std::vector<float> samples(kSampleRate, 0.0F);
  AppendWord(kVagueWord, std::size_t{20} * kSampleRate, &samples);
  samples.resize(samples.size() + kSampleRate, 0.0F);
  const auto stream = *engine_.OpenLive({.alternatives = 3});
  std::vector<StreamEvent> finals;
  std::span<const float> rest = samples;
  bool complete = false;
  while (!complete) {
    if (rest.empty()) stream->Finish();
    if (!rest.empty()) rest = rest.subspan(*stream->PushSamples(rest));
    complete = stream->complete();  // so no event comes behind those that are taken now
    for (StreamEvent& event : stream->TakeEvents()) {
      if (event.kind == StreamEvent::Kind::kFinal) {
        finals.push_back(std::move(event));
      } else {
        EXPECT_THAT(event.segment.alternatives, IsEmpty());
      }
    }
    std::this_thread::yield();
  }
  ASSERT_THAT(finals, SizeIs(1));
  const Segment& segment = finals[0].segment;
  EXPECT_EQ(segment.text, "w45 w45 w45 w45");
  ASSERT_THAT(segment.alternatives, SizeIs(3));
  EXPECT_EQ(segment.alternatives[0].text, segment.text);
  EXPECT_EQ(segment.alternatives[0].confidence, segment.confidence);
  EXPECT_NE(segment.alternatives[1].text, segment.alternatives[2].text);
  for (const Alternative& alternative : segment.alternatives) EXPECT_EQ(alternative.num_tokens, 4);
}

// All places of the batch may be searching, more than a pass has rows for, others are answered
// meanwhile, and who leaves in the middle of a search disturbs nobody.
TEST_F(AlternativesTest, SearchesShareAShardWithThoseWhoWantNone) {
  constexpr int kWords = 12;
  model_->counting = kWords;  // so that a search lasts
  const auto counted = [](int word) {
    std::string text = "w" + std::to_string(word);
    for (int i = 1; i < kWords; ++i) text += " w" + std::to_string(word + i);
    return text;
  };
  const std::vector<int> words = {kVagueWord, kHardWord, kVagueWord, kVagueWord, 20, kVagueWord};
  const std::vector<float> samples = SpeechOf(words);
  std::vector<std::thread> callers;
  for (int i = 0; i < 12; ++i) {
    callers.emplace_back([&, i] {
      for (int j = 0; j < 10; ++j) {
        if (i % 6 == 5) {
          const auto leaver = *engine_.Open({.alternatives = 4});
          EXPECT_TRUE(leaver->PushSamples(samples).ok());
          continue;
        }
        const int alternatives = i % 6 == 4 ? 0 : 4;
        const auto segments = Transcribe(samples, {.alternatives = alternatives});
        ASSERT_THAT(segments, SizeIs(words.size()));
        for (std::size_t k = 0; k < words.size(); ++k) {
          EXPECT_EQ(segments[k].text, counted(words[k]));
          if (words[k] != kVagueWord) continue;
          EXPECT_THAT(segments[k].alternatives, SizeIs(alternatives));
        }
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

}  // namespace
}  // namespace lethe
