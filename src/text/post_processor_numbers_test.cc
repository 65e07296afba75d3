// Goal: spoken numbers become digits where a reader would write digits, and nowhere else.
// Method: sentences by hand, each for one rule of the face; what must not change beside what must.

#include <gmock/gmock.h>

#include "text/post_processor.h"

namespace lethe {
namespace {

struct Case {
  const char* said;
  const char* written;
};

class NumberTest : public ::testing::TestWithParam<Case> {};

TEST_P(NumberTest, IsWrittenInDigitsOnce) {
  const PostProcessor english =
      *PostProcessor::ForLanguage("en", {.numbers = NumberFormat::kDigits});
  EXPECT_EQ(english.ApplyToText(GetParam().said), GetParam().written);
  EXPECT_EQ(english.ApplyToText(GetParam().written), GetParam().written);
}

INSTANTIATE_TEST_SUITE_P(
    Cardinals, NumberTest,
    ::testing::Values(
        Case{"One hundred and twenty three people came.", "123 people came."},
        Case{"one thousand two hundred", "1,200"}, Case{"twelve thousand", "12,000"},
        Case{"a hundred and fifty", "150"}, Case{"A thousand and one nights", "1,001 nights"},
        Case{"twelve hundred people", "1200 people"},
        Case{"We raised three million, or two point five billion.",
             "We raised 3 million, or 2.5 billion."},
        Case{"one million two hundred thirty four thousand five hundred sixty seven", "1,234,567"},
        Case{"one thousand, two hundred and five", "1,205"},
        Case{"three thousand, four of them", "3,000, four of them"},
        Case{"two hundred thousand", "200,000"}, Case{"a hundred thousand years", "100,000 years"},
        Case{"three hundred and sixty five days", "365 days"}, Case{"ten of clubs", "10 of clubs"},
        Case{"Twenty-two or twenty-three.", "22 or 23."},
        Case{"a twenty-five-year-old man and a ten-year-old",
             "a 25-year-old man and a 10-year-old"},
        Case{"sixty-five-mile-an-hour winds", "65-mile-an-hour winds"},
        Case{"He has twenty. Five of them are new.", "He has 20. Five of them are new."},
        Case{"twenty, thirty", "20, 30"},
        Case{"\"Twenty five,\" he said, \"or (thirty two).\"", "\"25,\" he said, \"or (32).\""},
        Case{"5 hundred and 20 thousand", "500 and 20,000"},
        Case{"twenty oh my god", "20 oh my god"},
        Case{"Catch twenty two. The Fortune five hundred.", "Catch 22. The Fortune 500."},
        Case{"ten twenty thirty forty", "10 20 30 40"}, Case{"twenty four seven", "24/7"},
        Case{"fifty-fifty", "50-50"}, Case{"thirty-three-four", "33-4"},
        Case{"nine eleven changed everything", "9/11 changed everything"},
        Case{"twenty-twenty vision", "20/20 vision"},
        Case{"about one hundred and fifty to two hundred people", "about 150 to 200 people"}));

INSTANTIATE_TEST_SUITE_P(
    Fractions, NumberTest,
    ::testing::Values(Case{"two point five", "2.5"}, Case{"zero point zero one", "0.01"},
                      Case{"three point one four one five nine", "3.14159"},
                      Case{"one hundred and twenty three point four five", "123.45"},
                      Case{"two point twenty five", "2.25"}, Case{"two point oh", "2.0"},
                      Case{"version two point five point one", "version 2.5.1"},
                      Case{"ten and a half years", "10.5 years"},
                      Case{"two and a half million", "2.5 million"}));

INSTANTIATE_TEST_SUITE_P(
    Ordinals, NumberTest,
    ::testing::Values(
        Case{"My twenty-first birthday", "My 21st birthday"},
        Case{"the one hundred and first time", "the 101st time"},
        Case{"For the twentieth time, and the tenth", "For the 20th time, and the 10th"},
        Case{"the twenty second clip", "the 22nd clip"},
        Case{"a twenty second clip", "a 20 second clip"},
        Case{"produced in the fifteenth century", "produced in the 15th century"},
        Case{"twenty-first-century ideas", "21st-century ideas"},
        Case{"March third, May fifth, January the first", "March 3rd, May 5th, January the 1st"},
        Case{"the fourth of July and the third time", "the 4th of July and the third time"},
        Case{"June fourteenth two thousand and six", "June 14th 2006"}));

INSTANTIATE_TEST_SUITE_P(
    Years, NumberTest,
    ::testing::Values(
        Case{"nineteen eighty four", "1984"},
        Case{"In twenty twenty six, everything changed.", "In 2026, everything changed."},
        Case{"IN EIGHTEEN THIRTEEN", "IN 1813"}, Case{"nineteen oh five", "1905"},
        Case{"nineteen hundred and five", "1905"}, Case{"two thousand and nineteen", "2019"},
        Case{"in two thousand we had two thousand people", "in 2000 we had 2,000 people"},
        Case{"In nineteen twenty, and in fifteen sixteen.", "In 1920, and in 1516."},
        Case{"the nineteen eighties and the twenties", "the 1980s and the twenties"},
        Case{"eighteen hundreds, twenty tens", "1800s, 2010s"},
        Case{"nineteen eighty-four's best", "1984's best"},
        Case{"from nineteen thirty nine to nineteen forty five", "from 1939 to 1945"},
        Case{"March three twenty twenty six", "March 3 2026"}, Case{"in ten sixty six", "in 1066"},
        Case{"The twenty first of May nineteen eighty four was a Monday.",
             "The 21st of May 1984 was a Monday."}));

INSTANTIATE_TEST_SUITE_P(
    Units, NumberTest,
    ::testing::Values(
        Case{"About ten percent of them, or five per cent, left.",
             "About 10% of them, or 5%, left."},
        Case{"one and a half percent, a hundred percent", "1.5%, 100%"},
        Case{"point five percent, and by point two five percent", "0.5%, and by 0.25%"},
        Case{"at this point five percent", "at this point 5%"},
        Case{"It costs five dollars and twenty cents.", "It costs $5.20."},
        Case{"one dollar and one cent, twenty dollars fifty", "$1.01, $20.50"},
        Case{"three million dollars and two euros", "$3 million and \u20AC2"},
        Case{"five hundred thousand dollars", "$500,000"}, Case{"two and a half dollars", "$2.50"},
        Case{"two and a half million dollars", "$2.5 million"},
        Case{"a five dollar bill", "a $5 bill"}, Case{"a million dollars", "$1 million"},
        Case{"five or six million dollars", "$5 or $6 million"},
        Case{"one or two percent, twenty to thirty dollars", "1 or 2%, $20 to $30"},
        Case{"5 million dollars, 50 percent and 20 dollars", "$5 million, 50% and $20"},
        Case{"fifty cents", "50 cents"},
        Case{"he said \"five dollars.\" And left", "he said \"$5.\" And left"}));

INSTANTIATE_TEST_SUITE_P(Times, NumberTest,
                         ::testing::Values(Case{"We meet at five thirty p.m. tomorrow.",
                                                "We meet at 5:30 p.m. tomorrow."},
                                           Case{"eleven thirty pm, eight a.m.", "11:30 pm, 8 a.m."},
                                           Case{"at ten oh five a.m. sharp", "at 10:05 a.m. sharp"},
                                           Case{"We meet at five thirty.", "We meet at 5:30."},
                                           Case{"until ten thirty tonight", "until 10:30 tonight"},
                                           Case{"nine o'clock", "9 o'clock"},
                                           Case{"one or two p.m.", "1 or 2 p.m."}));

INSTANTIATE_TEST_SUITE_P(
    DigitsOneByOne, NumberTest,
    ::testing::Values(Case{"Call five five five, one two three four, now.", "Call 555, 1234, now."},
                      Case{"five five five oh one nine nine", "5550199"},
                      Case{"nine one one. Two people, one two", "911. Two people, one two"},
                      Case{"nine one one, two people", "911, two people"},
                      Case{"double oh seven", "007"},
                      Case{"one eight hundred five five five one two one two", "1 800 5551212"},
                      Case{"Nine one one, what's your emergency?", "911, what's your emergency?"},
                      Case{"oh two oh seven nine four six oh nine five eight", "02079460958"},
                      Case{"my zip code is nine oh two one oh", "my zip code is 90210"}));

INSTANTIATE_TEST_SUITE_P(
    SmallNumbersThatAreMeant, NumberTest,
    ::testing::Values(
        Case{"Chapter three, page forty two, room three twelve.", "Chapter 3, page 42, room 312."},
        Case{"flight two four", "flight 24"},
        Case{"It was minus five degrees outside.", "It was -5 degrees outside."},
        Case{"Negative two is not a negative one.", "-2 is not a negative one."},
        Case{"from twenty to minus five", "from 20 to -5"},
        Case{"Two plus two equals four.", "2 plus 2 equals 4."},
        Case{"five to twelve people", "5 to 12 people"},
        Case{"between one and ten, between one and two", "between 1 and 10, between one and two"},
        Case{"on a scale of one to ten", "on a scale of 1 to 10"}));

class SameTest : public ::testing::TestWithParam<const char*> {};

TEST_P(SameTest, StaysInWords) {
  const PostProcessor english =
      *PostProcessor::ForLanguage("en", {.numbers = NumberFormat::kDigits});
  EXPECT_EQ(english.ApplyToText(GetParam()), GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Sentences, SameTest,
    ::testing::Values(
        "One of them said no one knew; for one thing, it was late.",
        "5 million people paid $20 each on the 3rd, at 5:30, in 1,000 places.",
        "People look, but no one ever finds it.", "Just one second, please. I second that.",
        "six spoons of fresh snow peas, five thick slabs",
        "a hundred people, a million times, half a million",
        "thousands of people, several hundred cats, a few hundred thousand dollars",
        "two or three hundred people, ten to fifteen thousand",
        "He's five foot ten. She is six feet one.", "twenty to five, ten past six, half past five",
        "two thirds, one hundredth of a second, a tenth of it",
        "She's in her twenties, the roaring twenties", "one two three four",
        "two fifty, seven forty seven, eleven thirty, fifteen twenty minutes",
        "twenty thirty people", "nineteen ninety nine dollars", "five dollars' worth",
        "everyone minus one person", "We have a plus one.", "the first, the second, and the third",
        "Henry the Eighth, Louis the Fourteenth", "At one point five people were there.",
        "I was number two twenty years ago", "May I have two? March on one by one.",
        "oh my god, five oh my god", "I have two cents", "eight am I",
        "mid-nineteen-eighties, two-thirds, one-time, two-year-old"));

class FormulaTest : public ::testing::TestWithParam<Case> {};

TEST_P(FormulaTest, ArithmeticBecomesSigns) {
  const PostProcessor english =
      *PostProcessor::ForLanguage("en", {.numbers = NumberFormat::kFormulas});
  EXPECT_EQ(english.ApplyToText(GetParam().said), GetParam().written);
}

INSTANTIATE_TEST_SUITE_P(
    Sentences, FormulaTest,
    ::testing::Values(Case{"Two plus two equals four.", "2 + 2 = 4."},
                      Case{"ten minus twenty five equals minus fifteen", "10 - 25 = -15"},
                      Case{"three times five divided by two", "3 \u00D7 5 \u00F7 2"},
                      Case{"two point five multiplied by a hundred and one", "2.5 \u00D7 101"},
                      Case{"5 plus 5 equals ten", "5 + 5 = 10"},
                      Case{"Two. Plus two.", "Two. Plus two."},
                      Case{"three times a day, plus one", "three times a day, plus one"},
                      Case{"all men are equals", "all men are equals"}));

TEST(NumberTest, AScaleThatNothingContinuesKeepsItsPlace) {
  const PostProcessor english =
      *PostProcessor::ForLanguage("en", {.numbers = NumberFormat::kDigits});
  const std::vector<std::string> words = {"a", "million", "one", "one", "five"};
  const std::vector<PostWord> written = english.Apply(words);
  ASSERT_EQ(written.size(), 3U);
  EXPECT_EQ(written[1].text, "million");
  EXPECT_EQ(written[2].text, "115");
  EXPECT_EQ(written[2].first, 2U);
  EXPECT_EQ(english.ApplyToText("hundred one one five"), "hundred 115");
}

TEST(NumberTest, AsSpokenChangesNothing) {
  const PostProcessor english = *PostProcessor::ForLanguage("en", {.fillers = FillerFilter::kDrop});
  EXPECT_EQ(english.ApplyToText("um twenty five"), "twenty five");
}

}  // namespace
}  // namespace lethe
