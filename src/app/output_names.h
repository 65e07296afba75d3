#pragma once

// Which file each transcript goes to.

#include <string>
#include <string_view>
#include <vector>

namespace lethe {

/// Names the files for the transcripts of recordings called `names`: "talk.mp3" gets "talk.txt",
/// and "monday/talk.mp3" gets "monday/talk.txt". Recordings that differ in their ending alone keep
/// it
/// ("talk.mp3.txt", "talk.wav.txt"), and what is called alike is numbered ("talk.mp3-2.txt"). No
/// two are equal. Standard input ("-") is "stdin".
///
/// Shapes: one name for each recording, in their order
std::vector<std::string> OutputNames(const std::vector<std::string>& names,
                                     std::string_view extension);

}  // namespace lethe
