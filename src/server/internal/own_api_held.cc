#include "server/internal/own_api_held.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/json.h"
#include "server/internal/own_api_json.h"

namespace lethe::server_internal {
namespace {

using Json = OwnApiJson;
using std::chrono::seconds;

constexpr int kPage = 100, kMaxPage = 1000;

Json Show(const HeldItem& item, DataClass data_class, const std::string& call_id) {
  Json shown = {{"class", DataClassName(data_class)},
                {"app_id", item.app_id},
                {"created", UnixSeconds(item.created)},
                {"expires", UnixSeconds(item.expires)}};
  if (item.task) shown["task_id"] = *item.task;
  if (item.state) shown["state"] = TaskStateName(*item.state);
  if (!item.subject.empty()) shown["subject"] = item.subject;
  // The operation log has no ids; whoever asked by one knows it.
  if (const std::string& id = item.call_id.empty() ? call_id : item.call_id; !id.empty()) {
    shown["call_id"] = id;
  }
  const Json facts = ParseJson<Json>(item.facts);
  for (const char* name : {"interface", "result"}) {
    if (facts.is_object() && facts.contains(name)) shown[name] = facts[name];
  }
  return shown;
}

struct Wanted {
  DataClass data_class = DataClass::kAudio;
  TaskSelector selector;
  std::int64_t before = 0;
  int limit = kPage;
};

Result<Wanted> Read(FaceContext& context, const OwnApiCaller& caller, const HttpRequest& request) {
  const Json query = ReadQuery(request);
  Wanted wanted;
  std::string name, subject, voice_id;
  std::optional<AppId> app_id;
  std::optional<std::int64_t> after;
  std::optional<int> limit;
  RETURN_IF_ERROR(ReadText(query, "class", &name));
  RETURN_IF_ERROR(ReadNumber(query, "app_id", &app_id));
  RETURN_IF_ERROR(ReadNumber(query, "after", &after));
  RETURN_IF_ERROR(ReadNumber(query, "limit", &limit));
  RETURN_IF_ERROR(ReadNumber(query, "task_id", &wanted.selector.task));
  RETURN_IF_ERROR(ReadNumber(query, "uin", &wanted.selector.uin));
  RETURN_IF_ERROR(ReadText(query, "call_id", &wanted.selector.request_id));
  RETURN_IF_ERROR(ReadText(query, "voice_id", &voice_id));
  RETURN_IF_ERROR(ReadText(query, "subject", &subject));
  const auto data_class = DataClassNamed(name);
  if (!data_class || *data_class == DataClass::kMonitoring) {
    return InvalidArgument("class is one of audio, result, operation_log");
  }
  wanted.data_class = *data_class;
  wanted.limit = limit.value_or(kPage);
  if (wanted.limit < 1 || wanted.limit > kMaxPage) {
    return InvalidArgument("limit is at most " + std::to_string(kMaxPage));
  }
  wanted.before = after.value_or(0);
  if (wanted.before < 0) return InvalidArgument("after is what \"next\" of an answer says");
  if (!voice_id.empty()) wanted.selector.request_id = voice_id;
  wanted.selector.within = caller.app_id;
  const bool one =
      wanted.selector.task || wanted.selector.uin || !wanted.selector.request_id.empty();
  if (one && subject.empty()) return wanted;
  // Of an application: all, or of a person, who is one of an application.
  ASSIGN_OR_RETURN(const AppId named, NamedApplication(caller, app_id));
  RETURN_IF_ERROR(context.store.applications().Find(named).status());
  wanted.selector.within = named;
  if (subject.empty()) {
    wanted.selector.app_id = named;
  } else {
    ASSIGN_OR_RETURN(wanted.selector.subject, context.store.consents().Pseudonym(named, subject));
  }
  return wanted;
}

}  // namespace

HttpResponse ShowHeld(FaceContext& context, const OwnApiCaller& caller,
                      const HttpRequest& request) {
  const auto wanted = Read(context, caller, request);
  if (!wanted.ok()) return OwnApiError(wanted.status());
  // Calls that have just ended are written down first.
  context.meter.Flush();
  const auto held = context.store.holdings().List(wanted->data_class, wanted->selector,
                                                  wanted->before, wanted->limit);
  if (!held.ok()) return OwnApiError(held.status());
  Json items = Json::array();
  for (const HeldItem& item : *held) {
    items.push_back(Show(item, wanted->data_class, wanted->selector.request_id));
  }
  Json answer = {{"class", DataClassName(wanted->data_class)},
                 {"now", UnixSeconds(context.clock.Now())},
                 {"items", std::move(items)}};
  if (static_cast<int>(held->size()) == wanted->limit) {
    answer["next"] = std::to_string(held->back().place);
  }
  return OwnApiAnswer(answer);
}

}  // namespace lethe::server_internal
