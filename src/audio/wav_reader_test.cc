// Goal: every WAV and raw PCM recording gives the samples that are in it, whatever its header says
// about sizes, and a pipe gives what a file gives.
// Method: files built byte by byte in memory. Integers and floats are compared with values worked
// out by hand, the two telephone laws with the tables of ITU-T G.711; each file is read whole and
// through pipes that give a few bytes at a time.

#include <bit>
#include <cmath>
#include <cstdio>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audio/audio_source.h"
#include "audio/internal/test_audio.h"

namespace lethe {
namespace {

using audio_internal::Chunk;
using audio_internal::FailsWith;
using audio_internal::Hear;
using audio_internal::Heard;
using audio_internal::HearFile;
using audio_internal::HearPipe;
using audio_internal::NoDecoder;
using audio_internal::Number;
using audio_internal::Numbers;
using audio_internal::Wav;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::FloatEq;

// The samples of a file that must be readable by our own reader, as a file and through pipes.
Heard HearWav(const std::string& bytes) {
  NoDecoder decoder;
  Heard file = HearFile(bytes, {.media_decoder = &decoder});
  EXPECT_TRUE(file.status.ok()) << file.status.message();
  for (const size_t piece : {1, 2, 3, 7, 1000}) {
    const Heard pipe = HearPipe(bytes, piece, {.media_decoder = &decoder});
    EXPECT_TRUE(pipe.status.ok()) << pipe.status.message();
    EXPECT_EQ(pipe.samples, file.samples) << "through a pipe, bytes at a time: " << piece;
    EXPECT_EQ(pipe.format.sample_rate, file.format.sample_rate);
    EXPECT_EQ(pipe.format.channels, file.format.channels);
    EXPECT_EQ(pipe.format.codec, file.format.codec);
  }
  return file;
}

uint64_t FloatBits(float value) { return std::bit_cast<uint32_t>(value); }
uint64_t DoubleBits(double value) { return std::bit_cast<uint64_t>(value); }

// Ten frames of 16-bit sound, and how they are heard.
const std::string& TenSamples() {
  static const std::string bytes =
      Numbers({0, 0x1000, 0x2000, 0x3000, 0x4000, 0x8000, 0xC000, 0xD000, 0xE000, 0xF000}, 2);
  return bytes;
}
const std::vector<float> kTenHeard = {0.0F,  0.125F, 0.25F,   0.375F, 0.5F,
                                      -1.0F, -0.5F,  -0.375F, -0.25F, -0.125F};

struct PcmCase {
  uint16_t tag;
  uint16_t bits;
  std::vector<uint64_t> values;
  std::vector<float> samples;
  const char* codec;
};

const std::vector<PcmCase>& PcmCases() {
  static const std::vector<PcmCase> cases = {
      {1, 8, {0, 64, 128, 129, 255}, {-1, -0.5F, 0, 0x1p-7F, 127 * 0x1p-7F}, "pcm_u8"},
      {1,
       16,
       {0x8000, 0xC000, 0, 1, 0xFFFF, 0x7FFF},
       {-1, -0.5F, 0, 0x1p-15F, -0x1p-15F, 32767 * 0x1p-15F},
       "pcm_s16"},
      {1,
       24,
       {0x800000, 0xC00000, 0, 1, 0xFFFFFF, 0x7FFFFF},
       {-1, -0.5F, 0, 0x1p-23F, -0x1p-23F, 8388607 * 0x1p-23F},
       "pcm_s24"},
      {1,
       32,
       {0x80000000, 0xC0000000, 0, 1, 0xFFFFFFFF, 0x40000000},
       {-1, -0.5F, 0, 0x1p-31F, -0x1p-31F, 0.5F},
       "pcm_s32"},
      // The valid bits stand at the top of the bytes they need.
      {1, 12, {0x8000, 0x0010, 0x7FF0}, {-1, 0x1p-11F, 2047 * 0x1p-11F}, "pcm_s16"},
      {1, 20, {0x800000, 0x000010, 0x7FFFF0}, {-1, 0x1p-19F, 524287 * 0x1p-19F}, "pcm_s24"},
      {3,
       32,
       {FloatBits(-1), FloatBits(0.1F), FloatBits(1.5F), FloatBits(1e-30F)},
       {-1, 0.1F, 1.5F, 1e-30F},
       "pcm_f32"},
      {3,
       64,
       {DoubleBits(-1), DoubleBits(0.1), DoubleBits(1.5), DoubleBits(1e-300)},
       {-1, 0.1F, 1.5F, 0},
       "pcm_f64"},
  };
  return cases;
}

TEST(WavReaderTest, IntegersAndFloatsOfEveryWidthKeepTheirValues) {
  for (const PcmCase& pcm : PcmCases()) {
    SCOPED_TRACE(testing::Message() << pcm.codec << ", bits: " << pcm.bits);
    const size_t width = (pcm.bits + 7U) / 8;
    const Wav little{.tag = pcm.tag, .bits = pcm.bits, .data = Numbers(pcm.values, width)};
    EXPECT_THAT(HearWav(little.Bytes()).samples, ElementsAreArray(pcm.samples));
    Wav extensible = little;
    extensible.extensible = true;
    EXPECT_THAT(HearWav(extensible.Bytes()).samples, ElementsAreArray(pcm.samples));
    Wav big = little;
    big.name = "RIFX";
    big.data = Numbers(pcm.values, width, true);
    const Heard heard = HearWav(big.Bytes());
    EXPECT_THAT(heard.samples, ElementsAreArray(pcm.samples));
    EXPECT_EQ(heard.format.codec, pcm.codec + std::string(width > 1 ? "be" : ""));
  }
}

TEST(WavReaderTest, FloatsFarBeyondFullScaleAreCut) {
  const Wav wav{.tag = 3, .bits = 32, .data = Numbers({FloatBits(65535), FloatBits(-1e30F)}, 4)};
  EXPECT_THAT(HearWav(wav.Bytes()).samples, ElementsAre(65535.0F, -65536.0F));
}

// G.711's tables list, from the loudest interval down, one value in every 16 and the rule between:
// 16 equal steps to a segment. The values here are the table's own, where a segment begins and
// ends.
struct LawSegment {
  int loudest;
  int softest;
};

std::vector<float> LawTable(const std::vector<LawSegment>& loudest_first, float scale) {
  std::vector<float> magnitudes;
  for (const LawSegment& segment : loudest_first) {
    const int step = (segment.loudest - segment.softest) / 15;
    for (int i = 0; i < 16; ++i) {
      magnitudes.push_back(static_cast<float>(segment.loudest - i * step) * scale);
    }
  }
  return magnitudes;
}

std::string AllCodes() {
  std::string codes;
  for (int code = 0; code < 256; ++code) codes += static_cast<char>(code);
  return codes;
}

TEST(WavReaderTest, MuLawFollowsTheTablesOfG711) {
  // Tables 2a and 2b: 14 bits. Character signal 0000'0000 is the most negative, 1000'0000 the most
  // positive.
  const std::vector<float> magnitudes = LawTable({{8031, 4191},
                                                  {3999, 2079},
                                                  {1983, 1023},
                                                  {975, 495},
                                                  {471, 231},
                                                  {219, 99},
                                                  {93, 33},
                                                  {30, 0}},
                                                 0x1p-13F);
  std::vector<float> expected;
  for (const float magnitude : magnitudes) expected.push_back(-magnitude);
  expected.insert(expected.end(), magnitudes.begin(), magnitudes.end());
  const Wav wav{.tag = 7, .bits = 8, .data = AllCodes()};
  EXPECT_THAT(HearWav(wav.Bytes()).samples, ElementsAreArray(expected));
  EXPECT_EQ(HearWav(wav.Bytes()).format.codec, "pcm_mulaw");
}

TEST(WavReaderTest, ALawFollowsTheTablesOfG711) {
  // Tables 1a and 1b: 13 bits, characters before the inversion of their even bits. 1111'1111 is the
  // most positive there, 0111'1111 the most negative.
  const std::vector<float> magnitudes = LawTable({{4032, 2112},
                                                  {2016, 1056},
                                                  {1008, 528},
                                                  {504, 264},
                                                  {252, 132},
                                                  {126, 66},
                                                  {63, 33},
                                                  {31, 1}},
                                                 0x1p-12F);
  std::vector<float> expected(256);
  for (size_t i = 0; i < 128; ++i) {
    expected[(0xFF - i) ^ 0x55] = magnitudes[i];
    expected[(0x7F - i) ^ 0x55] = -magnitudes[i];
  }
  const Wav wav{.tag = 6, .bits = 8, .data = AllCodes()};
  EXPECT_THAT(HearWav(wav.Bytes()).samples, ElementsAreArray(expected));
  EXPECT_EQ(HearWav(wav.Bytes()).format.codec, "pcm_alaw");
}

TEST(WavReaderTest, ChannelsComeInterleavedAndTheHeaderIsReported) {
  const Wav wav{.channels = 5, .sample_rate = 44'100, .data = TenSamples()};
  const Heard heard = HearWav(wav.Bytes());
  EXPECT_THAT(heard.samples, ElementsAreArray(kTenHeard));
  EXPECT_EQ(heard.format.channels, 5);
  EXPECT_EQ(heard.format.sample_rate, 44'100);
  EXPECT_EQ(heard.format.container, "wav");
  EXPECT_EQ(heard.format.codec, "pcm_s16le");
  ASSERT_TRUE(heard.format.declared_seconds.has_value());
  EXPECT_DOUBLE_EQ(*heard.format.declared_seconds, 2 / 44'100.0);
  EXPECT_EQ(heard.warning, "");
}

TEST(WavReaderTest, ChunksBeforeAndAfterTheSoundAreNotHeard) {
  const Wav wav{.data = TenSamples(),
                .before_format = Chunk("JUNK", std::string(28, '\0')) + Chunk("bext", "abc"),
                .before_data = Chunk("LIST", "INFOISFT") + Chunk("fact", Number(10, 4)),
                .after_data = Chunk("LIST", "more words here")};
  EXPECT_THAT(HearWav(wav.Bytes()).samples, ElementsAreArray(kTenHeard));
}

TEST(WavReaderTest, OddChunksMayBePaddedOrNot) {
  for (const bool padded : {true, false}) {
    SCOPED_TRACE(padded);
    const Wav wav{
        .data = TenSamples(),
        .before_format = Chunk("a   ", "1", false, padded),
        .before_data = Chunk("b   ", "123", false, padded) + Chunk("c   ", "12345", false, padded)};
    EXPECT_THAT(HearWav(wav.Bytes()).samples, ElementsAreArray(kTenHeard));
  }
}

TEST(WavReaderTest, ASoundOfOddLengthIsNotFollowedByItsPadding) {
  const Wav wav{.bits = 8, .data = "\x80\x81\x82", .after_data = Chunk("LIST", "abcd")};
  EXPECT_THAT(HearWav(wav.Bytes()).samples, ElementsAre(0, 0x1p-7F, 0x1p-6F));
}

TEST(WavReaderTest, ASizeBeyondTheEndGivesWhatIsThereAndSaysSo) {
  Wav wav{.data = TenSamples()};
  wav.data_size = 160'000;
  const Heard file = HearWav(wav.Bytes());
  EXPECT_THAT(file.samples, ElementsAreArray(kTenHeard));
  EXPECT_EQ(file.warning, "ends early: 5.0 s promised, 0.0 s found");
  ASSERT_TRUE(file.format.declared_seconds.has_value());
  EXPECT_DOUBLE_EQ(*file.format.declared_seconds, 10 / 16'000.0);
  // A pipe's end is not known beforehand, so the promise stands.
  const Heard pipe = HearPipe(wav.Bytes());
  EXPECT_EQ(pipe.warning, file.warning);
  EXPECT_DOUBLE_EQ(pipe.format.declared_seconds.value_or(0), 5.0);
}

TEST(WavReaderTest, SizesOfStreamedHeadersMeanUntilTheEnd) {
  // Unknown, SoX through a pipe, arecord, half written by an interrupted recorder.
  for (const uint32_t size : {0xFFFFFFFFU, 0x7FFFF000U, 0x80000000U, 0x7FFFFFFFU, 0U}) {
    for (const uint32_t riff_size : {size, 0U, 36U, 0xFFFFFFFFU}) {
      SCOPED_TRACE(testing::Message() << size << " of sound in " << riff_size);
      Wav wav{.data = TenSamples()};
      wav.data_size = size;
      wav.riff_size = riff_size;
      const Heard heard = HearWav(wav.Bytes());
      EXPECT_THAT(heard.samples, ElementsAreArray(kTenHeard));
      EXPECT_EQ(heard.warning, "");
      EXPECT_DOUBLE_EQ(heard.format.declared_seconds.value_or(0), 10 / 16'000.0);
      EXPECT_FALSE(HearPipe(wav.Bytes()).format.declared_seconds.has_value());
    }
  }
}

TEST(WavReaderTest, ASizeOfZeroInAFileThatIsAsLongAsItSaysMeansNoSound) {
  Wav wav{.after_data = Chunk("LIST", "INFOISFT....")};
  EXPECT_THAT(HearFile(wav.Bytes()).status,
              FailsWith(StatusCode::kInvalidArgument, "without a single sample"));
  EXPECT_THAT(HearPipe(wav.Bytes()).status,
              FailsWith(StatusCode::kInvalidArgument, "without a single sample"));
}

TEST(WavReaderTest, AWrongRiffSizeDoesNotMatter) {
  for (const uint32_t size : {0U, 1U, 20U, 1'000'000U, 0xFFFFFFFFU}) {
    SCOPED_TRACE(size);
    Wav wav{.data = TenSamples(), .after_data = Chunk("LIST", "INFO")};
    wav.riff_size = size;
    EXPECT_THAT(HearWav(wav.Bytes()).samples, ElementsAreArray(kTenHeard));
  }
}

TEST(WavReaderTest, LongFilesKeepTheirSizeInAChunkOfTheirOwn) {
  for (const char* name : {"RF64", "BW64"}) {
    SCOPED_TRACE(name);
    const auto ds64 = [](uint64_t data_size) {
      return Chunk("ds64", Number(0, 8) + Number(data_size, 8) + Number(10, 8) + Number(0, 4));
    };
    Wav wav{.name = name,
            .data = TenSamples(),
            .before_format = ds64(20),
            .after_data = Chunk("axml", "<words/>")};
    wav.data_size = 0xFFFFFFFF;
    wav.riff_size = 0xFFFFFFFF;
    EXPECT_THAT(HearWav(wav.Bytes()).samples, ElementsAreArray(kTenHeard));
    wav.before_format = ds64(1'000'000'000'000);
    wav.after_data.clear();
    const Heard heard = HearWav(wav.Bytes());
    EXPECT_THAT(heard.samples, ElementsAreArray(kTenHeard));
    EXPECT_THAT(heard.warning, testing::StartsWith("ends early"));
    wav.before_format = ds64(0);
    EXPECT_THAT(HearWav(wav.Bytes()).samples, ElementsAreArray(kTenHeard));
  }
}

TEST(WavReaderTest, AFrameThatIsCutOffIsLeftOutAndSaid) {
  Wav wav{.channels = 2, .data = TenSamples() + "\x01\x02\x03"};
  wav.data_size = 0xFFFFFFFF;
  const Heard heard = HearWav(wav.Bytes().substr(0, 44 + 23));
  EXPECT_THAT(heard.samples, ElementsAreArray(kTenHeard));
  EXPECT_EQ(heard.warning, "ends within a sample; bytes left over: 3");
}

TEST(WavReaderTest, CodecsOfOthersGoToTheMediaDecoderWhole) {
  NoDecoder decoder;
  for (const bool extensible : {false, true}) {
    Wav wav{.tag = 2, .bits = 4, .data = TenSamples()};  // ADPCM
    wav.extensible = extensible;
    wav.frame_bytes = 256;
    EXPECT_THAT(HearFile(wav.Bytes(), {.media_decoder = &decoder}).status,
                FailsWith(StatusCode::kInvalidArgument, "media decoder"));
    EXPECT_THAT(HearPipe(wav.Bytes(), 1, {.media_decoder = &decoder}).status,
                FailsWith(StatusCode::kInvalidArgument, "media decoder"));
  }
}

TEST(WavReaderTest, LongHeadersAreReadButThroughAPipeNotTwice) {
  Wav wav{.data = TenSamples(), .before_format = Chunk("LIST", std::string(100'000, 'x'))};
  EXPECT_THAT(HearWav(wav.Bytes()).samples, ElementsAreArray(kTenHeard));
  wav.tag = 2;
  NoDecoder decoder;
  EXPECT_THAT(HearFile(wav.Bytes(), {.media_decoder = &decoder}).status,
              FailsWith(StatusCode::kInvalidArgument, "media decoder"));
  for (const size_t piece : {1, 4'000, 1'000'000}) {
    EXPECT_THAT(HearPipe(wav.Bytes(), piece, {.media_decoder = &decoder}).status,
                FailsWith(StatusCode::kInvalidArgument, "header is too long; give it as a file"));
  }
}

TEST(WavReaderTest, ADescriptorIsReadFromWhereItStandsAndKeepsItsPosition) {
  const std::string wav = Wav{.data = TenSamples()}.Bytes();
  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  const int fd = fileno(file);
  ASSERT_EQ(write(fd, "before", 6), 6);
  ASSERT_EQ(write(fd, wav.data(), wav.size()), static_cast<ssize_t>(wav.size()));
  ASSERT_EQ(lseek(fd, 6, SEEK_SET), 6);
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(Hear(OpenAudioDescriptor(fd)).samples, ElementsAreArray(kTenHeard));
    EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 6);
  }
  std::fclose(file);
}

TEST(WavReaderTest, APipeOfTheSystemIsReadToItsEnd) {
  const std::string wav = Wav{.data = TenSamples()}.Bytes();
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], wav.data(), wav.size()), static_cast<ssize_t>(wav.size()));
  close(ends[1]);
  EXPECT_THAT(Hear(OpenAudioDescriptor(ends[0])).samples, ElementsAreArray(kTenHeard));
  close(ends[0]);
}

TEST(RawPcmTest, BytesAreSixteenBitSamplesWhateverTheyLookLike) {
  const AudioInputOptions options{.raw = RawPcm{.sample_rate = 8000, .channels = 2}};
  for (const bool through_pipe : {false, true}) {
    const Heard heard =
        through_pipe ? HearPipe(TenSamples(), 1, options) : HearFile(TenSamples(), options);
    EXPECT_THAT(heard.samples, ElementsAreArray(kTenHeard));
    EXPECT_EQ(heard.format.sample_rate, 8000);
    EXPECT_EQ(heard.format.channels, 2);
    EXPECT_EQ(heard.format.container, "raw");
    EXPECT_EQ(heard.format.codec, "pcm_s16le");
  }
  const std::string wav = Wav{.data = TenSamples()}.Bytes();
  EXPECT_EQ(HearFile(wav, options).samples.size(), wav.size() / 2);
  EXPECT_THAT(HearFile("ab", {.raw = RawPcm{}}).samples, ElementsAre(FloatEq(0x6261 * 0x1p-15F)));
}

TEST(RawPcmTest, ImpossibleRatesAndChannelsAreRefused) {
  for (const RawPcm& raw :
       {RawPcm{0, 1}, RawPcm{-1, 1}, RawPcm{768'001, 1}, RawPcm{16'000, 0}, RawPcm{16'000, 65}}) {
    EXPECT_THAT(HearFile(TenSamples(), {.raw = raw}).status,
                FailsWith(StatusCode::kInvalidArgument, "must be from 1 to"));
  }
  EXPECT_THAT(HearFile("", {.raw = RawPcm{}}).status,
              FailsWith(StatusCode::kInvalidArgument, "without a single sample"));
}

}  // namespace
}  // namespace lethe
