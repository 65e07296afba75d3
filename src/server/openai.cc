#include "server/openai.h"

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/mutex.h"
#include "base/random.h"
#include "server/internal/admission.h"
#include "server/internal/console_guard.h"
#include "server/internal/feed.h"
#include "server/internal/openai_answer.h"
#include "server/internal/openai_error.h"
#include "server/internal/openai_models.h"
#include "server/internal/openai_request.h"
#include "server/internal/processing.h"
#include "server/internal/run_on.h"

namespace lethe {
namespace {

using server_internal::Admission;
using server_internal::AuthFailure;
using server_internal::AuthResult;
using server_internal::Caller;
using server_internal::Feed;
using server_internal::FeedEnd;
using server_internal::OpenAiError;
using server_internal::OpenAiErrorResponse;
using server_internal::OpenAiRequest;
using server_internal::RunOn;

constexpr std::string_view kModels = "/v1/models/";
// Besides the file: other fields, and what is around them.
constexpr std::size_t kFormAround = std::size_t{1} << 20;
constexpr int kClientGone = 499;

// A call's row of usage, to be.
struct CallRecord {
  FaceContext& context;
  AppId app_id;
  std::string id;
  WallTime start;
  std::size_t bytes;
  std::string subject;  // a pseudonym
  // Shared with the work of a stream, which may end last.
  std::shared_ptr<const CancellableCall> under_way;

  bool erased() const { return under_way->cancelled(); }
  bool over() const { return under_way->over(); }

  void Finish(int status, Millis audio, bool streamed = false) const {
    context.meter.Record({.app_id = app_id,
                          .interface = Interface::kOpenAi,
                          .call_id = id,
                          .result_code = std::to_string(status),
                          .succeeded = status == 200,
                          .start = start,
                          .end = context.clock.Now(),
                          .audio = audio,
                          .bytes = bytes,
                          .facts = {{"streamed", streamed}},
                          .subject = subject},
                         under_way->erased());
  }
};

OpenAiError BadAudio(const Status& status) {
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
      return server_internal::BadField("file",
                                       "Invalid file format. The audio " + status.message());
    case StatusCode::kResourceExhausted:
      return server_internal::BadField("file", "The audio " + status.message());
    case StatusCode::kUnavailable:
      return server_internal::NoService("The service is busy. Try again later.");
    case StatusCode::kCancelled:
      return {.status = kClientGone, .message = "The request was cancelled."};
    default:
      return {.status = 500, .message = "The transcription failed.", .type = "server_error"};
  }
}

OpenAiError Stopping() { return server_internal::NoService("The service is stopping."); }

OpenAiError PoolRefused(const Status& status) {
  return status.code() == StatusCode::kResourceExhausted ? server_internal::TooManyCalls()
                                                         : Stopping();
}

// Records that the call failed, and says so.
HttpResponse Refuse(const CallRecord& record, const OpenAiError& error) {
  record.Finish(error.status, Millis(0));
  return OpenAiErrorResponse(error);
}

// They are cut between words.
bool Subtitles(server_internal::OpenAiFormat format) {
  return format == server_internal::OpenAiFormat::kSrt ||
         format == server_internal::OpenAiFormat::kVtt;
}

using Recognized = std::variant<Transcript, OpenAiError>;

// Blocks until the recording is transcribed.
Recognized Recognize(FaceContext& context, const OpenAiOptions& options, const CallRecord& record,
                     const OpenAiRequest& request, std::string_view audio,
                     SegmentCallback on_segment, std::function<bool()> cancelled) {
  const auto hot_words =
      context.word_lists.Resolve(record.app_id, *request.engine.speech, request.hot_words, "");
  if (!hot_words.ok()) {
    return hot_words.status().code() == StatusCode::kInvalidArgument
               ? server_internal::BadField("keywords", hot_words.status().message())
               : server_internal::NoService("The service cannot look up word lists.");
  }
  auto transcript = context.recognizer.Recognize({
      .engine = request.engine,
      .audio = std::as_bytes(std::span(audio)),
      .words = request.words || Subtitles(request.format),
      .hot_words = *hot_words,
      .on_segment = std::move(on_segment),
      .max_duration = options.max_duration,
      .cancelled = std::move(cancelled),
  });
  if (record.erased()) return server_internal::CallErased();
  if (transcript.status().code() == StatusCode::kCancelled && record.under_way->cut_off()) {
    return Stopping();
  }
  if (!transcript.ok()) return BadAudio(transcript.status());
  return *std::move(transcript);
}

// Blocks until the whole of it is transcribed.
HttpResponse AnswerWhole(FaceContext& context, const OpenAiOptions& options,
                         const OpenAiRequest& request, const CallRecord& record) {
  const Recognized recognized = Recognize(context, options, record, request, request.audio, nullptr,
                                          [&] { return record.over(); });
  if (const auto* error = std::get_if<OpenAiError>(&recognized)) return Refuse(record, *error);
  const Transcript& transcript = std::get<Transcript>(recognized);
  HttpResponse response = OpenAiAnswer(transcript, request);
  response.receipt =
      std::make_shared<AnswerReceipt>([record, audio = transcript.duration](bool reached) {
        record.Finish(reached ? 200 : kClientGone, reached ? audio : Millis(0));
      });
  return response;
}

// The row of a stream: written by whoever knows the rest of two things, how the work ended and
// whether the end of its answer reached somebody.
//
// Thread: any
class StreamRecord {
 public:
  explicit StreamRecord(const CallRecord& record) : record_(record) {}

  void Fail(int status) { record_.Finish(status, Millis(0), /*streamed=*/true); }

  void Succeed(Millis audio) {
    const MutexLock lock(mutex_);
    audio_ = audio;
    FinishIfKnown();
  }

  void Settle(bool reached) {
    const MutexLock lock(mutex_);
    reached_ = reached;
    FinishIfKnown();
  }

 private:
  void FinishIfKnown() REQUIRES(mutex_) {
    if (!audio_ || !reached_) return;
    record_.Finish(*reached_ ? 200 : kClientGone, *reached_ ? *audio_ : Millis(0),
                   /*streamed=*/true);
  }

  const CallRecord record_;
  Mutex mutex_;
  std::optional<Millis> audio_ GUARDED_BY(mutex_);
  std::optional<bool> reached_ GUARDED_BY(mutex_);
};

// The segments of a stream, then its end: a transcript or an error.
using StreamItem = std::variant<std::string, Recognized>;

// A stream under way. Whoever listens holds it, and with it the caller's permit.
struct Listening {
  std::shared_ptr<Feed<StreamItem>> feed = std::make_shared<Feed<StreamItem>>();
  std::shared_ptr<std::atomic<bool>> cancelled = std::make_shared<std::atomic<bool>>(false);
  std::shared_ptr<const CancellableCall> under_way;
  std::optional<StreamItem> first;
  Permit permit;

  Listening() = default;
  ~Listening() { *cancelled = true; }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;
};

// Begins the work of a stream.
Status Begin(FaceContext& context, const OpenAiOptions& options, const OpenAiRequest& request,
             const CallRecord& record, const std::shared_ptr<StreamRecord>& row,
             const Listening& listening) {
  // The request may be gone before the work is, so the work has its own recording.
  auto audio = std::make_shared<const std::string>(request.audio);
  auto end = std::make_shared<FeedEnd<StreamItem>>(listening.feed);
  return context.pool.Post(record.app_id, [&context, options, request, record, row, audio, end,
                                           feed = listening.feed, cancelled = listening.cancelled] {
    bool begun = false;
    const auto tell = [&](const Segment& segment) {
      feed->Push(StreamItem((begun ? " " : "") + segment.text));
      begun = true;
    };
    Recognized recognized = Recognize(context, options, record, request, *audio, tell,
                                      [&] { return *cancelled || record.over(); });
    if (const auto* error = std::get_if<OpenAiError>(&recognized)) {
      row->Fail(error->status);
    } else {
      row->Succeed(std::get<Transcript>(recognized).duration);
    }
    feed->Push(StreamItem(std::move(recognized)));
  });
}

std::string EventOf(const StreamItem& item) {
  if (const auto* delta = std::get_if<std::string>(&item)) {
    return server_internal::DeltaEvent(*delta);
  }
  const Recognized& end = std::get<Recognized>(item);
  if (const auto* error = std::get_if<OpenAiError>(&end)) {
    return server_internal::ErrorEvent(*error);
  }
  return server_internal::DoneEvent(std::get<Transcript>(end));
}

Awaitable<void> Tell(std::shared_ptr<Listening> listening, BodyWriter& writer) {
  std::optional<StreamItem> item = std::exchange(listening->first, std::nullopt);
  while (item) {
    const bool erased = listening->under_way->cancelled();
    const std::string event =
        erased ? server_internal::ErrorEvent(server_internal::CallErased()) : EventOf(*item);
    const bool last = erased || std::holds_alternative<Recognized>(*item);
    const bool there = co_await writer.Write(event);
    if (!there) *listening->cancelled = true;
    if (!there || last) co_return;
    item = co_await listening->feed->Next();
  }
  // The service stopped before the end.
  const std::string event = server_internal::ErrorEvent(Stopping());
  co_await writer.Write(event);
}

Awaitable<HttpResponse> AnswerStream(FaceContext& context, const OpenAiOptions& options,
                                     const OpenAiRequest& request, const CallRecord& record,
                                     Permit permit) {
  auto listening = std::make_shared<Listening>();
  listening->permit = std::move(permit);
  listening->under_way = record.under_way;
  const auto row = std::make_shared<StreamRecord>(record);
  const Status begun = Begin(context, options, request, record, row, *listening);
  if (!begun.ok()) co_return Refuse(record, PoolRefused(begun));
  const auto receipt =
      std::make_shared<AnswerReceipt>([row](bool reached) { row->Settle(reached); });
  // What goes wrong before the first words is an answer with a status of its own.
  listening->first = co_await listening->feed->Next();
  if (!listening->first) {
    co_return OpenAiErrorResponse(Stopping());
  }
  if (const auto* end = std::get_if<Recognized>(&*listening->first)) {
    if (const auto* error = std::get_if<OpenAiError>(end)) co_return OpenAiErrorResponse(*error);
  }
  HttpResponse response{.content_type = "text/event-stream"};
  response.headers.emplace_back("Cache-Control", "no-cache");
  response.stream = [listening](BodyWriter& writer) { return Tell(listening, writer); };
  response.receipt = receipt;
  co_return response;
}

std::function<AuthResult()> Authenticate(FaceContext& context, const HttpRequest& request) {
  return [&context, &request] {
    auto from_console = server_internal::AuthenticateConsole(request, context.console,
                                                             context.store.applications());
    if (from_console) return *std::move(from_console);
    return server_internal::AuthenticateBearer(request, context.store.keys());
  };
}

HttpResponse RefuseStranger(const std::variant<AuthFailure, Status>& why) {
  const auto* failure = std::get_if<AuthFailure>(&why);
  return OpenAiErrorResponse(failure != nullptr ? server_internal::NotLetIn(*failure)
                                                : PoolRefused(std::get<Status>(why)));
}

// Lets a caller in, or says why not.
Awaitable<std::variant<Caller, HttpResponse>> LetIn(FaceContext& context,
                                                    const HttpRequest& request,
                                                    Interface interface) {
  using Answer = std::variant<Caller, HttpResponse>;
  Admission admission = co_await Admit(context, request, interface, Authenticate(context, request));
  if (const auto* failure = std::get_if<AuthFailure>(&admission)) {
    co_return Answer(RefuseStranger(*failure));
  }
  if (const auto* status = std::get_if<Status>(&admission)) {
    co_return Answer(RefuseStranger(*status));
  }
  co_return Answer(std::get<Caller>(std::move(admission)));
}

Awaitable<HttpResponse> Transcribe(FaceContext& context, const OpenAiOptions& options,
                                   const HttpRequest& request) {
  CallRecord record{.context = context,
                    .app_id = 0,
                    .id = RandomUuid(),
                    .start = context.clock.Now() - request.Age(),
                    .bytes = request.body.size(),
                    .subject = {},
                    .under_way = nullptr};
  auto let_in = co_await LetIn(context, request, Interface::kOpenAi);
  if (auto* refusal = std::get_if<HttpResponse>(&let_in)) co_return std::move(*refusal);
  Caller& caller = std::get<Caller>(let_in);
  record.app_id = caller.application.id;
  record.subject = caller.subject.pseudonym;
  record.under_way = std::make_shared<const CancellableCall>(
      context.calls, caller.application, record.id, record.subject, request.reset);
  if (std::holds_alternative<GateRefusal>(caller.entry)) {
    co_return Refuse(record, server_internal::TooManyCalls());
  }
  // One turn on the pool from the form to the text; only a stream is begun from here.
  using Outcome = std::variant<HttpResponse, OpenAiRequest>;
  std::function<Outcome()> answer = [&]() -> Outcome {
    const auto refusal =
        server_internal::CheckProcessing(context, caller.application, caller.subject);
    if (refusal) return Refuse(record, server_internal::NotProcessed(*refusal));
    auto parsed = server_internal::ReadOpenAiRequest(
        request, context.engines, context.options.default_engine, options.max_file);
    if (const auto* error = std::get_if<OpenAiError>(&parsed)) return Refuse(record, *error);
    auto& wanted = std::get<OpenAiRequest>(parsed);
    if (wanted.stream) return std::move(wanted);
    return AnswerWhole(context, options, wanted, record);
  };
  std::function<Outcome(const Status&)> refused = [&](const Status& status) -> Outcome {
    return Refuse(record, PoolRefused(status));
  };
  Outcome outcome =
      co_await RunOn<Outcome>(context.pool, record.app_id, std::move(answer), std::move(refused));
  if (const auto* wanted = std::get_if<OpenAiRequest>(&outcome)) {
    Permit permit = std::get<Permit>(std::move(caller.entry));
    outcome = co_await AnswerStream(context, options, *wanted, record, std::move(permit));
  }
  HttpResponse& response = std::get<HttpResponse>(outcome);
  server_internal::SetRequestId(&response, record.id);
  co_return std::move(response);
}

// Lists models; with a path behind kModels, describes one.
Awaitable<HttpResponse> Models(FaceContext& context, const HttpRequest& request) {
  auto let_in = co_await LetIn(context, request, Interface::kManagement);
  if (auto* refusal = std::get_if<HttpResponse>(&let_in)) co_return std::move(*refusal);
  if (std::holds_alternative<GateRefusal>(std::get<Caller>(let_in).entry)) {
    co_return OpenAiErrorResponse(server_internal::TooManyCalls());
  }
  const std::string_view path = request.path;
  const std::string& standard = context.options.default_engine;
  if (path.starts_with(kModels)) {
    co_return server_internal::ModelAnswer(context.engines, standard, path.substr(kModels.size()));
  }
  co_return HttpResponse{.body = server_internal::ModelList(context.engines, standard)};
}

Awaitable<HttpResponse> Translate(const HttpRequest&) {
  co_return OpenAiErrorResponse({.status = 404,
                                 .message = "Translation is not offered here; "
                                            "POST /v1/audio/transcriptions writes down what was "
                                            "said in its own language.",
                                 .code = "unsupported_endpoint"});
}

}  // namespace

void AddOpenAiRoutes(Router& router, FaceContext& context, const OpenAiOptions& options) {
  router.Add({
      .method = "POST",
      .path = "/v1/audio/transcriptions",
      .cross_origin = true,
      .max_body = options.max_file + kFormAround,
      .http = [&context, options](
                  const HttpRequest& request) { return Transcribe(context, options, request); },
      .head =
          [&context](const HttpRequest& request) {
            return server_internal::JudgeHead(context, request, Authenticate(context, request),
                                              RefuseStranger);
          },
      .refuse = server_internal::RefuseOpenAi,
  });
  router.Add({
      .method = "POST",
      .path = "/v1/audio/translations",
      .cross_origin = true,
      .max_body = options.max_file + kFormAround,
      .http = Translate,
      .head = server_internal::AnswerUnread(Translate),
      .refuse = server_internal::RefuseOpenAi,
  });
  for (const char* path : {"/v1/models", "/v1/models/*"}) {
    router.Add({
        .method = "GET",
        .path = path,
        .cross_origin = true,
        .http = [&context](const HttpRequest& request) { return Models(context, request); },
        .refuse = server_internal::RefuseOpenAi,
    });
  }
}

}  // namespace lethe
