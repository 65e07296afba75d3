#include "service/live_call.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "audio/speech_reader.h"
#include "base/mutex.h"
#include "service/internal/byte_pipe.h"
#include "service/internal/opus_frames.h"
#include "service/internal/pcm_feed.h"
#include "service/internal/post_process.h"

namespace lethe {
namespace {

// Of compressed audio, as much as 320 kbit/s are: no live codec needs more.
constexpr std::int64_t kMostBytesPerSecond = 40'000;
constexpr std::size_t kLeastPipe = std::size_t{1} << 20;

// What a call and the thread that decodes for it share.
struct Shared {
  explicit Shared(std::size_t most_bytes)
      : pipe(std::make_shared<internal::BytePipe>(most_bytes)) {}

  const std::shared_ptr<internal::BytePipe> pipe;
  std::atomic<SampleIndex> taken = 0;

  Mutex mutex;
  CondVar changed;
  std::unique_ptr<LiveStream> stream GUARDED_BY(mutex);  // gone once the call is
  Status status GUARDED_BY(mutex);                       // what ended the decoding
  std::uint64_t notices GUARDED_BY(mutex) = 0;           // how often the engine had news

  // Not under `mutex`: what is called back may ask for it.
  Mutex notify_mutex;
  std::function<void()> notify GUARDED_BY(notify_mutex);

  void Notify() {
    {
      const MutexLock lock(mutex);
      ++notices;
    }
    changed.NotifyAll();
    const MutexLock lock(notify_mutex);
    if (notify) notify();
  }
};

// Waits for room where there is none.
Status PushAll(Shared& shared, std::span<const float> samples) {
  const MutexLock lock(shared.mutex);
  while (!samples.empty()) {
    if (!shared.stream) return Cancelled("the call is over");
    const std::uint64_t seen = shared.notices;
    ASSIGN_OR_RETURN(const std::size_t n, shared.stream->PushSamples(samples));
    shared.taken += static_cast<SampleIndex>(n);
    samples = samples.subspan(n);
    if (samples.empty()) break;
    while (shared.notices == seen && shared.stream) shared.changed.Wait(shared.mutex);
  }
  return OkStatus();
}

Status DecodeOne(Shared& shared, MediaDecoder& media) {
  ASSIGN_OR_RETURN(std::unique_ptr<AudioSource> source,
                   OpenAudio(internal::ReadPipe(shared.pipe), {.media_decoder = &media}));
  ASSIGN_OR_RETURN(SpeechReader reader, SpeechReader::Open(std::move(source), ChannelMode::kMix));
  std::vector<std::vector<float>> block;
  while (true) {
    ASSIGN_OR_RETURN(const std::size_t n, reader.Read(block));
    if (n == 0) return OkStatus();
    RETURN_IF_ERROR(PushAll(shared, block[0]));
  }
}

void Decode(Shared& shared, MediaDecoder& media, bool many) {
  Status status;
  bool any = false;
  while (status.ok() && (many || !any) && shared.pipe->NextRecording()) {
    try {
      status = DecodeOne(shared, media);
    } catch (const std::exception&) {  // it costs this call, not the service
      status = Unavailable("there is no memory to decode this audio");
    }
    any = true;
  }
  // What the call itself is told has another meaning: its client is too fast.
  if (status.code() == StatusCode::kResourceExhausted) status = Unavailable(status.message());
  // What comes behind the end is thrown away, not held.
  shared.pipe->Abort();
  {
    const MutexLock lock(shared.mutex);
    shared.status = status;
    if (status.ok() && shared.stream) shared.stream->Finish();
  }
  shared.Notify();
}

bool BeginsAsMp4(std::span<const std::byte> bytes) {
  return bytes.size() >= 8 && std::memcmp(bytes.data() + 4, "ftyp", 4) == 0;
}

internal::PcmFeed::Encoding EncodingOf(LiveFormat format) {
  using Encoding = internal::PcmFeed::Encoding;
  if (format == LiveFormat::kALaw) return Encoding::kALaw;
  return format == LiveFormat::kMuLaw ? Encoding::kMuLaw : Encoding::kPcm16;
}

std::size_t PipeSize(const LiveCallOptions& options) {
  const std::int64_t bytes = options.max_ahead.count() * kMostBytesPerSecond / 1000;
  return std::max(kLeastPipe, static_cast<std::size_t>(std::max<std::int64_t>(bytes, 0)));
}

}  // namespace

LiveDecoders::~LiveDecoders() {
  const MutexLock lock(mutex_);
  while (running_ > 0) changed_.Wait(mutex_);
}

int LiveDecoders::running() const {
  const MutexLock lock(mutex_);
  return running_;
}

Status LiveDecoders::Start(std::function<void(MediaDecoder&)> work) {
  {
    const MutexLock lock(mutex_);
    if (running_ >= most_) {
      return ResourceExhausted("all decoders for live audio are taken: " + std::to_string(most_));
    }
    ++running_;
  }
  const auto leave = [this] {
    const MutexLock lock(mutex_);
    --running_;
    // Under the lock: afterwards this object may be gone.
    changed_.NotifyAll();
  };
  try {
    std::thread([this, leave, work = std::move(work)]() mutable {
      work(media_);
      work = nullptr;
      leave();
    }).detach();
  } catch (const std::system_error&) {
    leave();
    return ResourceExhausted("no thread can be started to decode live audio");
  }
  return OkStatus();
}

class LiveCall::Impl {
 public:
  Impl(LiveCallOptions options, PostProcessor processor)
      : options_(std::move(options)),
        processor_(std::move(processor)),
        shared_(std::make_shared<Shared>(PipeSize(options_))),
        feed_(
            {.encoding = EncodingOf(options_.format),
             .sample_rate = options_.pcm_rate > 0 ? options_.pcm_rate : options_.engine.sample_rate,
             .wants_header = options_.format == LiveFormat::kWav,
             .most_waiting = options_.max_ahead}) {}

  ~Impl() {
    {
      const MutexLock lock(shared_->notify_mutex);
      shared_->notify = nullptr;
    }
    std::unique_ptr<LiveStream> stream;
    {
      const MutexLock lock(shared_->mutex);
      stream = std::move(shared_->stream);
    }
    shared_->changed.NotifyAll();
    shared_->pipe->Abort();
  }

  Status Open(LiveDecoders& decoders) {
    {
      const MutexLock lock(shared_->notify_mutex);
      shared_->notify = options_.notify;
    }
    LiveOptions live = options_.live;
    live.notify = [shared = std::weak_ptr(shared_)] {
      if (const auto here = shared.lock()) here->Notify();
    };
    ASSIGN_OR_RETURN(std::unique_ptr<LiveStream> stream,
                     options_.engine.speech->engine->OpenLive(live));
    stream_ = stream.get();
    {
      const MutexLock lock(shared_->mutex);
      shared_->stream = std::move(stream);
    }
    if (is_pcm()) return OkStatus();
    return decoders.Start([shared = shared_, many = options_.format == LiveFormat::kRecordings](
                              MediaDecoder& media) { Decode(*shared, media, many); });
  }

  Status Push(std::span<const std::byte> bytes) {
    RETURN_IF_ERROR(Pump());
    if (finished_ || bytes.empty()) return OkStatus();
    if (is_pcm()) {
      RETURN_IF_ERROR(Keep(feed_.Push(bytes)));
      return Pump();
    }
    std::vector<std::byte> ogg;
    if (options_.format == LiveFormat::kOpusFrames) {
      auto framed = frames_.Push(bytes);
      if (!framed.ok()) return Keep(framed.status());
      ogg = *std::move(framed);
      bytes = ogg;
    }
    const bool begins = options_.format == LiveFormat::kRecordings && BeginsAsMp4(bytes);
    if (!shared_->pipe->Push(bytes, begins)) {
      return Keep(ResourceExhausted("more audio was sent than can be taken ahead, in seconds: " +
                                    std::to_string(options_.max_ahead.count() / 1000)));
    }
    return OkStatus();
  }

  void SetHotWords(std::shared_ptr<const HotWords> hot_words) {
    stream_->SetHotWords(std::move(hot_words));
  }

  void Finish() {
    if (std::exchange(finished_, true)) return;
    feed_.Finish();
    shared_->pipe->Finish();
  }

  Status Pump() {
    RETURN_IF_ERROR(status_);
    if (is_pcm()) return Keep(feed_.Pump(*stream_));
    const MutexLock lock(shared_->mutex);
    return Keep(shared_->status);
  }

  std::vector<StreamEvent> TakeEvents() {
    std::vector<StreamEvent> events = stream_->TakeEvents();
    for (StreamEvent& event : events) PostProcessEvent(processor_, options_.post, &event);
    return events;
  }

  bool complete() const { return stream_->complete(); }
  SampleIndex taken() const { return is_pcm() ? feed_.taken() : shared_->taken.load(); }

 private:
  bool is_pcm() const {
    return options_.format == LiveFormat::kPcm || options_.format == LiveFormat::kWav ||
           EncodingOf(options_.format) != internal::PcmFeed::Encoding::kPcm16;
  }
  // A call that has failed stays so.
  Status Keep(Status status) {
    if (status_.ok()) status_ = status;
    return status;
  }

  const LiveCallOptions options_;
  const PostProcessor processor_;
  const std::shared_ptr<Shared> shared_;
  LiveStream* stream_ = nullptr;  // the shared one, which is there until this call ends
  internal::PcmFeed feed_;
  internal::OpusFrames frames_;
  bool finished_ = false;
  Status status_;
};

LiveCall::LiveCall(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LiveCall::~LiveCall() = default;

Result<std::unique_ptr<LiveCall>> LiveCall::Open(LiveCallOptions options, LiveDecoders& decoders) {
  const std::string& language = options.engine.speech->label.language;
  auto processor = PostProcessor::ForLanguage(language, options.post);
  if (!processor.ok() && processor.status().code() == StatusCode::kUnimplemented) {
    options.post = {};
    processor = PostProcessor::ForLanguage(language, options.post);
  }
  if (!processor.ok()) return processor.status();
  auto impl = std::make_unique<Impl>(std::move(options), *std::move(processor));
  RETURN_IF_ERROR(impl->Open(decoders));
  return std::unique_ptr<LiveCall>(new LiveCall(std::move(impl)));
}

Status LiveCall::PushBytes(std::span<const std::byte> bytes) {
  bytes_ += bytes.size();
  return impl_->Push(bytes);
}

void LiveCall::SetHotWords(std::shared_ptr<const HotWords> hot_words) {
  impl_->SetHotWords(std::move(hot_words));
}

void LiveCall::Finish() {
  impl_->Finish();
  // Its errors are told by the next Pump().
  static_cast<void>(impl_->Pump());
}

Status LiveCall::Pump() { return impl_->Pump(); }
std::vector<StreamEvent> LiveCall::TakeEvents() { return impl_->TakeEvents(); }
bool LiveCall::complete() const { return impl_->complete(); }
Millis LiveCall::audio() const { return SamplesToMillis(impl_->taken()); }

void PostProcessEvent(const PostProcessor& processor, const PostOptions& options,
                      StreamEvent* event) {
  if (event->kind == StreamEvent::Kind::kBegin || options.ChangesNothing()) return;
  const std::string_view promised =
      std::string_view(event->segment.text).substr(0, event->stable_bytes);
  // Nothing is joined or left out across a sentence's end, so what is before it stays.
  std::size_t end = promised.size();
  while (end > 0 && (std::string_view(".?!").find(promised[end - 1]) == std::string_view::npos ||
                     end == event->segment.text.size())) {
    --end;
  }
  std::string kept = processor.ApplyToText(promised.substr(0, end));
  std::vector<Segment> segments;
  segments.push_back(std::move(event->segment));
  Segment& segment = segments.front();
  Segment empty{.channel = segment.channel, .start = segment.start, .end = segment.end};
  internal::PostProcess(processor, &segments);
  event->segment = std::move(segments.empty() ? empty : segments.front());
  const std::string& text = event->segment.text;
  if (event->kind == StreamEvent::Kind::kFinal) kept = text;
  // Its last word may get its full stop back.
  if (event->kind == StreamEvent::Kind::kPartial &&
      options.punctuation == PunctuationFilter::kDropFinalStop) {
    kept.resize(std::min(kept.size(), kept.rfind(' ') == std::string::npos ? 0 : kept.rfind(' ')));
  }
  if (!text.starts_with(kept)) kept.clear();
  event->stable_bytes = kept.size();
  event->stable_words = 0;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (kept[i] != ' ' && (i == 0 || kept[i - 1] == ' ')) ++event->stable_words;
  }
}

}  // namespace lethe
