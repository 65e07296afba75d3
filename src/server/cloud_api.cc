#include "server/cloud_api.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/random.h"
#include "server/internal/admission.h"
#include "server/internal/api3_actions.h"
#include "server/internal/authenticator.h"
#include "server/internal/processing.h"
#include "server/internal/run_on.h"

namespace lethe {
namespace {

using namespace server_internal;

// Contract, section 2.1. Forms that are signed within themselves are a stranger's until they are
// read, and so they are smaller.
constexpr std::size_t kMaxBody = std::size_t{10} << 20;
constexpr std::size_t kMaxFirstVersion = std::size_t{1} << 20;
constexpr std::string_view kVersion = "2019-06-14";

HttpResponse Envelope(const std::string& request_id, const ApiAnswer& answer) {
  ApiFields fields = ApiFields::object();
  if (const auto* error = std::get_if<ApiError>(&answer)) {
    fields["Error"] = {{"Code", error->code}, {"Message", error->message}};
  } else {
    fields = std::get<ApiFields>(answer);
  }
  fields["RequestId"] = request_id;
  HttpResponse response;
  // Exactly this: official clients take another type, even with a charset behind it, for no error.
  response.content_type = "application/json";
  response.body = WriteLossyJson(ApiFields{{"Response", std::move(fields)}});
  return response;
}

ApiError ToError(AuthFailure failure) {
  switch (failure) {
    case AuthFailure::kMalformed:
      return {"AuthFailure.InvalidAuthorization",
              "The request is not signed, or its Authorization cannot be read."};
    case AuthFailure::kUnknownKey:
      return {"AuthFailure.SecretIdNotFound",
              "There is no such SecretId here, or it is disabled; `lethe keys list` shows them."};
    case AuthFailure::kDisabled:
      return {"AuthFailure.UnauthorizedOperation", "The application of this key is disabled."};
    case AuthFailure::kExpired:
      return {"AuthFailure.SignatureExpire",
              "The request was signed more than five minutes ago, or in the future; check the "
              "clock."};
    case AuthFailure::kWrong:
    case AuthFailure::kOtherApp:
      return {"AuthFailure.SignatureFailure",
              "The signature is not that of this request with this key."};
    case AuthFailure::kUnavailable:
      break;
  }
  return {"InternalError.FailAccessDatabase", "The records did not answer; try again."};
}

bool IsForm(const HttpRequest& request) {
  return request.Header("content-type").starts_with("application/x-www-form-urlencoded");
}

// Signed in a form or a query, not in a header.
bool IsFirstVersion(const HttpRequest& request) { return request.Header("authorization").empty(); }

// The request as text values.
struct Incoming {
  NamedValues flat;  // of a query or a form
  bool is_flat = false;
  std::string action, version, region;
};

ApiResult<Incoming> Read(const HttpRequest& request) {
  Incoming incoming;
  if (request.method == "GET" || IsForm(request)) {
    const std::string& text = request.method == "GET" ? request.query : request.body;
    if (std::count(text.begin(), text.end(), '&') > static_cast<std::ptrdiff_t>(kMaxArguments)) {
      return ApiError{"InvalidParameter.ErrorParsequest",
                      "The request has more parameters than any action takes."};
    }
    incoming.flat = ParseQuery(text, true);
    incoming.is_flat = true;
  }
  incoming.action = request.Header("x-tc-action");
  if (incoming.action.empty()) incoming.action = FindValue(incoming.flat, "Action").value_or("");
  incoming.version = request.Header("x-tc-version");
  if (incoming.version.empty()) {
    incoming.version = FindValue(incoming.flat, "Version").value_or("");
  }
  incoming.region = request.Header("x-tc-region");
  if (incoming.region.empty()) incoming.region = FindValue(incoming.flat, "Region").value_or("");
  return incoming;
}

// Ours, for what the contract has no parameter for.
bool AsksForZeroRetention(const HttpRequest& request) {
  const std::string_view value = request.Header("x-lethe-zero-retention");
  return value == "1" || value == "true";
}

ApiResult<ApiArguments> ReadArguments(const HttpRequest& request, const Incoming& incoming) {
  if (incoming.is_flat) return ApiArguments::FromFlat(incoming.flat);
  if (request.body.empty()) return ApiArguments::FromFlat({});
  return ApiArguments::FromJson(request.body);
}

ApiAnswer RunAction(const ApiAction& action, ApiCall& call) {
  ApiAnswer answer = action.run(call);
  // A value that was no use is told even if the action found its way without.
  if (call.arguments.error()) return *call.arguments.error();
  return answer;
}

class CloudApi {
 public:
  CloudApi(FaceContext& context, RecordingTasks& tasks, OutboundClient& outbound)
      : context_(context), tasks_(tasks), outbound_(outbound) {}

  Awaitable<HttpResponse> Answer(const HttpRequest& request) {
    const std::string request_id = RandomUuid();
    std::shared_ptr<AnswerReceipt> receipt;
    const ApiAnswer answer = co_await Run(request, request_id, &receipt);
    HttpResponse response = Envelope(request_id, answer);
    response.receipt = std::move(receipt);
    co_return response;
  }

  // What a request's head lets its body be: for whom nobody is sure, as long as it is not hashed.
  Awaitable<HeadVerdict> Judge(const HttpRequest& request) {
    if (IsFirstVersion(request) && IsForm(request)) {
      co_return HeadVerdict{.max_body = kMaxFirstVersion};
    }
    std::function<AuthResult()> find = [&] {
      return FindApi3Key(request, context_.store.keys(), context_.clock);
    };
    HeadVerdict verdict = co_await JudgeHead(
        context_, request, std::move(find), [](const std::variant<AuthFailure, Status>& why) {
          const auto* failure = std::get_if<AuthFailure>(&why);
          return Envelope(RandomUuid(),
                          ToError(failure != nullptr ? *failure : AuthFailure::kUnavailable));
        });
    const ApiAction* action = FindApiAction(request.Header("x-tc-action"));
    if (action != nullptr) verdict.max_body = action->max_body;
    co_return verdict;
  }

  static HttpResponse Refuse(int status, std::string_view why) {
    const char* code = status == 413   ? "RequestSizeLimitExceeded"
                       : status == 503 ? "ResourceInsufficient"
                       : status == 500 ? "InternalError"
                                       : "InvalidRequest";
    return Envelope(RandomUuid(), ApiError{code, std::string(why)});
  }

 private:
  // Somebody who signed a request, and what it says.
  struct Signed {
    Incoming incoming;
    Application application;
    Subject subject;
  };

  // Blocks on the store. Of what no header signs, no more is read than finds the signature.
  ApiResult<Signed> Identify(const HttpRequest& request) {
    Signed call;
    const auto read = [&]() -> std::optional<ApiError> {
      ApiResult<Incoming> incoming = Read(request);
      if (auto* error = std::get_if<ApiError>(&incoming)) return std::move(*error);
      call.incoming = std::get<Incoming>(std::move(incoming));
      return std::nullopt;
    };
    if (IsFirstVersion(request)) {
      if (auto error = read()) return *std::move(error);
    }
    AuthResult found = AuthenticateApi3(request, call.incoming.flat, context_.store.keys(),
                                        context_.clock, context_.options.canonical_hosts);
    if (const auto* failure = std::get_if<AuthFailure>(&found)) return ToError(*failure);
    if (!IsFirstVersion(request)) {
      if (auto error = read()) return *std::move(error);
    }
    call.application = std::get<KeyOwner>(std::move(found)).application;
    call.subject = FindSubject(context_, call.application.id, SubjectName(request));
    return call;
  }

  // Sets `receipt` where the call's row depends on it.
  Awaitable<ApiAnswer> Run(const HttpRequest& request, const std::string& request_id,
                           std::shared_ptr<AnswerReceipt>* receipt) {
    const WallTime start = context_.clock.Now() - request.Age();
    std::function<ApiResult<Signed>()> identify = [&] { return Identify(request); };
    std::function<ApiResult<Signed>(const Status&)> busy = [](const Status&) {
      return ToError(AuthFailure::kUnavailable);
    };
    const ApiResult<Signed> identified = co_await RunOn<ApiResult<Signed>>(
        context_.quick_pool, PeerOwner(request), std::move(identify), std::move(busy));
    if (const auto* error = std::get_if<ApiError>(&identified)) co_return *error;
    const auto& signed_call = std::get<Signed>(identified);
    const Incoming& incoming = signed_call.incoming;
    const Application& application = signed_call.application;
    const Subject& subject = signed_call.subject;
    const ApiAction* action = FindApiAction(incoming.action);
    if (action == nullptr) {
      co_return ApiError{"InvalidAction", "There is no such action in this product."};
    }
    if (incoming.version != kVersion) {
      co_return ApiError{"NoSuchVersion", "The version of this product is 2019-06-14."};
    }
    const std::set<std::string>& regions = context_.options.regions;
    if (!incoming.region.empty() && !regions.empty() && !regions.contains(incoming.region)) {
      co_return ApiError{"UnsupportedRegion",
                         "This service is not in the region that the request names (X-TC-Region)."};
    }
    Call finished{.app_id = application.id,
                  .interface = action->interface,
                  .id = request_id,
                  .start = start,
                  .bytes = request.body.size(),
                  .subject = subject.pseudonym};
    auto entered = context_.gate.Enter(application, action->interface);
    if (const auto* refusal = std::get_if<GateRefusal>(&entered)) {
      const ApiError error = GateError(*refusal);
      Record(finished, &error);
      co_return error;
    }
    const auto call_under_way = std::make_shared<const CancellableCall>(
        context_.calls, application, request_id, subject.pseudonym, request.reset);
    const CancellableCall& under_way = *call_under_way;
    finished.erased = under_way.erased();
    ApiUsage usage;
    const bool processes =
        action->interface == Interface::kSentence || action->interface == Interface::kRecording;
    std::function<ApiAnswer()> run = [&]() -> ApiAnswer {
      ApiResult<ApiArguments> arguments = ReadArguments(request, incoming);
      if (const auto* error = std::get_if<ApiError>(&arguments)) return *error;
      if (processes) {
        const auto refusal = CheckProcessing(context_, application, subject);
        if (refusal) return ProcessingError(*refusal);
      }
      ApiCall call{context_,
                   tasks_,
                   outbound_,
                   application,
                   under_way,
                   request_id,
                   subject.pseudonym,
                   std::get<ApiArguments>(arguments),
                   AsksForZeroRetention(request),
                   {}};
      ApiAnswer answer = RunAction(*action, call);
      usage = std::move(call.usage);
      return answer;
    };
    std::function<ApiAnswer(const Status&)> full = [](const Status& status) {
      return ApiError{
          status.code() == StatusCode::kUnavailable ? "ServiceUnavailable" : "RequestLimitExceeded",
          status.message()};
    };
    FairPool& pool = action->heavy ? context_.pool : context_.quick_pool;
    ApiAnswer answer = co_await RunOn<ApiAnswer>(pool, application.id, run, full);
    finished.audio = usage.audio;
    finished.facts = std::move(usage.facts);
    // Management changes lists, and says what became of that.
    if (under_way.cancelled() && action->interface != Interface::kManagement) {
      answer = ApiError{"FailedOperation", "The call was erased on request."};
    }
    if (const auto* error = std::get_if<ApiError>(&answer)) {
      Record(finished, error);
    } else if (finished.interface == Interface::kSentence) {
      *receipt = std::make_shared<AnswerReceipt>(
          [this, call_under_way, finished = std::move(finished)](bool reached) mutable {
            const ApiError gone = ClientGone();
            if (!reached) finished.audio = Millis(0);
            Record(finished, reached ? nullptr : &gone);
          });
    }
    co_return answer;
  }

  // A call's row of usage, to be.
  struct Call {
    AppId app_id = 0;
    Interface interface = Interface::kManagement;
    std::string id;
    WallTime start;
    std::size_t bytes = 0;
    Millis audio{0};
    Facts facts;
    std::string subject;
    ErasedFlag erased;
  };

  // Writes the row, where the call is one that is counted: sentences, and recordings that became no
  // task. A task's row is written when it ends; questions about tasks and lists have none.
  void Record(const Call& call, const ApiError* error) {
    const bool refused_task = call.interface == Interface::kRecording && error != nullptr;
    if (call.interface == Interface::kSentence || refused_task) {
      context_.meter.Record({.app_id = call.app_id,
                             .interface = call.interface,
                             .call_id = call.id,
                             .result_code = error == nullptr ? "success" : error->code,
                             .succeeded = error == nullptr,
                             .start = call.start,
                             .end = context_.clock.Now(),
                             .audio = call.audio,
                             .bytes = call.bytes,
                             .facts = call.facts,
                             .subject = call.subject},
                            call.erased);
    }
  }

  FaceContext& context_;
  RecordingTasks& tasks_;
  OutboundClient& outbound_;
};

// A browser in which somebody typed the address: it signs nothing.
bool WantsToLook(const HttpRequest& request) {
  return request.method == "GET" && request.query.empty() &&
         request.Header("authorization").empty() &&
         request.Header("accept").find("text/html") != std::string_view::npos;
}

Awaitable<HttpResponse> ShowConsole() {
  HttpResponse response{.status = 303, .content_type = ""};
  response.headers.emplace_back("Location", "/console/");
  co_return response;
}

}  // namespace

void AddCloudApiRoutes(Router& router, FaceContext& context, RecordingTasks& tasks,
                       OutboundClient& outbound) {
  const auto api = std::make_shared<CloudApi>(context, tasks, outbound);
  for (const char* method : {"POST", "GET"}) {
    router.Add({.method = method,
                .path = "/",
                .max_body = kMaxBody,
                .http =
                    [api](const HttpRequest& request) {
                      return WantsToLook(request) ? ShowConsole() : api->Answer(request);
                    },
                .head = [api](const HttpRequest& request) { return api->Judge(request); },
                .refuse = CloudApi::Refuse});
  }
}

}  // namespace lethe
