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

/// One utterance inside a model: what the decoder attends to, and the tokens it has taken. It grows
/// to the longest utterance it has seen.
///
/// Thread: one at a time
class SpeechSequence {
 public:
  virtual ~SpeechSequence() = default;

  /// Encoder frames of the utterance.
  virtual int num_frames() const = 0;
  /// Tokens taken so far.
  virtual int num_tokens() const = 0;
  /// Forgets all tokens but the first `num_tokens`.
  virtual void Truncate(int num_tokens) = 0;
  /// Becomes a copy of a sequence of the same model: of its tokens, and sharing its utterance,
  /// which is not copied. Both may then go their own ways, on one thread.
  virtual void CopyFrom(const SpeechSequence& other) = 0;
};

/// One token for one sequence, in a pass of the decoder.
struct DecoderRow {
  SpeechSequence* sequence = nullptr;
  int token = 0;
  // Whether every logit is wanted exactly. Otherwise those that are hardly the largest may be near
  // only, for a third of the output layer's time.
  bool every_logit = false;
  // A token that may not come next, or -1: its logit is far below all, and the largest that of
  // another.
  int forbidden = -1;
  // A token whose logit is exact wherever it stands, or -1.
  int wanted = -1;
  // Whether this and the row before are the same tokens in two hearings, of whose logits the mean
  // is wanted: this row has it, the one before has none.
  bool joint = false;
};

/// The working memory of one thread: takes utterances through the encoder layer by layer, and any
/// number of sequences through the decoder together. What a row gives does not depend on the rows
/// beside it, to the last bit.
///
/// Thread: one at a time; any number of workers may share a model
class SpeechModelWorker {
 public:
  /// Rows that Step() takes at most.
  static constexpr int kMaxRows = 40;

  virtual ~SpeechModelWorker() = default;

  /// Begins to encode an utterance into `sequence`, which forgets the one before. Any number of
  /// sequences may be half encoded at a time, with Step() for others in between.
  ///
  /// Shapes: samples [n] f32, 1 <= n <= max_samples; not needed any more afterwards
  /// Units:  16 kHz mono in [-1, 1]
  virtual void BeginEncode(std::span<const float> samples, SpeechSequence* sequence) = 0;

  /// Encodes one layer further; false when `sequence` is complete and Step() may take it. The
  /// longest utterance takes some milliseconds a layer, which is how long anything more urgent
  /// waits.
  virtual bool EncodeMore(SpeechSequence* sequence) = 0;

  /// Encodes an utterance to the end.
  void Encode(std::span<const float> samples, SpeechSequence* sequence) {
    BeginEncode(samples, sequence);
    while (EncodeMore(sequence)) {
    }
  }

  /// Appends a token to each row's sequence, row after row, and computes what comes after each.
  /// Several rows of one sequence are tokens that follow each other: a draft is verified in one
  /// pass. A sequence's first token is the begin token. Allocates nothing once its buffers have
  /// grown.
  ///
  /// Errors: none; more than kMaxRows rows or more than max_tokens tokens are our bug and CHECK
  virtual void Step(std::span<const DecoderRow> rows) = 0;

  /// The logits after a row of the last Step(); the caller may change them. The largest is exact,
  /// and what is nearly as large; the others are if the row asked for it.
  /// Shapes: -> [vocabulary]
  /// Errors: a row whose logits the next one has is our bug and CHECKs
  virtual std::span<float> Logits(int row) = 0;

  /// Where the decoder looked in a row of the last Step(), if RecordAttention(true).
  /// Shapes: -> [num_frames of its sequence], non-negative, mean over the heads of those
  /// layers that look where the word is
  virtual std::span<const float> Attention(int row) const = 0;
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
  virtual std::unique_ptr<SpeechSequence> NewSequence() const = 0;
  virtual std::unique_ptr<SpeechModelWorker> NewWorker() const = 0;
};

}  // namespace lethe
