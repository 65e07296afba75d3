#include "server/flash.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/random.h"
#include "server/internal/admission.h"
#include "server/internal/flash_answer.h"
#include "server/internal/flash_parameters.h"
#include "server/internal/processing.h"
#include "server/internal/run_on.h"

namespace lethe {
namespace {

using server_internal::Admission;
using server_internal::AuthFailure;
using server_internal::AuthResult;
using server_internal::Caller;
using server_internal::FlashCode;
using server_internal::FlashWords;
using server_internal::ProcessingRefusal;

constexpr std::string_view kPath = "/asr/flash/v1/";
// The most patient of the official clients hangs up after so long.
constexpr std::chrono::minutes kPatience{10};

// One call, and what has become of it.
struct Outcome {
  FlashCode code = FlashCode::kOk;
  std::string body;
  Millis audio{0};
  Facts facts;
};

Outcome Refuse(std::string_view id, FlashCode code, std::string_view message) {
  return {.code = code, .body = FlashRefusal(id, code, message)};
}

HttpResponse ToResponse(Outcome outcome) { return {.body = std::move(outcome.body)}; }

Outcome RefuseStranger(std::string_view id, AuthFailure failure) {
  switch (failure) {
    case AuthFailure::kUnavailable:
      return Refuse(id, FlashCode::kServer, "the service cannot look up keys at the moment");
    case AuthFailure::kDisabled:
      return Refuse(id, FlashCode::kNotActivated, "this application is disabled");
    case AuthFailure::kMalformed:
      return Refuse(id, FlashCode::kAuthentication,
                    "secretid, timestamp or the Authorization header is missing or ill-formed");
    case AuthFailure::kExpired:
      return Refuse(id, FlashCode::kAuthentication,
                    "the timestamp is more than three minutes from the time here");
    case AuthFailure::kUnknownKey:
      return Refuse(id, FlashCode::kAuthentication, "there is no such secretid");
    case AuthFailure::kOtherApp:
      return Refuse(id, FlashCode::kAuthentication, "the secretid is another application's");
    case AuthFailure::kWrong:
      break;
  }
  return Refuse(id, FlashCode::kAuthentication, "the signature does not match");
}

// What went wrong with the recording itself.
Outcome RefuseAudio(std::string_view id, const Status& status) {
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
      return Refuse(id, FlashCode::kDecoding, "the audio " + status.message());
    case StatusCode::kResourceExhausted:
      return Refuse(id, FlashCode::kTooLarge, "the audio " + status.message());
    case StatusCode::kUnimplemented:
      return Refuse(id, FlashCode::kParameter, status.message());
    case StatusCode::kUnavailable:
      return Refuse(id, FlashCode::kServer, status.message());
    case StatusCode::kCancelled:
      return Refuse(id, FlashCode::kTimedOut, "recognition took too long");
    default:
      return Refuse(id, FlashCode::kRecognition, "recognition failed");
  }
}

// Why the call is not processed.
Outcome RefuseProcessing(std::string_view id, const ProcessingRefusal& refusal) {
  switch (refusal.reason) {
    case ProcessingRefusal::Reason::kConsent:
      return Refuse(id, FlashCode::kNotActivated, refusal.message);
    case ProcessingRefusal::Reason::kSubject:
      return Refuse(id, FlashCode::kParameter, "X-Lethe-Subject: " + refusal.message);
    case ProcessingRefusal::Reason::kSpent:
      return Refuse(id, FlashCode::kSpent, refusal.message);
    case ProcessingRefusal::Reason::kOverdue:
      return Refuse(id, FlashCode::kOverdue, refusal.message);
    case ProcessingRefusal::Reason::kUnavailable:
      break;
  }
  return Refuse(id, FlashCode::kServer, refusal.message);
}

// A call's row of usage, to be.
struct CallRecord {
  FaceContext& context;
  AppId app_id;
  std::string id;
  WallTime start;
  std::size_t bytes;
  std::string subject;  // a pseudonym
  std::shared_ptr<const CancellableCall> under_way;

  void Finish(FlashCode code, Millis audio, const Facts& facts) const {
    context.meter.Record({.app_id = app_id,
                          .interface = Interface::kFlash,
                          .call_id = id,
                          .result_code = std::to_string(static_cast<int>(code)),
                          .succeeded = code == FlashCode::kOk,
                          .start = start,
                          .end = context.clock.Now(),
                          .audio = audio,
                          .bytes = bytes,
                          .facts = facts,
                          .subject = subject},
                         under_way->erased());
  }
};

// What is answered. A failure is recorded at once; of a success it counts whether somebody gets it.
HttpResponse End(const CallRecord& record, Outcome outcome) {
  if (outcome.code != FlashCode::kOk) {
    record.Finish(outcome.code, outcome.audio, outcome.facts);
    return ToResponse(std::move(outcome));
  }
  auto receipt = std::make_shared<AnswerReceipt>(
      [record, audio = outcome.audio, facts = std::move(outcome.facts)](bool reached) {
        record.Finish(reached ? FlashCode::kOk : FlashCode::kClientGone,
                      reached ? audio : Millis(0), facts);
      });
  HttpResponse response = ToResponse(std::move(outcome));
  response.receipt = std::move(receipt);
  return response;
}

// Blocks until the recording is transcribed.
Outcome Recognize(FaceContext& context, const HttpRequest& request, const Caller& caller,
                  const CancellableCall& under_way, std::string_view id, Millis max_duration) {
  const Application& application = caller.application;
  const auto refusal = server_internal::CheckProcessing(context, application, caller.subject);
  if (refusal) return RefuseProcessing(id, *refusal);
  const auto wanted = server_internal::ReadFlashParameters(ParseQuery(request.query, false));
  if (!wanted.ok()) return Refuse(id, FlashCode::kParameter, wanted.status().message());
  const auto engine = context.engines.Find(wanted->engine_type);
  if (!engine.ok()) return Refuse(id, FlashCode::kParameter, engine.status().message());
  if (request.body.empty()) return Refuse(id, FlashCode::kEmpty, "the body holds no audio");
  const auto hot_words = context.word_lists.Resolve(application.id, *engine->speech,
                                                    wanted->hotword_list, wanted->hotword_id);
  if (!hot_words.ok()) {
    const StatusCode code = hot_words.status().code();
    const bool theirs = code == StatusCode::kInvalidArgument || code == StatusCode::kNotFound;
    return Refuse(id, theirs ? FlashCode::kParameter : FlashCode::kServer,
                  hot_words.status().message());
  }
  const bool subtitles = wanted->words == FlashWords::kSubtitles;
  const auto begun = std::chrono::steady_clock::now();
  const auto deadline = begun + kPatience;
  const auto transcript = context.recognizer.Recognize({
      .engine = *engine,
      .audio = std::as_bytes(std::span(request.body)),
      .format = wanted->voice_format,
      .pcm_rate = wanted->pcm_rate,
      .channels = wanted->first_channel_only ? ChannelMode::kFirst : ChannelMode::kSplit,
      .words = wanted->words != FlashWords::kNone,
      .post = {.profanity = wanted->profanity,
               .fillers = wanted->fillers,
               // Subtitles are cut where it is, and then it may go.
               .punctuation = subtitles ? PunctuationFilter::kKeep : wanted->punctuation,
               .numbers = wanted->numbers},
      .hot_words = *hot_words,
      .max_duration = max_duration,
      .cancelled =
          [&under_way, deadline] {
            return under_way.over() || std::chrono::steady_clock::now() > deadline;
          },
  });
  Facts facts = {{"hot_words", *hot_words != nullptr}, {"recognise_ms", MillisSince(begun)}};
  if (under_way.cancelled()) {
    return Refuse(id, FlashCode::kClientGone, "the call was erased on request");
  }
  if (transcript.status().code() == StatusCode::kCancelled && under_way.cut_off()) {
    return Refuse(id, FlashCode::kServer, "the service is stopping; try again elsewhere");
  }
  if (transcript.status().code() == StatusCode::kCancelled && under_way.left()) {
    return Refuse(id, FlashCode::kClientGone, "the client left");
  }
  if (!transcript.ok()) return RefuseAudio(id, transcript.status());
  return {.body = FlashAnswer(id, *transcript, *wanted),
          .audio = transcript->duration * (transcript->split ? transcript->channels : 1),
          .facts = std::move(facts)};
}

std::function<AuthResult()> Authenticate(FaceContext& context, const HttpRequest& request) {
  return [&context, &request] {
    const std::string_view path_app_id = std::string_view(request.path).substr(kPath.size());
    return server_internal::AuthenticateFlash(request, path_app_id, context.store.keys(),
                                              context.clock, context.options.canonical_hosts);
  };
}

Outcome RefuseStranger(std::string_view id, const std::variant<AuthFailure, Status>& why) {
  if (const auto* failure = std::get_if<AuthFailure>(&why)) return RefuseStranger(id, *failure);
  return Refuse(id, FlashCode::kServer, std::get<Status>(why).message());
}

Awaitable<HeadVerdict> Judge(FaceContext& context, const HttpRequest& request) {
  return server_internal::JudgeHead(context, request, Authenticate(context, request),
                                    [](const std::variant<AuthFailure, Status>& why) {
                                      return ToResponse(RefuseStranger(RandomUuid(), why));
                                    });
}

Awaitable<HttpResponse> Answer(FaceContext& context, const HttpRequest& request,
                               const FlashOptions& options) {
  const std::string id = RandomUuid();
  const WallTime start = context.clock.Now() - request.Age();
  Admission admission =
      co_await Admit(context, request, Interface::kFlash, Authenticate(context, request));
  if (const auto* failure = std::get_if<AuthFailure>(&admission)) {
    co_return ToResponse(RefuseStranger(id, *failure));
  }
  if (const auto* full = std::get_if<Status>(&admission)) {
    co_return ToResponse(RefuseStranger(id, *full));
  }
  const Caller& caller = std::get<Caller>(admission);
  const CallRecord record{
      .context = context,
      .app_id = caller.application.id,
      .id = id,
      .start = start,
      .bytes = request.body.size(),
      .subject = caller.subject.pseudonym,
      .under_way = std::make_shared<const CancellableCall>(
          context.calls, caller.application, id, caller.subject.pseudonym, request.reset)};
  if (std::holds_alternative<GateRefusal>(caller.entry)) {
    co_return End(
        record, Refuse(id, FlashCode::kConcurrency, "too many calls of this application at once"));
  }
  std::function<HttpResponse()> work = [&] {
    return End(record,
               Recognize(context, request, caller, *record.under_way, id, options.max_duration));
  };
  std::function<HttpResponse(const Status&)> refused = [&](const Status& status) {
    const bool theirs = status.code() == StatusCode::kResourceExhausted;
    return End(record,
               Refuse(id, theirs ? FlashCode::kConcurrency : FlashCode::kServer,
                      theirs ? "too many calls of this application wait" : status.message()));
  };
  co_return co_await server_internal::RunOn<HttpResponse>(context.pool, caller.application.id,
                                                          std::move(work), std::move(refused));
}

// An answer to what never became a call.
HttpResponse RefuseUnread(int status, std::string_view why) {
  const FlashCode code = status == 413                    ? FlashCode::kTooLarge
                         : status == 408                  ? FlashCode::kUploadTimedOut
                         : status == 400 || status == 415 ? FlashCode::kParameter
                                                          : FlashCode::kServer;
  return ToResponse(Refuse(RandomUuid(), code, why));
}

}  // namespace

void AddFlashRoutes(Router& router, FaceContext& context, const FlashOptions& options) {
  router.Add({
      .method = "POST",
      .path = std::string(kPath) + "*",
      .cross_origin = true,
      .max_body = options.max_body,
      .http = [&context,
               options](const HttpRequest& request) { return Answer(context, request, options); },
      .head = [&context](const HttpRequest& request) { return Judge(context, request); },
      .refuse = RefuseUnread,
  });
}

}  // namespace lethe
