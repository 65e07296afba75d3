#pragma once

// The stages of transcribing an utterance, seen from the model.

#include <functional>
#include <span>
#include <utility>

#include "tests/support/scripted_model.h"

namespace lethe {

/// How far one utterance of the made-up model has come.
enum class Stage {
  kNone,
  kEncoding,
  kGreedy,
  kEncodingAgain,
  kComparing,  // what the second hearing would write
  kWaiting,    // for a joint search
  kJoint,
  kWriting,  // what the joint search found
  kTrials,   // of hot words
  kReview,   // of words, for their times
};

/// Follows one sentence, heard once at a time, through the made-up model by what the model is given
/// to do.
class StageWatch {
 public:
  /// Has the model's hooks while it lives, which has to be longer than anything that was made of
  /// the model meanwhile; `on_stage` is called on the thread of who works, before the work of a
  /// stage, and may be empty.
  StageWatch(ScriptedModel* model, int sentence, std::function<void(Stage)> on_stage = {})
      : model_(model), sentence_(sentence), on_stage_(std::move(on_stage)) {
    model->on_layer = [this](const ScriptedSequence& sequence) {
      if (sequence.sentence != sentence_) return;
      stage_ = sequence.again ? Stage::kEncodingAgain : Stage::kEncoding;
      if (on_stage_) on_stage_(stage_);
    };
    model->on_pass = [this](std::span<const DecoderRow> rows) {
      if (See(rows) && on_stage_) on_stage_(stage_);
    };
  }

  ~StageWatch() { model_->on_layer = nullptr, model_->on_pass = nullptr; }
  StageWatch(const StageWatch&) = delete;
  StageWatch& operator=(const StageWatch&) = delete;

  Stage stage() const { return stage_; }

 private:
  // Whether it has to do with the sentence.
  bool See(std::span<const DecoderRow> rows) {
    int first = 0, second = 0, held = 0;
    bool begins = false;
    for (const DecoderRow& row : rows) {
      const auto& sequence = static_cast<const ScriptedSequence&>(*row.sequence);
      if (sequence.sentence != sentence_) continue;
      ++(sequence.again ? second : first);
      if (!sequence.again) continue;
      held = sequence.num_tokens();
      begins = begins || row.token == ScriptedModel::kBegin;
    }
    if (first + second == 0) {
      if (stage_ != Stage::kComparing) return false;
      stage_ = Stage::kWaiting;
    } else if (first > 0) {
      stage_ = second > 0 ? Stage::kJoint : Stage::kGreedy;
    } else if (begins && stage_ == Stage::kEncodingAgain) {
      stage_ = Stage::kComparing;
    } else if (begins) {
      stage_ = stage_ == Stage::kJoint ? Stage::kWriting : Stage::kReview;
    } else if (written_ && stage_ != Stage::kReview) {
      stage_ = Stage::kTrials;
    }
    if (stage_ == Stage::kWriting) {
      written_ = held + second == 1 + ScriptedModel::NumWords(sentence_);
    }
    return true;
  }

  ScriptedModel* const model_;
  const int sentence_;
  const std::function<void(Stage)> on_stage_;
  Stage stage_ = Stage::kNone;
  bool written_ = false;
};

}  // namespace lethe
