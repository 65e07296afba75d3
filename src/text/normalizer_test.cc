// Goal: writings of the same words are equal, writings of different words are not.
// Method: pairs by hand, each for one rule; the normal form itself where it matters.

#include "text/normalizer.h"

#include <gmock/gmock.h>

namespace lethe {
namespace {

using ::testing::IsEmpty;

struct Same {
  const char* one;
  const char* other;
};

class NormalizerSameTest : public ::testing::TestWithParam<Same> {};

TEST_P(NormalizerSameTest, WritingsAreEqual) {
  EXPECT_EQ(NormalizedEnglishText(GetParam().one), NormalizedEnglishText(GetParam().other));
}

INSTANTIATE_TEST_SUITE_P(Signs, NormalizerSameTest,
                         ::testing::Values(Same{"He turned sharply, and faced Gregson.",
                                                "he turned sharply and FACED gregson"},
                                           Same{"a blue-eyed polar bear", "a blue eyed polar bear"},
                                           Same{"beauty\u2019s rose", "beauty's rose"},
                                           Same{"caf\u00E9 na\u00EFve", "cafe naive"},
                                           Same{"cafe\u0301", "cafe"},
                                           Same{"wait\u2026 what \u2014 no", "wait what no"},
                                           Same{"\u201Cyes\u201D", "yes"},
                                           Same{"salt & pepper", "salt and pepper"},
                                           Same{"[laughter] thank you (music)", "thank you"},
                                           Same{"so, um, hmm, I uh think", "so I think"},
                                           Same{"\uFF21\uFF22\uFF23 \uFB01re", "abc fire"}));

INSTANTIATE_TEST_SUITE_P(
    Contractions, NormalizerSameTest,
    ::testing::Values(Same{"don't", "do not"}, Same{"won't", "will not"}, Same{"can't", "cannot"},
                      Same{"we'll see", "we will see"}, Same{"they've", "they have"},
                      Same{"she's been away", "she has been away"}, Same{"it's you", "it is you"},
                      Same{"I'd been", "I had been"}, Same{"I'd go", "I would go"},
                      Same{"wouldn't've", "would not have"}, Same{"let's", "let us"},
                      Same{"I'm gonna go", "I am going to go"}, Same{"Mr. Smith", "mister Smith"},
                      Same{"Mrs. Lincoln", "missus lincoln"}, Same{"Dr Who", "doctor who"}));

INSTANTIATE_TEST_SUITE_P(
    Numbers, NormalizerSameTest,
    ::testing::Values(
        Same{"Twenty-two or twenty-three.", "22 or 23"}, Same{"zero", "0"},
        Same{"one thousand", "1,000"}, Same{"IN EIGHTEEN THIRTEEN", "in 1813"},
        Same{"nineteen eighty four", "1984"}, Same{"twenty twenty", "2020"},
        Same{"two thousand and nineteen", "2019"}, Same{"three hundred and five", "305"},
        Same{"two hundred thousand", "200,000"}, Same{"one hundred twenty three", "123"},
        Same{"one million two hundred thirty four thousand five hundred sixty seven", "1,234,567"},
        Same{"2.5 million", "2500000"}, Same{"5 thousand", "five thousand"},
        Same{"one two three", "1 2 3"}, Same{"one oh five", "105"}, Same{"double seven", "77"},
        Same{"555-1234", "five five five one two three four"}, Same{"one point five", "1.5"},
        Same{"three point one four", "3.14"}, Same{"two and a half", "2.5"},
        Same{"the first and the twenty first", "the 1st and the 21st"}, Same{"eleventh", "11th"},
        Same{"the hundredth", "the 100th"}, Same{"the nineteen eighties", "the 1980s"},
        Same{"ten percent", "10%"}, Same{"ten per cent", "10 %"}, Same{"five dollars", "$5"},
        Same{"$5.20", "five dollars and twenty cents"}, Same{"$1 million", "one million dollars"},
        Same{"nine o'clock", "9:00"}, Same{"nine thirty", "9:30"}, Same{"9 a.m.", "nine am"},
        Same{"9:00 p.m.", "9 pm"}, Same{"minus five", "-5"}, Same{"5pm", "five pm"}));

INSTANTIATE_TEST_SUITE_P(
    Spellings, NormalizerSameTest,
    ::testing::Values(Same{"favourite colours", "favorite colors"},
                      Same{"dishonourable", "dishonorable"}, Same{"organisation", "organization"},
                      Same{"recognised", "recognized"}, Same{"travelled", "traveled"},
                      Same{"theatre", "theater"}, Same{"archaeological", "archeological"},
                      Same{"the grey cheque", "the gray check"}, Same{"marvellous", "marvelous"},
                      Same{"analysed", "analyzed"}, Same{"OK", "okay"}));

struct Different {
  const char* one;
  const char* other;
};

class NormalizerDifferentTest : public ::testing::TestWithParam<Different> {};

TEST_P(NormalizerDifferentTest, WordsStayApart) {
  EXPECT_NE(NormalizedEnglishText(GetParam().one), NormalizedEnglishText(GetParam().other));
}

INSTANTIATE_TEST_SUITE_P(Words, NormalizerDifferentTest,
                         ::testing::Values(Different{"blacklist", "black list"},
                                           Different{"two", "to"}, Different{"their", "there"},
                                           Different{"oh mother", "zero mother"},
                                           Different{"fifteen", "fifty"}, Different{"first", "one"},
                                           Different{"1.5", "15"}, Different{"advise", "advice"},
                                           Different{"hour", "or"},
                                           Different{"ten dollars", "ten cents"},
                                           Different{"the cat", "cat"}, Different{"four", "for"}));

TEST(NormalizerTest, NormalFormIsWhatTheFieldWrites) {
  EXPECT_EQ(NormalizedEnglishText("Twenty-two of Mr. Smith's colours cost $1,000.50!"),
            "22 of mister smith is colors cost $1000.50");
  EXPECT_EQ(NormalizedEnglishText("The second of three hundred and the rest"),
            "the 2nd of 300 and the rest");
}

TEST(NormalizerTest, NormalFormIsItsOwnNormalForm) {
  for (const char* text : {"At nine o'clock he'd been paid five dollars and six cents.",
                           "The twenty-first of 1,000,000 clubs", "What's the weather like?"}) {
    const std::string once = NormalizedEnglishText(text);
    EXPECT_EQ(NormalizedEnglishText(once), once);
  }
}

TEST(NormalizerTest, TextWithoutWordsHasNone) {
  EXPECT_THAT(NormalizeEnglish(""), IsEmpty());
  EXPECT_THAT(NormalizeEnglish(" .,!?- \u2026 ' % $ "), IsEmpty());
  EXPECT_THAT(NormalizeEnglish("um, uh-hmm. [noise]"), IsEmpty());
}

TEST(NormalizerTest, OtherScriptsAreKept) {
  EXPECT_EQ(NormalizedEnglishText("\u041C\u0438\u0440, \u4F60\u597D"),
            "\u043C\u0438\u0440 \u4F60\u597D");
}

TEST(NormalizerTest, BytesThatAreNoTextDoNoHarm) {
  EXPECT_EQ(NormalizedEnglishText("a\xFF\xC0 b\xE2\x82"), "a b");
  EXPECT_EQ(NormalizedEnglishText(std::string("a\0b", 3)), "a b");
  NormalizeEnglish(std::string(100'000, '('));
  NormalizeEnglish(std::string(100'000, '9'));
  std::string hundreds;
  for (int i = 0; i < 10'000; ++i) hundreds += "nine hundred million trillion ";
  NormalizeEnglish(hundreds);
}

}  // namespace
}  // namespace lethe
