// Every named stage of the models against ONNX Runtime on the same weights
// (tests/golden/golden.json).
//
// Method: a made-up signal; the difference at 64 places of a stage, as a share of the stage's size.
// Lethe quantises activations row by row where the published graph does so per tensor, so it is
// compared with the graph whose activations are left in float, and must not be more than twice as
// far from it as the published graph is over the whole stage (quantisation_drift): 64 places are
// few. The stem is float in ONNX and quantised here, which alone moves it by 0.018 of its size.

#include <cmath>
#include <cstdlib>
#include <map>
#include <numbers>
#include <numeric>

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "base/file.h"
#include "kernels/dispatch.h"
#include "model/moonshine/moonshine.h"
#include "model/silero/silero.h"
#include "model/store.h"
#include "tests/golden/signal.h"

namespace lethe {
namespace {

nlohmann::json Golden() {
  const auto text = ReadFile(std::string(LETHE_SOURCE_DIR) + "/tests/golden/golden.json", 1 << 20);
  return text.ok() ? nlohmann::json::parse(*text) : nlohmann::json();
}

std::vector<float> Signal() {
  std::vector<float> samples;
  for (std::int16_t v : MakeGoldenSignal()) samples.push_back(static_cast<float>(v) / 32768.0f);
  return samples;
}

// Models come from the network; `make test` installs them and insists on them.
class GoldenTest : public testing::Test {
 protected:
  void SetUp() override {
    speech_ = store_.Find(kDefaultSpeechModel);
    voice_activity_ = store_.Find(kDefaultVoiceActivityModel);
    if (speech_.ok() && voice_activity_.ok()) return;
    ASSERT_EQ(std::getenv("LETHE_TEST_REQUIRE_MODELS"), nullptr)
        << speech_.status().message() << voice_activity_.status().message();
    GTEST_SKIP() << "models are not installed";
  }
  ModelStore store_{ModelStore::DefaultDirectory()};
  Result<InstalledModel> speech_ = NotFound("not looked for");
  Result<InstalledModel> voice_activity_ = NotFound("not looked for");
};

TEST_F(GoldenTest, EveryStageOfMoonshineIsThatOfOnnxRuntime) {
  const nlohmann::json golden = Golden();
  ASSERT_TRUE(golden.contains("stages"));
  const auto model = LoadMoonshine(speech_->path, *AvailableKernels().back(), Frames::kAll);
  ASSERT_TRUE(model.ok()) << model.status().message();
  const auto worker = (*model)->NewWorker();
  const auto sequence = (*model)->NewSequence();
  std::map<std::string, std::vector<float>> stages;
  worker->SetProbe([&stages](std::string_view stage, std::span<const float> values, int) {
    auto& all = stages[std::string(stage)];
    all.insert(all.end(), values.begin(), values.end());
  });
  worker->Encode(Signal(), sequence.get());
  for (int token : golden["prefix"]) {
    const DecoderRow row{sequence.get(), token, true};
    worker->Step({&row, 1});
  }
  for (const auto& [name, stage] : golden["stages"].items()) {
    const std::vector<float>& ours = stages[name];
    const auto& places = stage["places"];
    const auto& expected = stage["float"]["values"];
    ASSERT_EQ(ours.size(),
              stage["shape"][0].get<std::size_t>() * stage["shape"][1].get<std::size_t>())
        << name;
    double squares = 0;
    for (std::size_t i = 0; i < places.size(); ++i) {
      const double d = ours[places[i].get<std::size_t>()] - expected[i].get<double>();
      squares += d * d;
    }
    const double drift = std::sqrt(squares / static_cast<double>(places.size())) /
                         stage["float"]["rms"].get<double>();
    const double allowed = std::max(0.025, 2 * stage["quantisation_drift"].get<double>());
    EXPECT_LE(drift, allowed) << name;
    RecordProperty(name, std::to_string(drift));
  }
}

TEST_F(GoldenTest, VoiceActivityIsThatOfOnnxRuntimeHoweverTheSamplesAreCut) {
  const nlohmann::json golden = Golden();
  ASSERT_TRUE(golden.contains("voice_activity"));
  const auto model = LoadSilero(voice_activity_->path, *AvailableKernels().back());
  ASSERT_TRUE(model.ok()) << model.status().message();
  const std::vector<float> signal = Signal();
  const nlohmann::json& hum = golden["voice_activity"]["hum"];
  const auto hertz = hum["hertz"].get<double>(), amplitude = hum["amplitude"].get<double>();
  std::vector<float> with_hum;
  for (std::size_t i = 0; i < signal.size(); ++i) {
    const double angle = 2 * std::numbers::pi * hertz * static_cast<double>(i) / 16000;
    with_hum.push_back(static_cast<float>(signal[i] + amplitude * std::sin(angle)));
  }
  const auto expect = [&](const std::vector<float>& samples, const std::vector<float>& expected,
                          std::size_t step) {
    const auto state = (*model)->NewState();
    std::vector<float> probabilities;
    for (std::size_t i = 0; i < samples.size(); i += step) {
      state->Push(std::span(samples).subspan(i, std::min(step, samples.size() - i)),
                  &probabilities);
    }
    ASSERT_GE(probabilities.size(), std::min<std::size_t>(expected.size(), 50));
    const std::size_t windows = std::min(probabilities.size(), expected.size());
    double error = 0;
    for (std::size_t i = 0; i < windows; ++i) {
      // All products are in 8 bits here.
      EXPECT_NEAR(probabilities[i], expected[i], 0.02) << "window " << i;
      error += std::abs(double{probabilities[i]} - expected[i]);
    }
    EXPECT_LT(error / static_cast<double>(windows), 0.006);
  };
  for (const std::size_t step : {std::size_t{1}, std::size_t{700}, std::size_t{25600}}) {
    SCOPED_TRACE(step);
    expect(signal, golden["voice_activity"]["silero_v5"], step);
    expect(with_hum, golden["voice_activity"]["silero_v5_with_hum"], step);
  }
}

// The logits after the last of `tokens`, fed `at_once` by `at_once`, beside rows of another
// sequence where `beside` is set.
std::vector<float> LogitsAfter(const SpeechModel& model, const std::vector<int>& tokens,
                               std::size_t at_once, bool beside, bool every_logit = false) {
  const auto worker = model.NewWorker();
  const auto sequence = model.NewSequence(), other = model.NewSequence();
  std::vector<float> signal = Signal();
  worker->Encode(signal, sequence.get());
  signal.resize(signal.size() / 2);
  worker->Encode(signal, other.get());
  std::size_t row = 0;
  for (std::size_t i = 0; i < tokens.size(); i += at_once) {
    std::vector<DecoderRow> rows;
    if (beside) rows.push_back({other.get(), tokens[0]});
    for (std::size_t j = i; j < std::min(i + at_once, tokens.size()); ++j) {
      rows.push_back({sequence.get(), tokens[j], every_logit});
    }
    if (beside) rows.push_back({other.get(), 400});
    row = rows.size() - (beside ? 2 : 1);
    worker->Step(rows);
  }
  const std::span<float> logits = worker->Logits(static_cast<int>(row));
  return {logits.begin(), logits.end()};
}

TEST_F(GoldenTest, EveryInstructionSetGivesTheSameBits) {
  std::vector<float> first;
  for (const KernelTable* table : AvailableKernels()) {
    const auto model = LoadMoonshine(speech_->path, *table);
    ASSERT_TRUE(model.ok());
    const auto logits = LogitsAfter(**model, {(*model)->traits().begin_token, 450}, 1, false);
    if (first.empty()) first = logits;
    EXPECT_EQ(logits, first) << table->name;
  }
}

TEST_F(GoldenTest, WhereTheDecoderLookedIsToldOfEveryFrameAlsoOfThoseThatBecameOne) {
  std::vector<std::size_t> sizes;
  for (const Frames frames : {Frames::kAll, Frames::kMerged}) {
    const auto model = LoadMoonshine(speech_->path, *AvailableKernels().back(), frames);
    ASSERT_TRUE(model.ok());
    const auto worker = (*model)->NewWorker();
    const auto sequence = (*model)->NewSequence();
    worker->Encode(Signal(), sequence.get());
    worker->RecordAttention(true);
    const DecoderRow row{sequence.get(), (*model)->traits().begin_token};
    worker->Step({&row, 1});
    const std::span<const float> seen = worker->Attention(0);
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(sequence->num_frames()));
    EXPECT_NEAR(std::accumulate(seen.begin(), seen.end(), 0.0), 1, 1e-4);
    sizes.push_back(seen.size());
  }
  EXPECT_EQ(sizes[0], sizes[1]);
}

TEST_F(GoldenTest, ADraftVerifiedInOnePassGivesTheBitsOfOneTokenAtATime) {
  const auto model = LoadMoonshine(speech_->path, *AvailableKernels().back());
  ASSERT_TRUE(model.ok());
  std::vector<int> tokens = {(*model)->traits().begin_token};
  // More than there is room for at first, and at second.
  for (int i = 0; i < 100; ++i) tokens.push_back(300 + 7 * i);
  const auto expected = LogitsAfter(**model, tokens, 1, false);
  for (std::size_t at_once : {2, 5, 31}) {
    EXPECT_EQ(LogitsAfter(**model, tokens, at_once, false), expected) << at_once;
  }
}

TEST_F(GoldenTest, TheLargestLogitIsExactWhereNotEveryOneIsAskedFor) {
  const auto model = LoadMoonshine(speech_->path, *AvailableKernels().back());
  ASSERT_TRUE(model.ok());
  std::vector<int> tokens = {(*model)->traits().begin_token};
  std::size_t exact = 0, all = 0;
  for (int i = 0; i < 12; ++i) {
    const auto every = LogitsAfter(**model, tokens, tokens.size(), false, true);
    const auto some = LogitsAfter(**model, tokens, tokens.size(), false);
    const auto best = std::max_element(every.begin(), every.end()) - every.begin();
    EXPECT_EQ(std::max_element(some.begin(), some.end()) - some.begin(), best);
    EXPECT_EQ(some[static_cast<std::size_t>(best)], every[static_cast<std::size_t>(best)]);
    double squares = 0;
    for (std::size_t t = 0; t < every.size(); ++t) {
      squares += std::pow(some[t] - every[t], 2);
      exact += some[t] == every[t] ? 1 : 0;
    }
    EXPECT_LT(std::sqrt(squares / static_cast<double>(every.size())), 4);
    all += every.size();
    tokens.push_back(static_cast<int>(best));
  }
  EXPECT_LT(exact, all / 4);  // otherwise it is of no use
}

TEST_F(GoldenTest, WhereATokenMayNotComeTheLargestOfTheOthersIsExact) {
  const auto model = LoadMoonshine(speech_->path, *AvailableKernels().back());
  ASSERT_TRUE(model.ok());
  const int begin = (*model)->traits().begin_token;
  auto every = LogitsAfter(**model, {begin}, 1, false, true);
  const auto worker = (*model)->NewWorker();
  const auto forbidden = std::max_element(every.begin(), every.end()) - every.begin();
  every[static_cast<std::size_t>(forbidden)] = -1e30f;
  const auto expected = std::max_element(every.begin(), every.end()) - every.begin();
  for (const bool every_logit : {false, true}) {
    const auto sequence = (*model)->NewSequence();
    worker->Encode(Signal(), sequence.get());
    const DecoderRow row{sequence.get(), begin, every_logit, static_cast<int>(forbidden)};
    worker->Step({&row, 1});
    const std::span<const float> logits = worker->Logits(0);
    EXPECT_LT(logits[static_cast<std::size_t>(forbidden)], -1e29f);
    EXPECT_EQ(std::max_element(logits.begin(), logits.end()) - logits.begin(), expected);
    EXPECT_EQ(logits[static_cast<std::size_t>(expected)],
              every[static_cast<std::size_t>(expected)]);
  }
}

TEST_F(GoldenTest, AWantedLogitIsExactWhereverItStands) {
  const auto model = LoadMoonshine(speech_->path, *AvailableKernels().back());
  ASSERT_TRUE(model.ok());
  const int begin = (*model)->traits().begin_token;
  const auto every = LogitsAfter(**model, {begin}, 1, false, true);
  const auto some = LogitsAfter(**model, {begin}, 1, false);
  const auto worker = (*model)->NewWorker();
  const auto best = std::max_element(every.begin(), every.end()) - every.begin();
  const auto least = std::min_element(every.begin(), every.end()) - every.begin();
  ASSERT_NE(some[static_cast<std::size_t>(least)], every[static_cast<std::size_t>(least)]);
  for (const auto wanted : {least, best}) {
    const auto sequence = (*model)->NewSequence();
    worker->Encode(Signal(), sequence.get());
    const DecoderRow row{
        .sequence = sequence.get(), .token = begin, .wanted = static_cast<int>(wanted)};
    worker->Step({&row, 1});
    const std::span<const float> logits = worker->Logits(0);
    EXPECT_EQ(std::max_element(logits.begin(), logits.end()) - logits.begin(), best);
    EXPECT_EQ(logits[static_cast<std::size_t>(best)], every[static_cast<std::size_t>(best)]);
    EXPECT_EQ(logits[static_cast<std::size_t>(wanted)], every[static_cast<std::size_t>(wanted)]);
  }
}

// As a second hearing has it.
std::vector<float> LedSignal() {
  std::vector<float> led(3'200);
  for (const float v : Signal()) led.push_back(v);
  return led;
}

TEST_F(GoldenTest, TheLogitsOfTwoHearingsAreTheMeanOfBoth) {
  const auto model = LoadMoonshine(speech_->path, *AvailableKernels().back());
  ASSERT_TRUE(model.ok());
  const int begin = (*model)->traits().begin_token;
  const auto worker = (*model)->NewWorker();
  // The logits of the second hearing, of the first and of one beside them. Together they take the
  // token after the begin token.
  const auto step = [&](bool joint, bool every) {
    const auto first = (*model)->NewSequence(), second = (*model)->NewSequence(),
               beside = (*model)->NewSequence();
    worker->Encode(Signal(), first.get());
    worker->Encode(LedSignal(), second.get());
    beside->CopyFrom(*first);
    std::vector<std::vector<float>> logits;
    for (const int token : {begin, 400}) {
      const std::array<DecoderRow, 3> rows = {
          {{first.get(), token, every},
           {.sequence = second.get(), .token = token, .every_logit = every, .joint = joint},
           {beside.get(), token, every}}};
      worker->Step(rows);
      logits.clear();
      for (const int row : {1, joint ? 1 : 0, 2}) {
        const std::span<const float> of = worker->Logits(row);
        logits.emplace_back(of.begin(), of.end());
      }
    }
    return logits;
  };
  const auto apart = step(false, true), joint = step(true, true), near = step(true, false);
  double squares = 0, from_first = 0;
  for (std::size_t t = 0; t < joint[0].size(); ++t) {
    squares += std::pow(joint[0][t] - 0.5f * (apart[0][t] + apart[1][t]), 2);
    from_first += std::pow(joint[0][t] - apart[1][t], 2);
  }
  EXPECT_LT(squares, from_first / 200);  // but for roundings
  EXPECT_EQ(joint[2], apart[2]);
  const auto best = std::max_element(joint[0].begin(), joint[0].end()) - joint[0].begin();
  EXPECT_EQ(std::max_element(near[0].begin(), near[0].end()) - near[0].begin(), best);
  EXPECT_EQ(near[0][static_cast<std::size_t>(best)], joint[0][static_cast<std::size_t>(best)]);
  EXPECT_NE(near[0], joint[0]);
}

// What is put together in place, of pairs and others, whatever each wants.
TEST_F(GoldenTest, PairsOfHearingsAndOthersShareAPass) {
  const auto model = LoadMoonshine(speech_->path, *AvailableKernels().back());
  ASSERT_TRUE(model.ok());
  const int begin = (*model)->traits().begin_token;
  const auto worker = (*model)->NewWorker();
  const auto first = (*model)->NewSequence(), second = (*model)->NewSequence();
  worker->Encode(Signal(), first.get());
  worker->Encode(LedSignal(), second.get());
  std::vector<std::unique_ptr<SpeechSequence>> copies;
  const auto copy = [&](const SpeechSequence& of) {
    copies.push_back((*model)->NewSequence());
    copies.back()->CopyFrom(of);
    return copies.back().get();
  };
  const auto logits = [&](int row) {
    const std::span<const float> of = worker->Logits(row);
    return std::vector<float>(of.begin(), of.end());
  };
  // A pair or a single one, by itself and then among the others.
  const auto pair = [&](DecoderRow wants) {
    wants.sequence = copy(*second);
    wants.token = begin;
    wants.joint = true;
    return std::vector<DecoderRow>{{copy(*first), begin}, wants};
  };
  const auto single = [&](DecoderRow wants) {
    wants.sequence = copy(*first);
    wants.token = begin;
    return std::vector<DecoderRow>{wants};
  };
  const auto make = [&] {
    return std::vector<std::vector<DecoderRow>>{
        pair({}),
        single({.every_logit = true}),
        pair({.forbidden = 2, .wanted = 77}),
        pair({.every_logit = true}),
        single({.wanted = 5}),
        pair({.wanted = 9}),
    };
  };
  std::vector<std::vector<float>> alone;
  for (const std::vector<DecoderRow>& rows : make()) {
    worker->Step(rows);
    alone.push_back(logits(static_cast<int>(rows.size()) - 1));
  }
  EXPECT_LT(alone[2][2], -1e29f);
  EXPECT_EQ(alone[2][77], alone[3][77]);
  EXPECT_EQ(alone[5][9], alone[3][9]);
  EXPECT_NE(alone[0], alone[3]);
  std::vector<DecoderRow> together;
  std::vector<int> last;
  for (const std::vector<DecoderRow>& rows : make()) {
    together.insert(together.end(), rows.begin(), rows.end());
    last.push_back(static_cast<int>(together.size()) - 1);
  }
  worker->Step(together);
  for (std::size_t i = 0; i < last.size(); ++i) EXPECT_EQ(logits(last[i]), alone[i]) << i;
}

TEST_F(GoldenTest, ABatchNeverChangesAResult) {
  const auto model = LoadMoonshine(speech_->path, *AvailableKernels().back());
  ASSERT_TRUE(model.ok());
  std::vector<int> tokens = {(*model)->traits().begin_token};
  for (int i = 0; i < 12; ++i) tokens.push_back(500 + 11 * i);
  const auto expected = LogitsAfter(**model, tokens, 1, false);
  EXPECT_EQ(LogitsAfter(**model, tokens, 1, true), expected);
  EXPECT_EQ(LogitsAfter(**model, tokens, 4, true), expected);
}

TEST_F(GoldenTest, ACopyGoesOnAsItsOriginalWould) {
  const auto model = LoadMoonshine(speech_->path, *AvailableKernels().back());
  ASSERT_TRUE(model.ok());
  const int begin = (*model)->traits().begin_token;
  const auto expected = LogitsAfter(**model, {begin, 450, 460}, 1, false);
  const auto worker = (*model)->NewWorker();
  const auto sequence = (*model)->NewSequence(), copy = (*model)->NewSequence();
  worker->Encode(Signal(), sequence.get());
  const std::vector<DecoderRow> start = {{sequence.get(), begin}, {sequence.get(), 450}};
  worker->Step(start);
  copy->CopyFrom(*sequence);
  const DecoderRow other{sequence.get(), 999};
  worker->Step({&other, 1});
  // The original's next utterance is not the copy's.
  const std::vector<float> signal = Signal();
  worker->Encode(std::span(signal).first(20'000), sequence.get());
  const DecoderRow row{copy.get(), 460};
  worker->Step({&row, 1});
  const std::span<float> logits = worker->Logits(0);
  EXPECT_EQ(std::vector<float>(logits.begin(), logits.end()), expected);
}

// A sequence has room for the tokens it has, which may be more or fewer than what the copy had.
TEST_F(GoldenTest, ACopyOfALongerOrAShorterSequenceGoesOnToo) {
  const auto model = LoadMoonshine(speech_->path, *AvailableKernels().back());
  ASSERT_TRUE(model.ok());
  std::vector<int> tokens = {(*model)->traits().begin_token};
  for (int i = 0; i < 110; ++i) tokens.push_back(300 + 7 * i);
  const auto expected = LogitsAfter(**model, tokens, 1, false);
  const auto worker = (*model)->NewWorker();
  const auto say = [&](SpeechSequence* sequence, std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
      const DecoderRow row{sequence, tokens[i]};
      worker->Step({&row, 1});
    }
  };
  for (const auto& [said, had, kept] : {std::tuple(60, 3, 60), {60, 3, 20}, {3, 60, 3}}) {
    const auto sequence = (*model)->NewSequence(), copy = (*model)->NewSequence();
    worker->Encode(Signal(), sequence.get());
    worker->Encode(std::span<const float>(Signal()).first(20'000), copy.get());
    say(sequence.get(), 0, static_cast<std::size_t>(said));
    say(copy.get(), 0, static_cast<std::size_t>(had));
    sequence->Truncate(kept);
    copy->CopyFrom(*sequence);
    say(copy.get(), static_cast<std::size_t>(kept), tokens.size());
    const std::span<const float> logits = worker->Logits(0);
    EXPECT_EQ(std::vector<float>(logits.begin(), logits.end()), expected) << said << ' ' << kept;
  }
}

TEST_F(GoldenTest, WhatWasTakenBackLeavesNoTrace) {
  const auto model = LoadMoonshine(speech_->path, *AvailableKernels().back());
  ASSERT_TRUE(model.ok());
  const int begin = (*model)->traits().begin_token;
  const auto expected = LogitsAfter(**model, {begin, 450, 460}, 1, false);
  const auto worker = (*model)->NewWorker();
  const auto sequence = (*model)->NewSequence();
  worker->Encode(Signal(), sequence.get());
  const std::vector<DecoderRow> draft = {
      {sequence.get(), begin}, {sequence.get(), 450}, {sequence.get(), 999}, {sequence.get(), 998}};
  worker->Step(draft);
  sequence->Truncate(2);
  const DecoderRow row{sequence.get(), 460};
  worker->Step({&row, 1});
  const std::span<float> logits = worker->Logits(0);
  EXPECT_EQ(std::vector<float>(logits.begin(), logits.end()), expected);
}

}  // namespace
}  // namespace lethe
