// Goal: channels are mixed or kept apart as asked, and everything comes in blocks of bounded size.
// Method: a source that gives known frames, a few at a time.

#include "audio/speech_reader.h"

#include <algorithm>
#include <cstdint>
#include <fstream>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lethe {
namespace {

using ::testing::Each;
using ::testing::IsEmpty;

// Gives frames 0 to num_frames: in frame i, channel c holds value(i, c).
class FrameSource final : public AudioSource {
 public:
  using Value = float (*)(size_t frame, int channel);

  FrameSource(int rate, int channels, size_t num_frames, Value value, size_t frames_a_time = 1'000)
      : num_frames_(num_frames), value_(value), frames_a_time_(frames_a_time) {
    format_.sample_rate = rate;
    format_.channels = channels;
  }

  const AudioFormat& format() const override { return format_; }
  std::string warning() const override { return next_ < num_frames_ ? "" : "ends early"; }

  Result<size_t> Read(std::span<float> interleaved) override {
    const auto channels = static_cast<size_t>(format_.channels);
    if (next_ == fail_at_) return Unavailable("the disk is gone");
    const size_t n = std::min({interleaved.size() / channels, frames_a_time_, num_frames_ - next_});
    for (size_t i = 0; i < n * channels; ++i) {
      interleaved[i] = value_(next_ + i / channels, static_cast<int>(i % channels));
    }
    next_ += n;
    return n * channels;
  }

  void set_fail_at(size_t frame) { fail_at_ = frame; }

 private:
  AudioFormat format_;
  const size_t num_frames_;
  const Value value_;
  const size_t frames_a_time_;
  size_t fail_at_ = SIZE_MAX;
  size_t next_ = 0;
};

// Everything a reader gives, channel by channel; checks what is promised of each block.
std::vector<std::vector<float>> ReadAll(SpeechReader& reader) {
  std::vector<std::vector<float>> all(static_cast<size_t>(reader.channels()));
  std::vector<std::vector<float>> block;
  while (true) {
    const auto n = reader.Read(block);
    EXPECT_TRUE(n.ok());
    EXPECT_EQ(block.size(), all.size());
    for (const auto& channel : block) EXPECT_EQ(channel.size(), n.value());
    if (n.value() == 0) break;
    EXPECT_LE(n.value(), SpeechReader::kMaxBlock);
    for (size_t c = 0; c < all.size(); ++c) {
      all[c].insert(all[c].end(), block[c].begin(), block[c].end());
    }
  }
  EXPECT_EQ(reader.Read(block).value(), 0U) << "the end did not stay the end";
  EXPECT_THAT(block, Each(IsEmpty()));
  return all;
}

std::vector<std::vector<float>> ReadAll(std::unique_ptr<FrameSource> source, ChannelMode mode) {
  auto reader = SpeechReader::Open(std::move(source), mode);
  EXPECT_TRUE(reader.ok());
  return ReadAll(*reader);
}

float ByChannel(size_t frame, int channel) {
  constexpr float kLevels[] = {0.5F, -0.25F, 0.75F, 0.0F};
  return kLevels[channel] + static_cast<float>(frame % 4) * 0.0625F;
}

TEST(SpeechReaderTest, MixingTakesTheAverageOfAllChannels) {
  for (const size_t frames_a_time : {1, 7, 1'000'000}) {
    const auto mixed =
        ReadAll(std::make_unique<FrameSource>(kSampleRate, 4, 50'000, ByChannel, frames_a_time),
                ChannelMode::kMix);
    ASSERT_EQ(mixed.size(), 1U);
    ASSERT_EQ(mixed[0].size(), 50'000U);
    for (size_t i = 0; i < mixed[0].size(); ++i) {
      ASSERT_EQ(mixed[0][i], 0.25F + static_cast<float>(i % 4) * 0.0625F) << i;
    }
  }
}

TEST(SpeechReaderTest, ChannelsThatCancelEachOtherAreNotMixed) {
  // The right one is the left one upside down, or nearly.
  for (const FrameSource::Value value :
       {FrameSource::Value{[](size_t frame, int channel) {
          return (channel == 0 ? 0.5F : -0.5F) * (frame % 2 == 0 ? 1.0F : -1.0F);
        }},
        FrameSource::Value{[](size_t frame, int channel) {
          return (channel == 0 ? 0.5F : -0.45F) * (frame % 2 == 0 ? 1.0F : -1.0F);
        }}}) {
    auto reader = SpeechReader::Open(std::make_unique<FrameSource>(kSampleRate, 2, 4'000, value),
                                     ChannelMode::kMix);
    const auto heard = ReadAll(*reader);
    ASSERT_EQ(heard[0].size(), 4'000U);
    for (size_t i = 0; i < heard[0].size(); ++i) ASSERT_EQ(heard[0][i], value(i, 0));
  }
}

TEST(SpeechReaderTest, OneChannelIsTheSameMixedOrSplit) {
  for (const ChannelMode mode : {ChannelMode::kMix, ChannelMode::kSplit}) {
    const auto one = ReadAll(std::make_unique<FrameSource>(kSampleRate, 1, 100, ByChannel), mode);
    ASSERT_EQ(one.size(), 1U);
    ASSERT_EQ(one[0].size(), 100U);
    EXPECT_EQ(one[0][0], 0.5F);
    EXPECT_EQ(one[0][5], 0.5625F);
  }
}

TEST(SpeechReaderTest, SplittingKeepsChannelsApart) {
  const auto split = ReadAll(std::make_unique<FrameSource>(kSampleRate, 3, 50'000, ByChannel),
                             ChannelMode::kSplit);
  ASSERT_EQ(split.size(), 3U);
  for (int c = 0; c < 3; ++c) {
    const auto& channel = split[static_cast<size_t>(c)];
    ASSERT_EQ(channel.size(), 50'000U);
    for (size_t i = 0; i < channel.size(); ++i) ASSERT_EQ(channel[i], ByChannel(i, c)) << i;
  }
}

TEST(SpeechReaderTest, SplittingResamplesEveryChannelAlike) {
  const auto silence_beside_sound = [](size_t, int channel) { return channel == 1 ? 0.5F : 0.0F; };
  const auto split = ReadAll(std::make_unique<FrameSource>(44'100, 2, 44'100, silence_beside_sound),
                             ChannelMode::kSplit);
  ASSERT_EQ(split[0].size(), size_t{kSampleRate});
  EXPECT_THAT(split[0], Each(0.0F));
  EXPECT_NEAR(split[1][kSampleRate / 2], 0.5F, 1e-5);
}

TEST(SpeechReaderTest, LengthFollowsTheRateAndNoBlockIsTooLong) {
  const auto quiet = [](size_t, int) { return 0.25F; };
  for (const int rate : {1, 2, 50, 8'000, 11'025, 16'000, 48'000, 768'000}) {
    for (const ChannelMode mode : {ChannelMode::kMix, ChannelMode::kSplit}) {
      SCOPED_TRACE(testing::Message() << "rate " << rate);
      const size_t num_frames = static_cast<size_t>(rate) * 5 + 1;
      const auto all =
          ReadAll(std::make_unique<FrameSource>(rate, 2, num_frames, quiet, num_frames), mode);
      const size_t expected = 5 * kSampleRate + (kSampleRate + static_cast<size_t>(rate) / 2) /
                                                    static_cast<size_t>(rate);
      for (const auto& channel : all) EXPECT_EQ(channel.size(), expected);
    }
  }
}

size_t ResidentBytes() {
  size_t pages = 0;
  std::ifstream("/proc/self/statm").ignore(64, ' ') >> pages;
  return pages * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

TEST(SpeechReaderTest, FewSamplesASecondDoNotFillTheMemory) {
  // At 1 Hz a frame is 16,000 samples of each channel, and the resampler, once it gives anything,
  // has millions to give: 300 MB here, which must be fetched piece by piece.
  constexpr size_t kFrames = 1'200;
  const auto quiet = [](size_t, int) { return 0.25F; };
  auto reader = SpeechReader::Open(std::make_unique<FrameSource>(1, 4, kFrames, quiet, kFrames),
                                   ChannelMode::kSplit);
  ASSERT_TRUE(reader.ok());
  const size_t before = ResidentBytes();
  size_t most = before;
  std::vector<std::vector<float>> block;
  size_t total = 0;
  while (true) {
    const size_t n = reader->Read(block).value();
    if (n == 0) break;
    total += n;
    if (total / kSampleRate % 50 == 0) most = std::max(most, ResidentBytes());
  }
  EXPECT_EQ(total, kFrames * kSampleRate);
  EXPECT_LT(most - before, 100'000'000U);
}

TEST(SpeechReaderTest, AnErrorOfTheSourceComesThrough) {
  auto source = std::make_unique<FrameSource>(8'000, 1, 100'000, ByChannel);
  source->set_fail_at(50'000);
  auto reader = SpeechReader::Open(std::move(source), ChannelMode::kMix);
  ASSERT_TRUE(reader.ok());
  std::vector<std::vector<float>> block;
  size_t total = 0;
  while (true) {
    const auto n = reader->Read(block);
    if (!n.ok()) {
      EXPECT_EQ(n.status().code(), StatusCode::kUnavailable);
      break;
    }
    ASSERT_GT(*n, 0U);
    total += *n;
  }
  EXPECT_GT(total, 90'000U);
}

TEST(SpeechReaderTest, FormatAndWarningAreThoseOfTheSource) {
  auto reader = SpeechReader::Open(std::make_unique<FrameSource>(44'100, 2, 1'000, ByChannel),
                                   ChannelMode::kMix);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(reader->channels(), 1);
  EXPECT_EQ(reader->format().channels, 2);
  EXPECT_EQ(reader->format().sample_rate, 44'100);
  EXPECT_EQ(reader->warning(), "");
  ReadAll(*reader);
  EXPECT_EQ(reader->warning(), "ends early");
}

TEST(SpeechReaderTest, ARateThatCannotBeIsRefused) {
  for (const int rate : {0, -8'000, kMaxAudioSampleRate + 1}) {
    EXPECT_EQ(
        SpeechReader::Open(std::make_unique<FrameSource>(rate, 1, 10, ByChannel), ChannelMode::kMix)
            .status()
            .code(),
        StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace lethe
