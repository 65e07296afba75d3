#include "audio/internal/ffmpeg_source.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "audio/internal/media_input.h"
#include "audio/internal/media_limits.h"
#include "audio/internal/pcm_source.h"
#include "audio/internal/speex_frames.h"
#include "base/check.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avstring.h>
#include <libavutil/channel_layout.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>
#include <libavutil/samplefmt.h>
#include <libswresample/swresample.h>
}

namespace lethe::audio_internal {
namespace {

template <auto kFree>
struct FreeByPointer {
  template <class T>
  void operator()(T* object) const {
    kFree(&object);
  }
};
using Demuxer = std::unique_ptr<AVFormatContext, FreeByPointer<avformat_close_input>>;
using Decoder = std::unique_ptr<AVCodecContext, FreeByPointer<avcodec_free_context>>;
using Converter = std::unique_ptr<SwrContext, FreeByPointer<swr_free>>;
using Packet = std::unique_ptr<AVPacket, FreeByPointer<av_packet_free>>;
using Frame = std::unique_ptr<AVFrame, FreeByPointer<av_frame_free>>;

// Pictures and subtitles beside the sound are passed over, but each one costs memory.
constexpr unsigned kMaxStreams = 64;
// No table in a recording of a day is longer; more is a damaged or a hostile header.
constexpr size_t kMaxAllocation = size_t{64} * 1024 * 1024;
// A difference below it is the rounding of a header, or the padding of an encoder.
constexpr double kShortfallSeconds = 0.25;

Status NotKnown() {
  return InvalidArgument("is in no format known here, or is damaged; give a recording (" +
                         std::string(AcceptedAudioFormats()) + ")");
}

void SilenceLibraries() {
  static std::once_flag once;
  std::call_once(once, [] {
    av_log_set_callback([](void*, int, const char*, va_list) {});
    av_max_alloc(kMaxAllocation);
  });
}

// A recording that refers to another file or address does not get it.
int RefuseToOpen(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
  return AVERROR(EPERM);
}

// Whether analysis found sound in a stream, of a codec that is allowed.
bool CanBeHeard(const AVStream& stream) {
  const AVCodec* codec = avcodec_find_decoder(stream.codecpar->codec_id);
  return codec != nullptr && av_match_name(codec->name, kAllowedCodecs) != 0 &&
         stream.codecpar->sample_rate > 0;
}

// Raw GSM 06.10 has no header, but each of its 33-byte frames begins with the bits 1101. Six of
// them by chance: once in 16 million files.
bool LooksLikeGsm(std::span<const std::byte> start) {
  constexpr size_t kFrameBytes = 33;
  constexpr size_t kMinFrames = 6;
  if (start.size() < kFrameBytes * kMinFrames) return false;
  for (size_t at = 0; at < start.size(); at += kFrameBytes) {
    if ((start[at] >> 4) != std::byte{0xD}) return false;
  }
  return true;
}

// A pause of a telephone: what the noise sounds like meanwhile, or nothing at all. FFmpeg's
// decoders know no such frames and would leave out their 20 ms. Source: RFC 4867, sec. 4.3.2, table
// 1a
bool IsAmrPause(AVCodecID codec, const AVPacket& packet) {
  if (packet.size < 1) return false;
  const int frame_type = packet.data[0] >> 3 & 15;
  const int comfort_noise = codec == AV_CODEC_ID_AMR_NB ? 8 : 9;
  return (codec == AV_CODEC_ID_AMR_NB || codec == AV_CODEC_ID_AMR_WB) &&
         (frame_type == comfort_noise || frame_type == 15);
}

class FfmpegSource final : public AudioSource {
 public:
  explicit FfmpegSource(std::unique_ptr<ByteSource> bytes) : input_(std::move(bytes)) {}

  Status Open(bool gsm);

  const AudioFormat& format() const override { return format_; }
  Result<size_t> Read(std::span<float> interleaved) override;
  std::string warning() const override { return warning_; }

 private:
  Status OpenDemuxer(bool gsm);
  Status OpenDecoder();
  // Decodes until ready_ holds samples or the recording has ended.
  Status Fill();
  // Gives the decoder its next packet, or tells it that there are no more.
  Status Feed();
  // Appends the 20 ms of silence that a frame of AMR without speech stands for.
  Status DeliverPause();
  // Counts the packet that could not be decoded.
  void NoteDamage();
  // Converts frame_ and appends it to ready_.
  Status Deliver();
  Status PrepareConverter();
  void NoteEnd();

  MediaInput input_;  // outlives demuxer_
  Demuxer demuxer_;
  Decoder decoder_;
  Converter converter_;
  Packet packet_;
  Frame frame_;
  AVStream* stream_ = nullptr;
  // What converter_ was made for; files may change in the middle, e.g. two Ogg files joined.
  int converter_format_ = AV_SAMPLE_FMT_NONE;
  int converter_rate_ = 0;
  int converter_channels_ = 0;

  AudioFormat format_;
  std::vector<float> ready_;  // from ready_begin_ on
  size_t ready_begin_ = 0;
  uint64_t frames_out_ = 0;
  uint64_t damaged_packets_ = 0;
  // Of those behind the last sound: the container has all bytes of them, so that they may be no
  // more than what a writer filled up its last block with.
  uint64_t maybe_padding_ = 0;
  bool packet_is_cut_ = false;
  bool input_ended_ = false;
  bool ended_ = false;
  std::string warning_;
};

Status FfmpegSource::Open(bool gsm) {
  RETURN_IF_ERROR(OpenDemuxer(gsm));
  RETURN_IF_ERROR(OpenDecoder());
  // The first frame tells the truth about rate and channels; HE-AAC headers, for one, do not.
  RETURN_IF_ERROR(Fill());
  if (ready_.empty()) {
    return InvalidArgument("cannot be decoded: damaged, or without a single sample (container " +
                           format_.container + ", codec " + format_.codec + ")");
  }
  return OkStatus();
}

Status FfmpegSource::OpenDemuxer(bool gsm) {
  RETURN_IF_ERROR(input_.Open());
  AVFormatContext* context = avformat_alloc_context();
  if (context == nullptr) return ResourceExhausted("no memory to decode");
  context->pb = input_.context();
  context->flags |= AVFMT_FLAG_CUSTOM_IO;
  context->io_open = &RefuseToOpen;
  context->max_streams = kMaxStreams;
  context->format_whitelist = av_strdup(kAllowedContainers);
  context->codec_whitelist = av_strdup(kAllowedCodecs);
  context->protocol_whitelist = av_strdup("none");
  const AVInputFormat* container = gsm ? av_find_input_format("gsm") : nullptr;
  const int opened = avformat_open_input(&context, "", container, nullptr);  // frees on failure
  demuxer_.reset(context);
  RETURN_IF_ERROR(input_.status());
  if (opened < 0) return NotKnown();
  format_.container = demuxer_->iformat->name;
  for (unsigned i = 0; i < demuxer_->nb_streams; ++i) {
    AVStream* stream = demuxer_->streams[i];
    if (stream->codecpar->codec_type != AVMEDIA_TYPE_AUDIO) stream->discard = AVDISCARD_ALL;
  }
  const int analysed = avformat_find_stream_info(demuxer_.get(), nullptr);
  RETURN_IF_ERROR(input_.status());
  if (analysed < 0) return NotKnown();
  // The first with sound that can be decoded; or else the first, for what is said of it. A
  // transport stream may name several, of which a recorder kept one.
  const auto audio = [](const AVStream* stream) {
    return stream->codecpar->codec_type == AVMEDIA_TYPE_AUDIO;
  };
  for (unsigned i = 0; i < demuxer_->nb_streams; ++i) {
    AVStream* stream = demuxer_->streams[i];
    if (!audio(stream)) continue;
    if (stream_ == nullptr || (!CanBeHeard(*stream_) && CanBeHeard(*stream))) stream_ = stream;
  }
  for (unsigned i = 0; i < demuxer_->nb_streams; ++i) {
    if (demuxer_->streams[i] != stream_) demuxer_->streams[i]->discard = AVDISCARD_ALL;
  }
  if (stream_ == nullptr) {
    return InvalidArgument("has no sound in it (container " + format_.container + ")");
  }
  return OkStatus();
}

Status FfmpegSource::OpenDecoder() {
  const AVCodecParameters* parameters = stream_->codecpar;
  format_.codec = avcodec_get_name(parameters->codec_id);
  const AVCodec* codec = avcodec_find_decoder(parameters->codec_id);
  const auto unknown = [this] {
    return InvalidArgument("has sound in a codec not known here; convert it to wav, mp3 or flac: " +
                           format_.codec);
  };
  if (codec == nullptr) return unknown();
  decoder_.reset(avcodec_alloc_context3(codec));
  packet_.reset(av_packet_alloc());
  frame_.reset(av_frame_alloc());
  if (!decoder_ || !packet_ || !frame_) return ResourceExhausted("no memory to decode");
  decoder_->codec_whitelist = av_strdup(kAllowedCodecs);
  decoder_->thread_count = 1;
  decoder_->pkt_timebase = stream_->time_base;
  if (avcodec_parameters_to_context(decoder_.get(), parameters) < 0 ||
      avcodec_open2(decoder_.get(), codec, nullptr) < 0) {
    return unknown();
  }
  // Elsewhere the length is that of the whole container, or guessed from the bit rate or from the
  // first and the last time stamp, between which there may be a gap.
  const bool own_length = demuxer_->nb_streams == 1 || stream_->nb_frames > 0;
  if (own_length && stream_->duration > 0 &&
      demuxer_->duration_estimation_method == AVFMT_DURATION_FROM_STREAM) {
    format_.declared_seconds = static_cast<double>(stream_->duration) * av_q2d(stream_->time_base);
  }
  return OkStatus();
}

Result<size_t> FfmpegSource::Read(std::span<float> interleaved) {
  const auto channels = static_cast<size_t>(format_.channels);
  LETHE_CHECK(interleaved.size() >= channels);
  if (ready_begin_ == ready_.size()) {
    ready_.clear();
    ready_begin_ = 0;
    RETURN_IF_ERROR(Fill());
  }
  const size_t n = std::min(interleaved.size() / channels * channels, ready_.size() - ready_begin_);
  std::copy_n(ready_.begin() + static_cast<ptrdiff_t>(ready_begin_), n, interleaved.begin());
  ready_begin_ += n;
  return n;
}

Status FfmpegSource::Fill() {
  while (ready_.empty() && !ended_) {
    const int result = avcodec_receive_frame(decoder_.get(), frame_.get());
    if (result == 0) {
      const Status status = Deliver();
      av_frame_unref(frame_.get());
      RETURN_IF_ERROR(status);
    } else if (result == AVERROR(EAGAIN) && !input_ended_) {
      RETURN_IF_ERROR(Feed());
    } else if (result != AVERROR_EOF && result != AVERROR(EAGAIN) && !input_ended_) {
      NoteDamage();
      RETURN_IF_ERROR(Feed());
    } else {
      ended_ = true;
      NoteEnd();
    }
  }
  return OkStatus();
}

Status FfmpegSource::Feed() {
  while (true) {
    av_packet_unref(packet_.get());
    const int read = av_read_frame(demuxer_.get(), packet_.get());
    RETURN_IF_ERROR(input_.status());
    if (read < 0) {  // the end, or a place behind which the demuxer finds nothing more
      if (read != AVERROR_EOF) ++damaged_packets_;
      input_ended_ = true;
      avcodec_send_packet(decoder_.get(), nullptr);
      return OkStatus();
    }
    // One without a byte, which some Ogg Vorbis ends with, has no sound; to the decoder it would be
    // the end.
    if (packet_->stream_index != stream_->index || packet_->size == 0) continue;
    if (IsAmrPause(decoder_->codec_id, *packet_)) return DeliverPause();
    packet_is_cut_ = (packet_->flags & AV_PKT_FLAG_CORRUPT) != 0;
    const int sent = avcodec_send_packet(decoder_.get(), packet_.get());
    av_packet_unref(packet_.get());
    if (sent == 0) return OkStatus();
    // One damaged piece does not end a recording.
    NoteDamage();
  }
}

Status FfmpegSource::DeliverPause() {
  av_frame_unref(frame_.get());
  frame_->format = decoder_->sample_fmt;
  frame_->sample_rate = decoder_->sample_rate;
  frame_->nb_samples = decoder_->sample_rate / 50;
  if (av_channel_layout_copy(&frame_->ch_layout, &decoder_->ch_layout) < 0 ||
      av_frame_get_buffer(frame_.get(), 0) < 0 ||
      av_samples_set_silence(frame_->extended_data, 0, frame_->nb_samples,
                             frame_->ch_layout.nb_channels, decoder_->sample_fmt) < 0) {
    return ResourceExhausted("no memory to decode");
  }
  Status status = Deliver();
  av_frame_unref(frame_.get());
  return status;
}

void FfmpegSource::NoteDamage() { ++(packet_is_cut_ ? damaged_packets_ : maybe_padding_); }

Status FfmpegSource::PrepareConverter() {
  const int channels = frame_->ch_layout.nb_channels;
  if (channels < 1 || channels > kMaxAudioChannels) {
    return InvalidArgument("has an impossible number of channels: " + std::to_string(channels));
  }
  if (frame_->sample_rate < 1 || frame_->sample_rate > kMaxAudioSampleRate) {
    return InvalidArgument("has an impossible number of samples per second: " +
                           std::to_string(frame_->sample_rate));
  }
  if (converter_ && converter_format_ == frame_->format && converter_rate_ == frame_->sample_rate &&
      converter_channels_ == channels) {
    return OkStatus();
  }
  if (format_.channels == 0) {
    format_.sample_rate = frame_->sample_rate;
    format_.channels = channels;
  }
  // Default layouts keep the channels in their order: nothing is mixed while their number stays.
  AVChannelLayout from{};
  AVChannelLayout to{};
  av_channel_layout_default(&from, channels);
  av_channel_layout_default(&to, format_.channels);
  SwrContext* context = nullptr;
  const int made = swr_alloc_set_opts2(&context, &to, AV_SAMPLE_FMT_FLT, format_.sample_rate, &from,
                                       static_cast<AVSampleFormat>(frame_->format),
                                       frame_->sample_rate, 0, nullptr);
  converter_.reset(context);
  av_channel_layout_uninit(&from);
  av_channel_layout_uninit(&to);
  if (made < 0 || swr_init(converter_.get()) < 0) {
    return InvalidArgument("changes its channels midway in a way that cannot be followed: " +
                           std::to_string(channels));
  }
  converter_format_ = frame_->format;
  converter_rate_ = frame_->sample_rate;
  converter_channels_ = channels;
  return OkStatus();
}

Status FfmpegSource::Deliver() {
  if (frame_->nb_samples <= 0) return OkStatus();
  RETURN_IF_ERROR(PrepareConverter());
  const int room = swr_get_out_samples(converter_.get(), frame_->nb_samples);
  if (room <= 0) return OkStatus();
  const auto channels = static_cast<size_t>(format_.channels);
  const size_t before = ready_.size();
  ready_.resize(before + static_cast<size_t>(room) * channels);
  std::array<uint8_t*, 1> to = {reinterpret_cast<uint8_t*>(ready_.data() + before)};
  // The library reads through pointers to const, but is declared to want them without.
  const int converted =
      swr_convert(converter_.get(), to.data(), room,
                  const_cast<const uint8_t**>(frame_->extended_data), frame_->nb_samples);
  const auto frames = static_cast<size_t>(std::max(converted, 0));
  ready_.resize(before + frames * channels);
  frames_out_ += frames;
  if (converted < 0) ++damaged_packets_;
  damaged_packets_ += std::exchange(maybe_padding_, 0);  // there is sound behind them
  return OkStatus();
}

void FfmpegSource::NoteEnd() {
  if (format_.sample_rate == 0) return;
  const double found = static_cast<double>(frames_out_) / static_cast<double>(format_.sample_rate);
  if (format_.declared_seconds && found + kShortfallSeconds < *format_.declared_seconds) {
    warning_ = EndsEarly(*format_.declared_seconds, found);
    return;
  }
  // A GSM WAV of an odd length has a byte too many, for one: all that it declares was heard.
  if (!format_.declared_seconds || found < *format_.declared_seconds) {
    damaged_packets_ += maybe_padding_;
  }
  if (damaged_packets_ > 0) {
    warning_ = "is damaged: pieces that could not be decoded: " + std::to_string(damaged_packets_);
  }
}

}  // namespace

Result<std::unique_ptr<AudioSource>> OpenWithFfmpeg(std::unique_ptr<RewindableBytes> bytes) {
  SilenceLibraries();
  ASSIGN_OR_RETURN(const std::vector<std::byte> start, bytes->PeekFromStart(1024));
  std::unique_ptr<ByteSource> input;
  if (const auto speex = FindSpeexFraming(start)) {
    input = SpeexAsOgg(std::move(bytes), *speex);
  } else {
    ASSIGN_OR_RETURN(input, HoldIfIndexIsLast(std::move(bytes)));
  }
  auto source = std::make_unique<FfmpegSource>(std::move(input));
  RETURN_IF_ERROR(source->Open(LooksLikeGsm(start)));
  return std::unique_ptr<AudioSource>(std::move(source));
}

}  // namespace lethe::audio_internal
