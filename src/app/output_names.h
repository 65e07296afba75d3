#pragma once

// Which file each transcript goes to.

#include <string>
#include <string_view>
#include <vector>

namespace lethe {

/// Names the transcripts of `inputs` in one directory: "talk.mp3" becomes "talk.txt"; where that is
/// taken by an earlier input, "talk.mp3.txt", then "talk.mp3-2.txt" and so on. No two are equal.
/// Standard input ("-") is "stdin".
///
/// Shapes: one name for each input, in their order
std::vector<std::string> OutputNames(const std::vector<std::string>& inputs,
                                     std::string_view extension);

}  // namespace lethe
