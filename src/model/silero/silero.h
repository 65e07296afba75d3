#pragma once

// Silero voice activity detection, version 5 and 6, at 16 kHz: a window of 512 samples (32 ms) with
// the 64 before it goes through a short-time Fourier transform, four convolutions and an LSTM cell.
//
// Source: shapes and weights from the published ONNX file (snakers4/silero-vad, MIT), imported by
//         model/importer.h.

#include <memory>
#include <string>

#include "base/status.h"
#include "kernels/kernels.h"
#include "model/voice_activity.h"

namespace lethe {

/// Maps an imported Silero file and makes it ready to run with `kernels`.
/// Errors: kNotFound, kPermissionDenied for the file; kDataLoss for one that is damaged or another
/// model
Result<std::shared_ptr<const VoiceActivityModel>> LoadSilero(const std::string& path,
                                                             const KernelTable& kernels);

}  // namespace lethe
