#pragma once

// One realtime transcription session, from its upgrade to its close.

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "server/faces.h"
#include "server/internal/openai_realtime_answers.h"
#include "server/internal/openai_realtime_events.h"
#include "server/internal/openai_realtime_turns.h"
#include "server/internal/subject.h"
#include "server/openai_realtime.h"
#include "server/websocket.h"
#include "service/call_gate.h"
#include "service/live_call.h"

namespace lethe::server_internal {

/// Two coroutines on the connection's strand: one reads events and does what they say, the other
/// sends what there is to tell and decides when it is over. The first stops reading while too much
/// waits, of audio or of answers; its client then waits in its socket.
///
/// Lifetime: by shared_ptr; the WebSocket outlives Run()
class OpenAiRealtimeSession : public std::enable_shared_from_this<OpenAiRealtimeSession> {
 public:
  /// What was found out before the upgrade.
  struct Entry {
    Application application;
    Subject subject;
    Permit permit;
    OpenAiDialect dialect = OpenAiDialect::kGa;
    Hearing hearing;
    WallTime started;
  };

  OpenAiRealtimeSession(FaceContext& context, const OpenAiRealtimeOptions& options,
                        LiveDecoders& decoders, WebSocket& socket,
                        boost::asio::any_io_executor executor, Entry entry);

  /// Serves the session to its end; the connection is closed then.
  Awaitable<void> Run();

 private:
  using Time = std::chrono::steady_clock;

  void Begin();
  // A withdrawal may have come between the upgrade and Begin(), where nobody could cancel yet.
  Awaitable<void> CheckProcessing();
  Awaitable<void> Converse();
  Awaitable<void> ReadAll();
  // Large messages are read on the pool: what they hold takes milliseconds.
  Awaitable<ClientEvent> ReadEvent(std::string text);
  Awaitable<void> Do(ClientEvent event);
  Awaitable<void> Update(ClientEvent event);
  Awaitable<bool> SendAnswers();
  // Ends a session that has lasted too long, or whose client says nothing.
  void CheckTimes();
  // Ends a session whose subject was erased; what was heard is not told any more.
  void CheckErased();
  Awaitable<void> WaitForNews();
  void Wake();
  // The reader's; until there is room again, or it is over.
  Awaitable<void> WaitForRoom();
  bool crowded() const;
  bool over() const { return gone_ || close_code_ != 0; }

  void Complain(const OpenAiError& error, std::string_view event_id);
  // An event about why, then the connection is closed.
  void End(std::uint16_t close_code, const OpenAiError& error);
  // Gives back what the session holds.
  void Leave();
  void Record();

  FaceContext& context_;
  const OpenAiRealtimeOptions& options_;
  LiveDecoders& decoders_;
  WebSocket& socket_;
  const boost::asio::any_io_executor executor_;
  Entry entry_;
  const Time::time_point end_;
  boost::asio::steady_timer timer_, reader_timer_;

  RealtimeAnswers answers_;
  std::optional<CancellableCall> under_way_;
  std::optional<RealtimeTurns> turns_;
  std::deque<std::string> outbox_;
  Time::time_point last_event_;
  int errors_ = 0;                // since the last event that was right
  std::uint16_t close_code_ = 0;  // set: it is over
  std::string result_ = "200";
  Millis audio_{0};
  std::uint64_t bytes_ = 0;
  bool news_ = false, reading_ = false, gone_ = false, erased_ = false;
};

}  // namespace lethe::server_internal
