#pragma once

// Hot words for a model: what StreamOptions::hot_words takes.

#include "decode/hot_words.h"
#include "model/tokenizer.h"

namespace lethe {

/// What hot words need of a model's tokenizer. Visits the whole vocabulary (some milliseconds):
/// worth keeping where lists come one after the other. Borrows nothing.
TokenCodec MakeTokenCodec(const Tokenizer& tokenizer);

}  // namespace lethe
