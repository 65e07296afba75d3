#pragma once

// Voice activity detection of quiet speech.

#include <memory>

#include "kernels/kernels.h"
#include "model/voice_activity.h"

namespace lethe {

/// Hears a stream through `detector`, and raises what is far below the level of ordinary speech
/// first. Ordinary speech is heard as it is, but for its first 64 ms behind quiet.
///
/// What counts is the loudest speech so far, less 20 dB for each second since: between the words of
/// somebody who speaks up, what is far away is not raised; who answers far away behind a pause is.
/// Noise is raised so far only that speech still stands out.
///
/// Windows are the detector's, which have to have 512 samples.
///
/// Thread: any; `kernels` has to outlive what was made
std::shared_ptr<const VoiceActivityModel> WithAutomaticGain(
    std::shared_ptr<const VoiceActivityModel> detector, const KernelTable& kernels);

}  // namespace lethe
