// Goal:   whatever way a client speaks its audio, the same words come out; a client that is too
//         fast, sends nonsense or goes away costs its own call and nothing else; what is promised
//         of a text is kept.
// Method: the made-up model of tests/support/fake_models.h, whose answer is written into the
//         loudness of the samples; compressed audio made by FFmpeg's libraries.

#include "service/live_call.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <numbers>
#include <string>
#include <thread>

#include <gmock/gmock.h>

#include "service/internal/byte_pipe.h"
#include "service/internal/opus_frames.h"
#include "tests/support/fake_models.h"
#include "tests/support/test_encoder.h"

namespace lethe {
namespace {

using audio_internal::TestEncoder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = StreamEvent::Kind;

std::span<const std::byte> Bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string Little(std::uint32_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text.push_back(static_cast<char>(value >> (8 * i) & 0xff));
  return text;
}

std::string Pcm(std::span<const float> samples, int channels = 1) {
  std::string bytes;
  for (const float sample : samples) {
    const auto value = static_cast<std::int16_t>(std::lround(sample * 32767));
    for (int i = 0; i < channels; ++i) bytes += Little(static_cast<std::uint16_t>(value), 2);
  }
  return bytes;
}

std::string WavHeader(int rate, int channels, std::uint32_t data_size, int bits = 16) {
  const auto frame = static_cast<std::uint32_t>(channels * bits / 8);
  return "RIFF" + Little(0xffffffff, 4) + "WAVE" + "LIST" + Little(3, 4) + "abc" +
         std::string(1, '\0') + "fmt " + Little(16, 4) + Little(1, 2) +
         Little(static_cast<std::uint32_t>(channels), 2) +
         Little(static_cast<std::uint32_t>(rate), 4) +
         Little(static_cast<std::uint32_t>(rate) * frame, 4) + Little(frame, 2) +
         Little(static_cast<std::uint32_t>(bits), 2) + "data" + Little(data_size, 4);
}

// Every second sample; the words are loudness, so nothing is lost.
std::vector<float> Halved(const std::vector<float>& samples) {
  std::vector<float> half;
  for (std::size_t i = 0; i < samples.size(); i += 2) half.push_back(samples[i]);
  return half;
}

// As SpeechOf(), but as a tone, which survives a codec.
std::vector<float> ToneOf(const std::vector<int>& words) {
  std::vector<float> samples = SpeechOf(words);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i] *= static_cast<float>(std::sin(static_cast<double>(i) * 2 * std::numbers::pi / 32));
  }
  return samples;
}

std::string Encoded(const char* muxer, const char* encoder, std::span<const float> samples) {
  return TestEncoder({muxer, encoder, kSampleRate, 1}).Encode(samples);
}

class LiveCallTest : public ::testing::Test {
 protected:
  LiveCallTest() {
    speech_->engine = std::make_shared<Engine>(std::make_shared<FakeModel>(),
                                               std::make_shared<LoudnessActivity>(),
                                               EngineOptions{.num_threads = 1, .max_streams = 20});
    speech_->label = {.name = "fake", .language = "en"};
  }

  EngineEntry Entry(int rate = kSampleRate) const {
    return {.name = "fake", .sample_rate = rate, .speech = speech_.get()};
  }

  std::unique_ptr<LiveCall> MustOpen(LiveCallOptions options) {
    if (options.engine.speech == nullptr) options.engine = Entry();
    auto call = LiveCall::Open(std::move(options), decoders_);
    EXPECT_TRUE(call.ok());
    return *std::move(call);
  }

  // Pushes as much as is taken, waiting where it is too much; then finishes and collects. The
  // texts of the finals, or the error's message.
  std::vector<std::string> Hear(LiveCallOptions options, const std::string& bytes,
                                std::size_t piece) {
    const auto call = MustOpen(std::move(options));
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      const std::string part = bytes.substr(at, piece);
      Status status = call->PushBytes(Bytes(part));
      if (!status.ok()) return {status.message()};
    }
    return FinalsOf(*call);
  }

  std::vector<std::string> FinalsOf(LiveCall& call) {
    call.Finish();
    std::vector<std::string> finals;
    for (bool last = false; !last;) {
      const Status status = call.Pump();
      if (!status.ok()) return {status.message()};
      last = call.complete();
      for (const StreamEvent& event : call.TakeEvents()) {
        if (event.kind == Kind::kFinal) finals.push_back(event.segment.text);
      }
      if (!last) std::this_thread::sleep_for(Millis(1));
    }
    audio_ = call.audio();
    return finals;
  }

  const std::shared_ptr<SpeechEngine> speech_ = std::make_shared<SpeechEngine>();
  LiveDecoders decoders_{InProcessMediaDecoder(), 4};
  Millis audio_{0};
};

TEST_F(LiveCallTest, PcmInPiecesOfAnySize) {
  const std::string bytes = Pcm(SpeechOf({20, 30}));
  for (const std::size_t piece : {std::size_t{1}, std::size_t{1279}, bytes.size()}) {
    EXPECT_THAT(Hear({}, bytes, piece), ElementsAre("w20 w20", "w30 w30")) << piece;
    EXPECT_EQ(audio_, Millis(4'000));
  }
  // Half a sample at the end is none.
  EXPECT_THAT(Hear({}, bytes + "x", 1280), ElementsAre("w20 w20", "w30 w30"));
  EXPECT_THAT(Hear({}, "", 1), IsEmpty());
  EXPECT_THAT(Hear({}, "RIF", 1), IsEmpty());
}

TEST_F(LiveCallTest, EightKilohertzByTheEngineOrByItsParameter) {
  const std::string bytes = Pcm(Halved(SpeechOf({20, 30})));
  for (const LiveCallOptions& options :
       {LiveCallOptions{.engine = Entry(8'000)}, LiveCallOptions{.pcm_rate = 8'000}}) {
    EXPECT_EQ(Hear(options, bytes, 640).size(), 2U);
    EXPECT_EQ(audio_, Millis(4'000));
  }
}

TEST_F(LiveCallTest, TelephoneLawsInPiecesOfAnySize) {
  // Each law's code that is nearest to 0.2, whose highest bit is the sign, and that of silence.
  const std::pair<LiveFormat, std::array<char, 2>> laws[] = {{LiveFormat::kMuLaw, {'\xA6', '\xFF'}},
                                                             {LiveFormat::kALaw, {'\x8C', '\xD5'}}};
  for (const auto& [format, codes] : laws) {
    std::string bytes;
    for (const float sample : SpeechOf({20, 20})) {
      bytes += sample == 0 ? codes[1] : static_cast<char>(sample > 0 ? codes[0] : codes[0] ^ 0x80);
    }
    for (const std::size_t piece : {std::size_t{1}, std::size_t{1279}, bytes.size()}) {
      EXPECT_THAT(Hear({.format = format, .pcm_rate = 16'000}, bytes, piece),
                  ElementsAre("w20 w20", "w20 w20"));
      EXPECT_EQ(audio_, Millis(4'000));
    }
  }
  // No header is looked for.
  EXPECT_THAT(Hear({.format = LiveFormat::kMuLaw, .pcm_rate = 8'000}, "RIFF", 1), IsEmpty());
}

TEST_F(LiveCallTest, AWavHeaderIsReadAndNotHeard) {
  const std::string samples = Pcm(SpeechOf({20, 30}));
  for (const LiveFormat format : {LiveFormat::kPcm, LiveFormat::kWav}) {
    for (const std::size_t piece : {1, 7, 6400}) {
      EXPECT_THAT(Hear({.format = format}, WavHeader(16'000, 1, 0xffffffff) + samples, piece),
                  ElementsAre("w20 w20", "w30 w30"));
      EXPECT_EQ(audio_, Millis(4'000));
    }
    // The header knows better than the parameters.
    EXPECT_EQ(
        Hear({.format = format}, WavHeader(8'000, 2, 0) + Pcm(Halved(SpeechOf({20, 30})), 2), 6400)
            .size(),
        2U);
    EXPECT_EQ(audio_, Millis(4'000));
  }
  // What follows the samples is no sound.
  const auto size = static_cast<std::uint32_t>(samples.size());
  EXPECT_THAT(Hear({.format = LiveFormat::kWav},
                   WavHeader(16'000, 1, size) + samples + std::string(100'000, 'x'), 6400),
              ElementsAre("w20 w20", "w30 w30"));
  EXPECT_EQ(audio_, Millis(4'000));
}

TEST_F(LiveCallTest, WavThatIsNoneIsRefused) {
  const LiveCallOptions wav{.format = LiveFormat::kWav};
  EXPECT_THAT(Hear(wav, Pcm(SpeechOf({20})), 1280), ElementsAre(HasSubstr("WAV")));
  EXPECT_THAT(Hear(wav, "RIFF", 1), ElementsAre(HasSubstr("WAV")));
  EXPECT_THAT(Hear(wav, WavHeader(16'000, 1, 0, 24) + std::string(99, 'x'), 10),
              ElementsAre(HasSubstr("16-bit")));
  for (const int rate : {0, 1, 3'999, 192'001, -1}) {
    EXPECT_THAT(Hear(wav, WavHeader(rate, 1, 0) + "xx", 100), ElementsAre(HasSubstr("WAV")))
        << rate;
  }
  EXPECT_THAT(Hear(wav, WavHeader(16'000, 0, 0), 100), ElementsAre(HasSubstr("impossible")));
  EXPECT_THAT(Hear(wav, "RIFF1234WAVEjunk\xff\xff\xff\xff", 100), ElementsAre(HasSubstr("long")));
  const std::string header = WavHeader(16'000, 1, 0);
  for (std::size_t cut = 1; cut < header.size(); ++cut) {
    EXPECT_EQ(Hear(wav, header.substr(0, cut), 100).size(), 1U) << cut;
  }
  EXPECT_THAT(Hear(wav, header, 100), IsEmpty());
}

TEST_F(LiveCallTest, AClientThatIsTooFastIsToldSo) {
  const auto call = MustOpen({.max_ahead = Millis(1'000)});
  const std::string second(32'000, '\0');
  Status status;
  // Two seconds with the engine, one waiting; how fast the engine takes them, nobody knows.
  for (int i = 0; i < 100'000 && status.ok(); ++i) status = call->PushBytes(Bytes(second));
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  // It stays so.
  EXPECT_EQ(call->PushBytes(Bytes(second)).code(), StatusCode::kResourceExhausted);
  // A hundred megabytes at once.
  const auto other = MustOpen({});
  EXPECT_EQ(other->PushBytes(Bytes(std::string(100'000'000, 'x'))).code(),
            StatusCode::kResourceExhausted);
}

TEST_F(LiveCallTest, TenTimesAsFastAsSpeechIsNotTooFast) {
  std::vector<int> words;
  for (int i = 0; i < 30; ++i) words.push_back(10 + i);
  EXPECT_EQ(Hear({}, Pcm(SpeechOf(words)), 6400).size(), 30U);
}

TEST_F(LiveCallTest, CompressedAudioIsDecodedAsItComes) {
  const std::vector<float> tone = ToneOf({20, 30, 25});
  const std::string mp3 = Encoded("mp3", "libmp3lame", tone);
  const std::string aac = Encoded("adts", "aac", tone);
  const std::string opus = Encoded("ogg", "libopus", tone);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{333}, mp3.size()}) {
    EXPECT_EQ(Hear({.format = LiveFormat::kMedia}, mp3, piece).size(), 3U) << piece;
  }
  EXPECT_EQ(Hear({.format = LiveFormat::kMedia}, aac, 100).size(), 3U);
  EXPECT_EQ(Hear({.format = LiveFormat::kMedia}, opus, 100).size(), 3U);
  EXPECT_EQ(Hear({.format = LiveFormat::kOpusFrames}, opus, 100).size(), 3U);
  // Frames of Speex, without a container.
  const std::string speex = Encoded("data", "libspeex", tone);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{70}, speex.size()}) {
    EXPECT_EQ(Hear({.format = LiveFormat::kMedia}, speex, piece).size(), 3U) << piece;
    EXPECT_EQ(audio_, Millis(5'500));
  }
  EXPECT_THAT(Hear({.format = LiveFormat::kMedia}, "", 100), IsEmpty());
  // Cut off in the middle: what was there is heard.
  EXPECT_EQ(Hear({.format = LiveFormat::kMedia}, mp3.substr(0, mp3.size() / 2), 333).size(), 2U);
}

TEST_F(LiveCallTest, WhatIsHeardOfMp3IsToldBeforeItEnds) {
  const std::string mp3 = Encoded("mp3", "libmp3lame", ToneOf({20, 30, 25, 20, 30, 25, 20, 30}));
  std::atomic<int> notices = 0;
  const auto call = MustOpen({.format = LiveFormat::kMedia, .notify = [&] { ++notices; }});
  ASSERT_TRUE(call->PushBytes(Bytes(mp3)).ok());
  bool any = false;
  while (!any) {
    ASSERT_TRUE(call->Pump().ok());
    for (const StreamEvent& event : call->TakeEvents()) any = any || event.kind == Kind::kFinal;
    std::this_thread::sleep_for(Millis(1));
  }
  EXPECT_FALSE(call->complete());
  EXPECT_GT(notices, 0);
}

TEST_F(LiveCallTest, EachM4aIsARecordingOfItsOwn) {
  const auto call = MustOpen({.format = LiveFormat::kRecordings});
  for (const int word : {20, 30}) {
    const std::string file = Encoded("ipod", "aac", ToneOf({word}));
    // The second one in two pieces.
    const std::size_t cut = word == 30 ? file.size() / 2 : file.size();
    ASSERT_TRUE(call->PushBytes(Bytes(file.substr(0, cut))).ok());
    ASSERT_TRUE(call->PushBytes(Bytes(file.substr(cut))).ok());
  }
  EXPECT_EQ(FinalsOf(*call).size(), 2U);
}

// The packets of an Ogg stream whose pages hold whole ones.
std::vector<std::string> OggPackets(const std::string& ogg) {
  std::vector<std::string> packets;
  std::string packet;
  for (std::size_t at = 0; at + 27 <= ogg.size();) {
    const auto segments = static_cast<std::size_t>(static_cast<unsigned char>(ogg[at + 26]));
    std::size_t data = at + 27 + segments;
    for (std::size_t i = 0; i < segments; ++i) {
      const auto size = static_cast<std::size_t>(static_cast<unsigned char>(ogg[at + 27 + i]));
      packet += ogg.substr(data, size);
      data += size;
      if (size < 255) packets.push_back(std::exchange(packet, ""));
    }
    at = data;
  }
  return packets;
}

TEST_F(LiveCallTest, OpusInTheCloudsFrames) {
  const std::vector<std::string> packets =
      OggPackets(Encoded("ogg", "libopus", ToneOf({20, 30, 25})));
  ASSERT_GT(packets.size(), 100U);
  for (const bool big : {false, true}) {
    std::string bytes;
    for (std::size_t i = 2; i < packets.size(); ++i) {
      std::string size = Little(static_cast<std::uint32_t>(packets[i].size()), 2);
      if (big) std::swap(size[0], size[1]);
      bytes += "opus" + size + packets[i];
    }
    for (const std::size_t piece : {std::size_t{1}, std::size_t{777}, bytes.size()}) {
      EXPECT_EQ(Hear({.format = LiveFormat::kOpusFrames}, bytes, piece).size(), 3U)
          << big << " " << piece;
    }
  }
}

TEST_F(LiveCallTest, GarbageIsNoAudioWhateverItIsCalled) {
  std::string garbage;
  unsigned state = 1;
  for (int i = 0; i < 300'000; ++i) {
    state = state * 1103515245 + 12345;
    garbage.push_back(static_cast<char>(state >> 16 & 0xff));
  }
  const std::string text(10'000, 't');
  for (const LiveFormat format :
       {LiveFormat::kMedia, LiveFormat::kRecordings, LiveFormat::kOpusFrames, LiveFormat::kWav}) {
    for (const std::string& bytes : {garbage, text}) {
      const auto call = MustOpen({.format = format});
      Status status = call->PushBytes(Bytes(bytes));
      call->Finish();
      while (status.ok()) {
        status = call->Pump();
        ASSERT_FALSE(call->complete()) << static_cast<int>(format);
        std::this_thread::sleep_for(Millis(1));
      }
      EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << static_cast<int>(format);
      EXPECT_FALSE(call->PushBytes(Bytes(bytes)).ok());
    }
  }
  for (const std::string& packet :
       {std::string("opusx"), std::string("opus\xff\xffxx"), std::string("opus\x02\x00\x03\x00", 8),
        std::string("Opus\x02\x00\x03\x01", 8)}) {
    internal::OpusFrames frames;
    auto made = frames.Push(Bytes(packet));
    if (made.ok()) {
      EXPECT_THAT(*made, IsEmpty());
    }
  }
}

TEST_F(LiveCallTest, WhoGoesAwayIsForgotten) {
  const std::string mp3 = Encoded("mp3", "libmp3lame", ToneOf({20, 30, 25}));
  for (int i = 0; i < 200; ++i) {
    for (const LiveFormat format : {LiveFormat::kPcm, LiveFormat::kMedia}) {
      auto call = LiveCall::Open({.engine = Entry(), .format = format}, decoders_);
      // A thread of the call before may not have ended yet.
      if (!call.ok()) {
        EXPECT_EQ(call.status().code(), StatusCode::kResourceExhausted);
        continue;
      }
      const std::size_t size = static_cast<std::size_t>(i) * 97 % mp3.size();
      EXPECT_TRUE((*call)->PushBytes(Bytes(mp3.substr(0, size))).ok());
      if (i % 3 == 0) (*call)->Finish();
      if (i % 5 == 0) static_cast<void>((*call)->TakeEvents());
    }
  }
  while (decoders_.running() > 0) std::this_thread::sleep_for(Millis(1));
}

TEST_F(LiveCallTest, MoreDecodersThanMayBeAreRefused) {
  std::vector<std::unique_ptr<LiveCall>> calls;
  for (int i = 0; i < 4; ++i) calls.push_back(MustOpen({.format = LiveFormat::kMedia}));
  const auto fifth = LiveCall::Open({.engine = Entry(), .format = LiveFormat::kMedia}, decoders_);
  EXPECT_EQ(fifth.status().code(), StatusCode::kResourceExhausted);
  // Whoever sends samples needs none.
  EXPECT_THAT(Hear({}, Pcm(SpeechOf({20})), 6400), ElementsAre("w20 w20"));
  EXPECT_EQ(decoders_.running(), 4);
}

StreamEvent Partial(const std::string& text, std::size_t stable) {
  StreamEvent event{.kind = Kind::kPartial, .segment = {}, .stable_bytes = stable};
  event.segment.text = text;
  return event;
}

TEST(PostProcessEventTest, WhatIsPromisedCanNotChange) {
  const PostOptions digits{.punctuation = PunctuationFilter::kDropFinalStop,
                           .numbers = NumberFormat::kDigits};
  const auto processor = *PostProcessor::ForLanguage("en", digits);
  const std::string said = "It was over. He had twenty five";
  // "twenty" may become "25": only the sentence before is promised, and of it not the word that had
  // lost its full stop if nothing had followed.
  StreamEvent event = Partial(said, said.size() - 5);
  PostProcessEvent(processor, digits, &event);
  EXPECT_EQ(event.segment.text, "It was over. He had 25");
  EXPECT_EQ(event.segment.text.substr(0, event.stable_bytes), "It was");
  EXPECT_EQ(event.stable_words, 2U);

  event = Partial(said, 5);
  PostProcessEvent(processor, digits, &event);
  EXPECT_EQ(event.stable_bytes, 0U);

  event.kind = Kind::kFinal;
  event.segment.text = said;
  PostProcessEvent(processor, digits, &event);
  EXPECT_EQ(event.stable_bytes, event.segment.text.size());
  EXPECT_EQ(event.stable_words, 6U);

  const auto nothing = *PostProcessor::ForLanguage("en", {});
  event = Partial(said, 5);
  event.stable_words = 1;
  PostProcessEvent(nothing, {}, &event);
  EXPECT_EQ(event.stable_bytes, 5U);
  EXPECT_EQ(event.stable_words, 1U);

  // Nothing is left, and nothing promised.
  const PostOptions clean{.fillers = FillerFilter::kDrop};
  event = Partial("Um.", 3);
  PostProcessEvent(*PostProcessor::ForLanguage("en", clean), clean, &event);
  EXPECT_EQ(event.segment.text, "");
  EXPECT_EQ(event.stable_bytes, 0U);
}

TEST(BytePipeTest, KeepsRecordingsApartAndItsSizeBounded) {
  const auto pipe = std::make_shared<internal::BytePipe>(10);
  EXPECT_TRUE(pipe->Push(Bytes("abcd"), false));
  EXPECT_TRUE(pipe->Push(Bytes("efgh"), true));
  EXPECT_FALSE(pipe->Push(Bytes("xyz"), true));
  EXPECT_TRUE(pipe->Push(Bytes("ij"), false));
  std::array<std::byte, 3> three;
  ASSERT_TRUE(pipe->NextRecording());
  EXPECT_EQ(*pipe->Read(three), 3U);
  EXPECT_EQ(*pipe->Read(three), 1U);
  EXPECT_EQ(*pipe->Read(three), 0U);
  EXPECT_TRUE(pipe->Push(Bytes("k"), false));
  ASSERT_TRUE(pipe->NextRecording());
  EXPECT_EQ(*pipe->Read(three), 3U);
  pipe->Finish();
  // What is left of it does not count any more.
  EXPECT_FALSE(pipe->NextRecording());
  pipe->Abort();
  EXPECT_EQ(pipe->Read(three).status().code(), StatusCode::kCancelled);
  EXPECT_TRUE(pipe->Push(Bytes("thrown away"), false));
}

}  // namespace
}  // namespace lethe
