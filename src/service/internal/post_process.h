#pragma once

// Where post-processing of text meets the times of words.

#include <vector>

#include "engine/engine.h"
#include "text/post_processor.h"

namespace lethe::internal {

/// Rewrites texts and words of segments; a segment of which nothing is left disappears. A word that
/// stands for several begins with the first of them, ends with the last, and is as sure as they are
/// on (geometric) average. Alternatives are rewritten alike; those that become the same text,
/// or nothing, leave the list. The times of a segment stay: what was left out was said all the
/// same.
void PostProcess(const PostProcessor& processor, std::vector<Segment>* segments);

}  // namespace lethe::internal
