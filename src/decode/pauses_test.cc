// A pause belongs to no word. Method: probabilities of speech written by hand.

#include "decode/pauses.h"

#include <string_view>

#include <gtest/gtest.h>

namespace lethe {
namespace {

// Windows of 100 samples from 1,000 on; a digit is ten times a probability.
std::vector<SampleSpan> Without(std::string_view tenths, std::vector<SampleSpan> words) {
  SpeechWindows windows{.start = 1'000, .window_samples = 100, .probabilities = {}};
  for (const char c : tenths) {
    windows.probabilities.push_back(static_cast<float>(c - '0') / 10);
  }
  TakeOutPauses(windows, words);
  return words;
}

using Spans = std::vector<SampleSpan>;

// Voice activity is sure two windows late.
TEST(TakeOutPausesTest, AWordBeginsTwoWindowsBeforeItsFirstSureOne) {
  EXPECT_EQ(Without("111119999", {{1'050, 1'900}}), (Spans{{1'300, 1'900}}));
  EXPECT_EQ(Without("111119999", {{1'450, 1'900}}), (Spans{{1'450, 1'900}}));
  EXPECT_EQ(Without("199999999", {{1'050, 1'900}}), (Spans{{1'050, 1'900}}));
}

TEST(TakeOutPausesTest, AWordEndsWithItsLastSureWindow) {
  EXPECT_EQ(Without("999911111", {{1'150, 1'900}}), (Spans{{1'150, 1'400}}));
}

TEST(TakeOutPausesTest, AWordWithoutASureWindowStaysAsItIs) {
  EXPECT_EQ(Without("111444111", {{1'050, 1'850}}), (Spans{{1'050, 1'850}}));
  EXPECT_EQ(Without("111999111", {{1'250, 1'250}}), (Spans{{1'250, 1'250}}));
}

TEST(TakeOutPausesTest, AShortPauseWithinAWordStays) {
  EXPECT_EQ(Without("991111999", {{1'050, 1'850}}), (Spans{{1'050, 1'850}}));
}

TEST(TakeOutPausesTest, ALongPauseEndsOneWordAndTheNextGetsWhatIsBehindIt) {
  EXPECT_EQ(Without("99911111999", {{1'000, 1'900}, {1'900, 2'050}}),
            (Spans{{1'000, 1'300}, {1'800, 2'050}}));
}

TEST(TakeOutPausesTest, ALongPauseBeginsOneWordAndTheLastGetsWhatIsBeforeIt) {
  EXPECT_EQ(Without("9991111199999", {{1'000, 1'150}, {1'150, 2'200}}),
            (Spans{{1'000, 1'300}, {1'800, 2'200}}));
}

TEST(TakeOutPausesTest, AWordThatIsNotNextToItGetsNothing) {
  EXPECT_EQ(Without("99911111999", {{1'000, 1'850}, {1'950, 2'050}}),
            (Spans{{1'000, 1'300}, {1'950, 2'050}}));
}

TEST(TakeOutPausesTest, WithoutWindowsWordsStayAndBehindThemTheyCountAsSpeech) {
  Spans words{{1'050, 1'850}};
  TakeOutPauses({}, words);
  EXPECT_EQ(words, (Spans{{1'050, 1'850}}));
  EXPECT_EQ(Without("11111", {{1'100, 1'700}}), (Spans{{1'300, 1'700}}));
  EXPECT_EQ(Without("11111", {{5'000, 5'100}}), (Spans{{5'000, 5'100}}));
  EXPECT_TRUE(Without("11111", {}).empty());
}

}  // namespace
}  // namespace lethe
