#pragma once

// Segments cut into lines for subtitles, as the cloud API's two interfaces for recordings promise
// them (contract, sections 3.1 and 8).

#include <vector>

#include "service/transcript.h"
#include "text/post_processor.h"

namespace lethe {

/// Cuts a transcript's segments behind words that end in punctuation, and before a line would hold
/// more than `max_length` characters (0: never); a longer word is a line by itself. Then takes the
/// punctuation away that shall not be there, where the language has rules for that; a line of which
/// nothing is left disappears.
///
/// A full stop is no end where the sentence goes on: in "Mr. Dashwood", "J. Austen", "5 p.m. we
/// left". Segments whose words are not in their text, in their order, stay whole. The first line
/// of a segment begins with it, and the last ends with it.
///
/// Units: characters of Unicode, blanks between words and punctuation too
std::vector<Segment> CutIntoLines(const Transcript& transcript, int max_length,
                                  PunctuationFilter punctuation);

}  // namespace lethe
