// Goal: every format we name is heard as it was recorded, in time and channel by channel; what is
// damaged ends in its beginning or in one clear line; and no recording makes us open another file.
// Method: half a second of silence and a second of two tones, encoded here in memory by FFmpeg's
// encoders. What comes back is compared in length, onset, level and pitch; each tolerance is the
// delay that the codec adds and its container does not tell. AMR and SPHERE, for which there are no
// encoders, are written by hand.

#include "audio/media_decoder.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <random>

#include <sys/inotify.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audio/audio_source.h"
#include "audio/internal/test_audio.h"
#include "audio/internal/test_cage.h"
#include "tests/support/test_encoder.h"

namespace lethe {
namespace {

using audio_internal::BytesOf;
using audio_internal::Encoding;
using audio_internal::ExpectSoundOrOneLine;
using audio_internal::FailsWith;
using audio_internal::Hear;
using audio_internal::Heard;
using audio_internal::HearFile;
using audio_internal::HearPipe;
using audio_internal::Numbers;
using audio_internal::Pipe;
using audio_internal::TestCage;
using audio_internal::TestEncoder;
using ::testing::StartsWith;

constexpr StatusCode kInvalid = StatusCode::kInvalidArgument;
constexpr double kTones[] = {440, 1'000};
constexpr double kOnset = 0.5;
constexpr double kSeconds = 1.5;

// One channel holds both tones; of two channels each holds its own.
bool Holds(int channel, int channels, int tone) { return channels == 1 || channel == tone; }

double Level(int channels) { return channels == 1 ? 0.2 : 0.4; }

std::vector<float> TwoTones(int rate, int channels) {
  std::vector<float> samples;
  for (int i = 0; i < static_cast<int>(kSeconds * rate); ++i) {
    const double time = static_cast<double>(i) / rate;
    for (int channel = 0; channel < channels; ++channel) {
      double sample = 0;
      for (int tone = 0; tone < 2 && time >= kOnset; ++tone) {
        if (!Holds(channel, channels, tone)) continue;
        sample += Level(channels) * std::sin(2 * std::numbers::pi * kTones[tone] * time);
      }
      samples.push_back(static_cast<float>(sample));
    }
  }
  return samples;
}

std::string Encode(const Encoding& encoding) {
  return TestEncoder(encoding).Encode(TwoTones(encoding.sample_rate, encoding.channels));
}

std::vector<double> Channel(const Heard& heard, int channel) {
  std::vector<double> samples;
  for (size_t i = static_cast<size_t>(channel); i < heard.samples.size();
       i += static_cast<size_t>(heard.format.channels)) {
    samples.push_back(heard.samples[i]);
  }
  return samples;
}

double OnsetSeconds(const std::vector<double>& samples, int rate) {
  size_t i = 0;
  while (i < samples.size() && std::abs(samples[i]) < 0.1) ++i;
  return static_cast<double>(i) / rate;
}

// The amplitude of a tone, measured over half a second in which it sounds.
double Amplitude(const std::vector<double>& samples, int rate, double hertz) {
  double sine = 0;
  double cosine = 0;
  const auto begin = static_cast<size_t>(0.75 * rate);
  const auto end = static_cast<size_t>(1.25 * rate);
  for (size_t i = begin; i < end && i < samples.size(); ++i) {
    const double angle = 2 * std::numbers::pi * hertz * static_cast<double>(i) / rate;
    sine += samples[i] * std::sin(angle);
    cosine += samples[i] * std::cos(angle);
  }
  return 2 * std::hypot(sine, cosine) / static_cast<double>(end - begin);
}

struct FormatCase {
  Encoding encoding;
  const char* codec;    // as the decoder names it
  double tolerance_ms;  // of length and onset
};

std::string CaseName(const testing::TestParamInfo<FormatCase>& info) {
  const Encoding& encoding = info.param.encoding;
  std::string name = std::string(encoding.muxer) + "_" + encoding.encoder + "_" +
                     std::to_string(encoding.sample_rate);
  return name + (encoding.channels == 1 ? "_mono" : "_stereo");
}

class FormatTest : public testing::TestWithParam<FormatCase> {};

TEST_P(FormatTest, IsHeardAsItWasRecordedFromAFileAndAPipe) {
  const auto& [encoding, codec, tolerance_ms] = GetParam();
  const int rate = encoding.sample_rate;
  const std::string bytes = Encode(encoding);
  const Heard file = HearFile(bytes);
  ASSERT_TRUE(file.status.ok()) << file.status.message();
  EXPECT_EQ(file.format.sample_rate, rate);
  ASSERT_EQ(file.format.channels, encoding.channels);
  EXPECT_EQ(file.format.codec, codec);
  EXPECT_EQ(file.warning, "");
  EXPECT_NEAR(file.format.declared_seconds.value_or(kSeconds), kSeconds, 0.1);
  const double seconds =
      static_cast<double>(file.samples.size()) / static_cast<double>(encoding.channels * rate);
  EXPECT_NEAR(seconds, kSeconds, tolerance_ms / 1'000);
  for (int channel = 0; channel < encoding.channels; ++channel) {
    SCOPED_TRACE(testing::Message() << "channel " << channel);
    const std::vector<double> samples = Channel(file, channel);
    EXPECT_NEAR(OnsetSeconds(samples, rate), kOnset, tolerance_ms / 1'000);
    for (int tone = 0; tone < 2; ++tone) {
      const bool holds = Holds(channel, encoding.channels, tone);
      const double level = holds ? Level(encoding.channels) : 0;
      // GSM and G.723.1 are made for speech and bend single tones most.
      EXPECT_NEAR(Amplitude(samples, rate, kTones[tone]), level, holds ? 0.25 * level : 0.01);
    }
  }
  // What an encoder pads at the end is known to some demuxers only if they may look there.
  const Heard pipe = HearPipe(bytes, 999);
  ASSERT_TRUE(pipe.status.ok()) << pipe.status.message();
  ASSERT_GE(pipe.samples.size(), file.samples.size());
  EXPECT_LE(pipe.samples.size() - file.samples.size(),
            static_cast<size_t>(encoding.channels * rate) * 3 / 100);
  EXPECT_TRUE(std::equal(file.samples.begin(), file.samples.end(), pipe.samples.begin()));
}

TEST_P(FormatTest, IsTheSameInACage) {
  const Encoding& encoding = GetParam().encoding;
  const AudioInputOptions caged{.media_decoder = &TestCage()};
  const std::string bytes = Encode(encoding);
  const auto expect_alike = [](const Heard& heard, const Heard& free) {
    ASSERT_TRUE(heard.status.ok()) << heard.status.message();
    EXPECT_EQ(heard.samples, free.samples);
    EXPECT_EQ(heard.format.sample_rate, free.format.sample_rate);
    EXPECT_EQ(heard.format.channels, free.format.channels);
    EXPECT_EQ(heard.format.container, free.format.container);
    EXPECT_EQ(heard.format.codec, free.format.codec);
    EXPECT_EQ(heard.format.declared_seconds, free.format.declared_seconds);
    EXPECT_EQ(heard.warning, free.warning);
  };
  expect_alike(HearFile(bytes, caged), HearFile(bytes));
  expect_alike(HearPipe(bytes, 999, caged), HearPipe(bytes, 999));
}

INSTANTIATE_TEST_SUITE_P(
    All, FormatTest,
    testing::Values(FormatCase{{"mp3", "libmp3lame", 44'100, 2}, "mp3", 1},
                    FormatCase{{"mp3", "libmp3lame", 16'000, 1}, "mp3", 1},
                    FormatCase{{"mp2", "mp2", 48'000, 2}, "mp2", 25},
                    FormatCase{{"adts", "aac", 44'100, 2}, "aac", 50},
                    FormatCase{{"adts", "aac", 16'000, 1}, "aac", 130},
                    FormatCase{{"ipod", "aac", 44'100, 2}, "aac", 25},
                    FormatCase{{"mp4", "aac", 48'000, 1}, "aac", 25},
                    FormatCase{{"mp4", "alac", 44'100, 2}, "alac", 1},
                    FormatCase{{"mov", "pcm_s16le", 44'100, 2}, "pcm_s16le", 1},
                    FormatCase{{"3gp", "aac", 16'000, 1}, "aac", 70},
                    FormatCase{{"flac", "flac", 44'100, 2}, "flac", 1},
                    FormatCase{{"flac", "flac", 16'000, 1}, "flac", 1},
                    FormatCase{{"ogg", "flac", 44'100, 2}, "flac", 1},
                    FormatCase{{"ogg", "libopus", 48'000, 2}, "opus", 1},
                    FormatCase{{"opus", "libopus", 48'000, 1}, "opus", 1},
                    FormatCase{{"ogg", "libvorbis", 44'100, 2}, "vorbis", 1},
                    FormatCase{{"ogg", "libspeex", 16'000, 1}, "speex", 20},
                    FormatCase{{"ogg", "libspeex", 8'000, 1}, "speex", 20},
                    FormatCase{{"webm", "libopus", 48'000, 2}, "opus", 1},
                    FormatCase{{"webm", "libvorbis", 44'100, 2}, "vorbis", 25},
                    FormatCase{{"matroska", "aac", 44'100, 2}, "aac", 50},
                    FormatCase{{"matroska", "ac3", 48'000, 2}, "ac3", 32},
                    FormatCase{{"matroska", "eac3", 48'000, 2}, "eac3", 32},
                    FormatCase{{"matroska", "libmp3lame", 44'100, 2}, "mp3", 50},
                    FormatCase{{"matroska", "pcm_s16le", 44'100, 2}, "pcm_s16le", 1},
                    FormatCase{{"avi", "libmp3lame", 44'100, 2}, "mp3", 50},
                    FormatCase{{"avi", "pcm_s16le", 44'100, 2}, "pcm_s16le", 1},
                    FormatCase{{"avi", "ac3", 48'000, 2}, "ac3", 32},
                    FormatCase{{"mpegts", "aac", 48'000, 2}, "aac", 50},
                    FormatCase{{"mpegts", "ac3", 48'000, 2}, "ac3", 50},
                    FormatCase{{"mpeg", "mp2", 48'000, 2}, "mp2", 50},
                    FormatCase{{"ac3", "ac3", 48'000, 2}, "ac3", 32},
                    FormatCase{{"eac3", "eac3", 48'000, 2}, "eac3", 32},
                    FormatCase{{"asf", "wmav2", 44'100, 2}, "wmav2", 50},
                    FormatCase{{"asf", "wmav1", 44'100, 2}, "wmav1", 50},
                    FormatCase{{"flv", "aac", 44'100, 2}, "aac", 50},
                    FormatCase{{"flv", "libmp3lame", 44'100, 2}, "mp3", 50},
                    FormatCase{{"flv", "nellymoser", 22'050, 1}, "nellymoser", 25},
                    FormatCase{{"flv", "libspeex", 16'000, 1}, "speex", 20},
                    FormatCase{{"flv", "adpcm_swf", 44'100, 2}, "adpcm_swf", 93},
                    FormatCase{{"aiff", "pcm_s16be", 44'100, 2}, "pcm_s16be", 1},
                    FormatCase{{"au", "pcm_mulaw", 8'000, 1}, "pcm_mulaw", 1},
                    FormatCase{{"au", "pcm_alaw", 8'000, 1}, "pcm_alaw", 1},
                    FormatCase{{"caf", "pcm_s16le", 44'100, 2}, "pcm_s16le", 1},
                    FormatCase{{"w64", "pcm_s16le", 44'100, 2}, "pcm_s16le", 1},
                    FormatCase{{"gsm", "libgsm", 8'000, 1}, "gsm", 20},
                    FormatCase{{"wav", "adpcm_ms", 44'100, 2}, "adpcm_ms", 25},
                    FormatCase{{"wav", "adpcm_ima_wav", 44'100, 2}, "adpcm_ima_wav", 25},
                    FormatCase{{"wav", "adpcm_yamaha", 44'100, 2}, "adpcm_yamaha", 25},
                    FormatCase{{"wav", "g726", 8'000, 1}, "adpcm_g726", 1},
                    FormatCase{{"wav", "g723_1", 8'000, 1}, "g723_1", 30},
                    FormatCase{{"wav", "libgsm_ms", 8'000, 1}, "gsm_ms", 40},
                    FormatCase{{"wav", "libmp3lame", 44'100, 2}, "mp3", 50}),
    CaseName);

TEST(MediaDecoderTest, AmrFramesAreTwentyMillisecondsEach) {
  std::string narrow = "#!AMR\n";
  std::string wide = "#!AMR-WB\n";
  for (int frame = 0; frame < 50; ++frame) {  // the lowest rates: 95 and 132 bits a frame
    narrow += "\x04" + std::string(12, '\x5A');
    wide += "\x04" + std::string(17, '\x5A');
  }
  const Heard heard_narrow = HearFile(narrow);
  ASSERT_TRUE(heard_narrow.status.ok()) << heard_narrow.status.message();
  EXPECT_EQ(heard_narrow.format.sample_rate, 8'000);
  EXPECT_EQ(heard_narrow.format.channels, 1);
  EXPECT_EQ(heard_narrow.samples.size(), 50U * 160);
  EXPECT_EQ(HearPipe(narrow).samples, heard_narrow.samples);
  const Heard heard_wide = HearFile(wide);
  ASSERT_TRUE(heard_wide.status.ok()) << heard_wide.status.message();
  EXPECT_EQ(heard_wide.format.sample_rate, 16'000);
  EXPECT_EQ(heard_wide.samples.size(), 50U * 320);
  const AudioInputOptions caged{.media_decoder = &TestCage()};
  EXPECT_EQ(HearFile(narrow, caged).samples, heard_narrow.samples);
  EXPECT_EQ(HearFile(wide, caged).samples, heard_wide.samples);
}

TEST(MediaDecoderTest, PausesOfATelephoneLastAsLongAsTheyLasted) {
  struct Case {
    const char* magic;
    std::string speech;
    std::string noise;
    size_t samples;  // of a frame
  };
  for (const Case& amr :
       {Case{"#!AMR\n", "\x04" + std::string(12, '\x5A'), "\x44" + std::string(5, '\x5A'), 160},
        {"#!AMR-WB\n", "\x04" + std::string(17, '\x5A'), "\x4C" + std::string(5, '\x5A'), 320}}) {
    SCOPED_TRACE(amr.magic);
    const std::string no_data = "\x7C";
    std::string bytes = amr.magic + amr.noise + amr.speech + amr.speech + amr.noise;
    for (int i = 0; i < 7; ++i) bytes += no_data;
    bytes += amr.speech;
    const Heard heard = HearFile(bytes);
    ASSERT_TRUE(heard.status.ok()) << heard.status.message();
    EXPECT_EQ(heard.warning, "");
    ASSERT_EQ(heard.samples.size(), 12 * amr.samples);
    EXPECT_EQ(HearPipe(bytes).samples, heard.samples);
    const auto frame = [&](size_t i) {
      const auto begin = heard.samples.begin() + static_cast<ptrdiff_t>(i * amr.samples);
      return std::vector<float>(begin, begin + static_cast<ptrdiff_t>(amr.samples));
    };
    const std::vector<float> silence(amr.samples, 0.0F);
    EXPECT_EQ(frame(0), silence);
    EXPECT_NE(frame(2), silence);
    for (size_t i = 3; i < 11; ++i) EXPECT_EQ(frame(i), silence) << i;
    EXPECT_NE(frame(11), silence);
  }
}

TEST(MediaDecoderTest, APacketWithoutAByteIsNoDamage) {
  Encoding encoding{"ogg", "libvorbis", 44'100, 2};
  const Heard whole = HearFile(Encode(encoding));
  encoding.empty_end = true;
  const Heard heard = HearFile(Encode(encoding));
  ASSERT_TRUE(heard.status.ok()) << heard.status.message();
  EXPECT_GE(heard.samples.size(), whole.samples.size());
  EXPECT_EQ(heard.warning, "");
}

// As SoX writes a GSM WAV whose sound has an odd number of bytes.
TEST(MediaDecoderTest, AByteThatFillsUpAChunkIsNoDamage) {
  std::string bytes = Encode({"wav", "libgsm_ms", 8'000, 1});
  const Heard whole = HearFile(bytes);
  const size_t size_at = bytes.find("data") + 4;
  const size_t data_bytes = bytes.size() - size_at - 4;
  ASSERT_EQ(data_bytes % 65, 0U);
  bytes += '\0';
  bytes.replace(size_at, 4, Numbers({data_bytes + 1}, 4));
  const Heard padded = HearFile(bytes);
  ASSERT_TRUE(padded.status.ok()) << padded.status.message();
  EXPECT_EQ(padded.samples, whole.samples);
  EXPECT_EQ(padded.warning, "");
  // A file that ends within its last block has lost it.
  EXPECT_THAT(HearFile(bytes.substr(0, bytes.size() - 20)).warning, StartsWith("is damaged: "));
}

TEST(MediaDecoderTest, RawGsmIsKnownByItsFramesHoweverShort) {
  const std::string bytes = Encode({"gsm", "libgsm", 8'000, 1});
  const Heard heard = HearFile(bytes.substr(0, size_t{6} * 33));
  ASSERT_TRUE(heard.status.ok()) << heard.status.message();
  EXPECT_EQ(heard.samples.size(), 6U * 160);
}

TEST(MediaDecoderTest, SphereHeadersAreTextBeforeSound) {
  std::string sphere =
      "NIST_1A\n   1024\nchannel_count -i 1\nsample_rate -i 16000\nsample_n_bytes -i 2\n"
      "sample_coding -s3 pcm\nsample_byte_format -s2 01\nsample_count -i 1000\nend_head\n";
  sphere.resize(1024, ' ');
  sphere += Numbers(std::vector<uint64_t>(1'000, 0x4000), 2);
  const Heard heard = HearFile(sphere);
  ASSERT_TRUE(heard.status.ok()) << heard.status.message();
  EXPECT_EQ(heard.format.sample_rate, 16'000);
  EXPECT_EQ(heard.samples, std::vector<float>(1'000, 0.5F));
  EXPECT_EQ(HearPipe(sphere).samples, heard.samples);
}

TEST(MediaDecoderTest, AnMp4WithItsIndexAtItsEndIsHeardThroughAPipe) {
  const std::string bytes = Encode({"mp4", "aac", 16'000, 1});
  ASSERT_LT(bytes.find("mdat"), bytes.find("moov"));
  const Heard file = HearFile(bytes);
  ASSERT_TRUE(file.status.ok());
  const Heard pipe = HearPipe(bytes);
  ASSERT_TRUE(pipe.status.ok()) << pipe.status.message();
  EXPECT_EQ(pipe.samples, file.samples);
}

TEST(MediaDecoderTest, RecordingsJoinedEndToEndAreHeardToTheEnd) {
  const std::string first = Encode({"mp3", "libmp3lame", 44'100, 2});
  const std::string second = Encode({"mp3", "libmp3lame", 16'000, 1});
  const Heard heard = HearFile(first + second);
  ASSERT_TRUE(heard.status.ok()) << heard.status.message();
  // The second one changes rate and channels midway; format and time stay those of the first.
  EXPECT_EQ(heard.format.sample_rate, 44'100);
  EXPECT_EQ(heard.format.channels, 2);
  EXPECT_NEAR(static_cast<double>(heard.samples.size()) / (2 * 44'100), 2 * kSeconds, 0.2);
  const std::vector<double> left = Channel(heard, 0);
  const std::vector<double> later(left.begin() + static_cast<ptrdiff_t>(1.6 * 44'100), left.end());
  EXPECT_NEAR(OnsetSeconds(later, 44'100), 0.4, 0.1);
}

TEST(MediaDecoderTest, SoundBesidePicturesIsHeard) {
  for (const Encoding& encoding :
       {Encoding{"matroska", "aac", 16'000, 1}, {"mp4", "aac", 16'000, 1}}) {
    SCOPED_TRACE(encoding.muxer);
    const Heard alone = HearFile(Encode(encoding));
    Encoding film = encoding;
    film.pictures = true;
    const Heard heard = HearFile(Encode(film));
    ASSERT_TRUE(heard.status.ok()) << heard.status.message();
    EXPECT_EQ(heard.samples, alone.samples);
    EXPECT_EQ(heard.warning, "");
  }
}

TEST(MediaDecoderTest, PicturesWithoutSoundAreSaidToHaveNone) {
  std::string bytes = Encode({"matroska", "aac", 16'000, 1, true});
  const size_t track_type = bytes.find("\x83\x81\x02");
  ASSERT_NE(track_type, std::string::npos);
  bytes[track_type + 2] = '\x11';  // the track of sound now says subtitles
  EXPECT_THAT(HearFile(bytes).status, FailsWith(kInvalid, "has no sound in it"));
}

TEST(MediaDecoderTest, ImpossibleHeadersNameWhatIsImpossible) {
  // A Sun .au header: where the sound begins, its size, 16 bits, rate, channels.
  const auto au = [](uint64_t rate, uint64_t channels) {
    return ".snd" + Numbers({24, 0xFFFFFFFF, 3, rate, channels}, 4, true) + std::string(8'000, 'a');
  };
  EXPECT_TRUE(HearFile(au(8'000, 64)).status.ok());
  EXPECT_THAT(HearFile(au(8'000, 400)).status, FailsWith(kInvalid, "number of channels: 400"));
  EXPECT_THAT(HearFile(au(1'000'000, 1)).status, FailsWith(kInvalid, "per second: 1000000"));
}

TEST(MediaDecoderTest, ACodecThatIsNotAllowedIsNamed) {
  EXPECT_THAT(HearFile(Encode({"matroska", "wavpack", 44'100, 2})).status,
              FailsWith(kInvalid, "codec not known here; convert it to wav, mp3 or flac: wavpack"));
}

TEST(MediaDecoderTest, ATruncatedMp3GivesItsBeginningAndSaysSo) {
  const std::string bytes = Encode({"mp3", "libmp3lame", 44'100, 2});
  const Heard whole = HearFile(bytes);
  const Heard half = HearFile(bytes.substr(0, bytes.size() / 2));
  ASSERT_TRUE(half.status.ok()) << half.status.message();
  EXPECT_THAT(half.warning, StartsWith("ends early: 1.5 s promised, 0."));
  ASSERT_LT(half.samples.size(), whole.samples.size());
  const auto sure = static_cast<ptrdiff_t>(half.samples.size() * 9 / 10);
  EXPECT_TRUE(std::equal(half.samples.begin(), half.samples.begin() + sure, whole.samples.begin()));
}

// As a recorder leaves it that kept one language of several.
TEST(MediaDecoderTest, TheFirstSoundThatIsThereIsHeard) {
  const std::string bytes =
      Encode({"mpegts", "ac3", 48'000, 1, false, false, /*promised_sound=*/true});
  for (const Heard& heard : {HearFile(bytes), HearPipe(bytes)}) {
    ASSERT_TRUE(heard.status.ok()) << heard.status.message();
    EXPECT_EQ(heard.format.codec, "ac3");
    EXPECT_EQ(heard.warning, "");
    EXPECT_GT(heard.samples.size(), 16'000U);
  }
}

// Of pieces put behind each other they go back, or leave a gap.
TEST(MediaDecoderTest, TimeStampsPromiseNoLength) {
  std::string bytes = Encode({"mpegts", "aac", 16'000, 1});
  EXPECT_FALSE(HearFile(bytes).format.declared_seconds.has_value());
  bytes += Encode({"mpegts", "aac", 16'000, 1});
  const Heard heard = HearFile(bytes);
  EXPECT_TRUE(heard.status.ok()) << heard.status.message();
  EXPECT_EQ(heard.warning, "");
}

TEST(MediaDecoderTest, AnMp4WithoutItsIndexIsAnError) {
  const std::string bytes = Encode({"mp4", "aac", 16'000, 1});
  const std::string cut = bytes.substr(0, bytes.size() / 2);
  EXPECT_THAT(HearFile(cut).status, FailsWith(kInvalid, "or is damaged"));
  EXPECT_THAT(HearPipe(cut).status, FailsWith(kInvalid, "or is damaged"));
}

TEST(MediaDecoderTest, DamagedRecordingsAreSoundOrOneLine) {
  std::mt19937 random(11);
  for (const Encoding& encoding : {Encoding{"mp3", "libmp3lame", 16'000, 1},
                                   {"adts", "aac", 16'000, 1},
                                   {"mp4", "aac", 16'000, 1},
                                   {"flac", "flac", 16'000, 1},
                                   {"ogg", "libopus", 48'000, 1},
                                   {"ogg", "libvorbis", 16'000, 1},
                                   {"webm", "libopus", 48'000, 1},
                                   {"asf", "wmav2", 44'100, 1},
                                   {"avi", "libmp3lame", 16'000, 1},
                                   {"mpegts", "aac", 16'000, 1},
                                   {"mpeg", "mp2", 48'000, 1},
                                   {"ac3", "ac3", 48'000, 1},
                                   {"flv", "nellymoser", 22'050, 1},
                                   {"wav", "adpcm_ms", 16'000, 1},
                                   {"caf", "alac", 16'000, 1},
                                   {"gsm", "libgsm", 8'000, 1}}) {
    SCOPED_TRACE(testing::Message() << encoding.muxer << " " << encoding.encoder);
    const std::string whole = Encode(encoding);
    for (int round = 0; round < 20; ++round) {
      std::string damaged = whole.substr(0, random() % whole.size());
      ExpectSoundOrOneLine(HearFile(damaged));
      damaged = whole;
      // Half of the damage goes where headers and tables are.
      for (int i = 0; i < 10; ++i)
        damaged[random() % damaged.size()] ^= static_cast<char>(random());
      for (int i = 0; i < 3; ++i) damaged[random() % 200] ^= static_cast<char>(random());
      ExpectSoundOrOneLine(HearFile(damaged));
      ExpectSoundOrOneLine(HearPipe(damaged, 4'000));
    }
  }
}

TEST(MediaDecoderTest, GarbageAfterAFamiliarBeginningIsAnError) {
  std::mt19937 random(5);
  std::string garbage;
  for (int i = 0; i < 5'000; ++i) garbage += static_cast<char>(random() % 0xF0);  // no mp3 frame
  const std::vector<std::string> beginnings = {
      std::string("ID3\x04\x00\x00\x00\x00\x00\x0A", 10),
      "OggS" + std::string(2, '\0'),
      "fLaC",
      std::string("\x00\x00\x00\x18", 4) + "ftypM4A ",
      "\x1A\x45\xDF\xA3",
      std::string("\x30\x26\xB2\x75\x8E\x66\xCF\x11\xA6\xD9\x00\xAA\x00\x62\xCE\x6C", 16),
      "FLV\x01\x05",
      "FORM....AIFFCOMM",
      ".snd",
      "caff" + std::string("\x00\x01\x00\x00", 4),
      "riff\x2E\x91\xCF\x11\xA5\xD6",
      "NIST_1A\n   1024\n",
      std::string("RIFF\x00\x10\x00\x00WAVEfmt \x14\x00\x00\x00\x02\x00\x01\x00", 24),
  };
  for (const std::string& beginning : beginnings) {
    SCOPED_TRACE(testing::PrintToString(beginning));
    EXPECT_THAT(HearFile(beginning + garbage).status, FailsWith(kInvalid, ""));
    EXPECT_THAT(HearPipe(beginning + garbage, 100).status, FailsWith(kInvalid, ""));
  }
}

TEST(MediaDecoderTest, AnInputThatBreaksOffFailsWithItsOwnReason) {
  class Breaking final : public ByteSource {
   public:
    Breaking(std::string bytes, int reads) : bytes_(std::move(bytes), 1'000), reads_(reads) {}
    Result<size_t> Read(std::span<std::byte> bytes) override {
      if (reads_-- == 0) return Unavailable("the disk is gone");
      return bytes_.Read(bytes);
    }

   private:
    Pipe bytes_;
    int reads_;
  };
  // Longer than what the libraries look at before they begin.
  const std::string bytes = TestEncoder({"au", "pcm_s16be", 44'100, 1})
                                .Encode(std::vector<float>(size_t{20} * 44'100, 0.5F));
  for (const int reads : {0, 1, 2, 100, 1'500}) {
    SCOPED_TRACE(reads);
    const Heard heard = Hear(OpenAudio(std::make_unique<Breaking>(bytes, reads)));
    EXPECT_THAT(heard.status, FailsWith(StatusCode::kUnavailable, "the disk is gone"));
    EXPECT_EQ(heard.samples.empty(), reads < 1'500);
  }
}

// Says whether a file was opened since Watch was made.
class Watch {
 public:
  explicit Watch(const std::string& path) : fd_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    EXPECT_GE(inotify_add_watch(fd_, path.c_str(), IN_OPEN), 0);
  }
  ~Watch() { close(fd_); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  bool Opened() const {
    alignas(inotify_event) char event[512];
    return read(fd_, event, sizeof event) > 0;
  }

 private:
  const int fd_;
};

TEST(MediaDecoderTest, PlaylistsAreRefusedAndOpenNothing) {
  // Demuxers of playlists trust names beside the playlist most, so we go there.
  const std::string name = "lethe_playlist_" + std::to_string(getpid()) + ".mp3";
  const std::string path = testing::TempDir() + name;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(testing::TempDir());
  const std::string sound = Encode({"mp3", "libmp3lame", 44'100, 2});
  std::ofstream(path, std::ios::binary).write(sound.data(), std::ssize(sound));
  const Watch watch(path);
  for (const std::string& playlist :
       {"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:1.5,\n" + path +
            "\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1.5,\nfile://" + path + "\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '" + path + "'\n", "ffconcat version 1.0\nfile " + name + "\n",
        "ffconcat version 1.0\nfile file:" + path + "\nduration 1.5\n",
        "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" "
        "mediaPresentationDuration=\"PT1S\" profiles=\"x\"><Period><AdaptationSet>"
        "<Representation id=\"1\" mimeType=\"audio/mpeg\"><BaseURL>" +
            path + "</BaseURL></Representation></AdaptationSet></Period></MPD>\n"}) {
    SCOPED_TRACE(playlist);
    EXPECT_THAT(HearFile(playlist).status, FailsWith(kInvalid, "holds text, not sound"));
    // The decoder refuses by itself, whatever is asked before it.
    EXPECT_THAT(Hear(InProcessMediaDecoder().Open(BorrowBytes(BytesOf(playlist)))).status,
                FailsWith(kInvalid, "in no format known here"));
    EXPECT_THAT(Hear(InProcessMediaDecoder().Open(std::make_unique<Pipe>(playlist))).status,
                FailsWith(kInvalid, "in no format known here"));
  }
  EXPECT_FALSE(watch.Opened());
  EXPECT_TRUE(Hear(OpenAudioFile(path)).status.ok());
  EXPECT_TRUE(watch.Opened()) << "the watch sees nothing";
  std::filesystem::current_path(before);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace lethe
