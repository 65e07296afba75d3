// Goal:   live audio gives a begin, partials and a final for each utterance, in order; what
// partials
//         promise holds; nothing is lost or doubled where parts of an utterance meet; a stream that
//         sends nonsense, too much, or goes away is told so and disturbs nobody.
// Method: the made-up model of tests/support/fake_models.h, whose answer is written into the
// loudness of
//         the samples; once the installed models on a recording.

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <random>
#include <thread>

#include <gmock/gmock.h>

#include "base/mutex.h"
#include "engine/engine.h"
#include "engine/hot_words.h"
#include "engine/internal/promise.h"
#include "tests/support/fake_models.h"

namespace lethe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using Kind = StreamEvent::Kind;

// A client: pushes, and waits for what the engine says.
class Client {
 public:
  explicit Client(Engine& engine, LiveOptions options = {}) {
    options.notify = [this] {
      const MutexLock lock(mutex_);
      ++notified_;
      changed_.NotifyAll();
    };
    auto stream = engine.OpenLive(options);
    EXPECT_TRUE(stream.ok());
    stream_ = *std::move(stream);
  }
  ~Client() { stream_.reset(); }

  // Pushes everything, chunk by chunk, waiting for room where there is none.
  void Push(std::span<const float> samples, std::size_t chunk) {
    while (!samples.empty()) {
      const int before = notified();
      const auto taken = stream_->PushSamples(samples.first(std::min(chunk, samples.size())));
      ASSERT_TRUE(taken.ok());
      samples = samples.subspan(*taken);
      if (*taken == 0) WaitForNotice(before);
      Take();
    }
  }

  // Lets the engine hear what was pushed: at the pace of speech it would long have.
  void PushAndWait(std::span<const float> samples, std::size_t chunk, Millis wait) {
    for (std::size_t i = 0; i < samples.size(); i += chunk) {
      Push(samples.subspan(i, std::min(chunk, samples.size() - i)), chunk);
      std::this_thread::sleep_for(wait);
      Take();
    }
  }

  const std::vector<StreamEvent>& Finish() {
    stream_->Finish();
    while (!stream_->complete()) WaitAndTake();
    Take();
    return events_;
  }

  void AwaitEvents(std::size_t n) {
    while (events_.size() < n) WaitAndTake();
  }
  void AwaitFinals(std::size_t n) {
    const auto finals = [this] {
      return static_cast<std::size_t>(std::count_if(
          events_.begin(), events_.end(),
          [](const StreamEvent& event) { return event.kind == StreamEvent::Kind::kFinal; }));
    };
    while (finals() < n) WaitAndTake();
  }

  void Take() {
    for (StreamEvent& event : stream_->TakeEvents()) events_.push_back(std::move(event));
  }

  LiveStream& stream() { return *stream_; }

 private:
  void WaitAndTake() {
    const int before = notified();
    Take();
    if (!stream_->complete()) WaitForNotice(before);
    Take();
  }
  int notified() {
    const MutexLock lock(mutex_);
    return notified_;
  }
  void WaitForNotice(int before) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
    const MutexLock lock(mutex_);
    // Bounded: a notice may have come between the look and the wait.
    while (notified_ == before && changed_.WaitUntil(mutex_, until)) {
    }
  }

  Mutex mutex_;
  CondVar changed_;
  int notified_ GUARDED_BY(mutex_) = 0;
  std::vector<StreamEvent> events_;
  std::unique_ptr<LiveStream> stream_;
};

std::vector<std::string> Finals(const std::vector<StreamEvent>& events) {
  std::vector<std::string> texts;
  for (const StreamEvent& event : events) {
    if (event.kind == Kind::kFinal) texts.push_back(event.segment.text);
  }
  return texts;
}

// What every stream of events must be, whatever was said: one begin and one final for each
// utterance, in order, and no promise broken.
void CheckOrder(const std::vector<StreamEvent>& events) {
  int next = 0;
  bool open = false;
  std::string promised;
  for (const StreamEvent& event : events) {
    ASSERT_EQ(event.utterance, next);
    ASSERT_EQ(event.kind != Kind::kBegin, open);
    ASSERT_LE(event.stable_bytes, event.segment.text.size());
    ASSERT_LE(event.segment.start, event.segment.end);
    if (event.kind == Kind::kBegin) {
      open = true;
      promised.clear();
      continue;
    }
    ASSERT_THAT(event.segment.text, StartsWith(promised));
    promised = event.segment.text.substr(0, event.stable_bytes);
    if (event.kind == Kind::kFinal) {
      ASSERT_EQ(event.stable_bytes, event.segment.text.size());
      open = false;
      ++next;
    }
  }
  ASSERT_FALSE(open);
}

class LiveStreamTest : public testing::Test {
 protected:
  std::unique_ptr<Engine> MakeEngine(int threads, int max_streams = 4096) const {
    return std::make_unique<Engine>(
        model_, activity_, EngineOptions{.num_threads = threads, .max_streams = max_streams});
  }
  const std::shared_ptr<const FakeModel> model_ = std::make_shared<FakeModel>();
  const std::shared_ptr<const VoiceActivityModel> activity_ = std::make_shared<LoudnessActivity>();
};

TEST_F(LiveStreamTest, EveryUtteranceBeginsAndEndsOnceHoweverTheAudioIsCut) {
  const auto engine = MakeEngine(2);
  const std::vector<float> samples = SpeechOf({20, 30, 25});
  for (const std::size_t chunk :
       {std::size_t{1}, std::size_t{777}, std::size_t{1600}, samples.size()}) {
    Client client(*engine);
    client.Push(samples, chunk);
    const auto& events = client.Finish();
    CheckOrder(events);
    EXPECT_THAT(Finals(events), ElementsAre("w20 w20", "w30 w30", "w25 w25")) << chunk;
    for (const StreamEvent& event : events) {
      if (event.kind != Kind::kFinal) continue;
      EXPECT_NEAR(static_cast<double>(event.segment.start.count()), 1500 * event.utterance + 600,
                  33);
      EXPECT_NEAR(static_cast<double>(event.segment.end.count()), 1500 * event.utterance + 1900,
                  33);
      // 600 ms of silence end it, or the stream does.
      EXPECT_NEAR(static_cast<double>(event.heard.count()), 1500 * event.utterance + 2100, 33);
    }
  }
}

TEST_F(LiveStreamTest, PartialsComeWhileSomebodySpeaks) {
  const auto engine = MakeEngine(1);
  std::vector<float> samples(kSampleRate, 0.0f);
  AppendWord(20, 5 * kSampleRate, &samples);
  // A machine that is busy hears later, and then the newest guess stands for several: it is given
  // more and more time.
  std::size_t partials = 0;
  for (int wait_ms = 2; partials < 2 && wait_ms < 1000; wait_ms *= 4) {
    Client client(*engine, {.partial_interval = Millis(500)});
    client.PushAndWait(samples, 1600, Millis(wait_ms));
    const auto& events = client.Finish();
    CheckOrder(events);
    partials = 0;
    for (const StreamEvent& event : events) {
      if (event.kind != Kind::kPartial) continue;
      ++partials;
      EXPECT_EQ(event.segment.text, "w20 w20");
    }
    EXPECT_LE(partials, 10u);  // one each half second at most
  }
  EXPECT_GE(partials, 2u);

  Client silent(*engine, {.partials = false});
  silent.PushAndWait(samples, 1600, Millis(2));
  for (const StreamEvent& event : silent.Finish()) EXPECT_NE(event.kind, Kind::kPartial);
}

TEST_F(LiveStreamTest, SilenceAndNothingGiveNoEvent) {
  const auto engine = MakeEngine(1);
  Client quiet(*engine);
  quiet.Push(std::vector<float>(100'000, 0.0f), 5000);
  EXPECT_THAT(quiet.Finish(), IsEmpty());
  Client nothing(*engine);
  EXPECT_THAT(nothing.Finish(), IsEmpty());
  EXPECT_EQ(model_->passes, 0);
}

TEST_F(LiveStreamTest, EndpointOptionsAreHeard) {
  const auto engine = MakeEngine(1);
  // Pauses of one second.
  const std::vector<float> samples = SpeechOf({20, 30});
  Client patient(*engine, {.trailing_silence = Millis(1'500)});
  patient.Push(samples, 1600);
  EXPECT_THAT(Finals(patient.Finish()), ElementsAre("w30 w30"));  // the louder one speaks for both

  std::vector<float> endless(kSampleRate, 0.0f);
  AppendWord(20, 21 * kSampleRate, &endless);
  Client cut(*engine, {.max_utterance = Millis(5'000)});
  cut.Push(endless, 1600);
  const auto& events = cut.Finish();
  CheckOrder(events);
  EXPECT_GE(Finals(events).size(), 4u);
  Millis last{600};
  for (const StreamEvent& event : events) {
    if (event.kind != Kind::kFinal) continue;
    EXPECT_LE(event.segment.end - event.segment.start, Millis(5'040));
    // Nothing is lost or doubled where they meet.
    EXPECT_NEAR(static_cast<double>(event.segment.start.count()), static_cast<double>(last.count()),
                33);
    last = event.segment.end;
  }
  EXPECT_EQ(last, Millis(22'000));

  Client deaf(*engine, {.noise_threshold = 2});
  deaf.Push(samples, 1600);
  EXPECT_THAT(Finals(deaf.Finish()), ElementsAre("w20 w20", "w30 w30"));
}

TEST_F(LiveStreamTest, OtherHotWordsHoldFromTheNextUtteranceOn) {
  const auto engine = MakeEngine(1);
  const TokenCodec codec = MakeTokenCodec(model_->tokenizer());
  const std::vector<HotWord> capital = {{"W20"}};
  const auto hot_words = HotWords::Make(capital, codec);
  ASSERT_TRUE(hot_words.ok());
  Client client(*engine);
  const std::vector<float> spoken = SpeechOf({20});
  const auto middle = std::span(spoken).first(kSampleRate * 3 / 2);
  client.Push(middle, 1600);
  client.AwaitEvents(1);  // it has begun
  client.stream().SetHotWords(*hot_words);
  client.Push(std::span(spoken).subspan(middle.size()), 1600);
  client.AwaitFinals(1);
  client.Push(spoken, 1600);
  client.AwaitFinals(2);
  client.stream().SetHotWords(nullptr);
  client.Push(spoken, 1600);
  EXPECT_THAT(Finals(client.Finish()), ElementsAre("w20 w20", "W20 W20", "w20 w20"));
}

TEST_F(LiveStreamTest, ALongUtteranceIsOneThoughTheModelHearsItInParts) {
  const auto engine = MakeEngine(2);
  std::vector<float> samples(kSampleRate, 0.0f);
  for (int i = 0; i < 40; ++i) AppendWord(20 + i % 2, kSampleRate, &samples);
  Client client(*engine, {.max_utterance = Millis(60'000)});
  client.Push(samples, 1600);
  const auto& events = client.Finish();
  CheckOrder(events);
  const auto finals = Finals(events);
  ASSERT_EQ(finals.size(), 1u);
  // Every part is at most 14 s and says its word twice.
  EXPECT_THAT(finals[0], StartsWith("w21 w21 w21 w21"));
  EXPECT_NEAR(static_cast<double>(events.back().segment.start.count()), 600, 33);
  EXPECT_EQ(events.back().segment.end, Millis(41'000));
}

TEST_F(LiveStreamTest, OptionsOutOfTheirRangeAreRefusedByName) {
  const auto engine = MakeEngine(1);
  const auto refused = [&](const LiveOptions& options) {
    const auto stream = engine->OpenLive(options);
    EXPECT_EQ(stream.status().code(), StatusCode::kInvalidArgument);
    return stream.ok() ? "" : stream.status().message();
  };
  EXPECT_THAT(refused({.trailing_silence = Millis(10)}), testing::HasSubstr("silence"));
  EXPECT_THAT(refused({.max_utterance = Millis(1'000)}), testing::HasSubstr("longest utterance"));
  EXPECT_THAT(refused({.partial_interval = Millis(0)}), testing::HasSubstr("partial"));
  for (const float bad : {2.5f, -3.0f, std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_THAT(refused({.noise_threshold = bad}), testing::HasSubstr("noise threshold"));
  }
}

TEST_F(LiveStreamTest, AnHourAtOnceIsTakenBitByBit) {
  const auto engine = MakeEngine(1);
  const std::vector<float> hour(std::size_t{3600} * kSampleRate, 0.0f);
  Client client(*engine);
  const auto taken = client.stream().PushSamples(hour);
  ASSERT_TRUE(taken.ok());
  EXPECT_EQ(*taken, kMaxUnheardSamples);
}

TEST_F(LiveStreamTest, NumbersThatAreNoneAreRefusedAndTheStreamLivesOn) {
  const auto engine = MakeEngine(1);
  Client client(*engine);
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    EXPECT_EQ(client.stream().PushSamples(std::vector<float>{0.0f, bad}).status().code(),
              StatusCode::kInvalidArgument);
  }
  client.Push(SpeechOf({25}), 1600);
  EXPECT_THAT(Finals(client.Finish()), ElementsAre("w25 w25"));
}

TEST_F(LiveStreamTest, WhatCannotBeTakenYetIsNotLookedAtYet) {
  const auto engine = MakeEngine(1);
  Client client(*engine);
  std::vector<float> samples(3 * kMaxUnheardSamples / 2, 0.0f);
  samples.back() = std::numeric_limits<float>::infinity();
  const auto taken = client.stream().PushSamples(samples);
  ASSERT_TRUE(taken.ok());
  EXPECT_EQ(*taken, kMaxUnheardSamples);
  EXPECT_EQ(client.stream().PushSamples(std::span(samples).last(1)).status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(LiveStreamTest, MoreStreamsThanMayBeOpenAreRefusedAndLeaveNoTrace) {
  const auto engine = MakeEngine(2, 100);
  std::vector<std::unique_ptr<LiveStream>> streams;
  int refused = 0;
  for (int i = 0; i < 10'000; ++i) {
    auto stream = engine->OpenLive({});
    if (stream.ok()) {
      streams.push_back(*std::move(stream));
    } else {
      EXPECT_EQ(stream.status().code(), StatusCode::kResourceExhausted);
      ++refused;
    }
  }
  EXPECT_EQ(refused, 9'900);
  EXPECT_EQ(engine->Open({}).status().code(), StatusCode::kResourceExhausted);
  streams.pop_back();
  Client client(*engine);
  client.Push(SpeechOf({25}), 1600);
  EXPECT_THAT(Finals(client.Finish()), ElementsAre("w25 w25"));
}

TEST_F(LiveStreamTest, AClientThatNeverReadsLosesOnlyPartials) {
  const auto engine = MakeEngine(1);
  std::vector<int> words;
  for (int i = 0; i < 20; ++i) words.push_back(10 + i);
  const std::vector<float> samples = SpeechOf(words);
  auto stream = *engine->OpenLive({});
  std::span<const float> rest = samples;
  while (!rest.empty()) rest = rest.subspan(*stream->PushSamples(rest));
  stream->Finish();
  while (!stream->complete()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::vector<StreamEvent> events = stream->TakeEvents();
  CheckOrder(events);
  EXPECT_EQ(Finals(events).size(), words.size());
}

TEST_F(LiveStreamTest, ClientsThatHangUpDisturbNobody) {
  const auto engine = MakeEngine(2);
  std::atomic<bool> stop = false;
  std::vector<std::thread> leavers;
  for (int i = 0; i < 3; ++i) {
    leavers.emplace_back([&, i] {
      std::mt19937 random(static_cast<unsigned>(i));
      const std::vector<float> samples = SpeechOf({11, 12, 13, 14});
      while (!stop) {
        Client client(*engine);
        client.Push(std::span(samples).first(random() % samples.size()), 1 + random() % 8000);
        if (random() % 3 == 0) client.stream().Finish();
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    Client client(*engine);
    client.Push(SpeechOf({21, 22}), 1600);
    const auto& events = client.Finish();
    CheckOrder(events);
    EXPECT_THAT(Finals(events), ElementsAre("w21 w21", "w22 w22"));
  }
  stop = true;
  for (std::thread& leaver : leavers) leaver.join();
}

TEST_F(LiveStreamTest, RecordingsGoOnBesideLiveStreams) {
  const auto engine = MakeEngine(1);
  std::atomic<bool> stop = false;
  std::vector<std::thread> talkers;
  for (int i = 0; i < 3; ++i) {
    talkers.emplace_back([&] {
      const std::vector<float> samples = SpeechOf({11, 12, 13, 14});
      Client client(*engine, {.partial_interval = Millis(100)});
      while (!stop) client.Push(samples, 1600);
    });
  }
  std::vector<int> words;
  for (int i = 0; i < 60; ++i) words.push_back(10 + i % 20);
  const auto stream = *engine->Open({});
  ASSERT_TRUE(stream->PushSamples(SpeechOf(words)).ok());
  EXPECT_EQ(stream->Finish()->size(), words.size());
  stop = true;
  for (std::thread& talker : talkers) talker.join();
}

TEST(PromiseTest, IsGivenWhenGuessesAgreeAndNeverTakenBack) {
  std::vector<Piece> pieces(16);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    // Even tokens begin a word.
    pieces[i] = {PieceKind::kText, (i % 2 == 0 ? " w" : "x") + std::to_string(i)};
  }
  const Tokenizer tokenizer(std::move(pieces));
  const std::vector<int> guess = {2, 4, 5, 6, 8, 10, 12};
  const std::vector<float> sure(guess.size(), -0.01f);
  Promise promise;
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(promise.Add(guess, sure, tokenizer));
    EXPECT_THAT(promise.promised(), IsEmpty());
  }
  EXPECT_TRUE(promise.Add(guess, sure, tokenizer));
  // Four tokens behind the newest, and whole words: "w4" goes on with "x5".
  EXPECT_THAT(promise.promised(), ElementsAre(2, 4, 5));
  // A guess that breaks it is not taken.
  EXPECT_FALSE(promise.Add(std::vector<int>{2, 6, 8}, sure, tokenizer));
  EXPECT_THAT(promise.promised(), ElementsAre(2, 4, 5));
  EXPECT_TRUE(promise.Add(std::vector<int>{2, 4, 5, 8}, sure, tokenizer));
  EXPECT_THAT(promise.promised(), ElementsAre(2, 4, 5));
  promise.Clear();
  EXPECT_THAT(promise.promised(), IsEmpty());

  // What the model is unsure of is promised by no agreement, nor what follows it.
  std::vector<float> unsure = sure;
  unsure[1] = -1;
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(promise.Add(guess, unsure, tokenizer));
  EXPECT_THAT(promise.promised(), ElementsAre(2));
}

TEST(PromiseTest, OfWhatTheNextPartMaySayNothingMoreIsPromised) {
  std::vector<Piece> pieces(16);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    pieces[i] = {PieceKind::kText, " w" + std::to_string(i)};
  }
  const Tokenizer tokenizer(std::move(pieces));
  const std::vector<int> guess = {2, 4, 6, 8, 10, 12};
  const std::vector<float> sure(guess.size(), -0.01f);
  Promise promise;
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(promise.Add(guess, sure, tokenizer, false));
  EXPECT_THAT(promise.promised(), IsEmpty());
  EXPECT_TRUE(promise.Add(guess, sure, tokenizer));
  EXPECT_THAT(promise.promised(), ElementsAre(2, 4));
  EXPECT_TRUE(promise.Add(std::vector<int>{2, 4, 6, 8, 10, 12, 14, 3, 5},
                          std::vector<float>(9, -0.01f), tokenizer, false));
  EXPECT_THAT(promise.promised(), ElementsAre(2, 4));
}

}  // namespace
}  // namespace lethe
