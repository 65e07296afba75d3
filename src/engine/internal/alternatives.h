#pragma once

// What else a segment may have been taken for.

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "decode/beam_search.h"
#include "engine/stream.h"

namespace lethe {

/// Lists an answer and what a beam search found beside it, the answer first and each text once; at
/// most so many. `log_probability` is the answer's, `text` what tokens are written as.
std::vector<Alternative> ListAlternatives(
    const Segment& answer, double log_probability, std::span<const BeamSearch::Hypothesis> found,
    const std::function<std::string(std::span<const int>)>& text, int most);

/// Lists what two stretches of speech may have been, one after the other: the first of both first,
/// then the most probable pairs. A stretch in which nothing was said has an empty list.
std::vector<Alternative> JoinAlternatives(std::span<const Alternative> first,
                                          std::span<const Alternative> second, int most);

}  // namespace lethe
