#pragma once

// Moonshine: an encoder over raw samples and a decoder with cross-attention, both with rotary
// positions.
//
// The audio goes through three convolutions (127 samples wide in steps of 64, then 7 by 3, then 3
// by 2: a frame each 384 samples, 24 ms), then through the encoder's blocks. The decoder writes
// tokens, looking at all frames. Weights are 8 bits; activations are quantised row by row on the
// fly, in 16 bits for the first convolution; norms and activations stay in float.
//
// Source: Jeffries et al. 2024, "Moonshine: Speech Recognition for Live Transcription and Voice
//         Commands", arXiv:2410.15608; shapes from the published ONNX files.
// Differs: the ONNX files quantise activations per tensor, we per row; they keep the second and
//          third convolution and the output layer in float, we quantise their activations too. The
//          second convolution goes over sums of its channels where the file has them
//          (model/internal/reduced_convolution.h). Half way through the encoder, and again before
//          its last layer, like neighbours among the frames become one, and about there share
//          layers, unless they are told not to (internal/frame_merging.h).

#include <memory>
#include <string>

#include "base/status.h"
#include "kernels/kernels.h"
#include "model/speech_model.h"

namespace lethe {

enum class Frames { kMerged, kAll };

/// Maps an imported model file (see model/importer.h) and makes it ready to run with `kernels`.
///
/// Errors: kNotFound, kPermissionDenied for the file; kDataLoss for one that is damaged or is no
///         Moonshine model
Result<std::shared_ptr<const SpeechModel>> LoadMoonshine(const std::string& path,
                                                         const KernelTable& kernels,
                                                         Frames frames = Frames::kMerged);

}  // namespace lethe
