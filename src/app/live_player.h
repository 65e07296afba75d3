#pragma once

// Recordings spoken into live streams at the pace of speech: the load of `bench streams`, and how
// `eval --live` hears.

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "base/status.h"
#include "engine/engine.h"

namespace lethe {

/// 16 kHz mono in [-1, 1], shared by all who speak it.
using SharedSamples = std::shared_ptr<const std::vector<float>>;

/// Plays any number of voices at once, each into a stream of its own, in chunks of 100 ms, as a
/// telephone or a browser sends them. One thread pushes for all.
class LivePlayer {
 public:
  using Clock = std::chrono::steady_clock;

  struct Voice {
    /// The next recording to speak, or null when the voice has nothing more to say. A recording is
    /// followed by the next without a pause.
    std::function<SharedSamples()> next;
    /// Told of every event, on a thread of the engine, with the milliseconds since the audio was
    /// pushed that the event became known by (StreamEvent::heard).
    std::function<void(const StreamEvent& event, double latency_ms)> on_event;
    /// Told when the stream is complete, or was given up; may be empty.
    std::function<void()> on_end;
    Clock::duration start_after{0};
    // The client hangs up in the midst of it after so long; 0: never.
    Clock::duration hang_up_after{0};
  };

  /// `pace` 1 is the pace of speech, 2 twice as fast.
  LivePlayer(Engine& engine, LiveOptions options, double pace);
  ~LivePlayer();

  /// Adds a voice; while playing, only from on_end().
  void Add(Voice voice);

  /// Plays until all voices have ended, or `stop` says so, which is asked now and then.
  /// Errors: as Engine::OpenLive()
  Status Play(const std::function<bool()>& stop);

  /// Samples that found no room, counted at each attempt to push them.
  std::int64_t turned_away() const { return turned_away_; }

 private:
  class Speaker;

  Engine& engine_;
  const LiveOptions options_;
  const double pace_;
  std::vector<std::unique_ptr<Speaker>> speaking_;
  std::int64_t turned_away_ = 0;
};

}  // namespace lethe
