#pragma once

// For tests: compressed recordings, made in memory by FFmpeg's libraries.

#include <algorithm>
#include <memory>
#include <span>
#include <string>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/log.h>
#include <libswresample/swresample.h>
}

#include "base/check.h"

namespace lethe::audio_internal {

/// A container and a codec, by the names FFmpeg has for its muxers and encoders.
struct Encoding {
  const char* muxer;
  const char* encoder;
  int sample_rate;
  int channels;
  bool pictures = false;        // a stream of something else comes first
  bool empty_end = false;       // a packet without a byte comes last
  bool promised_sound = false;  // a stream of sound of which nothing is there comes first
};

/// Writes a recording; stops the test program where the libraries cannot.
class TestEncoder {
 public:
  explicit TestEncoder(const Encoding& encoding) : empty_end_(encoding.empty_end) {
    av_log_set_level(AV_LOG_FATAL);
    avformat_alloc_output_context2(&muxer_, nullptr, encoding.muxer, nullptr);
    const AVCodec* codec = avcodec_find_encoder_by_name(encoding.encoder);
    LETHE_CHECK(muxer_ != nullptr && codec != nullptr);
    encoder_ = avcodec_alloc_context3(codec);
    encoder_->sample_rate = encoding.sample_rate;
    encoder_->sample_fmt = codec->sample_fmts[0];
    encoder_->time_base = {1, encoding.sample_rate};
    encoder_->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
    av_channel_layout_default(&encoder_->ch_layout, encoding.channels);
    if ((muxer_->oformat->flags & AVFMT_GLOBALHEADER) != 0) {
      encoder_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    }
    Must(avcodec_open2(encoder_, codec, nullptr));
    if (encoding.pictures) {
      pictures_ = avformat_new_stream(muxer_, nullptr);
      pictures_->codecpar->codec_type = AVMEDIA_TYPE_VIDEO;
      pictures_->codecpar->codec_id = AV_CODEC_ID_MJPEG;
      pictures_->codecpar->width = 16;
      pictures_->codecpar->height = 16;
    }
    if (encoding.promised_sound) {
      AVCodecParameters* promised = avformat_new_stream(muxer_, nullptr)->codecpar;
      promised->codec_type = AVMEDIA_TYPE_AUDIO;
      promised->codec_id = AV_CODEC_ID_MP2;
      promised->sample_rate = encoding.sample_rate;
      av_channel_layout_default(&promised->ch_layout, encoding.channels);
    }
    stream_ = avformat_new_stream(muxer_, nullptr);
    Must(avcodec_parameters_from_context(stream_->codecpar, encoder_));
    stream_->time_base = encoder_->time_base;
    Must(avio_open_dyn_buf(&muxer_->pb));
    Must(avformat_write_header(muxer_, nullptr));
    AVChannelLayout* layout = &encoder_->ch_layout;
    Must(swr_alloc_set_opts2(&converter_, layout, encoder_->sample_fmt, encoding.sample_rate,
                             layout, AV_SAMPLE_FMT_FLT, encoding.sample_rate, 0, nullptr));
    Must(swr_init(converter_));
  }

  ~TestEncoder() {
    swr_free(&converter_);
    avcodec_free_context(&encoder_);
    avformat_free_context(muxer_);
  }
  TestEncoder(const TestEncoder&) = delete;
  TestEncoder& operator=(const TestEncoder&) = delete;

  /// The whole recording. Shapes: interleaved [frames, channels] f32
  std::string Encode(std::span<const float> interleaved) {
    const auto channels = static_cast<size_t>(encoder_->ch_layout.nb_channels);
    const size_t block = encoder_->frame_size > 0 ? static_cast<size_t>(encoder_->frame_size) : 960;
    if (pictures_ != nullptr) WritePicture();
    int64_t position = 0;
    while (!interleaved.empty()) {
      const size_t n = std::min(interleaved.size() / channels, block);
      Send(interleaved.first(n * channels), static_cast<int>(n), position);
      position += static_cast<int64_t>(n);
      interleaved = interleaved.subspan(n * channels);
    }
    Must(avcodec_send_frame(encoder_, nullptr));
    WritePackets();
    if (empty_end_) WriteEmptyPacket(position);
    Must(av_write_trailer(muxer_));
    // Taken before closing, which writes zeros wherever the muxer stands.
    uint8_t* buffer = nullptr;
    const int size = avio_get_dyn_buf(muxer_->pb, &buffer);
    std::string bytes(buffer, buffer + size);
    avio_close_dyn_buf(muxer_->pb, &buffer);
    av_free(buffer);
    return bytes;
  }

 private:
  static void Must(int result) { LETHE_CHECK(result >= 0); }

  void Send(std::span<const float> interleaved, int num_frames, int64_t position) {
    AVFrame* frame = av_frame_alloc();
    frame->nb_samples = num_frames;
    frame->format = encoder_->sample_fmt;
    frame->sample_rate = encoder_->sample_rate;
    frame->pts = position;
    Must(av_channel_layout_copy(&frame->ch_layout, &encoder_->ch_layout));
    Must(av_frame_get_buffer(frame, 0));
    const auto* from = reinterpret_cast<const uint8_t*>(interleaved.data());
    Must(swr_convert(converter_, frame->extended_data, num_frames, &from, num_frames));
    Must(avcodec_send_frame(encoder_, frame));
    av_frame_free(&frame);
    WritePackets();
  }

  void WritePicture() {
    AVPacket* packet = av_packet_alloc();
    Must(av_new_packet(packet, 1'000));
    std::fill_n(packet->data, packet->size, uint8_t{0x55});
    packet->stream_index = pictures_->index;
    packet->pts = 0;
    packet->dts = 0;
    Must(av_interleaved_write_frame(muxer_, packet));
    av_packet_free(&packet);
  }

  void WriteEmptyPacket(int64_t position) {
    AVPacket* packet = av_packet_alloc();
    Must(av_new_packet(packet, 0));
    packet->stream_index = stream_->index;
    // A little behind the end, so that the container promises more than there is.
    constexpr int64_t kBehind = 1'000;
    packet->pts = av_rescale_q(position + kBehind, encoder_->time_base, stream_->time_base);
    packet->dts = packet->pts;
    Must(av_interleaved_write_frame(muxer_, packet));
    av_packet_free(&packet);
  }

  void WritePackets() {
    AVPacket* packet = av_packet_alloc();
    while (avcodec_receive_packet(encoder_, packet) == 0) {
      av_packet_rescale_ts(packet, encoder_->time_base, stream_->time_base);
      packet->stream_index = stream_->index;
      Must(av_interleaved_write_frame(muxer_, packet));
    }
    av_packet_free(&packet);
  }

  const bool empty_end_;
  AVFormatContext* muxer_ = nullptr;
  AVCodecContext* encoder_ = nullptr;
  AVStream* stream_ = nullptr;
  AVStream* pictures_ = nullptr;
  SwrContext* converter_ = nullptr;
};

}  // namespace lethe::audio_internal
