#pragma once

// The numbers by which the cloud's interfaces choose what is done to a text (contract,
// sections 3.1, 5.1 and 8). The faces read and check them, each in its own way; what they mean is
// said here.

#include "text/post_processor.h"

namespace lethe::server_internal {

/// filter_dirty: 0 keep, 1 drop, 2 mask.
inline ProfanityFilter ContractProfanity(int number) {
  return number == 0   ? ProfanityFilter::kKeep
         : number == 1 ? ProfanityFilter::kDrop
                       : ProfanityFilter::kMask;
}

/// filter_modal: 0 keep, 1 drop, 2 strictly.
inline FillerFilter ContractFillers(int number) {
  return number == 0   ? FillerFilter::kKeep
         : number == 1 ? FillerFilter::kDrop
                       : FillerFilter::kDropStrict;
}

/// filter_punc: 0 keep, 1 drop the last full stop, 2 drop all.
inline PunctuationFilter ContractPunctuation(int number) {
  return number == 0   ? PunctuationFilter::kKeep
         : number == 1 ? PunctuationFilter::kDropFinalStop
                       : PunctuationFilter::kDropAll;
}

/// convert_num_mode: 0 as spoken, 1 digits, 3 formulas too.
inline NumberFormat ContractNumbers(int number) {
  return number == 0   ? NumberFormat::kAsSpoken
         : number == 1 ? NumberFormat::kDigits
                       : NumberFormat::kFormulas;
}

}  // namespace lethe::server_internal
