#include "server/own_api.h"

#include <algorithm>
#include <functional>
#include <variant>
#include <vector>

#include "base/json.h"
#include "server/internal/admission.h"
#include "server/internal/openapi.h"
#include "server/internal/own_api_accounts.h"
#include "server/internal/own_api_caller.h"
#include "server/internal/own_api_consents.h"
#include "server/internal/own_api_held.h"
#include "server/internal/own_api_json.h"
#include "server/internal/own_api_ledger.h"
#include "server/internal/own_api_metering.h"
#include "server/internal/own_api_tasks.h"
#include "server/internal/own_api_vocabularies.h"
#include "server/internal/own_api_watch.h"
#include "server/internal/run_on.h"
#include "store/holding_time.h"

namespace lethe {
namespace {

using Json = server_internal::OwnApiJson;
using server_internal::NamedApplication;
using server_internal::OwnApiAnswer;
using server_internal::OwnApiCaller;
using server_internal::OwnApiError;
using server_internal::OwnApiMetering;
using server_internal::PeerOwner;
using server_internal::ReadInteger;
using server_internal::ReadNumber;
using server_internal::ReadObject;
using server_internal::ReadQuery;
using server_internal::ReadText;
using server_internal::RunOn;
using server_internal::ShowErasure;

constexpr std::size_t kMaxBody = 16 << 10;

Result<ErasureRequest> ReadErasure(Store& store, const OwnApiCaller& caller,
                                   const std::string& body) {
  ASSIGN_OR_RETURN(const Json object, ReadObject(body, {"task_id", "call_id", "voice_id", "uin",
                                                        "app_id", "subject"}));
  ErasureRequest request;
  RETURN_IF_ERROR(ReadNumber(object, "task_id", &request.task));
  RETURN_IF_ERROR(ReadNumber(object, "uin", &request.uin));
  RETURN_IF_ERROR(ReadNumber(object, "app_id", &request.app_id));
  std::string voice_id;
  RETURN_IF_ERROR(ReadText(object, "call_id", &request.call_id));
  RETURN_IF_ERROR(ReadText(object, "voice_id", &voice_id));
  if (!voice_id.empty() && !request.call_id.empty()) {
    return InvalidArgument("a voice_id is the call_id of a live call; send one of them");
  }
  if (!voice_id.empty()) request.call_id = voice_id;
  request.within = caller.app_id;
  std::string subject;
  RETURN_IF_ERROR(ReadText(object, "subject", &subject));
  if (subject.empty()) return request;
  // A person is one of an application.
  ASSIGN_OR_RETURN(const AppId app_id, NamedApplication(caller, request.app_id));
  RETURN_IF_ERROR(store.applications().Find(app_id).status());
  ASSIGN_OR_RETURN(request.subject, store.consents().Pseudonym(app_id, subject));
  request.app_id.reset();
  request.within = app_id;
  return request;
}

HttpResponse Erase(Store& store, Eraser& eraser, const OwnApiCaller& caller,
                   const std::string& body) {
  const auto request = ReadErasure(store, caller, body);
  if (!request.ok()) return OwnApiError(request.status());
  const auto erasure = eraser.Erase(*request, ErasureCause::kRequested);
  if (!erasure.ok()) return OwnApiError(erasure.status());
  return OwnApiAnswer(ShowErasure(caller, *erasure));
}

// What the ledger has of a task that is there.
HttpResponse ShowReceipts(Eraser& eraser, const OwnApiCaller& caller, const HttpRequest& request) {
  const Json query = ReadQuery(request);
  std::optional<AppId> named;
  std::optional<TaskId> task;
  Status status = ReadNumber(query, "app_id", &named);
  if (status.ok()) status = ReadNumber(query, "task_id", &task);
  if (status.ok() && !task) status = InvalidArgument("say of which task: task_id");
  if (!status.ok()) return OwnApiError(status);
  const auto app_id = NamedApplication(caller, named);
  if (!app_id.ok()) return OwnApiError(app_id.status());
  const auto receipts = eraser.ReceiptsOf(*app_id, *task);
  if (!receipts.ok()) {
    return OwnApiError(receipts.status().code() == StatusCode::kNotFound || !caller.app_id
                           ? receipts.status()
                           : Unavailable("the ledger cannot be asked now; try again"));
  }
  Json list = Json::array();
  for (const Receipt& receipt : *receipts) list.push_back(ParseJson<Json>(receipt.Json()));
  return OwnApiAnswer({{"receipts", std::move(list)}});
}

HttpResponse ShowPeriods(RetentionPeriods& periods, AppId app_id) {
  const auto chosen = periods.Find(app_id);
  if (!chosen.ok()) return OwnApiError(chosen.status());
  Json list = Json::object();
  for (const DataClass data_class : kDataClasses) {
    list[std::string(DataClassName(data_class))] = {
        {"seconds", HoldingTime(data_class, *chosen) / std::chrono::seconds(1)},
        {"longest", MaxLifetime(data_class) / std::chrono::seconds(1)}};
  }
  return OwnApiAnswer({{"app_id", app_id}, {"periods", std::move(list)}});
}

HttpResponse ShowRetention(RetentionPeriods& periods, const OwnApiCaller& caller,
                           const HttpRequest& request) {
  const Json query = ReadQuery(request);
  std::optional<AppId> named;
  const Status status = ReadNumber(query, "app_id", &named);
  if (!status.ok()) return OwnApiError(status);
  const auto app_id = NamedApplication(caller, named);
  return app_id.ok() ? ShowPeriods(periods, *app_id) : OwnApiError(app_id.status());
}

// Of one that was removed, usage is known for as long as all usage is.
Status CheckIsKnown(Store& store, AppId app_id) {
  Status there = store.applications().Find(app_id).status();
  if (there.code() != StatusCode::kNotFound) return there;
  ASSIGN_OR_RETURN(const std::vector<AppId> known, store.usage().Applications());
  return std::find(known.begin(), known.end(), app_id) == known.end() ? there : OkStatus();
}

// Of the caller's own application, or of whom the operator names.
HttpResponse ShowMetering(FaceContext& context, const OwnApiMetering& metering,
                          decltype(&server_internal::ShowUsage) show, const OwnApiCaller& caller,
                          const HttpRequest& request) {
  std::optional<AppId> named;
  const Status status = ReadNumber(ReadQuery(request), "app_id", &named);
  if (!status.ok()) return OwnApiError(status);
  const auto app_id = NamedApplication(caller, named);
  if (!app_id.ok()) return OwnApiError(app_id.status());
  // Calls that have just ended are counted too.
  context.meter.Flush();
  const Status known = CheckIsKnown(context.store, *app_id);
  if (!known.ok()) return OwnApiError(known);
  return show(metering, *app_id, ParseQuery(request.query, true));
}

struct WantedPeriod {
  std::optional<AppId> app_id;
  DataClass data_class = DataClass::kAudio;
  std::chrono::seconds period{0};
};

Result<WantedPeriod> ReadPeriod(const std::string& body) {
  ASSIGN_OR_RETURN(const Json object, ReadObject(body, {"app_id", "class", "seconds"}));
  WantedPeriod wanted;
  RETURN_IF_ERROR(ReadNumber(object, "app_id", &wanted.app_id));
  std::string name;
  RETURN_IF_ERROR(ReadText(object, "class", &name));
  const auto data_class = DataClassNamed(name);
  if (!data_class) return InvalidArgument("class is one of audio, result, operation_log");
  wanted.data_class = *data_class;
  std::optional<std::int64_t> seconds;
  RETURN_IF_ERROR(ReadInteger(object, "seconds", &seconds));
  constexpr std::int64_t kMost = std::int64_t{1} << 40;
  if (!seconds || *seconds < 0 || *seconds > kMost) {
    return InvalidArgument("seconds is how long it may be held, zero or more");
  }
  wanted.period = std::chrono::seconds(*seconds);
  return wanted;
}

HttpResponse Shorten(RetentionPeriods& periods, const OwnApiCaller& caller,
                     const std::string& body) {
  const auto wanted = ReadPeriod(body);
  if (!wanted.ok()) return OwnApiError(wanted.status());
  const auto app_id = NamedApplication(caller, wanted->app_id);
  if (!app_id.ok()) return OwnApiError(app_id.status());
  const Status status = periods.Shorten(*app_id, wanted->data_class, wanted->period);
  return status.ok() ? ShowPeriods(periods, *app_id) : OwnApiError(status);
}

using Work = std::function<HttpResponse(const OwnApiCaller&, const HttpRequest&)>;

HttpResponse Busy(const Status& status) {
  return OwnApiError(Unavailable("too many calls wait: " + status.message()));
}

// Who calls is found out where nothing takes long, and then the work is done on its own pool.
Awaitable<HttpResponse> Serve(FaceContext& context, const HttpRequest& request, FairPool& pool,
                              const Work& work) {
  using Identified = std::variant<OwnApiCaller, HttpResponse>;
  std::function<Identified()> identify = [&] {
    return server_internal::IdentifyOwnApiCaller(request, context.store.keys(), context.console);
  };
  std::function<Identified(const Status&)> busy = [](const Status& status) -> Identified {
    return Busy(status);
  };
  const Identified caller = co_await RunOn<Identified>(context.quick_pool, PeerOwner(request),
                                                       std::move(identify), std::move(busy));
  if (const auto* refusal = std::get_if<HttpResponse>(&caller)) co_return *refusal;
  const auto& known = std::get<OwnApiCaller>(caller);
  std::function<HttpResponse()> run = [&] { return work(known, request); };
  co_return co_await RunOn<HttpResponse>(pool, known.app_id.value_or(0), std::move(run), Busy);
}

}  // namespace

void AddOwnApiRoutes(Router& router, FaceContext& context, Eraser& eraser, FairPool& erasures,
                     const OwnApiOptions& options) {
  const OwnApiMetering metering{context.store.usage(), options.prices, options.utc_offset,
                                context.clock};
  Store& store = context.store;
  RetentionPeriods& periods = store.retention_periods();
  const auto add = [&](const char* method, const char* path, FairPool& pool, const Work& work,
                       std::size_t max_body = kMaxBody) {
    router.Add(
        {.method = method,
         .path = path,
         .max_body = max_body,
         .http = [&context, &pool,
                  work](const HttpRequest& request) { return Serve(context, request, pool, work); },
         // Passwords are tried once, so whose a larger body is remains open until it is there.
         .head = [](const HttpRequest&) -> Awaitable<HeadVerdict> { co_return HeadVerdict(); },
         .refuse = [](int status,
                      std::string_view why) { return OwnApiError(status, "refused", why); }});
  };
  router.Add({.method = "GET",
              .path = "/lethe/v1/openapi.json",
              .http = [](const HttpRequest&) -> Awaitable<HttpResponse> {
                co_return HttpResponse{.body = std::string(server_internal::OpenApiDocument())};
              }});
  add("POST", "/lethe/v1/erase", erasures,
      [&eraser, &store](const OwnApiCaller& caller, const HttpRequest& request) {
        return Erase(store, eraser, caller, request.body);
      });
  add("GET", "/lethe/v1/receipts", erasures,
      [&eraser](const OwnApiCaller& caller, const HttpRequest& request) {
        return ShowReceipts(eraser, caller, request);
      });
  add("GET", "/lethe/v1/held", context.quick_pool,
      [&context](const OwnApiCaller& caller, const HttpRequest& request) {
        return server_internal::ShowHeld(context, caller, request);
      });
  add("GET", "/lethe/v1/tasks", context.quick_pool,
      [&context, &tasks = options.tasks](const OwnApiCaller& caller, const HttpRequest& request) {
        return server_internal::ShowTasks(context, tasks, caller, request);
      });
  // A recording may have to be removed from a store that takes its time: erasures do not wait for
  // it.
  add("POST", "/lethe/v1/tasks", context.pool,
      [&context, &tasks = options.tasks](const OwnApiCaller& caller, const HttpRequest& request) {
        return server_internal::ChangeTask(context, tasks, caller, request.body);
      });
  for (const auto& [path, show] : {std::pair("/lethe/v1/usage", &server_internal::ShowUsage),
                                   std::pair("/lethe/v1/bill", &server_internal::ShowBill),
                                   std::pair("/lethe/v1/sla", &server_internal::ShowSla)}) {
    // With what else takes long, each application in its turn: erasures do not wait for it.
    add("GET", path, context.pool,
        [&context, metering, show = show](const OwnApiCaller& caller, const HttpRequest& request) {
          return ShowMetering(context, metering, show, caller, request);
        });
  }
  add("GET", "/lethe/v1/retention", context.quick_pool,
      [&periods](const OwnApiCaller& caller, const HttpRequest& request) {
        return ShowRetention(periods, caller, request);
      });
  add("POST", "/lethe/v1/retention", erasures,
      [&periods](const OwnApiCaller& caller, const HttpRequest& request) {
        return Shorten(periods, caller, request.body);
      });
  add("GET", "/lethe/v1/ledger", context.pool,
      [&ledger = options.ledger](const OwnApiCaller&, const HttpRequest& request) {
        return server_internal::ShowLedger(ledger, request);
      });
  add("GET", "/lethe/v1/watch", context.quick_pool,
      [&context, watch = options.watch](const OwnApiCaller& caller, const HttpRequest& request) {
        return server_internal::ShowWatch(watch, context.clock, caller, request);
      });
  add("GET", "/lethe/v1/applications", context.quick_pool,
      [&store](const OwnApiCaller& caller, const HttpRequest&) {
        return server_internal::ShowApplications(store, caller);
      });
  add("POST", "/lethe/v1/applications", context.quick_pool,
      [&context](const OwnApiCaller& caller, const HttpRequest& request) {
        return server_internal::ChangeApplication(context.store, context.clock, caller,
                                                  request.body);
      });
  add("GET", "/lethe/v1/keys", context.quick_pool,
      [&store](const OwnApiCaller& caller, const HttpRequest& request) {
        return server_internal::ShowKeys(store, caller, request);
      });
  add("POST", "/lethe/v1/keys", context.quick_pool,
      [&store](const OwnApiCaller& caller, const HttpRequest& request) {
        return server_internal::ChangeKey(store, caller, request.body);
      });
  add("GET", "/lethe/v1/vocabularies", context.quick_pool,
      [&store](const OwnApiCaller& caller, const HttpRequest& request) {
        return server_internal::ShowVocabularies(store.vocabularies(), caller, request);
      });
  add(
      "POST", "/lethe/v1/vocabularies", context.quick_pool,
      [&store](const OwnApiCaller& caller, const HttpRequest& request) {
        return server_internal::ChangeVocabulary(store.vocabularies(), caller, request.body);
      },
      server_internal::kMaxVocabularyBody);
  add("GET", "/lethe/v1/consent", context.quick_pool,
      [&context](const OwnApiCaller& caller, const HttpRequest& request) {
        return server_internal::ShowConsents(context, caller, request);
      });
  add("POST", "/lethe/v1/consent", erasures,
      [&context, &eraser](const OwnApiCaller& caller, const HttpRequest& request) {
        return server_internal::ChangeConsents(context, eraser, caller, request.body);
      });
}

}  // namespace lethe
