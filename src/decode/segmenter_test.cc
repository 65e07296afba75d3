// Where speech begins and ends. Method: probabilities written down by hand, a window of 512
// samples.

#include "decode/segmenter.h"

#include <array>
#include <optional>
#include <random>

#include <gtest/gtest.h>

namespace lethe {
namespace {

constexpr int kWindow = 512;

// "3x0.1 20x0.9" as probabilities.
std::vector<SpeechSpan> Segment(const std::vector<std::pair<int, float>>& parts,
                                const SegmenterOptions& options = {}, int tail = 0) {
  Segmenter segmenter(options, kWindow);
  std::vector<SpeechSpan> spans;
  SampleIndex total = tail;
  for (const auto& [count, probability] : parts) {
    for (int i = 0; i < count; ++i) {
      total += kWindow;
      for (const SpeechSpan& span : segmenter.Push(probability)) spans.push_back(span);
    }
  }
  for (const SpeechSpan& span : segmenter.Finish(total)) spans.push_back(span);
  return spans;
}

TEST(SegmenterTest, SilenceHasNoSegments) { EXPECT_TRUE(Segment({{1000, 0.05f}}).empty()); }

TEST(SegmenterTest, SpeechIsPaddedOnBothSides) {
  const auto spans = Segment({{50, 0.0f}, {30, 0.9f}, {50, 0.0f}});
  ASSERT_EQ(spans.size(), 1u);
  const SampleIndex padding = MillisToSamples(SegmenterOptions{}.padding);
  EXPECT_EQ(spans[0].start, 50 * kWindow - padding);
  EXPECT_EQ(spans[0].end, 80 * kWindow + padding);
}

TEST(SegmenterTest, AShortPauseDoesNotEndASegmentAndALongOneDoes) {
  EXPECT_EQ(Segment({{30, 0.9f}, {10, 0.0f}, {30, 0.9f}}).size(), 1u);
  EXPECT_EQ(Segment({{30, 0.9f}, {40, 0.0f}, {30, 0.9f}}).size(), 2u);
}

TEST(SegmenterTest, BetweenOnsetAndOffsetSpeechGoesOnButDoesNotBegin) {
  EXPECT_EQ(Segment({{30, 0.9f}, {40, 0.4f}, {30, 0.9f}}).size(), 1u);
  SegmenterOptions options;
  options.faint_onset = 1.0f;
  EXPECT_TRUE(Segment({{100, 0.4f}}, options).empty());
}

TEST(SegmenterTest, AClickIsNoSpeech) {
  SegmenterOptions options;
  options.faint_onset = 1.0f;
  options.min_speech = Millis(100);
  EXPECT_TRUE(Segment({{30, 0.0f}, {1, 0.9f}, {60, 0.0f}}, options).empty());
}

TEST(SegmenterTest, ASegmentIsCertainOnceVoiceActivityWasSure) {
  EXPECT_TRUE(Segment({{50, 0.0f}, {29, 0.6f}, {1, 0.9f}, {50, 0.0f}}).at(0).certain);
  EXPECT_FALSE(Segment({{50, 0.0f}, {30, 0.6f}, {50, 0.0f}}).at(0).certain);
}

TEST(SegmenterTest, AVeryShortStreamIsTakenForSpeech) {
  EXPECT_TRUE(Segment({{12, 0.6f}}).at(0).certain);
  EXPECT_FALSE(Segment({{120, 0.6f}}).at(0).certain);
}

TEST(SegmenterTest, AFaintWordInAnOtherwiseSilentStreamIsHeard) {
  const auto spans = Segment({{100, 0.02f}, {1, 0.3f}, {100, 0.02f}});
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_LT(spans[0].start, 100 * kWindow);
  EXPECT_GT(spans[0].end, 101 * kWindow);
  EXPECT_FALSE(spans[0].certain);
}

TEST(SegmenterTest, LongSpeechIsCutWhereSpeechIsLeastLikely) {
  const auto spans = Segment({{300, 0.95f}, {1, 0.8f}, {1, 0.6f}, {1, 0.8f}, {300, 0.95f}});
  ASSERT_GE(spans.size(), 2u);
  EXPECT_EQ(spans[0].end, 301 * kWindow + kWindow / 2);
}

TEST(SegmenterTest, SpansNeverOverlapNorLeaveTheStreamNorExceedTheLongest) {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> uniform;
  for (int round = 0; round < 200; ++round) {
    std::vector<std::pair<int, float>> parts;
    int windows = 0;
    for (int i = 0; i < 30; ++i) {
      const int count = static_cast<int>(uniform(random) * 100);
      windows += count;
      parts.emplace_back(count, uniform(random));
    }
    const int tail = static_cast<int>(uniform(random) * kWindow);
    SampleIndex end = 0;
    for (const SpeechSpan& span : Segment(parts, {}, tail)) {
      EXPECT_GE(span.start, end);
      EXPECT_GT(span.end, span.start);
      EXPECT_LE(span.end - span.start, MillisToSamples(SegmenterOptions{}.max_length) +
                                           2 * MillisToSamples(SegmenterOptions{}.padding));
      end = span.end;
    }
    EXPECT_LE(end, SampleIndex{windows} * kWindow + tail);
  }
}

TEST(SegmenterTest, WhatIsSpokenNowIsOpenAndWhatWillComeOfItIsKnownEarly) {
  const SegmenterOptions options;
  Segmenter segmenter(options, kWindow);
  const auto push = [&](int count, float probability) {
    std::vector<SpeechSpan> spans;
    for (int i = 0; i < count; ++i) {
      for (const SpeechSpan& span : segmenter.Push(probability)) spans.push_back(span);
    }
    return spans;
  };
  push(50, 0.0f);
  EXPECT_FALSE(segmenter.Open());
  push(1, 0.9f);  // 32 ms may be a click
  EXPECT_TRUE(segmenter.in_speech());
  EXPECT_FALSE(segmenter.Open());
  push(29, 0.9f);
  const SampleIndex padding = MillisToSamples(options.padding);
  ASSERT_TRUE(segmenter.Open());
  EXPECT_EQ(segmenter.Open()->start, 50 * kWindow - padding);
  EXPECT_EQ(segmenter.Open()->end, 80 * kWindow);
  // 400 ms of padding are 12.5 windows; the endpoint comes after 19.
  push(12, 0.0f);
  EXPECT_FALSE(segmenter.Expected());
  push(1, 0.0f);
  const auto expected = segmenter.Expected();
  ASSERT_TRUE(expected);
  EXPECT_TRUE(push(5, 0.0f).empty());
  EXPECT_EQ(segmenter.Expected(), expected);
  EXPECT_EQ(push(1, 0.0f), std::vector<SpeechSpan>{*expected});
  EXPECT_FALSE(segmenter.in_speech());
  EXPECT_FALSE(segmenter.Open());
  EXPECT_FALSE(segmenter.Expected());
  // Somebody who goes on speaking changes what is expected.
  push(30, 0.9f);
  push(13, 0.0f);
  EXPECT_TRUE(segmenter.Expected());
  push(1, 0.9f);
  EXPECT_FALSE(segmenter.Expected());
}

TEST(SegmenterTest, ASpanThatWasTooLongSaysThatSpeechGoesOn) {
  SegmenterOptions options;
  options.max_length = Millis(5'000);
  const auto spans = Segment({{50, 0.0f}, {400, 0.9f}, {50, 0.0f}}, options);
  ASSERT_EQ(spans.size(), 3u);
  EXPECT_TRUE(spans[0].cut);
  EXPECT_TRUE(spans[1].cut);
  EXPECT_FALSE(spans[2].cut);
  EXPECT_EQ(spans[0].end, spans[1].start);
  EXPECT_EQ(spans[1].end, spans[2].start);
}

TEST(SegmenterTest, TheNoiseThresholdMovesEveryOtherOne) {
  const SegmenterOptions plain;
  const SegmenterOptions same = WithNoiseThreshold(plain, 0);
  EXPECT_FLOAT_EQ(same.onset, plain.onset);
  EXPECT_FLOAT_EQ(same.offset, plain.offset);
  const SegmenterOptions strict = WithNoiseThreshold(plain, 2);
  const SegmenterOptions lenient = WithNoiseThreshold(plain, -2);
  EXPECT_NEAR(strict.onset, 0.9f, 1e-5f);
  EXPECT_NEAR(lenient.onset, 0.1f, 1e-5f);
  for (const auto member : {&SegmenterOptions::onset, &SegmenterOptions::offset,
                            &SegmenterOptions::sure, &SegmenterOptions::faint_onset}) {
    EXPECT_GT(strict.*member, plain.*member);
    EXPECT_LT(lenient.*member, plain.*member);
    EXPECT_GT(lenient.*member, 0.0f);
    EXPECT_LT(strict.*member, 1.0f);
  }
}

// The 6.4 s behind a cut that never reach the onset again are speech that goes on.
TEST(SegmenterTest, SpeechThatGoesOnQuietlyBehindACutIsNotLost) {
  const auto spans = Segment({{200, 0.9f}, {432, 0.4f}, {50, 0.0f}});
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_TRUE(spans[0].cut);
  EXPECT_EQ(spans[1].start, spans[0].end);
  EXPECT_EQ(spans[1].end, 632 * kWindow + MillisToSamples(SegmenterOptions{}.padding));
}

TEST(SegmenterTest, AClickBehindACutIsOneStill) {
  SegmenterOptions options;
  options.max_length = Millis{3'200};
  // The cut is in the middle of the dip, and behind it a single window is above the offset.
  const auto spans = Segment({{60, 0.9f}, {39, 0.1f}, {1, 0.4f}, {50, 0.0f}}, options);
  ASSERT_EQ(spans.size(), 1u);
}

// What the segmenter may still ask for is always there, if what it lets go is let go.
TEST(SegmenterTest, NoSpanBeginsInWhatWasLetGo) {
  std::mt19937 random(5);
  for (int round = 0; round < 2000; ++round) {
    Segmenter segmenter({}, kWindow);
    // Long silences, faint places, clicks and speech, in any order.
    std::discrete_distribution<int> kind({round % 3 == 0 ? 0.02 : 0.0, 0.2, 0.05, 1.0});
    std::optional<SpeechSpan> copied;
    SampleIndex kept_from = 0, total = 0;
    const auto check = [&](const SpeechSpan& span) {
      if (copied && copied->start == span.start) return;
      ASSERT_GE(span.start, kept_from) << "round " << round << " at " << total;
    };
    for (int part = 0; part < 40; ++part) {
      const float level = std::array{0.9f, 0.35f, 0.6f, 0.02f}[kind(random)];
      const int length =
          level == 0.6f || level == 0.35f ? 1 : std::uniform_int_distribution(1, 40)(random);
      for (int i = 0; i < length; ++i) {
        ASSERT_GE(segmenter.KeepFrom(), kept_from);
        kept_from = segmenter.KeepFrom();
        ASSERT_GE(kept_from + MillisToSamples(Millis{16'000}), total);
        total += kWindow;
        const float level_here = level + 0.001f * static_cast<float>(random() % 100);
        for (const SpeechSpan& span : segmenter.Push(level_here)) check(span);
        const std::optional<SpeechSpan> faint = segmenter.Faint();
        if (!faint) copied.reset();
        if (faint && faint->end <= total) {
          if (!copied || copied->start != faint->start) {
            ASSERT_GE(faint->start, kept_from);
          }
          copied = faint;
        }
      }
    }
    for (const SpeechSpan& span : segmenter.Finish(total)) check(span);
  }
}

}  // namespace
}  // namespace lethe
