#include "engine/engine.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <utility>

#include <sched.h>

#include "engine/internal/live_session.h"
#include "engine/internal/recording_queue.h"
#include "engine/internal/recording_stream.h"
#include "engine/internal/shard.h"
#include "model/speech_model.h"
#include "model/voice_activity.h"

namespace lethe {
namespace {

int UsableCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

Status CheckRange(std::string_view what, Millis value, Millis least, Millis most) {
  if (value >= least && value <= most) return OkStatus();
  return InvalidArgument(std::string(what) + " must be between " + std::to_string(least.count()) +
                         " and " + std::to_string(most.count()) +
                         " ms: " + std::to_string(value.count()));
}

Status CheckAlternatives(int alternatives) {
  if (alternatives >= 0 && alternatives <= kMaxAlternatives) return OkStatus();
  return InvalidArgument("the number of alternatives must be between 0 and " +
                         std::to_string(kMaxAlternatives) + ": " + std::to_string(alternatives));
}

Status CheckOptions(const LiveOptions& options) {
  RETURN_IF_ERROR(CheckAlternatives(options.alternatives));
  RETURN_IF_ERROR(CheckRange("the silence that ends an utterance", options.trailing_silence,
                             Millis{200}, Millis{5'000}));
  RETURN_IF_ERROR(
      CheckRange("the longest utterance", options.max_utterance, Millis{5'000}, Millis{90'000}));
  RETURN_IF_ERROR(CheckRange("the time from partial to partial", options.partial_interval,
                             Millis{100}, Millis{10'000}));
  if (std::abs(options.noise_threshold) <= 2) return OkStatus();
  return InvalidArgument("the noise threshold must be between -2 and 2: " +
                         std::to_string(options.noise_threshold));
}

// What the caller of a live stream holds.
class LiveHandle final : public LiveStream {
 public:
  LiveHandle(std::shared_ptr<LiveSession> session, std::shared_ptr<void> open,
             std::atomic<std::uint64_t>& heard)
      : session_(std::move(session)), open_(std::move(open)), heard_(heard) {}
  ~LiveHandle() override { session_->Abandon(); }

  Result<std::size_t> PushSamples(std::span<const float> samples) override {
    auto taken = session_->PushSamples(samples);
    if (taken.ok()) heard_ += *taken;
    return taken;
  }
  void SetHotWords(std::shared_ptr<const HotWords> hot_words) override {
    session_->SetHotWords(std::move(hot_words));
  }
  void Finish() override { session_->FinishAudio(); }
  std::vector<StreamEvent> TakeEvents() override { return session_->TakeEvents(); }
  bool complete() const override { return session_->complete(); }

 private:
  const std::shared_ptr<LiveSession> session_;
  const std::shared_ptr<void> open_;
  std::atomic<std::uint64_t>& heard_;  // samples; the engine's
};

}  // namespace

EngineFigures& EngineFigures::operator+=(const EngineFigures& other) {
  live_streams += other.live_streams;
  recordings += other.recordings;
  waiting += other.waiting;
  heard += other.heard;
  busy += other.busy;
  return *this;
}

class Engine::Impl {
 public:
  Impl(std::shared_ptr<const SpeechModel> model,
       std::shared_ptr<const VoiceActivityModel> voice_activity, const EngineOptions& options)
      : model_(std::move(model)), voice_activity_(std::move(voice_activity)), options_(options) {
    LETHE_CHECK(MillisToSamples(options.segmenter.max_length + 2 * options.hearing.silence) +
                    2 * kSampleRate <
                model_->traits().max_samples);
    const int threads = options.num_threads > 0 ? options.num_threads : UsableCores();
    recordings_.SetWakeOne([this] {
      std::any_of(shards_.begin(), shards_.end(),
                  [](const auto& shard) { return shard->WakeIfIdle(); });
    });
    for (int i = 0; i < threads; ++i) {
      shards_.push_back(std::make_unique<Shard>(*model_, options.hearing, recordings_));
    }
  }

  Result<std::unique_ptr<Stream>> Open(const StreamOptions& options) {
    RETURN_IF_ERROR(CheckAlternatives(options.alternatives));
    ASSIGN_OR_RETURN(std::shared_ptr<void> place, TakePlace());
    return std::unique_ptr<Stream>(std::make_unique<RecordingStream>(
        *voice_activity_, options_.segmenter, options, recordings_, heard_, std::move(place)));
  }

  Result<std::unique_ptr<LiveStream>> OpenLive(const LiveOptions& options) {
    RETURN_IF_ERROR(CheckOptions(options));
    ASSIGN_OR_RETURN(std::shared_ptr<void> place, TakePlace());
    // The shard with the fewest; two opened at once may meet there, which does no harm.
    Shard* shard =
        std::min_element(shards_.begin(), shards_.end(), [](const auto& a, const auto& b) {
          return a->num_sessions < b->num_sessions;
        })->get();
    ++shard->num_sessions;
    auto open = std::shared_ptr<void>(
        nullptr, [shard, place = std::move(place)](void*) { --shard->num_sessions; });
    auto session = std::make_shared<LiveSession>(
        *voice_activity_, options_.segmenter, model_->tokenizer(), options,
        [shard](std::shared_ptr<LiveSession> news) { shard->AddNews(std::move(news)); });
    return std::unique_ptr<LiveStream>(
        std::make_unique<LiveHandle>(std::move(session), std::move(open), heard_));
  }

  int num_threads() const { return static_cast<int>(shards_.size()); }

  EngineFigures figures() const {
    EngineFigures figures{
        .waiting = recordings_.waiting(),
        .heard = std::chrono::microseconds(heard_ * 1'000 / (kSampleRate / 1'000))};
    for (const auto& shard : shards_) {
      figures.live_streams += shard->num_sessions;
      figures.busy += shard->busy();
    }
    figures.recordings = std::max(0, num_streams_ - figures.live_streams);
    return figures;
  }

 private:
  // A place among the streams that may be open, given back when the last copy goes.
  Result<std::shared_ptr<void>> TakePlace() {
    if (++num_streams_ > options_.max_streams) {
      --num_streams_;
      return ResourceExhausted("as many streams are open as may be: " +
                               std::to_string(options_.max_streams));
    }
    return std::shared_ptr<void>(nullptr, [this](void*) { --num_streams_; });
  }

  const std::shared_ptr<const SpeechModel> model_;
  const std::shared_ptr<const VoiceActivityModel> voice_activity_;
  const EngineOptions options_;
  std::atomic<int> num_streams_ = 0;
  std::atomic<std::uint64_t> heard_ = 0;  // samples
  RecordingQueue recordings_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

Engine::Engine(std::shared_ptr<const SpeechModel> model,
               std::shared_ptr<const VoiceActivityModel> voice_activity,
               const EngineOptions& options)
    : impl_(std::make_unique<Impl>(std::move(model), std::move(voice_activity), options)) {}

Engine::~Engine() = default;

Result<std::unique_ptr<Stream>> Engine::Open(const StreamOptions& options) {
  return impl_->Open(options);
}

Result<std::unique_ptr<LiveStream>> Engine::OpenLive(const LiveOptions& options) {
  return impl_->OpenLive(options);
}

int Engine::num_threads() const { return impl_->num_threads(); }

EngineFigures Engine::figures() const { return impl_->figures(); }

}  // namespace lethe
