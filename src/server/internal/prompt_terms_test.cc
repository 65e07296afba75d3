// Goal: a prompt gives the names and terms in it, and no everyday words. Method: prompts as people
// write them.

#include "server/internal/prompt_terms.h"

#include <gmock/gmock.h>

namespace lethe::server_internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(PromptTermsTest, ListsGiveTheirPieces) {
  EXPECT_THAT(TermsOfPrompt("ZyntriQix, Digique Plus, CynapseFive, etcd."),
              ElementsAre("ZyntriQix", "Digique Plus", "CynapseFive", "etcd"));
  EXPECT_THAT(TermsOfPrompt("Glossary: Kubernetes; Ana Lopez\nGrafana\n"),
              ElementsAre("Kubernetes", "Ana Lopez", "Grafana"));
  EXPECT_THAT(TermsOfPrompt("Lethe, Lethe, Styx"), ElementsAre("Lethe", "Styx"));
}

TEST(PromptTermsTest, TextsGiveTheirNames) {
  EXPECT_THAT(TermsOfPrompt("The transcript is about OpenAI which makes technology like DALL-E, "
                            "GPT-3, and ChatGPT. People met Ana Lopez in New York."),
              ElementsAre("OpenAI", "DALL-E", "GPT-3", "ChatGPT", "Ana Lopez", "New York"));
  EXPECT_THAT(TermsOfPrompt("Yesterday I met \"Doctor\" Strange, and I'm glad."),
              ElementsAre("Doctor", "Strange"));
}

TEST(PromptTermsTest, EverydayWordsAreNone) {
  EXPECT_THAT(TermsOfPrompt(""), IsEmpty());
  EXPECT_THAT(
      TermsOfPrompt("Umm, let me think like, hmm... Okay, here's what I'm, like, thinking."),
      IsEmpty());
  EXPECT_THAT(TermsOfPrompt("Hello, welcome to my lecture."), IsEmpty());
  EXPECT_THAT(TermsOfPrompt("12, 13, 14"), IsEmpty());
}

TEST(PromptTermsTest, AnyBytesAreSurvivedAndTheirNumberIsBounded) {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "Name" + std::to_string(i) + ", ";
  EXPECT_THAT(TermsOfPrompt(many), SizeIs(kMaxPromptTerms));
  EXPECT_THAT(TermsOfPrompt(std::string(100'000, ',')), IsEmpty());
  EXPECT_THAT(TermsOfPrompt("the " + std::string(50, 'X') + " |\x01 \xff\xfe"), IsEmpty());
}

}  // namespace
}  // namespace lethe::server_internal
