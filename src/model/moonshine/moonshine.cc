#include "model/moonshine/moonshine.h"

#include <utility>

#include "model/moonshine/internal/worker.h"

namespace lethe {
namespace {

constexpr int kFrameSamples = 384;
// The longest utterance the tables are made for. Moonshine was trained on 4 to 30 seconds.
constexpr int kMaxSeconds = 64;

class Moonshine final : public SpeechModel {
 public:
  Moonshine(SafetensorsFile file, moonshine::Weights weights, Tokenizer tokenizer,
            const KernelTable& kernels, Frames frames)
      : file_(std::move(file)),
        weights_(std::move(weights)),
        tokenizer_(std::move(tokenizer)),
        kernels_(kernels),
        rotary_(weights_.inverse_frequency,
                std::max(kMaxSeconds * kSampleRate / kFrameSamples, weights_.config.max_positions)),
        merges_frames_(frames == Frames::kMerged) {
    traits_.vocabulary = weights_.config.vocabulary;
    traits_.begin_token = weights_.config.begin;
    traits_.end_token = weights_.config.end;
    traits_.max_tokens = weights_.config.max_positions;
    traits_.frame_samples = kFrameSamples;
    traits_.max_samples = SampleIndex{kMaxSeconds} * kSampleRate;
    // The model card's guard for languages in Latin script.
    traits_.max_tokens_per_second = 6.5;
  }

  const ModelTraits& traits() const override { return traits_; }
  const Tokenizer& tokenizer() const override { return tokenizer_; }
  const KernelTable& kernels() const override { return kernels_; }
  std::unique_ptr<SpeechSequence> NewSequence() const override {
    return std::make_unique<moonshine::Sequence>();
  }
  std::unique_ptr<SpeechModelWorker> NewWorker() const override {
    return std::make_unique<moonshine::Worker>(weights_, kernels_, rotary_, merges_frames_);
  }

 private:
  SafetensorsFile file_;
  moonshine::Weights weights_;
  Tokenizer tokenizer_;
  const KernelTable& kernels_;
  moonshine::RotaryTable rotary_;
  const bool merges_frames_;
  ModelTraits traits_;
};

Result<std::shared_ptr<const SpeechModel>> MakeModel(SafetensorsFile file,
                                                     const KernelTable& kernels, Frames frames) {
  ASSIGN_OR_RETURN(moonshine::Weights weights, moonshine::ViewWeights(file));
  ASSIGN_OR_RETURN(Tokenizer tokenizer, Tokenizer::Load(file, weights.config.vocabulary));
  return std::shared_ptr<const SpeechModel>(std::make_shared<Moonshine>(
      std::move(file), std::move(weights), std::move(tokenizer), kernels, frames));
}

}  // namespace

Result<std::shared_ptr<const SpeechModel>> LoadMoonshine(const std::string& path,
                                                         const KernelTable& kernels,
                                                         Frames frames) {
  ASSIGN_OR_RETURN(SafetensorsFile file, SafetensorsFile::Load(path));
  auto model = MakeModel(std::move(file), kernels, frames);
  if (!model.ok()) return model.status().WithContext(path);
  return model;
}

}  // namespace lethe
