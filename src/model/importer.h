#pragma once

// Other containers into ours: the bytes of a model file out of what its makers publish.
//
// The result depends on the input alone, so the same source always gives the same file.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace lethe {

/// Imports Moonshine from its ONNX pair (8-bit, per tensor) and the vocabulary in
/// llama-tokenizer.js. Errors: kDataLoss, naming the node, tensor or file that is not as expected
Result<std::vector<std::byte>> ImportMoonshineOnnx(std::span<const std::byte> encoder,
                                                   std::span<const std::byte> decoder,
                                                   std::string_view llama_tokenizer_js);

/// Imports the 16 kHz half of Silero voice activity detection, version 5 or 6.
/// Errors: kDataLoss
Result<std::vector<std::byte>> ImportSileroOnnx(std::span<const std::byte> model);

/// Imports a Hugging Face directory of a Moonshine model (tiny, base or one of that shape):
/// config.json, model.safetensors in F32, F16 or BF16, tokenizer.json. Weights are quantised here,
/// per output. Errors: kNotFound for a missing file; kDataLoss for one that is not as expected;
/// kUnimplemented
///         for another kind of model
Result<std::vector<std::byte>> ImportHuggingFace(const std::string& directory);

}  // namespace lethe
