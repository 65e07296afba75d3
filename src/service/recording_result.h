#pragma once

// The result of a recording task in the contract's words (sections 3.3 and 4.1): one text with
// times, and a list of sentences with their words.

#include <string>
#include <vector>

#include "service/transcript.h"
#include "store/keyword_libraries.h"
#include "text/post_processor.h"

namespace lethe {

struct RecordingResultOptions {
  int res_text_format = 0;  // 0: the text alone; 1 words without punctuation, 2 with, 3 and lines
                            // cut at punctuation
  int sentence_max_length = 0;  // characters of a line, with format 3; 0: no limit
  // What of it is left in lines: with format 3 the transcript has all of its punctuation.
  PunctuationFilter line_punctuation = PunctuationFilter::kKeep;
  std::vector<KeywordLibrary> keywords;  // whose words are to be found
};

/// A result as it is stored and sent.
struct RecordingResult {
  std::string text;    // "[0:0.020,0:2.380]  ...\n" for each sentence; with channels apart the
                       // channel is a third number in the brackets
  std::string detail;  // a JSON array of SentenceDetail; "null" for format 0
};

RecordingResult MakeRecordingResult(const Transcript& transcript,
                                    const RecordingResultOptions& options);

/// A word without the punctuation around it; an apostrophe or hyphen within stays.
std::string WithoutPunctuation(std::string_view word);

}  // namespace lethe
