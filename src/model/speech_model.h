#pragma once

// What the engine knows of a speech model, whatever its family: it encodes an utterance, then says
// token by token how likely each piece of text is next.

#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "base/status.h"
#include "base/units.h"
#include "kernels/kernels.h"
#include "model/tokenizer.h"

namespace lethe {

struct ModelTraits {
  int vocabulary = 0;
  int begin_token = 0;
  int end_token = 0;
  int max_tokens = 0;                // positions the decoder has, the begin token included
  int frame_samples = 0;             // samples from one encoder frame to the next
  SampleIndex max_samples = 0;       // the longest utterance Encode() takes
  double max_tokens_per_second = 0;  // above this rate greedy decoding is repeating itself
};

/// Sees the numbers of a named stage ("encoder.stem", "decoder.block.3"): for comparison with a
/// reference. Shapes: values [rows, columns].
using StageProbe =
    std::function<void(std::string_view stage, std::span<const float> values, int columns)>;

/// The working memory of one utterance on its way through a model. It grows to the longest
/// utterance it has seen; after Encode(), the token loop allocates nothing.
///
/// Thread: one at a time; any number of states may share a model
class SpeechModelState {
 public:
  virtual ~SpeechModelState() = default;

  /// Encodes an utterance and forgets the one before.
  ///
  /// Shapes: samples [n] f32, n >= 1
  /// Units:  16 kHz mono in [-1, 1]
  virtual void Encode(std::span<const float> samples) = 0;

  /// Appends a token and returns the logits of the next one. The first token is the begin token.
  ///
  /// Shapes:   -> [vocabulary], valid until the next call; the caller may change it
  /// Errors:   none; more than max_tokens steps are our bug and CHECK
  virtual std::span<float> Step(int token) = 0;

  /// Encoder frames of the utterance.
  virtual int num_frames() const = 0;

  /// Where the decoder looked in the last Step().
  /// Shapes: -> [num_frames], non-negative, mean over heads; only if RecordAttention(true)
  virtual std::span<const float> Attention() const = 0;
  virtual void RecordAttention(bool record) = 0;

  virtual void SetProbe(StageProbe probe) = 0;
};

/// A loaded model; constant, shared by all.
class SpeechModel {
 public:
  virtual ~SpeechModel() = default;
  virtual const ModelTraits& traits() const = 0;
  virtual const Tokenizer& tokenizer() const = 0;
  virtual const KernelTable& kernels() const = 0;
  virtual std::unique_ptr<SpeechModelState> NewState() const = 0;
};

}  // namespace lethe
