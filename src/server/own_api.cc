#include "server/own_api.h"

#include <charconv>
#include <functional>
#include <initializer_list>
#include <memory>
#include <variant>

#include <nlohmann/json.hpp>

#include "server/internal/admission.h"
#include "server/internal/own_api_caller.h"
#include "server/internal/own_api_metering.h"
#include "server/internal/password_attempts.h"
#include "server/internal/run_on.h"

namespace lethe {
namespace {

using Json = nlohmann::ordered_json;
using server_internal::OwnApiCaller;
using server_internal::OwnApiError;
using server_internal::OwnApiMetering;
using server_internal::PasswordAttempts;
using server_internal::PeerOwner;
using server_internal::RunOn;

constexpr std::size_t kMaxBody = 16 << 10;

HttpResponse Answer(const Json& body) { return {.body = body.dump() + "\n"}; }

// An object that has no other fields than these.
Result<Json> ReadObject(const std::string& body, std::initializer_list<std::string_view> fields) {
  Json object = Json::parse(body, nullptr, false);
  if (!object.is_object()) return InvalidArgument("the body has to be a JSON object");
  for (const auto& [name, value] : object.items()) {
    if (std::find(fields.begin(), fields.end(), name) == fields.end()) {
      std::string known;
      for (const std::string_view field : fields) known += " " + std::string(field);
      return InvalidArgument("the body has a field that is not known; known are:" + known);
    }
  }
  return object;
}

// Numbers may be written as text, since JavaScript's end at 2^53.
template <class Number>
Status ReadNumber(const Json& object, const char* name, std::optional<Number>* number) {
  const auto field = object.find(name);
  if (field == object.end()) return OkStatus();
  const std::string text = field->is_string() ? field->get<std::string>() : field->dump();
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return InvalidArgument(std::string(name) + " has to be a number");
  }
  *number = value;
  return OkStatus();
}

Status ReadText(const Json& object, const char* name, std::string* text) {
  const auto field = object.find(name);
  if (field == object.end()) return OkStatus();
  if (!field->is_string() || field->get_ref<const std::string&>().empty()) {
    return InvalidArgument(std::string(name) + " has to be a text");
  }
  *text = field->get<std::string>();
  return OkStatus();
}

Result<ErasureRequest> ReadErasure(const std::string& body) {
  ASSIGN_OR_RETURN(const Json object,
                   ReadObject(body, {"task_id", "call_id", "voice_id", "uin", "app_id"}));
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
  return request;
}

HttpResponse Erase(Eraser& eraser, const OwnApiCaller& caller, const std::string& body) {
  auto request = ReadErasure(body);
  if (!request.ok()) return OwnApiError(request.status());
  request->within = caller.app_id;
  const auto erasure = eraser.Erase(*request, ErasureCause::kRequested);
  if (!erasure.ok()) return OwnApiError(erasure.status());
  Json receipts = Json::array();
  for (const Receipt& receipt : erasure->receipts) receipts.push_back(Json::parse(receipt.Json()));
  Json answer = {{"erased",
                  {{"results", erasure->results},
                   {"recordings", erasure->recordings},
                   {"operations", erasure->operations}}},
                 {"cancelled", erasure->cancelled},
                 {"unreachable", erasure->unreachable},
                 {"receipts", std::move(receipts)},
                 {"without_receipt", erasure->without_receipt}};
  if (!erasure->proof.empty()) {
    // How this service is set up is the operator's.
    answer["proof"] =
        caller.app_id ? "the ledger could not be told yet; it will be" : erasure->proof;
  }
  return Answer(answer);
}

// Whose periods it is about: the caller's own, or those of whom the operator names.
Result<AppId> Subject(const OwnApiCaller& caller, const std::optional<AppId>& named) {
  if (!caller.app_id && !named) return InvalidArgument("say which application: app_id");
  if (caller.app_id && named && *named != *caller.app_id) {
    return NotFound("there is no such application");
  }
  return caller.app_id ? *caller.app_id : *named;
}

// What the ledger has of a task that is there.
HttpResponse ShowReceipts(Eraser& eraser, const OwnApiCaller& caller, const HttpRequest& request) {
  Json query = Json::object();
  for (const auto& [name, value] : ParseQuery(request.query, true)) query[name] = value;
  std::optional<AppId> named;
  std::optional<TaskId> task;
  Status status = ReadNumber(query, "app_id", &named);
  if (status.ok()) status = ReadNumber(query, "task_id", &task);
  if (status.ok() && !task) status = InvalidArgument("say of which task: task_id");
  if (!status.ok()) return OwnApiError(status);
  const auto app_id = Subject(caller, named);
  if (!app_id.ok()) return OwnApiError(app_id.status());
  const auto receipts = eraser.ReceiptsOf(*app_id, *task);
  if (!receipts.ok()) {
    return OwnApiError(receipts.status().code() == StatusCode::kNotFound || !caller.app_id
                           ? receipts.status()
                           : Unavailable("the ledger cannot be asked now; try again"));
  }
  Json list = Json::array();
  for (const Receipt& receipt : *receipts) list.push_back(Json::parse(receipt.Json()));
  return Answer({{"receipts", std::move(list)}});
}

HttpResponse ShowPeriods(RetentionPeriods& periods, AppId app_id) {
  const auto chosen = periods.Find(app_id);
  if (!chosen.ok()) return OwnApiError(chosen.status());
  Json list = Json::object();
  for (const DataClass data_class : kDataClasses) {
    const auto period = chosen->find(data_class);
    const Millis held = period == chosen->end() ? MaxLifetime(data_class) : period->second;
    list[std::string(DataClassName(data_class))] = {
        {"seconds", held / std::chrono::seconds(1)},
        {"longest", MaxLifetime(data_class) / std::chrono::seconds(1)}};
  }
  return Answer({{"app_id", app_id}, {"periods", std::move(list)}});
}

HttpResponse ShowRetention(RetentionPeriods& periods, const OwnApiCaller& caller,
                           const HttpRequest& request) {
  Json query = Json::object();
  for (const auto& [name, value] : ParseQuery(request.query, true)) query[name] = value;
  std::optional<AppId> named;
  const Status status = ReadNumber(query, "app_id", &named);
  if (!status.ok()) return OwnApiError(status);
  const auto app_id = Subject(caller, named);
  return app_id.ok() ? ShowPeriods(periods, *app_id) : OwnApiError(app_id.status());
}

// Of the caller's own application, or of whom the operator names.
HttpResponse ShowMetering(const OwnApiMetering& metering,
                          decltype(&server_internal::ShowUsage) show, const OwnApiCaller& caller,
                          const HttpRequest& request) {
  const NamedValues query = ParseQuery(request.query, true);
  Json fields = Json::object();
  for (const auto& [name, value] : query) fields[name] = value;
  std::optional<AppId> named;
  const Status status = ReadNumber(fields, "app_id", &named);
  if (!status.ok()) return OwnApiError(status);
  const auto app_id = Subject(caller, named);
  return app_id.ok() ? show(metering, *app_id, query) : OwnApiError(app_id.status());
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
  RETURN_IF_ERROR(ReadNumber(object, "seconds", &seconds));
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
  const auto app_id = Subject(caller, wanted->app_id);
  if (!app_id.ok()) return OwnApiError(app_id.status());
  const Status status = periods.Shorten(*app_id, wanted->data_class, wanted->period);
  return status.ok() ? ShowPeriods(periods, *app_id) : OwnApiError(status);
}

using Work = std::function<HttpResponse(const OwnApiCaller&, const HttpRequest&)>;

// What the handlers of all routes share.
struct Face {
  FaceContext& context;
  PasswordAttempts attempts;
};

HttpResponse Busy(const Status& status) {
  return OwnApiError(Unavailable("too many calls wait: " + status.message()));
}

// Who calls is found out where nothing takes long, and then the work is done on its own pool.
Awaitable<HttpResponse> Serve(std::shared_ptr<Face> face, const HttpRequest& request,
                              FairPool& pool, const Work& work) {
  using Identified = std::variant<OwnApiCaller, HttpResponse>;
  FaceContext& context = face->context;
  std::function<Identified()> identify = [&] {
    return server_internal::IdentifyOwnApiCaller(request, context.store.keys(), face->attempts);
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
  RetentionPeriods& periods = context.store.retention_periods();
  const auto face = std::make_shared<Face>(Face{context, PasswordAttempts(context.clock)});
  const auto add = [&](const char* method, const char* path, FairPool& pool, const Work& work) {
    router.Add(
        {.method = method,
         .path = path,
         .max_body = kMaxBody,
         .http = [face, &pool,
                  work](const HttpRequest& request) { return Serve(face, request, pool, work); },
         .refuse = [](int status,
                      std::string_view why) { return OwnApiError(status, "refused", why); }});
  };
  add("POST", "/lethe/v1/erase", erasures,
      [&eraser](const OwnApiCaller& caller, const HttpRequest& request) {
        return Erase(eraser, caller, request.body);
      });
  add("GET", "/lethe/v1/receipts", erasures,
      [&eraser](const OwnApiCaller& caller, const HttpRequest& request) {
        return ShowReceipts(eraser, caller, request);
      });
  for (const auto& [path, show] : {std::pair("/lethe/v1/usage", &server_internal::ShowUsage),
                                   std::pair("/lethe/v1/sla", &server_internal::ShowSla)}) {
    add("GET", path, erasures,
        [metering, show](const OwnApiCaller& caller, const HttpRequest& request) {
          return ShowMetering(metering, show, caller, request);
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
}

}  // namespace lethe
