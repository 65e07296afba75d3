#include "server/internal/own_api_json.h"

#include <algorithm>
#include <chrono>

#include "base/json.h"

namespace lethe::server_internal {

std::int64_t UnixSeconds(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

HttpResponse OwnApiAnswer(const std::string& json) {
  return {.body = json + "\n", .headers = {{"Cache-Control", "no-store"}}};
}

HttpResponse OwnApiAnswer(const OwnApiJson& body) { return OwnApiAnswer(WriteJson(body)); }

Status CheckFields(const OwnApiJson& object, std::initializer_list<std::string_view> fields) {
  if (!object.is_object()) return InvalidArgument("the body has to be a JSON object");
  for (const auto& [name, value] : object.items()) {
    if (std::find(fields.begin(), fields.end(), name) == fields.end()) {
      std::string known;
      for (const std::string_view field : fields) known += " " + std::string(field);
      return InvalidArgument("a field is not known here; known are:" + known);
    }
  }
  return OkStatus();
}

Result<OwnApiJson> ReadObject(const std::string& body,
                              std::initializer_list<std::string_view> fields) {
  OwnApiJson object = ParseJson<OwnApiJson>(body);
  RETURN_IF_ERROR(CheckFields(object, fields));
  return object;
}

OwnApiJson ReadQuery(const HttpRequest& request) {
  OwnApiJson query = OwnApiJson::object();
  for (const auto& [name, value] : ParseQuery(request.query, true)) query[name] = value;
  return query;
}

Status ReadText(const OwnApiJson& object, const char* name, std::string* text) {
  const auto field = object.find(name);
  if (field == object.end()) return OkStatus();
  if (!field->is_string() || field->get_ref<const std::string&>().empty()) {
    return InvalidArgument(std::string(name) + " has to be a text");
  }
  *text = field->get<std::string>();
  return OkStatus();
}

Status ReadFlag(const OwnApiJson& object, const char* name, std::optional<bool>* flag) {
  const auto field = object.find(name);
  if (field == object.end()) return OkStatus();
  if (!field->is_boolean()) return InvalidArgument(std::string(name) + " has to be true or false");
  *flag = field->get<bool>();
  return OkStatus();
}

Result<AppId> NamedApplication(const OwnApiCaller& caller, const std::optional<AppId>& named) {
  if (!caller.app_id && !named) return InvalidArgument("say which application: app_id");
  if (caller.app_id && named && *named != *caller.app_id) {
    return NotFound("there is no such application");
  }
  return caller.app_id ? *caller.app_id : *named;
}

OwnApiJson ShowErasure(const OwnApiCaller& caller, const Erasure& erasure) {
  OwnApiJson receipts = OwnApiJson::array();
  for (const Receipt& receipt : erasure.receipts) {
    receipts.push_back(ParseJson<OwnApiJson>(receipt.Json()));
  }
  OwnApiJson answer = {{"erased",
                        {{"results", erasure.results},
                         {"recordings", erasure.recordings},
                         {"operations", erasure.operations}}},
                       {"cancelled", erasure.cancelled},
                       {"unreachable", erasure.unreachable},
                       {"in_log", erasure.in_log},
                       {"receipts", std::move(receipts)},
                       {"without_receipt", erasure.without_receipt}};
  if (!erasure.proof.empty()) {
    // How this service is set up is the operator's.
    answer["proof"] =
        caller.app_id ? "the ledger could not be told yet; it will be" : erasure.proof;
  }
  return answer;
}

}  // namespace lethe::server_internal
