// Goal:   no words make the post-processor crash, hang or lose its place: the ranges of the result
//         are in order, do not overlap and lie within the input, and doing nothing changes nothing.
// Method: the first byte chooses the options, the rest is a text, cut at spaces.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "text/post_processor.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const int choice = data[0] % 81;
  const lethe::PostOptions options{
      .profanity = static_cast<lethe::ProfanityFilter>(choice % 3),
      .fillers = static_cast<lethe::FillerFilter>(choice / 3 % 3),
      .punctuation = static_cast<lethe::PunctuationFilter>(choice / 9 % 3),
      .numbers = static_cast<lethe::NumberFormat>(choice / 27)};
  std::vector<std::string> words(1);
  for (std::size_t i = 1; i < size; ++i) {
    if (data[i] == ' ') {
      words.emplace_back();
    } else {
      words.back() += static_cast<char>(data[i]);
    }
  }
  const auto processor = lethe::PostProcessor::ForLanguage("en", options);
  const std::vector<lethe::PostWord> result = processor->Apply(words);
  std::size_t at = 0;
  for (const lethe::PostWord& word : result) {
    LETHE_CHECK(at <= word.first && word.first < word.last && word.last <= words.size());
    at = word.last;
  }
  if (options.ChangesNothing()) LETHE_CHECK(result.size() == words.size());
  return 0;
}
