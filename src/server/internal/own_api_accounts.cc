#include "server/internal/own_api_accounts.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "metering/money.h"
#include "server/internal/own_api_json.h"

namespace lethe::server_internal {
namespace {

using Json = OwnApiJson;

template <class Number>
Json NumberOrNull(const std::optional<Number>& number) {
  return number ? Json(*number) : Json();
}

HttpResponse OperatorOnly() {
  return OwnApiError(403, "permission_denied",
                     "only the operator changes applications and keys: with the console's password "
                     "as HTTP Basic, or with lethe apps and lethe keys");
}

Json Show(const Application& application) {
  Json quotas = Json::object();
  for (const auto& [interface, quota] : application.quotas) {
    quotas[std::string(InterfaceName(interface))] = {
        {"calls_per_second", NumberOrNull(quota.calls_per_second)},
        {"concurrency", NumberOrNull(quota.concurrency)}};
  }
  const auto& limit = application.monthly_limit;
  const auto& overdue = application.overdue_since;
  return {{"app_id", application.id},
          {"uin", application.uin},
          {"name", application.name},
          {"enabled", application.enabled},
          {"created", UnixSeconds(application.created)},
          {"consent_required", application.consent_required},
          {"quotas", std::move(quotas)},
          {"monthly_limit", limit ? Json(ShowMoney(*limit)) : Json()},
          {"overdue_since", overdue ? Json(UnixSeconds(*overdue)) : Json()}};
}

Json Show(const Key& key) {
  return {{"key_id", key.id},
          {"kind", key.kind == KeyKind::kPair ? "pair" : "bearer"},
          {"app_id", key.app_id},
          {"enabled", key.enabled},
          {"created", UnixSeconds(key.created)},
          {"last4", key.last4}};
}

HttpResponse AnswerApplication(const Result<Application>& application) {
  if (!application.ok()) return OwnApiError(application.status());
  return OwnApiAnswer({{"application", Show(*application)}});
}

// Null ends an override.
Status ReadQuotaNumber(const Json& object, const char* name, std::optional<int>* number) {
  const auto field = object.find(name);
  if (field == object.end() || field->is_null()) return OkStatus();
  return ReadInteger(object, name, number);
}

Status SetQuota(Applications& applications, AppId app_id, const Json& quota) {
  RETURN_IF_ERROR(CheckFields(quota, {"interface", "calls_per_second", "concurrency"}));
  std::string name;
  Quota wanted;
  RETURN_IF_ERROR(ReadText(quota, "interface", &name));
  RETURN_IF_ERROR(ReadQuotaNumber(quota, "calls_per_second", &wanted.calls_per_second));
  RETURN_IF_ERROR(ReadQuotaNumber(quota, "concurrency", &wanted.concurrency));
  const auto interface = FindInterface(name);
  if (!interface) return InvalidArgument("quota.interface is no interface");
  return applications.SetQuota(app_id, *interface, wanted);
}

Status SetMonthlyLimit(Applications& applications, AppId app_id, const Json& limit) {
  if (limit.is_null()) return applications.SetMonthlyLimit(app_id, std::nullopt);
  if (!limit.is_string()) {
    return InvalidArgument("monthly_limit is an amount as a text, such as \"250\", or null");
  }
  ASSIGN_OR_RETURN(const MicroUnits amount,
                   ParseMoney(limit.get_ref<const std::string&>(), kHighestAmount));
  return applications.SetMonthlyLimit(app_id, amount);
}

Status SetOverdue(Applications& applications, const Clock& clock, AppId app_id, bool overdue) {
  ASSIGN_OR_RETURN(const Application application, applications.Find(app_id));
  // Said twice, the first time counts.
  if (overdue && application.overdue_since) return OkStatus();
  return applications.SetOverdue(application.uin,
                                 overdue ? std::optional(clock.Now()) : std::nullopt);
}

Result<Application> Create(Applications& applications, const Json& object) {
  NewApplication wanted;
  RETURN_IF_ERROR(CheckFields(object, {"name", "uin"}));
  RETURN_IF_ERROR(ReadText(object, "name", &wanted.name));
  RETURN_IF_ERROR(ReadNumber(object, "uin", &wanted.uin));
  return applications.Create(wanted);
}

Result<Application> Change(Applications& applications, const Clock& clock, AppId app_id,
                           const Json& object) {
  if (object.size() != 2) {
    return InvalidArgument(
        "beside app_id say one thing to change: name, enabled, quota, monthly_limit or overdue");
  }
  std::string name;
  std::optional<bool> enabled, overdue;
  RETURN_IF_ERROR(ReadText(object, "name", &name));
  RETURN_IF_ERROR(ReadFlag(object, "enabled", &enabled));
  RETURN_IF_ERROR(ReadFlag(object, "overdue", &overdue));
  if (!name.empty()) RETURN_IF_ERROR(applications.Rename(app_id, name));
  if (enabled) RETURN_IF_ERROR(applications.SetEnabled(app_id, *enabled));
  if (overdue) RETURN_IF_ERROR(SetOverdue(applications, clock, app_id, *overdue));
  if (object.contains("quota")) {
    RETURN_IF_ERROR(SetQuota(applications, app_id, object["quota"]));
  }
  if (object.contains("monthly_limit")) {
    RETURN_IF_ERROR(SetMonthlyLimit(applications, app_id, object["monthly_limit"]));
  }
  if (object.contains("uin")) {
    return InvalidArgument("an application stays in its account");
  }
  return applications.Find(app_id);
}

HttpResponse MakeKey(Keys& keys, const Json& object) {
  std::optional<AppId> app_id;
  std::string kind;
  Status status = CheckFields(object, {"app_id", "kind"});
  if (status.ok()) status = ReadNumber(object, "app_id", &app_id);
  if (status.ok()) status = ReadText(object, "kind", &kind);
  if (status.ok() && (!app_id || (kind != "pair" && kind != "bearer"))) {
    status = InvalidArgument("to make a key say app_id and kind, which is pair or bearer");
  }
  if (!status.ok()) return OwnApiError(status);
  const auto made = keys.Create(*app_id, kind == "pair" ? KeyKind::kPair : KeyKind::kBearer);
  if (!made.ok()) return OwnApiError(made.status());
  return OwnApiAnswer({{"key", Show(made->key)}, {"secret", made->secret.Reveal()}});
}

// The key after a change; of one that is removed, nothing.
Result<std::optional<Key>> AlterKey(Keys& keys, const std::string& id, const Json& object) {
  RETURN_IF_ERROR(CheckFields(object, {"key_id", "enabled", "remove"}));
  std::optional<bool> enabled, remove;
  RETURN_IF_ERROR(ReadFlag(object, "enabled", &enabled));
  RETURN_IF_ERROR(ReadFlag(object, "remove", &remove));
  if (enabled.has_value() == remove.has_value() || !remove.value_or(true)) {
    return InvalidArgument("beside key_id say enabled, or \"remove\": true");
  }
  if (remove) {
    RETURN_IF_ERROR(keys.Remove(id));
    return std::optional<Key>();
  }
  RETURN_IF_ERROR(keys.SetEnabled(id, *enabled));
  ASSIGN_OR_RETURN(const std::vector<Key> all, keys.List());
  for (const Key& key : all) {
    if (key.id == id) return std::optional(key);
  }
  return NotFound("there is no such key");
}

}  // namespace

HttpResponse ShowApplications(Store& store, const OwnApiCaller& caller) {
  const auto all = store.applications().List();
  if (!all.ok()) return OwnApiError(all.status());
  Json list = Json::array();
  for (const Application& application : *all) {
    if (caller.app_id.value_or(application.id) == application.id) list.push_back(Show(application));
  }
  return OwnApiAnswer({{"applications", std::move(list)}});
}

HttpResponse ChangeApplication(Store& store, const Clock& clock, const OwnApiCaller& caller,
                               const std::string& body) {
  if (caller.app_id) return OperatorOnly();
  const auto object =
      ReadObject(body, {"app_id", "name", "uin", "enabled", "quota", "monthly_limit", "overdue"});
  if (!object.ok()) return OwnApiError(object.status());
  std::optional<AppId> app_id;
  const Status status = ReadNumber(*object, "app_id", &app_id);
  if (!status.ok()) return OwnApiError(status);
  Applications& applications = store.applications();
  return AnswerApplication(app_id ? Change(applications, clock, *app_id, *object)
                                  : Create(applications, *object));
}

HttpResponse ShowKeys(Store& store, const OwnApiCaller& caller, const HttpRequest& request) {
  std::optional<AppId> named;
  const Status status = ReadNumber(ReadQuery(request), "app_id", &named);
  if (!status.ok()) return OwnApiError(status);
  if (caller.app_id || named) {
    const auto app_id = NamedApplication(caller, named);
    if (!app_id.ok()) return OwnApiError(app_id.status());
    named = *app_id;
  }
  const auto keys = store.keys().List(named);
  if (!keys.ok()) return OwnApiError(keys.status());
  Json list = Json::array();
  for (const Key& key : *keys) list.push_back(Show(key));
  return OwnApiAnswer({{"keys", std::move(list)}});
}

HttpResponse ChangeKey(Store& store, const OwnApiCaller& caller, const std::string& body) {
  if (caller.app_id) return OperatorOnly();
  const auto object = ReadObject(body, {"app_id", "kind", "key_id", "enabled", "remove"});
  if (!object.ok()) return OwnApiError(object.status());
  std::string id;
  const Status status = ReadText(*object, "key_id", &id);
  if (!status.ok()) return OwnApiError(status);
  if (id.empty()) return MakeKey(store.keys(), *object);
  const auto key = AlterKey(store.keys(), id, *object);
  if (!key.ok()) return OwnApiError(key.status());
  return OwnApiAnswer({{"key", *key ? Show(**key) : Json()}});
}

}  // namespace lethe::server_internal
