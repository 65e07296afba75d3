#pragma once

// One realtime call, from its handshake to its last frame.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "server/faces.h"
#include "server/internal/realtime_frames.h"
#include "server/internal/realtime_parameters.h"
#include "server/internal/subject.h"
#include "server/realtime.h"
#include "server/websocket.h"
#include "service/live_call.h"
#include "store/keys.h"

namespace lethe::server_internal {

/// The codes of section 5.6.
enum RealtimeCode : int {
  kSuccess = 0,
  kTooMuchAudio = 4000,
  kBadParameter = 4001,
  kNotAuthentic = 4002,
  kNotActivated = 4003,
  kSpent = 4004,
  kOverdue = 4005,
  kTooManyCalls = 4006,
  kNotDecodable = 4007,
  kNoAudio = 4008,
  kClientGone = 4009,  // told to nobody but the meter, and to whose call was erased
  kUnknownText = 4010,
  kOverloaded = 5000,
  kFailed = 5001,
};

struct Failure {
  int code = kSuccess;
  std::string message;
};

/// Two coroutines on the connection's strand: one reads and pushes audio, the other waits for
/// events, sends them and decides when it is over. The first begins when the call is let in, so
/// what a client sends before waits in its socket.
///
/// Lifetime: by shared_ptr; the WebSocket outlives Run()
class RealtimeSession : public std::enable_shared_from_this<RealtimeSession> {
 public:
  RealtimeSession(FaceContext& context, const RealtimeOptions& options, LiveDecoders& decoders,
                  WebSocket& socket, boost::asio::any_io_executor executor);

  /// Serves the call to its end; the connection is closed then.
  Awaitable<void> Run(const HttpRequest& request);

 private:
  using Time = std::chrono::steady_clock;

  // Who calls, and what for; on the pool, because the records may have to be waited for.
  struct Admission {
    Failure failure;
    KeyOwner owner;
    Subject subject;
    RealtimeParameters parameters;
    EngineEntry engine;
    std::shared_ptr<const HotWords> hot_words;
  };
  static Admission Admit(FaceContext& context, const HttpRequest& request,
                         const NamedValues& query);
  Awaitable<Admission> AdmitOnPool(const HttpRequest& request, const NamedValues& query);

  // Opens the call of somebody who is let in. An empty failure: it is open.
  Failure Open(const Admission& admission);
  // Whether whom the call is about may be processed. An empty failure: yes.
  Awaitable<Failure> CheckProcessing(const Admission& admission);
  Awaitable<void> Converse();
  Awaitable<void> ReadAll();
  Awaitable<void> Take(const WebSocketMessage& message);
  Awaitable<void> TakeContext(ClientText context);
  void Fail(const Status& status);
  void Fail(int code, std::string_view message);
  // Sends what has happened. True when there was something.
  Awaitable<bool> SendEvents();
  Awaitable<void> WaitForNews();
  void Wake();
  // Whether the call's subject was erased; then nothing of what was heard is told any more.
  bool erased() const { return under_way_ && under_way_->cancelled(); }
  // Gives back what the call holds, before its client is told that it is over and comes again.
  void Leave();
  // Writes down what was used.
  void Record();

  FaceContext& context_;
  const RealtimeOptions& options_;
  LiveDecoders& decoders_;
  WebSocket& socket_;
  const boost::asio::any_io_executor executor_;
  const WallTime started_;
  boost::asio::steady_timer timer_;

  std::optional<AppId> app_id_;     // once it is known who calls
  std::string voice_id_, subject_;  // a pseudonym
  Permit permit_;
  std::optional<CancellableCall> under_way_;
  std::unique_ptr<LiveCall> call_;
  const SpeechEngine* speech_ = nullptr;  // of the call
  std::optional<RealtimeFrames> frames_;
  Failure failure_;  // the first
  Millis audio_{0};
  std::uint64_t bytes_ = 0, frames_sent_ = 0;
  bool news_ = false, reading_ = false, ended_ = false, gone_ = false, complete_ = false;
  Time::time_point last_audio_;
};

}  // namespace lethe::server_internal
