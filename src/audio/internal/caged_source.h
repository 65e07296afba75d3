#pragma once

// A recording as its child decodes it.

#include <functional>
#include <memory>
#include <vector>

#include "audio/audio_source.h"
#include "audio/byte_source.h"
#include "audio/internal/cage_process.h"
#include "audio/media_cage.h"

namespace lethe::audio_internal {

/// Serves a child the bytes it asks for, and checks what it makes of them.
class CagedSource final : public AudioSource {
 public:
  /// `released` is called once, when the child is gone.
  CagedSource(CageProcess child, std::unique_ptr<ByteSource> bytes, const MediaCageOptions& options,
              std::function<void()> released);
  ~CagedSource() override;

  /// As MediaDecoder::Open().
  Status Open();

  const AudioFormat& format() const override { return format_; }
  Result<size_t> Read(std::span<float> interleaved) override;
  std::string warning() const override { return warning_; }

 private:
  // Waits for one message and does what it asks. An error is final.
  Status Advance();
  Status Handle(const CageProcess::Message& message);
  Status HandleRead(const CageRead& read);
  Status HandleSeek(const CageSeek& seek);
  Status HandleOpened(const CageOpened& opened);
  Status HandleSamples(std::span<const std::byte> body);
  Status HandleEnd(const CageEnd& end);
  Status HandleError(const CageError& error);
  // The child did what no child of ours does.
  Status Disbelieve(std::string what);
  Status Stopped() const;
  void Release();

  const MediaCageOptions& options_;
  std::optional<CageProcess> child_;
  const std::unique_ptr<ByteSource> bytes_;
  const std::optional<uint64_t> size_;
  std::function<void()> released_;
  Patience patience_;
  uint64_t position_ = 0;
  uint64_t furthest_ = 0;
  Status source_status_;  // why the recording could not be read
  Status status_;         // why there is nothing more

  bool opened_ = false;
  bool ended_ = false;
  AudioFormat format_;
  std::string warning_;
  std::vector<std::byte> outgoing_;
  std::vector<float> ready_;  // from ready_begin_ on
  size_t ready_begin_ = 0;
  uint64_t num_frames_ = 0;
};

}  // namespace lethe::audio_internal
