#include "server/internal/openai_realtime_session.h"

#include <atomic>
#include <exception>
#include <functional>
#include <utility>
#include <variant>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "server/internal/openai_realtime_hearing.h"
#include "server/internal/processing.h"
#include "server/internal/run_on.h"

namespace lethe::server_internal {
namespace {

namespace asio = boost::asio;

constexpr std::uint16_t kNormalClosure = 1000, kPolicyViolation = 1008, kInternalError = 1011,
                        kTryAgainLater = 1013;
constexpr std::size_t kLargeMessage = std::size_t{256} << 10;
constexpr std::size_t kMostAnswers = 256;
// Turns that have ended and are still being listened to, and the one that is spoken.
constexpr std::size_t kMostTurns = 4;

OpenAiError Refused(const Status& status) {
  return status.code() == StatusCode::kResourceExhausted ? TooManyCalls()
                                                         : NoService("The service is stopping.");
}

std::int64_t Seconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace

OpenAiRealtimeSession::OpenAiRealtimeSession(FaceContext& context,
                                             const OpenAiRealtimeOptions& options,
                                             LiveDecoders& decoders, WebSocket& socket,
                                             asio::any_io_executor executor, Entry entry)
    : context_(context),
      options_(options),
      decoders_(decoders),
      socket_(socket),
      executor_(std::move(executor)),
      entry_(std::move(entry)),
      end_(Time::now() + options.max_session),
      timer_(executor_),
      reader_timer_(executor_),
      answers_(entry_.dialect, Seconds(entry_.started + options.max_session)) {}

Awaitable<void> OpenAiRealtimeSession::Run() {
  // What the standard library throws for want of memory costs this session, and the reader must not
  // be left behind.
  bool failed = false;
  try {
    Begin();
    co_await CheckProcessing();
    if (!over()) co_await Converse();
  } catch (const std::exception&) {
    failed = true;
  }
  if (failed) {
    outbox_.clear();
    End(kInternalError, {.status = 500,
                         .message = "The service could not go on with this session.",
                         .type = "server_error"});
  }
  Leave();
  const bool told = co_await SendAnswers();
  if (!told) gone_ = true;
  Record();
  co_await socket_.Close(close_code_ == 0 ? kNormalClosure : close_code_, "");
  gone_ = true;
  // The reader holds on to the socket, which ends with this coroutine.
  while (reading_) {
    reader_timer_.cancel();
    co_await WaitForNews();
  }
}

void OpenAiRealtimeSession::Begin() {
  // However often the engine calls, one visit to the strand is under way.
  const auto pending = std::make_shared<std::atomic<bool>>(false);
  turns_.emplace(
      answers_, decoders_, options_.max_ahead, options_.partial_interval,
      [this](std::string event) { outbox_.push_back(std::move(event)); },
      [session = weak_from_this(), executor = executor_, pending] {
        if (pending->exchange(true)) return;
        asio::post(executor, [session, pending] {
          *pending = false;
          if (const auto here = session.lock()) here->Wake();
        });
      });
  const auto wake = [session = weak_from_this(), executor = executor_] {
    asio::post(executor, [session] {
      if (const auto here = session.lock()) here->Wake();
    });
  };
  under_way_.emplace(context_.calls, entry_.application.id, entry_.application.uin,
                     answers_.session_id(), entry_.subject.pseudonym, wake);
  static_cast<void>(turns_->SetHearing(std::move(entry_.hearing)));
  outbox_.push_back(answers_.Created(turns_->settings()));
  last_event_ = Time::now();
}

Awaitable<void> OpenAiRealtimeSession::CheckProcessing() {
  const auto refusal = co_await CheckProcessingOnPool(context_, entry_.application, entry_.subject);
  if (!refusal) co_return;
  const OpenAiError error = NotProcessed(*refusal);
  outbox_.clear();
  result_ = std::to_string(error.status);
  End(kPolicyViolation, error);
}

Awaitable<void> OpenAiRealtimeSession::Converse() {
  reading_ = true;
  asio::co_spawn(
      executor_, [self = shared_from_this()] { return self->ReadAll(); },
      [self = shared_from_this()](const std::exception_ptr&) {
        self->gone_ = true;
        self->reading_ = false;
        self->Wake();
      });
  while (!over()) {
    turns_->Pump();
    const bool sent = co_await SendAnswers();
    if (!sent) gone_ = true;
    CheckErased();
    if (under_way_->cut_off()) End(kTryAgainLater, NoService("The service is stopping."));
    CheckTimes();
    if (over()) break;
    if (!crowded()) reader_timer_.cancel();
    if (outbox_.empty()) co_await WaitForNews();
  }
}

Awaitable<void> OpenAiRealtimeSession::ReadAll() {
  while (true) {
    std::optional<WebSocketMessage> message = co_await socket_.Read();
    if (!message) co_return;
    // A session that is over is still read, or its closing would not be noticed.
    if (over()) continue;
    last_event_ = Time::now();
    if (message->binary) {
      Complain({.message = "Events are JSON in text messages.", .code = "invalid_json"}, "");
    } else {
      ClientEvent event = co_await ReadEvent(std::move(message->data));
      message.reset();
      if (over()) continue;
      co_await Do(std::move(event));
    }
    Wake();
    while (!over() && crowded()) co_await WaitForRoom();
  }
}

Awaitable<ClientEvent> OpenAiRealtimeSession::ReadEvent(std::string text) {
  const OpenAiDialect dialect = answers_.dialect();
  const RealtimeSettings& now = turns_->settings();
  if (text.size() < kLargeMessage) co_return ReadClientEvent(text, dialect, now);
  std::function<ClientEvent()> work = [text = std::make_shared<const std::string>(std::move(text)),
                                       dialect,
                                       now] { return ReadClientEvent(*text, dialect, now); };
  std::function<ClientEvent(const Status&)> refused = [](const Status& status) {
    ClientEvent event;
    event.error = Refused(status);
    return event;
  };
  co_return co_await RunOn<ClientEvent>(context_.quick_pool, entry_.application.id, std::move(work),
                                        std::move(refused));
}

Awaitable<void> OpenAiRealtimeSession::Do(ClientEvent event) {
  std::optional<OpenAiError> error;
  // What was finished before the event is told before it has its effect.
  turns_->Pump();
  switch (event.kind) {
    case ClientEvent::Kind::kInvalid:
      error = std::move(event.error);
      break;
    case ClientEvent::Kind::kAppend:
      error = turns_->Append(event.audio);
      break;
    case ClientEvent::Kind::kCommit:
      error = turns_->Commit();
      break;
    case ClientEvent::Kind::kClear:
      turns_->Clear();
      break;
    case ClientEvent::Kind::kUpdate:
      co_await Update(std::move(event));
      co_return;
  }
  if (error) {
    Complain(*error, event.event_id);
  } else {
    errors_ = 0;
  }
}

Awaitable<void> OpenAiRealtimeSession::Update(ClientEvent event) {
  using Found = std::variant<Hearing, OpenAiError>;
  std::function<Found()> work = [context = &context_, app_id = entry_.application.id,
                                 settings = event.settings]() mutable {
    return FindHearing(*context, app_id, std::move(settings));
  };
  std::function<Found(const Status&)> refused = [](const Status& status) -> Found {
    return Refused(status);
  };
  Found found = co_await RunOn<Found>(context_.quick_pool, entry_.application.id, std::move(work),
                                      std::move(refused));
  if (over()) co_return;
  std::optional<OpenAiError> error;
  if (auto* why = std::get_if<OpenAiError>(&found)) {
    error = std::move(*why);
    if (!error->param.empty()) error->param = TranscriptionField(event.dialect, error->param);
  } else {
    error = turns_->SetHearing(std::get<Hearing>(std::move(found)));
  }
  if (error) {
    Complain(*error, event.event_id);
    co_return;
  }
  errors_ = 0;
  answers_.SetDialect(event.dialect);
  outbox_.push_back(answers_.Updated(turns_->settings()));
}

void OpenAiRealtimeSession::Complain(const OpenAiError& error, std::string_view event_id) {
  outbox_.push_back(answers_.Error(error, event_id));
  if (++errors_ < options_.max_errors) return;
  End(kPolicyViolation,
      {.message = "Too many events in a row could not be taken.", .code = "too_many_errors"});
}

void OpenAiRealtimeSession::End(std::uint16_t close_code, const OpenAiError& error) {
  if (close_code_ != 0) return;
  close_code_ = close_code;
  if (error.status >= 500) result_ = std::to_string(error.status);
  outbox_.push_back(answers_.Error(error, ""));
}

void OpenAiRealtimeSession::CheckTimes() {
  const Time::time_point now = Time::now();
  if (now >= end_) {
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(options_.max_session);
    End(kNormalClosure, {.message = "The session has lasted as long as one may, in minutes: " +
                                    std::to_string(minutes.count()),
                         .code = "session_expired"});
  } else if (now - last_event_ >= options_.idle_patience && !crowded()) {
    End(kNormalClosure, {.message = "No event came for too long, in seconds: " +
                                    std::to_string(options_.idle_patience.count() / 1000),
                         .code = "session_expired"});
  }
}

void OpenAiRealtimeSession::CheckErased() {
  if (erased_ || !under_way_ || !under_way_->cancelled()) return;
  erased_ = true;
  outbox_.clear();
  const OpenAiError erased = CallErased();
  result_ = std::to_string(erased.status);
  close_code_ = 0;  // it may have been about to end for another reason, which is not sent any more
  End(kNormalClosure, erased);
}

Awaitable<bool> OpenAiRealtimeSession::SendAnswers() {
  while (!outbox_.empty()) {
    CheckErased();  // replaces what is to be sent
    const std::string event = std::move(outbox_.front());
    outbox_.pop_front();
    const bool sent = co_await socket_.Send(event);
    if (!sent) co_return false;
  }
  co_return true;
}

bool OpenAiRealtimeSession::crowded() const {
  return outbox_.size() >= kMostAnswers ||
         (turns_ && (turns_->size() > kMostTurns || turns_->waiting() >= options_.max_ahead));
}

Awaitable<void> OpenAiRealtimeSession::WaitForNews() {
  if (!std::exchange(news_, false)) {
    // A client that is not read cannot say anything.
    timer_.expires_at(gone_       ? Time::time_point::max()
                      : crowded() ? end_
                                  : std::min(end_, last_event_ + options_.idle_patience));
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    news_ = false;
  }
}

void OpenAiRealtimeSession::Wake() {
  news_ = true;
  timer_.cancel();
}

Awaitable<void> OpenAiRealtimeSession::WaitForRoom() {
  reader_timer_.expires_at(Time::time_point::max());
  co_await reader_timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  last_event_ = Time::now();
}

void OpenAiRealtimeSession::Leave() {
  if (turns_) {
    turns_->Drop();
    audio_ = turns_->audio();
    bytes_ = turns_->bytes();
    if (turns_->failed() && result_ == "200") result_ = "500";
  }
  entry_.permit = {};
  reader_timer_.cancel();
}

void OpenAiRealtimeSession::Record() {
  context_.meter.Record({.app_id = entry_.application.id,
                         .interface = Interface::kOpenAiRealtime,
                         .call_id = answers_.session_id(),
                         .result_code = result_,
                         .succeeded = result_ == "200",
                         .start = entry_.started,
                         .end = context_.clock.Now(),
                         .audio = audio_,
                         .bytes = bytes_,
                         .subject = entry_.subject.pseudonym},
                        under_way_ ? under_way_->erased() : nullptr);
  under_way_.reset();
}

}  // namespace lethe::server_internal
