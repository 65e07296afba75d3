// Goal:   a realtime transcription session goes as OpenAI's types describe it: items in order,
// deltas
//         that are the transcript, both dialects, errors that name the event, and nothing held once
//         the client is gone.
// Method: tests/support/openai_realtime_fixture.h: loudness is what was said.

#include "tests/support/openai_realtime_fixture.h"

namespace lethe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr const char* kCommitted = "input_audio_buffer.committed";

TEST_F(OpenAiRealtimeTest, EveryUtteranceBecomesAnItem) {
  Call& call = Join();
  Configure(call, {});
  SayBytes(call, Pcm(SpeechOf({20, 30})));
  const std::vector<Json> events = Wait(call, kCompleted, 2);
  EXPECT_THAT(Transcripts(events), ElementsAre("w20 w20", "w30 w30"));
  ASSERT_THAT(
      TypesOf(call),
      ElementsAre("session.created", "session.updated", "input_audio_buffer.speech_started",
                  "input_audio_buffer.speech_stopped", kCommitted, "conversation.item.added",
                  "conversation.item.done", kDelta, kCompleted, "input_audio_buffer.speech_started",
                  "input_audio_buffer.speech_stopped", kCommitted, "conversation.item.added",
                  "conversation.item.done", kDelta, kCompleted));
  const Json &started = events[2], &stopped = events[3], &committed = events[4];
  const std::string item = started["item_id"];
  EXPECT_THAT(item, StartsWith("item_"));
  // A second of silence, half a second of speech, padded; then 500 ms of silence were waited for.
  EXPECT_NEAR(started["audio_start_ms"].get<int>(), 600, 70);
  EXPECT_NEAR(stopped["audio_end_ms"].get<int>(), 2'000, 100);
  EXPECT_EQ(committed["item_id"], item);
  EXPECT_EQ(committed["previous_item_id"], nullptr);
  EXPECT_EQ(events[5]["item"]["id"], item);
  EXPECT_EQ(events[5]["item"]["content"],
            Json::array({{{"type", "input_audio"}, {"transcript", nullptr}}}));
  EXPECT_EQ(events[8]["item_id"], item);
  EXPECT_EQ(events[8]["content_index"], 0);
  EXPECT_EQ(events[8]["usage"]["type"], "duration");
  EXPECT_FALSE(events[8].contains("logprobs"));
  EXPECT_EQ(events[11]["previous_item_id"], item);
  std::set<std::string> ids;
  for (const Json& event : events) EXPECT_TRUE(ids.insert(event["event_id"]).second);
  Leave(call);
  meter_.Flush();
  EXPECT_EQ(meter_.counts().at({Interface::kOpenAiRealtime, "200"}), 1U);
  EXPECT_EQ(inside(), 0);
}

TEST_F(OpenAiRealtimeTest, WhatIsPromisedIsToldWhileSomebodySpeaksAndTheRestAtTheEnd) {
  model_->counting = 10;
  Call& call = Join();
  Configure(call, {});
  SayBytes(call, Pcm(std::vector<float>(kSampleRate, 0.0F)));
  // A promise needs four guesses, and there is one for each of these, but for those that are too
  // early.
  std::vector<float> word;
  AppendWord(20, kSampleRate * 6 / 10, &word);
  const std::string piece = Pcm(word);
  for (int i = 0; i < 20 && OfType(EventsOf(call), kDelta).empty(); ++i) {
    const int passes = model_->passes;
    SayBytes(call, piece);
    for (int wait = 0; wait < 500 && model_->passes == passes; ++wait) {
      std::this_thread::sleep_for(Millis(1));
    }
  }
  Wait(call, kDelta);
  EXPECT_THAT(OfType(EventsOf(call), "input_audio_buffer.speech_stopped"), IsEmpty());
  SayBytes(call, Pcm(std::vector<float>(2 * kSampleRate, 0.0F)));
  const std::vector<Json> events = Wait(call, kCompleted);
  std::string told;
  const std::vector<Json> deltas = OfType(events, kDelta);
  EXPECT_GE(deltas.size(), 2U);
  for (const Json& delta : deltas) {
    EXPECT_NE(delta["delta"], "");
    told += delta["delta"];
  }
  EXPECT_EQ(told, OfType(events, kCompleted)[0]["transcript"]);
  EXPECT_THAT(told, StartsWith("w20 w21 w22"));
}

TEST_F(OpenAiRealtimeTest, WithoutTurnDetectionACommitIsOneItemWhateverPausesAreInIt) {
  Call& call = Join();
  Configure(call, {{"turn_detection", nullptr}});
  SayBytes(call, Pcm(SpeechOf({20, 30})));
  Say(call, {{"type", "input_audio_buffer.commit"}});
  SayBytes(call, Pcm(SpeechOf({25})));
  Say(call, {{"type", "input_audio_buffer.commit"}});
  SayBytes(call, Pcm(std::vector<float>(kSampleRate, 0.0F)));
  Say(call, {{"type", "input_audio_buffer.commit"}});
  const std::vector<Json> events = Wait(call, kCompleted, 3);
  EXPECT_THAT(Transcripts(events), ElementsAre("w20 w20 w30 w30", "w25 w25", ""));
  EXPECT_THAT(OfType(events, "input_audio_buffer.speech_started"), IsEmpty());
  const std::vector<Json> committed = OfType(events, kCommitted);
  EXPECT_EQ(committed[2]["previous_item_id"], committed[1]["item_id"]);
  std::map<std::string, std::string> told;
  for (const Json& delta : OfType(events, kDelta)) {
    told[delta["item_id"]] += delta["delta"].get<std::string>();
  }
  EXPECT_EQ(told[committed[0]["item_id"]], "w20 w20 w30 w30");
  EXPECT_EQ(OfType(events, kCompleted)[0]["usage"]["seconds"], 4.0);
}

TEST_F(OpenAiRealtimeTest, ACommitEndsWhatIsBeingSpoken) {
  Call& call = Join();
  Configure(call, {});
  std::vector<float> samples(kSampleRate, 0.0F);
  AppendWord(20, kSampleRate, &samples);
  SayBytes(call, Pcm(samples));
  Say(call, {{"type", "input_audio_buffer.commit"}});
  EXPECT_THAT(Transcripts(Wait(call, kCompleted)), ElementsAre("w20 w20"));
  // Nobody spoke, but whoever commits waits for an item.
  SayBytes(call, Pcm(std::vector<float>(kSampleRate, 0.0F)));
  Say(call, {{"type", "input_audio_buffer.commit"}});
  EXPECT_THAT(Transcripts(Wait(call, kCompleted, 2)), ElementsAre("w20 w20", ""));
}

TEST_F(OpenAiRealtimeTest, TooLittleToCommitIsAnErrorThatNamesTheEvent) {
  Call& call = Join();
  Say(call, {{"type", "input_audio_buffer.commit"}, {"event_id", "mine"}});
  SayBytes(call, std::string(4'000, '\0'));
  Say(call, {{"type", "input_audio_buffer.commit"}});
  const std::vector<Json> errors = OfType(Wait(call, "error", 2), "error");
  for (const Json& error : errors) {
    EXPECT_EQ(error["error"]["code"], "input_audio_buffer_commit_empty");
    EXPECT_EQ(error["error"]["type"], "invalid_request_error");
  }
  EXPECT_EQ(errors[0]["error"]["event_id"], "mine");
  EXPECT_EQ(errors[1]["error"]["event_id"], nullptr);
}

TEST_F(OpenAiRealtimeTest, WhatIsClearedIsNeverTold) {
  for (const bool manual : {false, true}) {
    Call& call = Join();
    Configure(call, manual ? Json{{"turn_detection", nullptr}} : Json::object());
    std::vector<float> samples(kSampleRate / 2, 0.0F);
    AppendWord(20, kSampleRate, &samples);
    SayBytes(call, Pcm(samples));
    Say(call, {{"type", "input_audio_buffer.clear"}});
    Wait(call, "input_audio_buffer.cleared");
    SayBytes(call, Pcm(SpeechOf({30})));
    if (manual) Say(call, {{"type", "input_audio_buffer.commit"}});
    const std::vector<Json> events = Wait(call, kCompleted);
    EXPECT_THAT(Transcripts(events), ElementsAre("w30 w30"));
    if (!manual) {
      // Times go on, also of what was forgotten: 1.5 s, and the silence before the word.
      const std::vector<Json> started = OfType(events, "input_audio_buffer.speech_started");
      EXPECT_NEAR(started.back()["audio_start_ms"].get<int>(), 2'100, 70);
    }
    Leave(call);
  }
}

TEST_F(OpenAiRealtimeTest, TheBetaDialectIsSpokenToThoseWhoSpeakIt) {
  for (const bool by_header : {true, false}) {
    Call& call = by_header ? Join(Address("intent=transcription", {{"OpenAI-Beta", "realtime=v1"}}))
                           : Join();
    Say(call, {{"type", "transcription_session.update"},
               {"session",
                {{"input_audio_format", "pcm16"},
                 {"input_audio_transcription", {{"model", "gpt-4o-transcribe"}}},
                 {"turn_detection", {{"type", "server_vad"}, {"silence_duration_ms", 300}}}}}});
    SayBytes(call, std::string(3 * 48'000, '\0'));
    Say(call, {{"type", "input_audio_buffer.commit"}});
    const std::vector<Json> events = Wait(call, kCompleted);
    EXPECT_EQ(events[0]["type"], by_header ? "transcription_session.created" : "session.created");
    EXPECT_EQ(events[1]["type"], "transcription_session.updated");
    Json session = events[1]["session"];
    EXPECT_EQ(session["input_audio_format"], "pcm16");
    EXPECT_EQ(session["input_audio_transcription"]["model"], "gpt-4o-transcribe");
    EXPECT_EQ(session["turn_detection"]["silence_duration_ms"], 300);
    EXPECT_THAT(OfType(events, "conversation.item.added"), IsEmpty());
    EXPECT_EQ(OfType(events, "conversation.item.created").size(), 1U);
    Leave(call);
  }
}

TEST_F(OpenAiRealtimeTest, TelephoneLawsAreHeard) {
  for (const bool mu_law : {true, false}) {
    // The codes of a loudness that is heard, and of silence.
    const char loud = mu_law ? '\x90' : '\xB0', quiet = mu_law ? '\xFF' : '\xD5';
    Call& call = Join();
    Say(call, {{"type", "session.update"},
               {"session",
                {{"type", "transcription"},
                 {"audio",
                  {{"input", {{"format", {{"type", mu_law ? "audio/pcmu" : "audio/pcma"}}}}}}}}}});
    std::string word(4'000, loud);
    for (std::size_t i = 0; i < word.size(); ++i) {
      if (i % 8 < 4) word[i] = static_cast<char>(loud ^ 0x80);  // the sign
    }
    SayBytes(call, std::string(8'000, quiet) + word + std::string(8'000, quiet));
    const std::vector<Json> events = Wait(call, kCompleted);
    ASSERT_THAT(Transcripts(events), ElementsAre(::testing::Not("")));
    EXPECT_NEAR(OfType(events, "input_audio_buffer.speech_started")[0]["audio_start_ms"].get<int>(),
                600, 70);
    Leave(call);
  }
}

TEST_F(OpenAiRealtimeTest, LogProbabilitiesAreToldWhereTheyAreIncluded) {
  Call& call = Join();
  Say(call, {{"type", "session.update"},
             {"session", {{"include", {"item.input_audio_transcription.logprobs"}}}}});
  Configure(call, {});
  SayBytes(call, Pcm(SpeechOf({20})));
  Json completed = OfType(Wait(call, kCompleted), kCompleted)[0];
  ASSERT_EQ(completed["logprobs"].size(), 2U);
  std::string text;
  for (const Json& one : completed["logprobs"]) {
    EXPECT_LE(one["logprob"].get<double>(), 0);
    EXPECT_EQ(one["bytes"].size(), one["token"].get<std::string>().size());
    text += one["token"];
  }
  EXPECT_EQ(text, completed["transcript"]);
}

TEST_F(OpenAiRealtimeTest, SettingsCanChangeInTheMiddle) {
  Call& call = Join();
  Configure(call, {});
  std::vector<float> samples(kSampleRate / 2, 0.0F);
  AppendWord(20, kSampleRate, &samples);
  SayBytes(call, Pcm(samples));
  // What was being spoken ends there.
  Configure(call, {{"turn_detection", nullptr}});
  EXPECT_THAT(Transcripts(Wait(call, kCompleted)), ElementsAre("w20 w20"));
  SayBytes(call, Pcm(SpeechOf({30})));
  // Audio that waits for a commit keeps its format and waits on.
  Configure(call, {{"turn_detection", {{"type", "server_vad"}}}});
  Wait(call, "error");
  Say(call, {{"type", "input_audio_buffer.commit"}});
  EXPECT_THAT(Transcripts(Wait(call, kCompleted, 2)), ElementsAre("w20 w20", "w30 w30"));
}

TEST_F(OpenAiRealtimeTest, AudioFasterThanItIsHeardWaitsInTheSocket) {
  ServeSessions({.max_ahead = Millis(1'000)});
  Call& call = Join();
  Configure(call, {});
  std::vector<int> words(40, 20);
  SayBytes(call, Pcm(SpeechOf(words)), 400'000);
  EXPECT_EQ(Transcripts(Wait(call, kCompleted, words.size())).size(), words.size());
  EXPECT_THAT(OfType(EventsOf(call), "error"), IsEmpty());
}

TEST_F(OpenAiRealtimeTest, HangingUpAtAnyStageReleasesEverything) {
  const std::string speech = Pcm(SpeechOf({20, 30}));
  for (int stage = 0; stage < 5; ++stage) {
    Call& call = Join();
    EXPECT_EQ(inside(), 1);
    if (stage > 0) Configure(call, stage > 2 ? Json{{"turn_detection", nullptr}} : Json::object());
    if (stage > 1) SayBytes(call, speech);
    if (stage > 3) Say(call, {{"type", "input_audio_buffer.commit"}});
    if (stage == 2) Wait(call, "input_audio_buffer.speech_started");
    Leave(call);
    EXPECT_EQ(inside(), 0) << stage;
  }
}

}  // namespace
}  // namespace lethe
