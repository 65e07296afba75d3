#include "engine/engine.h"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include <sched.h>

#include "decode/segmenter.h"
#include "engine/internal/utterance_batch.h"
#include "model/speech_model.h"
#include "model/voice_activity.h"

namespace lethe {
namespace {

// Segments of one stream that may wait for a worker or be with one: enough to fill the batches of
// two. At 14 s and 16 kHz each holds 0.9 MB, so a reader that is faster than the workers costs some
// megabytes, not the length of the recording.
constexpr std::size_t kMaxWaiting = 2 * UtteranceBatch::kMaxUtterances;

int UsableCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

// What a stream and the workers share. The stream's thread adds utterances, workers add segments.
struct Exchange {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t waiting = 0;         // handed to the workers, not done
  std::size_t next_number = 0;     // of the next utterance
  std::size_t next_published = 0;  // of the next segment to give out
  std::map<std::size_t, Segment> done;
  bool abandoned = false;
};

struct Job {
  std::shared_ptr<Exchange> exchange;
  std::size_t number = 0;
  StreamOptions options;
  Utterance utterance;
};

}  // namespace

class Engine::Impl {
 public:
  Impl(std::shared_ptr<const SpeechModel> model,
       std::shared_ptr<const VoiceActivityModel> voice_activity, const EngineOptions& options)
      : model_(std::move(model)),
        voice_activity_(std::move(voice_activity)),
        segmenter_(options.segmenter),
        hearing_(options.hearing) {
    LETHE_CHECK(MillisToSamples(segmenter_.max_length + 2 * hearing_.silence) + 2 * kSampleRate <
                model_->traits().max_samples);
    const int threads = options.num_threads > 0 ? options.num_threads : UsableCores();
    for (int i = 0; i < threads; ++i) workers_.emplace_back([this] { Work(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  int num_threads() const { return static_cast<int>(workers_.size()); }
  const VoiceActivityModel& voice_activity() const { return *voice_activity_; }
  const SegmenterOptions& segmenter() const { return segmenter_; }

  void Add(Job job) {
    {
      const std::lock_guard lock(mutex_);
      jobs_.push_back(std::move(job));
    }
    changed_.notify_one();
  }

 private:
  // The next job, or nothing when there is none; waits for one if `wait`.
  std::optional<Job> Take(bool wait) {
    std::unique_lock lock(mutex_);
    if (wait) changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_ || jobs_.empty()) return std::nullopt;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    return job;
  }

  bool stopping() {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

  // One job enters for each pass of the decoder, so that workers share what waits instead of one
  // taking it all.
  void Work() {
    UtteranceBatch batch(*model_, hearing_);
    while (!stopping()) {
      if (!batch.full()) {
        if (std::optional<Job> job = Take(batch.empty())) Begin(&batch, *std::move(job));
      }
      batch.Step();
    }
  }

  static void Begin(UtteranceBatch* batch, Job job) {
    const std::shared_ptr<Exchange> exchange = job.exchange;
    bool wanted = true;
    {
      const std::lock_guard lock(exchange->mutex);
      wanted = !exchange->abandoned;
    }
    const auto done = [exchange, number = job.number](Segment segment) {
      {
        const std::lock_guard lock(exchange->mutex);
        exchange->done.emplace(number, std::move(segment));
        --exchange->waiting;
      }
      exchange->changed.notify_all();
    };
    if (wanted) {
      batch->Add(std::move(job.utterance), job.options, done);
    } else {
      done({});
    }
  }

  const std::shared_ptr<const SpeechModel> model_;
  const std::shared_ptr<const VoiceActivityModel> voice_activity_;
  const SegmenterOptions segmenter_;
  const HearingOptions hearing_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

namespace {

class StreamImpl final : public Stream {
 public:
  StreamImpl(const VoiceActivityModel& voice_activity, const SegmenterOptions& segmenter,
             const StreamOptions& options, std::function<void(Job)> add)
      : options_(options),
        add_(std::move(add)),
        voice_activity_(voice_activity.NewState()),
        segmenter_(segmenter, voice_activity.window_samples()) {}

  ~StreamImpl() override {
    const std::lock_guard lock(exchange_->mutex);
    exchange_->abandoned = true;
  }

  Status PushSamples(std::span<const float> samples) override {
    LETHE_CHECK(!finished_);
    for (float v : samples) {
      if (!std::isfinite(v)) return InvalidArgument("the audio holds values that are not numbers");
    }
    // A second at a time, so that the ring stays small and segments leave early.
    constexpr std::size_t kStep = kSampleRate;
    while (!samples.empty()) {
      const std::span<const float> step = samples.first(std::min(kStep, samples.size()));
      samples = samples.subspan(step.size());
      audio_.insert(audio_.end(), step.begin(), step.end());
      probabilities_.clear();
      voice_activity_->Push(step, &probabilities_);
      for (float p : probabilities_) {
        for (const SpeechSpan& span : segmenter_.Push(p)) Send(span);
      }
      Forget(segmenter_.KeepFrom());
    }
    return OkStatus();
  }

  std::vector<Segment> TakeSegments() override {
    const std::lock_guard lock(exchange_->mutex);
    return TakeLocked();
  }

  Result<std::vector<Segment>> Finish() override {
    if (!finished_) {
      finished_ = true;
      const SampleIndex total = audio_start_ + static_cast<SampleIndex>(audio_.size());
      for (const SpeechSpan& span : segmenter_.Finish(total)) Send(span);
    }
    std::unique_lock lock(exchange_->mutex);
    exchange_->changed.wait(lock, [this] { return exchange_->waiting == 0; });
    return TakeLocked();
  }

 private:
  std::vector<Segment> TakeLocked() {
    std::vector<Segment> segments;
    auto& done = exchange_->done;
    while (!done.empty() && done.begin()->first == exchange_->next_published) {
      if (!done.begin()->second.text.empty()) segments.push_back(std::move(done.begin()->second));
      done.erase(done.begin());
      ++exchange_->next_published;
    }
    return segments;
  }

  void Send(const SpeechSpan& span) {
    LETHE_CHECK(span.start >= audio_start_);
    const auto begin = audio_.begin() + (span.start - audio_start_);
    const auto end =
        audio_.begin() +
        std::min<SampleIndex>(span.end - audio_start_, static_cast<SampleIndex>(audio_.size()));
    if (begin >= end) return;
    Job job{.exchange = exchange_, .number = 0, .options = options_, .utterance = {}};
    job.utterance.start = span.start;
    job.utterance.samples.assign(begin, end);
    job.utterance.certain = span.certain;
    {
      std::unique_lock lock(exchange_->mutex);
      exchange_->changed.wait(lock, [this] { return exchange_->waiting < kMaxWaiting; });
      job.number = exchange_->next_number++;
      ++exchange_->waiting;
    }
    add_(std::move(job));
  }

  // Drops audio before `from`, when enough has gathered to be worth the move.
  void Forget(SampleIndex from) {
    const SampleIndex count =
        std::min(from - audio_start_, static_cast<SampleIndex>(audio_.size()));
    if (count < 2 * kSampleRate) return;
    audio_.erase(audio_.begin(), audio_.begin() + count);
    audio_start_ += count;
  }

  const StreamOptions options_;
  const std::function<void(Job)> add_;
  const std::shared_ptr<Exchange> exchange_ = std::make_shared<Exchange>();
  std::unique_ptr<VoiceActivityState> voice_activity_;
  Segmenter segmenter_;
  std::vector<float> audio_;  // from audio_start_ on
  SampleIndex audio_start_ = 0;
  std::vector<float> probabilities_;
  bool finished_ = false;
};

}  // namespace

Engine::Engine(std::shared_ptr<const SpeechModel> model,
               std::shared_ptr<const VoiceActivityModel> voice_activity,
               const EngineOptions& options)
    : impl_(std::make_unique<Impl>(std::move(model), std::move(voice_activity), options)) {}

Engine::~Engine() = default;

std::unique_ptr<Stream> Engine::Open(const StreamOptions& options) {
  return std::make_unique<StreamImpl>(impl_->voice_activity(), impl_->segmenter(), options,
                                      [impl = impl_.get()](Job job) { impl->Add(std::move(job)); });
}

int Engine::num_threads() const { return impl_->num_threads(); }

}  // namespace lethe
