#include "audio/internal/caged_source.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/finite.h"

namespace lethe::audio_internal {
namespace {

// One line, as messages of ours are.
bool IsLine(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

CagedSource::CagedSource(CageProcess child, std::unique_ptr<ByteSource> bytes,
                         const MediaCageOptions& options, std::function<void()> released)
    : options_(options),
      child_(std::move(child)),
      bytes_(std::move(bytes)),
      size_(bytes_->size()),
      released_(std::move(released)),
      patience_(options.max_stall),
      outgoing_(kMaxCageBody) {}

CagedSource::~CagedSource() { Release(); }

void CagedSource::Release() {
  if (!child_) return;
  child_.reset();
  released_();
}

Status CagedSource::Open() {
  const CageOpen open{.size = size_.value_or(kUnknownSize)};
  if (!child_->Send(CageMessage::kOpen, AsBytes(open), patience_)) return Stopped();
  while (!opened_) RETURN_IF_ERROR(Advance());
  return OkStatus();
}

Result<size_t> CagedSource::Read(std::span<float> interleaved) {
  const auto channels = static_cast<size_t>(format_.channels);
  LETHE_CHECK(opened_ && interleaved.size() >= channels);
  while (ready_begin_ == ready_.size() && !ended_) RETURN_IF_ERROR(Advance());
  const size_t n = std::min(interleaved.size() / channels * channels, ready_.size() - ready_begin_);
  std::copy_n(ready_.begin() + static_cast<ptrdiff_t>(ready_begin_), n, interleaved.begin());
  ready_begin_ += n;
  return n;
}

Status CagedSource::Advance() {
  if (!status_.ok()) return status_;
  const std::optional<CageProcess::Message> message = child_->Receive(patience_);
  status_ = message ? Handle(*message) : Stopped();
  if (!status_.ok() || ended_) Release();
  return status_;
}

Status CagedSource::Handle(const CageProcess::Message& message) {
  const auto with = [&]<class Body>(Status (CagedSource::*handle)(const Body&)) {
    Body body{};
    if (!FromBytes(message.body, &body)) return Disbelieve("it sent a message of a wrong size");
    return (this->*handle)(body);
  };
  switch (message.type) {
    case CageMessage::kRead:
      return with(&CagedSource::HandleRead);
    case CageMessage::kSeek:
      return with(&CagedSource::HandleSeek);
    case CageMessage::kOpened:
      return with(&CagedSource::HandleOpened);
    case CageMessage::kSamples:
      return HandleSamples(message.body);
    case CageMessage::kEnd:
      return with(&CagedSource::HandleEnd);
    case CageMessage::kError:
      return with(&CagedSource::HandleError);
    default:
      return Disbelieve("it sent a message of no known kind");
  }
}

Status CagedSource::HandleRead(const CageRead& read) {
  if (read.max_bytes == 0 || read.max_bytes > kMaxCageBody) {
    return Disbelieve("it asked for an impossible number of bytes");
  }
  const std::span<std::byte> room = std::span(outgoing_).first(read.max_bytes);
  const Result<size_t> n = source_status_.ok() ? bytes_->Read(room) : source_status_;
  bool sent = false;
  if (n.ok()) {
    position_ += *n;
    if (position_ > furthest_) patience_.Renew();
    furthest_ = std::max(furthest_, position_);
    sent = child_->Send(CageMessage::kBytes, room.first(*n), patience_);
  } else {
    source_status_ = n.status();
    sent = child_->Send(CageMessage::kFailed, {}, patience_);
  }
  return sent ? OkStatus() : Stopped();
}

Status CagedSource::HandleSeek(const CageSeek& seek) {
  if (!size_ || seek.position > *size_) return Disbelieve("it asked for an impossible position");
  if (source_status_.ok()) source_status_ = bytes_->Seek(seek.position);
  position_ = seek.position;
  const CageMessage answer = source_status_.ok() ? CageMessage::kPosition : CageMessage::kFailed;
  return child_->Send(answer, {}, patience_) ? OkStatus() : Stopped();
}

Status CagedSource::HandleOpened(const CageOpened& opened) {
  format_ = {.sample_rate = opened.sample_rate,
             .channels = opened.channels,
             .container = FromCageText(opened.container),
             .codec = FromCageText(opened.codec)};
  if (opened_ || opened.sample_rate < 1 || opened.sample_rate > kMaxAudioSampleRate ||
      opened.channels < 1 || opened.channels > kMaxAudioChannels || !IsLine(format_.container) ||
      !IsLine(format_.codec) || !std::isfinite(opened.declared_seconds)) {
    return Disbelieve("it described an impossible recording");
  }
  if (opened.declared_seconds >= 0) format_.declared_seconds = opened.declared_seconds;
  opened_ = true;
  patience_.Renew();
  return OkStatus();
}

Status CagedSource::HandleSamples(std::span<const std::byte> body) {
  const size_t frame_bytes = static_cast<size_t>(format_.channels) * sizeof(float);
  if (!opened_ || body.empty() || body.size() % frame_bytes != 0) {
    return Disbelieve("it sent samples of a wrong number");
  }
  ready_.resize(body.size() / sizeof(float));
  ready_begin_ = 0;
  std::memcpy(ready_.data(), body.data(), body.size());
  if (!AllFinite(ready_)) {
    ready_.clear();
    return InvalidArgument("holds samples that are not numbers; export it again as 16-bit WAV");
  }
  num_frames_ += body.size() / frame_bytes;
  const auto most = static_cast<uint64_t>(options_.max_audio.count()) *
                    static_cast<uint64_t>(format_.sample_rate);
  if (num_frames_ > most) {
    ready_.clear();
    return ResourceExhausted("is longer than allowed; cut it into pieces (limit " +
                             std::to_string(options_.max_audio.count()) + " s)");
  }
  patience_.Renew();
  return OkStatus();
}

Status CagedSource::HandleEnd(const CageEnd& end) {
  warning_ = FromCageText(end.warning);
  if (!opened_ || !IsLine(warning_)) return Disbelieve("it ended in an impossible way");
  ended_ = true;
  return OkStatus();
}

Status CagedSource::HandleError(const CageError& error) {
  // The child knows only that reading failed.
  if (!source_status_.ok()) return source_status_;
  std::string message = FromCageText(error.message);
  const auto code = static_cast<StatusCode>(error.code);
  if (message.empty() || !IsLine(message) ||
      (code != StatusCode::kInvalidArgument && code != StatusCode::kResourceExhausted &&
       code != StatusCode::kUnimplemented)) {
    return Disbelieve("it failed in an impossible way");
  }
  return {code, std::move(message)};
}

Status CagedSource::Disbelieve(std::string what) {
  child_->Stop(std::move(what));
  return Stopped();
}

Status CagedSource::Stopped() const {
  std::string what = "the recording's decoder was stopped: " + child_->why_stopped();
  return child_->killed_by_system() ? Unavailable(std::move(what))
                                    : InvalidArgument(std::move(what));
}

}  // namespace lethe::audio_internal
