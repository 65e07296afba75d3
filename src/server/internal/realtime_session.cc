#include "server/internal/realtime_session.h"

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "server/internal/admission.h"
#include "server/internal/authenticator.h"
#include "server/internal/console_guard.h"
#include "server/internal/processing.h"
#include "server/internal/prompt_terms.h"
#include "server/internal/run_on.h"

namespace lethe::server_internal {
namespace {

namespace asio = boost::asio;

constexpr std::uint16_t kNormalClosure = 1000;
constexpr Millis kContextPause{100};
constexpr std::string_view kPathPrefix = "/asr/v2/";

Failure ToFailure(AuthFailure failure) {
  switch (failure) {
    case AuthFailure::kDisabled:
      return {kNotActivated, "the application is disabled"};
    case AuthFailure::kExpired:
      return {kNotAuthentic, "the signature has expired, or is of a time to come; check the clock"};
    case AuthFailure::kMalformed:
      return {kNotAuthentic, "secretid, timestamp, expired and signature are needed"};
    case AuthFailure::kUnavailable:
      return {kOverloaded, "the service cannot check the signature at the moment; try again"};
    case AuthFailure::kUnknownKey:
    case AuthFailure::kWrong:
    case AuthFailure::kOtherApp:
      // Which of the three it is helps only who guesses.
      break;
  }
  return {kNotAuthentic, "the signature does not match"};
}

// By signature; or, where there is none, by the session of a browser that is signed in to the
// console.
AuthResult Authenticate(FaceContext& context, const HttpRequest& request, const NamedValues& query,
                        std::string_view app_id) {
  if (!FindValue(query, "secretid")) {
    auto from_console =
        AuthenticateConsoleSocket(request, app_id, context.console, context.store.applications());
    if (from_console) return *std::move(from_console);
  }
  return AuthenticateRealtime(request, app_id, context.store.keys(), context.clock,
                              context.options.canonical_hosts);
}

}  // namespace

RealtimeSession::RealtimeSession(FaceContext& context, const RealtimeOptions& options,
                                 LiveDecoders& decoders, WebSocket& socket,
                                 asio::any_io_executor executor)
    : context_(context),
      options_(options),
      decoders_(decoders),
      socket_(socket),
      executor_(std::move(executor)),
      started_(context.clock.Now()),
      timer_(executor_) {}

Awaitable<void> RealtimeSession::Run(const HttpRequest& request) {
  const NamedValues query = ParseQuery(request.query, false);
  voice_id_ = VoiceId(query);
  Admission admission = co_await AdmitOnPool(request, query);
  failure_ = std::move(admission.failure);
  if (admission.owner.application.id != 0) app_id_ = admission.owner.application.id;
  subject_ = admission.subject.pseudonym;
  if (failure_.code == kSuccess) failure_ = Open(admission);
  // When it can be cancelled: so a withdrawal is either seen here, or cancels it.
  if (failure_.code == kSuccess) failure_ = co_await CheckProcessing(admission);
  if (failure_.code != kSuccess) {
    if (call_) Leave();
    const std::string refusal = Refusal(failure_.code, failure_.message, voice_id_);
    const bool told = co_await socket_.Send(refusal);
    gone_ = !told;
    Record();
    co_await socket_.Close(kNormalClosure, "");
    co_return;
  }
  // What the standard library throws for want of memory costs this call, and the reader must not be
  // left behind.
  try {
    co_await Converse();
  } catch (const std::exception&) {
    Fail(kFailed, "the service could not go on with this call");
  }
  Leave();
  if (!gone_) {
    const std::string farewell =
        complete_ ? frames_->Final() : frames_->Failure(failure_.code, failure_.message);
    const bool told = co_await socket_.Send(farewell);
    if (!told) gone_ = true;
  }
  Record();
  co_await socket_.Close(kNormalClosure, "");
  // The reader holds on to the socket, which ends with this coroutine.
  while (reading_) co_await WaitForNews();
}

Awaitable<RealtimeSession::Admission> RealtimeSession::AdmitOnPool(const HttpRequest& request,
                                                                   const NamedValues& query) {
  std::function<Admission()> work = [context = &context_, request, query] {
    return Admit(*context, request, query);
  };
  std::function<Admission(const Status&)> refused = [](const Status&) {
    Admission admission;
    admission.failure = {kOverloaded, "the service is busy; try again"};
    return admission;
  };
  co_return co_await RunOn<Admission>(context_.quick_pool, PeerOwner(request), std::move(work),
                                      std::move(refused));
}

RealtimeSession::Admission RealtimeSession::Admit(FaceContext& context, const HttpRequest& request,
                                                  const NamedValues& query) {
  Admission admission;
  const std::string_view app_id = std::string_view(request.path).substr(kPathPrefix.size());
  AuthResult caller = Authenticate(context, request, query, app_id);
  if (const auto* failure = std::get_if<AuthFailure>(&caller)) {
    admission.failure = ToFailure(*failure);
    return admission;
  }
  admission.owner = std::get<KeyOwner>(std::move(caller));
  admission.subject = FindSubject(context, admission.owner.application.id, SubjectName(request));
  auto parameters = ParseRealtimeParameters(query);
  if (!parameters.ok()) {
    admission.failure = {kBadParameter, parameters.status().message()};
    return admission;
  }
  admission.parameters = *std::move(parameters);
  auto engine = context.engines.Find(admission.parameters.engine);
  if (!engine.ok()) {
    admission.failure = {kBadParameter, "engine_model_type: " + engine.status().message()};
    return admission;
  }
  admission.engine = *std::move(engine);
  auto hot_words = context.word_lists.Resolve(
      admission.owner.application.id, *admission.engine.speech, admission.parameters.hot_word_list,
      admission.parameters.vocabulary_id);
  if (hot_words.ok()) {
    admission.hot_words = *std::move(hot_words);
    return admission;
  }
  switch (hot_words.status().code()) {
    case StatusCode::kNotFound:
      admission.failure = {kBadParameter, "hotword_id: there is no such vocabulary"};
      break;
    case StatusCode::kInvalidArgument:
      admission.failure = {kBadParameter, "hotword_list: " + hot_words.status().message()};
      break;
    default:
      admission.failure = {kOverloaded, "the vocabularies cannot be read; try again"};
  }
  return admission;
}

Failure RealtimeSession::Open(const Admission& admission) {
  auto entered = context_.gate.Enter(admission.owner.application, Interface::kRealtime);
  if (std::holds_alternative<GateRefusal>(entered)) {
    return {kTooManyCalls, "too many calls at a time for this application"};
  }
  permit_ = std::get<Permit>(std::move(entered));
  const RealtimeParameters& parameters = admission.parameters;
  LiveCallOptions options{.engine = admission.engine,
                          .format = parameters.format,
                          .pcm_rate = parameters.pcm_rate,
                          .live = {.words = parameters.word_info != WordInfo::kNone,
                                   .hot_words = admission.hot_words,
                                   .partial_interval = options_.partial_interval,
                                   .trailing_silence = parameters.trailing_silence,
                                   .max_utterance = parameters.max_utterance,
                                   .noise_threshold = parameters.noise_threshold,
                                   .notify = {}},
                          .post = parameters.post,
                          .max_ahead = options_.max_ahead,
                          .notify = {}};
  // However often the engine calls, one visit to the strand is under way.
  const auto pending = std::make_shared<std::atomic<bool>>(false);
  options.notify = [session = weak_from_this(), executor = executor_, pending] {
    if (pending->exchange(true)) return;
    asio::post(executor, [session, pending] {
      *pending = false;
      if (const auto here = session.lock()) here->Wake();
    });
  };
  auto call = LiveCall::Open(std::move(options), decoders_);
  if (!call.ok()) {
    permit_ = {};
    const bool theirs = call.status().code() == StatusCode::kInvalidArgument;
    return {theirs ? kBadParameter : kOverloaded, call.status().message()};
  }
  const auto wake = [session = weak_from_this(), executor = executor_] {
    asio::post(executor, [session] {
      if (const auto here = session.lock()) here->Wake();
    });
  };
  under_way_.emplace(context_.calls, admission.owner.application.id,
                     admission.owner.application.uin, voice_id_, subject_, wake);
  call_ = *std::move(call);
  speech_ = admission.engine.speech;
  frames_.emplace(parameters, admission.engine.speech->label.language);
  return {};
}

Awaitable<Failure> RealtimeSession::CheckProcessing(const Admission& admission) {
  const auto refusal =
      co_await CheckProcessingOnPool(context_, admission.owner.application, admission.subject);
  if (!refusal) co_return Failure();
  switch (refusal->reason) {
    case ProcessingRefusal::Reason::kConsent:
      co_return Failure{kNotActivated, refusal->message};
    case ProcessingRefusal::Reason::kSubject:
      co_return Failure{kBadParameter, "lethe_subject: " + refusal->message};
    case ProcessingRefusal::Reason::kSpent:
      co_return Failure{kSpent, refusal->message};
    case ProcessingRefusal::Reason::kOverdue:
      co_return Failure{kOverdue, refusal->message};
    case ProcessingRefusal::Reason::kUnavailable:
      break;
  }
  co_return Failure{kOverloaded, refusal->message};
}

Awaitable<void> RealtimeSession::Converse() {
  const std::string handshake = frames_->Handshake();
  const bool welcomed = co_await socket_.Send(handshake);
  if (!welcomed) {
    gone_ = true;
    co_return;
  }
  last_audio_ = Time::now();
  reading_ = true;
  asio::co_spawn(
      executor_, [self = shared_from_this()] { return self->ReadAll(); },
      [self = shared_from_this()](const std::exception_ptr&) {
        self->gone_ = true;
        self->reading_ = false;
        self->Wake();
      });
  while (!gone_ && failure_.code == kSuccess) {
    Fail(call_->Pump());
    // Before the events are taken: what is complete now, is told now.
    const bool last = ended_ && call_->complete();
    const bool any = co_await SendEvents();
    if (erased()) Fail(kClientGone, "the call was erased on request");
    if (!last && under_way_->cut_off()) {
      Fail(kOverloaded, "the service is stopping; try again elsewhere");
    }
    if (gone_ || failure_.code != kSuccess) break;
    if (last) {
      complete_ = true;
      break;
    }
    if (!ended_ && Time::now() - last_audio_ >= options_.audio_patience) {
      Fail(kNoAudio, "no audio came for too long, in seconds: " +
                         std::to_string(options_.audio_patience.count() / 1000));
      break;
    }
    if (!any) co_await WaitForNews();
  }
}

Awaitable<void> RealtimeSession::ReadAll() {
  while (true) {
    const std::optional<WebSocketMessage> message = co_await socket_.Read();
    if (!message) co_return;
    // A call that is over is still read, or its closing would not be noticed.
    if (call_ && failure_.code == kSuccess && !ended_) co_await Take(*message);
  }
}

Awaitable<void> RealtimeSession::Take(const WebSocketMessage& message) {
  if (message.binary) {
    if (message.data.empty()) co_return;
    last_audio_ = Time::now();
    Fail(call_->PushBytes(std::as_bytes(std::span(message.data))));
  } else {
    ClientText text = ReadClientText(message.data);
    switch (text.kind) {
      case ClientText::Kind::kEnd:
        ended_ = true;
        call_->Finish();
        break;
      case ClientText::Kind::kContext:
        co_await TakeContext(std::move(text));
        break;
      case ClientText::Kind::kUnknown:
        Fail(kUnknownText, "a text frame that is neither an end nor a context");
    }
  }
  Wake();
}

// Its words go before those that the call began with; without any it says nothing to us. What the
// client sends behind it waits in its socket until the words are spelled.
Awaitable<void> RealtimeSession::TakeContext(ClientText context) {
  using Found = Result<std::shared_ptr<const HotWords>>;
  const std::function<Found()> work = [face = &context_, app_id = *app_id_, speech = speech_,
                                       context = std::move(context)]() -> Found {
    ASSIGN_OR_RETURN(const auto given, ParseHotWordEntries(context.hot_word_list));
    std::string list = context.hot_word_list;
    AppendPromptTerms(context.prompt, given.size(), &list);
    if (list.empty()) return std::shared_ptr<const HotWords>();
    return face->word_lists.Resolve(app_id, *speech, list, "");
  };
  std::optional<Found> found;
  while (call_ && failure_.code == kSuccess) {
    Status full;
    const std::function<Found(const Status&)> refused = [&full](const Status& status) {
      full = status;
      return Found(status);
    };
    found = co_await RunOn<Found>(context_.quick_pool, *app_id_, work, refused);
    if (full.code() != StatusCode::kResourceExhausted) break;
    // Too much of this application's waits. It is no reason to end a call.
    asio::steady_timer pause(executor_, kContextPause);
    co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  if (!found || !call_ || failure_.code != kSuccess) co_return;
  if (!found->ok()) {
    const bool theirs = found->status().code() == StatusCode::kInvalidArgument;
    Fail(theirs ? kBadParameter : kOverloaded,
         theirs ? "hotword_list: " + found->status().message() : found->status().message());
  } else if (**found != nullptr) {
    call_->SetHotWords(**std::move(found));
  }
}

void RealtimeSession::Fail(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk:
      break;
    case StatusCode::kInvalidArgument:
      Fail(kNotDecodable, "the audio " + status.message());
      break;
    case StatusCode::kResourceExhausted:
      Fail(kTooMuchAudio, status.message());
      break;
    case StatusCode::kUnavailable:
      Fail(kOverloaded, status.message());
      break;
    default:
      Fail(kFailed, status.message());
  }
}

void RealtimeSession::Fail(int code, std::string_view message) {
  if (failure_.code == kSuccess) failure_ = {code, std::string(message)};
}

Awaitable<bool> RealtimeSession::SendEvents() {
  const std::vector<StreamEvent> events = call_->TakeEvents();
  for (const StreamEvent& event : events) {
    if (erased()) break;
    const std::optional<std::string> frame = frames_->Event(event);
    if (!frame) continue;
    const bool sent = co_await socket_.Send(*frame);
    if (!sent) gone_ = true;
    if (gone_) break;
    ++frames_sent_;
  }
  co_return !events.empty();
}

Awaitable<void> RealtimeSession::WaitForNews() {
  if (!std::exchange(news_, false)) {
    if (ended_ || !call_) {
      timer_.expires_at(Time::time_point::max());
    } else {
      timer_.expires_at(last_audio_ + options_.audio_patience);
    }
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    news_ = false;
  }
}

void RealtimeSession::Wake() {
  news_ = true;
  timer_.cancel();
}

void RealtimeSession::Leave() {
  audio_ = call_->audio();
  bytes_ = call_->bytes();
  call_.reset();
  permit_ = {};
}

void RealtimeSession::Record() {
  if (!app_id_) return;
  int code = failure_.code;
  if (code == kSuccess && (gone_ || !complete_)) code = kClientGone;
  context_.meter.Record(
      {.app_id = *app_id_,
       .interface = Interface::kRealtime,
       .call_id = voice_id_,
       .result_code = std::to_string(code),
       .succeeded = code == kSuccess,
       .start = started_,
       .end = context_.clock.Now(),
       .audio = audio_,
       .bytes = bytes_,
       .facts = {{"frames_sent", frames_sent_}, {"complete", complete_}, {"client_gone", gone_}},
       .subject = subject_},
      under_way_ ? under_way_->erased() : nullptr);
  under_way_.reset();
}

}  // namespace lethe::server_internal
