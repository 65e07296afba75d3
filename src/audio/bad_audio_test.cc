// Goal: what is no recording ends in one clear line, never in a crash, a hang or a wrong sample.
// Method: each kind of bad input by hand, with the words a user would want to read; then a small
// WAV file cut at every length and damaged at every byte, as a file and through a pipe.

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audio/audio_source.h"
#include "audio/internal/test_audio.h"
#include "audio/speech_reader.h"

namespace lethe {
namespace {

using audio_internal::BytesOf;
using audio_internal::Chunk;
using audio_internal::ExpectSoundOrOneLine;
using audio_internal::FailsWith;
using audio_internal::Hear;
using audio_internal::Heard;
using audio_internal::HearFile;
using audio_internal::HearPipe;
using audio_internal::Number;
using audio_internal::Numbers;
using audio_internal::Wav;
using ::testing::ElementsAre;

constexpr StatusCode kInvalid = StatusCode::kInvalidArgument;

// A path for one test, gone when the test is.
class TemporaryPath {
 public:
  TemporaryPath()
      : path_(testing::TempDir() + "lethe_audio_" + std::to_string(getpid()) + "_" +
              testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(path_);
  }
  ~TemporaryPath() { std::filesystem::remove_all(path_); }
  TemporaryPath(const TemporaryPath&) = delete;
  TemporaryPath& operator=(const TemporaryPath&) = delete;

  const std::string& path() const { return path_; }
  void Write(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary).write(bytes.data(), std::ssize(bytes));
  }

 private:
  const std::string path_;
};

// Root may read everything, so for a moment we are somebody else.
class AsNobody {
 public:
  AsNobody() : before_(geteuid()) { EXPECT_EQ(seteuid(before_ == 0 ? 65534 : before_), 0); }
  ~AsNobody() { EXPECT_EQ(seteuid(before_), 0); }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;

 private:
  const uid_t before_;
};

void ExpectRefused(const std::string& bytes, const char* part) {
  EXPECT_THAT(HearFile(bytes).status, FailsWith(kInvalid, part));
  EXPECT_THAT(HearPipe(bytes).status, FailsWith(kInvalid, part)) << "through a pipe";
}

TEST(BadAudioTest, WhatCannotBeOpenedIsSaidWithItsReason) {
  const TemporaryPath file;
  EXPECT_THAT(Hear(OpenAudioFile(file.path())).status,
              FailsWith(StatusCode::kNotFound, "cannot be opened: No such file"));
  EXPECT_THAT(Hear(OpenAudioFile(testing::TempDir())).status,
              FailsWith(kInvalid, "is a directory; name the recordings in it"));
  file.Write(Wav{.data = "abcd"}.Bytes());
  EXPECT_TRUE(Hear(OpenAudioFile(file.path())).status.ok());
  ASSERT_EQ(chmod(file.path().c_str(), 0), 0);
  const AsNobody nobody;
  EXPECT_THAT(Hear(OpenAudioFile(file.path())).status,
              FailsWith(StatusCode::kPermissionDenied, "cannot be opened: Permission denied"));
}

TEST(BadAudioTest, AnInputThatFailsMidwayFailsWithItsOwnReason) {
  // A descriptor open for writing only cannot be read.
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  EXPECT_THAT(Hear(OpenAudioDescriptor(ends[1])).status,
              FailsWith(StatusCode::kUnavailable, "cannot be read: Bad file descriptor"));
  close(ends[0]);
  close(ends[1]);
}

TEST(BadAudioTest, AnEmptyFileIsCalledEmpty) {
  ExpectRefused("", "is empty; give a recording (wav, mp3, ");
  const TemporaryPath file;
  file.Write("");
  EXPECT_THAT(Hear(OpenAudioFile(file.path())).status, FailsWith(kInvalid, "is empty"));
}

TEST(BadAudioTest, TextIsCalledText) {
  ExpectRefused("Dear reader,\nthis is a letter. Gr\xC3\xBC\xC3\x9F\x65!\n", "holds text");
  ExpectRefused("abc", "holds text");
  ExpectRefused(std::string(100'000, 'x'), "holds text");
  const TemporaryPath file;
  file.Write("<html><body>404</body></html>");
  EXPECT_THAT(Hear(OpenAudioFile(file.path())).status, FailsWith(kInvalid, "holds text"));
}

TEST(BadAudioTest, SilkIsSaidToBeNotSupported) {
  for (const std::string& start : {std::string("#!SILK_V3"), std::string("\x02#!SILK_V3")}) {
    const std::string silk = start + Numbers({20, 0x1234, 0xFFFF}, 2);
    EXPECT_THAT(HearFile(silk).status, FailsWith(kInvalid, "is SILK"));
    EXPECT_THAT(HearPipe(silk).status, FailsWith(kInvalid, "convert it"));
  }
}

TEST(BadAudioTest, BytesOfNoFormatAreCalledUnknown) {
  ExpectRefused({'\0', '\1', '\2'}, "is in no format known here, or is damaged");
  ExpectRefused({'\xFF', '\xFB', '\0'}, "no format known");
  ExpectRefused(std::string(5000, '\0'), "no format known");
  ExpectRefused(
      "\x7F"
      "ELF\2\1\1" +
          std::string(500, '\3'),
      "no format known");
  ExpectRefused("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n\1\2\3", "no format known");
  ExpectRefused("\x89PNG\r\n\x1A\n" + std::string(300, '\5'), "no format known");
  ExpectRefused("RIFF" + Number(200, 4) + "AVI LIST" + std::string(192, '\0'), "no format known");
}

TEST(BadAudioTest, AHeaderThatEndsTooSoonIsSaid) {
  const std::string wav = Wav{.data = "abcd"}.Bytes();
  ExpectRefused(wav.substr(0, 11), "ends within its header");
  ExpectRefused(wav.substr(0, 12), "has no fmt chunk");
  ExpectRefused(wav.substr(0, 30), "ends within its header");
  ExpectRefused(wav.substr(0, 36), "has no data chunk");
  ExpectRefused(wav.substr(0, 43), "has no data chunk");
  ExpectRefused(wav.substr(0, 12) + wav.substr(36), "its data comes before its format");
  ExpectRefused(wav.substr(0, 36) + "LIST" + Number(1'000'000, 4) + "abc", "longer than the file");
  ExpectRefused(wav.substr(0, 12) + Chunk("fmt ", "short"), "bytes of format: 5");
}

TEST(BadAudioTest, NoSamplesAreAnErrorAndOneSampleIsSound) {
  ExpectRefused(Wav{}.Bytes(), "is a recording without a single sample; record it again");
  ExpectRefused(Wav{.channels = 2, .data = "abc"}.Bytes(), "without a single sample");
  const std::string one = Wav{.data = Number(0x4000, 2)}.Bytes();
  EXPECT_THAT(HearFile(one).samples, ElementsAre(0.5F));
  EXPECT_THAT(HearPipe(one).samples, ElementsAre(0.5F));
  for (const uint32_t rate : {8'000U, 16'000U, 44'100U, 768'000U}) {
    SCOPED_TRACE(rate);
    const std::string wav = Wav{.sample_rate = rate, .data = Number(0x4000, 2)}.Bytes();
    auto reader = SpeechReader::Open(OpenAudioBytes(BytesOf(wav)).value(), ChannelMode::kMix);
    ASSERT_TRUE(reader.ok());
    std::vector<std::vector<float>> block;
    const size_t expected = (16'000 + rate / 2) / rate;
    EXPECT_EQ(reader->Read(block).value(), expected);
    EXPECT_EQ(reader->Read(block).value(), 0U);
  }
}

TEST(BadAudioTest, ImpossibleHeadersNameWhatIsImpossible) {
  const std::string data(64, 'a');
  ExpectRefused(Wav{.sample_rate = 0, .data = data}.Bytes(), "samples per second: 0");
  ExpectRefused(Wav{.sample_rate = 1, .data = data}.Bytes(), "samples per second: 1");
  ExpectRefused(Wav{.sample_rate = 768'001, .data = data}.Bytes(),
                "more than 768000 samples per second, or a damaged header: 768001");
  ExpectRefused(Wav{.sample_rate = 0xFFFFFFFF, .data = data}.Bytes(), "4294967295");
  ExpectRefused(Wav{.channels = 0, .data = data}.Bytes(), "channels: 0");
  ExpectRefused(Wav{.channels = 400, .data = data}.Bytes(),
                "more than 64 channels, or a damaged header: 400");
  ExpectRefused(Wav{.bits = 0, .data = data}.Bytes(), "bits per sample: 0");
  ExpectRefused(Wav{.tag = 3, .bits = 16, .data = data}.Bytes(),
                "bits per floating-point sample: 16");
  ExpectRefused(Wav{.data = data, .frame_bytes = 0}.Bytes(), "1 channels of 16 bits: 0");
  ExpectRefused(Wav{.data = data, .frame_bytes = 3}.Bytes(), "1 channels of 16 bits: 3");
  const Wav widest{.channels = 64, .sample_rate = 768'000, .data = std::string(128, 'a')};
  EXPECT_EQ(HearFile(widest.Bytes()).samples.size(), 64U);
}

TEST(BadAudioTest, SamplesThatAreNoNumbersAreRefusedWhereverTheyStand) {
  const auto float_bits = [](float value) { return uint64_t{std::bit_cast<uint32_t>(value)}; };
  const auto double_bits = [](double value) { return std::bit_cast<uint64_t>(value); };
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity()}) {
    for (const size_t at : {0, 1, 255, 256, 9'999}) {
      SCOPED_TRACE(testing::Message() << bad << " at " << at);
      std::vector<uint64_t> values(10'000, float_bits(0.25F));
      values[at] = float_bits(bad);
      ExpectRefused(Wav{.tag = 3, .bits = 32, .data = Numbers(values, 4)}.Bytes(),
                    "holds samples that are not numbers");
      values.assign(10'000, double_bits(0.25));
      values[at] = double_bits(bad);
      ExpectRefused(Wav{.tag = 3, .bits = 64, .data = Numbers(values, 8)}.Bytes(),
                    "holds samples that are not numbers");
    }
  }
  ExpectRefused(Wav{.tag = 3, .bits = 64, .data = Number(double_bits(1e300), 8)}.Bytes(),
                "holds samples that are not numbers");
}

std::vector<std::string> SmallRecordings() {
  return {
      Wav{.data = "some sound",
          .before_data = Chunk("LIST", "odd"),
          .after_data = Chunk("id3 ", "")}
          .Bytes(),
      Wav{.name = "RF64",
          .tag = 3,
          .channels = 2,
          .bits = 32,
          .data = "float sound here",
          .extensible = true,
          .before_format = Chunk("ds64", Number(0, 8) + Number(16, 8) + Number(2, 8)),
          .data_size = 0xFFFFFFFF}
          .Bytes(),
  };
}

TEST(BadAudioTest, EveryBeginningOfARecordingIsSoundOrOneLine) {
  for (const std::string& whole : SmallRecordings()) {
    for (size_t length = 0; length <= whole.size(); ++length) {
      SCOPED_TRACE(length);
      const Heard file = HearFile(whole.substr(0, length));
      const Heard pipe = HearPipe(whole.substr(0, length));
      ExpectSoundOrOneLine(file);
      EXPECT_EQ(pipe.samples, file.samples);
      EXPECT_EQ(pipe.status.message(), file.status.message());
    }
  }
}

TEST(BadAudioTest, EveryDamagedByteOfARecordingLeavesSoundOrOneLine) {
  for (const std::string& whole : SmallRecordings()) {
    for (size_t at = 0; at < whole.size(); ++at) {
      for (const int damage : {0x01, 0x80, 0xFF}) {
        SCOPED_TRACE(testing::Message() << damage << " at " << at);
        std::string damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ damage);
        ExpectSoundOrOneLine(HearFile(damaged));
        ExpectSoundOrOneLine(HearPipe(damaged));
      }
    }
  }
}

}  // namespace
}  // namespace lethe
