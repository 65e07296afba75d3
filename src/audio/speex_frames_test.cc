// Goal:   Speex without a container is heard as the same frames in Ogg are, however its frames are
//         told apart and in pieces of any size; what is no Speex is not taken for it.
// Method: frames of FFmpeg's libspeex encoder in all three bands; frames and damage made by hand.

#include "audio/internal/speex_frames.h"

#include <cmath>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "audio/internal/test_audio.h"
#include "audio/internal/test_cage.h"
#include "tests/support/test_encoder.h"

namespace lethe::audio_internal {
namespace {

using Kind = SpeexFrame::Kind;

constexpr int kRates[] = {8'000, 16'000, 32'000};

// A second that rises from 100 Hz on, with a pause in it.
std::string Encoded(const char* muxer, int rate) {
  std::vector<float> samples(static_cast<std::size_t>(rate));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double time = static_cast<double>(i) / rate;
    const bool pause = time > 0.4 && time < 0.6;
    const double phase = 2 * std::numbers::pi * (100 * time + 500 * time * time);
    samples[i] = pause ? 0.0F : static_cast<float>(0.5 * std::sin(phase));
  }
  return TestEncoder({muxer, "libspeex", rate, 1}).Encode(samples);
}

std::vector<std::string> Split(const std::string& bare) {
  std::vector<std::string> frames;
  for (std::size_t at = 0; at < bare.size(); at += frames.back().size()) {
    const SpeexFrame frame = ReadSpeexFrame(BytesOf(bare).subspan(at), true);
    if (frame.kind != Kind::kWhole) return {};
    frames.push_back(bare.substr(at, frame.bytes));
  }
  return frames;
}

TEST(SpeexFramesTest, BareFramesSoundAsInOgg) {
  for (const int rate : kRates) {
    const Heard ogg = HearFile(Encoded("ogg", rate));
    ASSERT_TRUE(ogg.status.ok()) << ogg.status.message();
    const std::string bare = Encoded("data", rate);
    EXPECT_EQ(Split(bare).size(), 50U) << rate;
    const Heard file = HearFile(bare);
    ASSERT_TRUE(file.status.ok()) << rate << file.status.message();
    EXPECT_EQ(file.format.sample_rate, rate);
    EXPECT_EQ(file.format.codec, "speex");
    // The container knows where the sound ends in the last frame.
    ASSERT_GE(file.samples.size(), ogg.samples.size());
    EXPECT_LE(file.samples.size(), ogg.samples.size() + static_cast<std::size_t>(rate) / 25);
    EXPECT_TRUE(std::equal(ogg.samples.begin(), ogg.samples.end(), file.samples.begin())) << rate;
    for (const std::size_t piece : {std::size_t{1}, std::size_t{61}, std::size_t{9'999}}) {
      EXPECT_EQ(HearPipe(bare, piece).samples, file.samples) << piece;
    }
    EXPECT_EQ(HearPipe(bare, 100, {.media_decoder = &TestCage()}).samples, file.samples);
  }
}

TEST(SpeexFramesTest, LengthsMayStandBeforeFrames) {
  for (const int rate : kRates) {
    const std::string bare = Encoded("data", rate);
    const Heard expected = HearFile(bare);
    std::string one, little, big;
    for (const std::string& frame : Split(bare)) {
      one += Number(frame.size(), 1) + frame;
      little += Number(frame.size(), 2) + frame;
      big += Number(frame.size(), 2, true) + frame;
    }
    EXPECT_EQ(HearFile(one).samples, expected.samples) << rate;
    EXPECT_EQ(HearFile(little).samples, expected.samples) << rate;
    EXPECT_EQ(HearPipe(big, 7).samples, expected.samples) << rate;
  }
}

TEST(SpeexFramesTest, ModesSayHowLongAFrameIs) {
  const auto read = [](const std::string& bytes, bool last) {
    return ReadSpeexFrame(BytesOf(bytes), last);
  };
  // Silence that is not sent: mode 0, then the padding.
  EXPECT_EQ(read("\x03", false).bytes, 1U);
  // The same in two bands: 0000 0 1 000 and the padding.
  EXPECT_EQ(read("\x04\x3f", false).bytes, 2U);
  EXPECT_EQ(read("\x04\x3f", false).bands, 2);
  EXPECT_EQ(read("\x04\x3e", false).kind, Kind::kNone);  // no padding
  EXPECT_EQ(read("\x04", false).kind, Kind::kCut);
  EXPECT_EQ(read("", false).kind, Kind::kCut);
  EXPECT_EQ(read("\x80", false).kind, Kind::kNone);  // wide band comes second
  for (const char mode : {9, 10, 11, 12, 13, 14, 15}) {
    EXPECT_EQ(read(std::string(1, static_cast<char>(mode << 3)), false).kind, Kind::kNone);
  }
  // 160 bits end with a byte: only what comes next, or nothing, shows that this was all.
  const std::string even = std::string(1, '\x18') + std::string(19, '\x55');
  EXPECT_EQ(read(even, false).kind, Kind::kCut);
  EXPECT_EQ(read(even, true).bytes, 20U);
  EXPECT_EQ(read(even + '\x18', false).bytes, 20U);
  EXPECT_EQ(read(even + '\x90', false).kind, Kind::kCut);  // a second band
}

TEST(SpeexFramesTest, WhatIsNoSpeexIsNotTakenForIt) {
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(1024, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    ASSERT_FALSE(FindSpeexFraming(BytesOf(bytes)).has_value()) << i;
  }
  const std::string bare = Encoded("data", 16'000);
  const std::vector<std::string> frames = Split(bare);
  EXPECT_FALSE(FindSpeexFraming(BytesOf(frames[0] + frames[1] + frames[2] + frames[3])));
  EXPECT_FALSE(FindSpeexFraming(BytesOf(bare.substr(1))));
  EXPECT_FALSE(FindSpeexFraming(BytesOf(std::string(1024, '\0'))));
}

TEST(SpeexFramesTest, DamageEndsInOneLineAndCutsInWhatCame) {
  const std::string bare = Encoded("data", 16'000);
  const std::vector<std::string> frames = Split(bare);
  const Heard whole = HearFile(bare);
  const Heard cut = HearFile(bare.substr(0, bare.size() - 1));
  ASSERT_TRUE(cut.status.ok());
  EXPECT_EQ(cut.samples.size() + 320, whole.samples.size());
  // Behind the beginning by which it was known: another band, and no frame at all.
  for (const std::string& strange : {std::string("\x03"), std::string(100, '\xff')}) {
    std::string damaged = bare.substr(0, frames[0].size() * 40) + strange + bare;
    const Heard heard = HearFile(damaged);
    EXPECT_THAT(heard.status, FailsWith(StatusCode::kInvalidArgument, "Speex frame"));
    EXPECT_LT(heard.samples.size(), 41U * 320);
  }
  std::mt19937 random(2);
  for (int i = 0; i < 300; ++i) {
    std::string damaged = bare;
    for (int j = 0; j < 1 + i / 10; ++j) damaged[random() % damaged.size()] ^= 1 << random() % 8;
    ExpectSoundOrOneLine(HearPipe(damaged, 500));
  }
}

}  // namespace
}  // namespace lethe::audio_internal
