#include "server/internal/own_api_consents.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "server/internal/own_api_json.h"
#include "service/consent_register.h"

namespace lethe::server_internal {
namespace {

using Json = OwnApiJson;
using std::chrono::seconds;

constexpr int kPage = 100, kMaxPage = 1000;

Json TimeOrNull(const std::optional<WallTime>& time) {
  return time ? Json(UnixSeconds(*time)) : Json();
}

Json Show(const Consent& consent, WallTime now) {
  const char* state = consent.withdrawn        ? "withdrawn"
                      : consent.expires <= now ? "expired"
                                               : "valid";
  return {{"subject", consent.pseudonym.empty() ? Json() : Json(consent.pseudonym)},
          {"everyone", consent.pseudonym.empty()},
          {"purpose", PurposeName(consent.purpose)},
          {"state", state},
          {"basis", consent.basis ? Json(BasisName(*consent.basis)) : Json()},
          {"jurisdiction", consent.basis ? Json(consent.jurisdiction) : Json()},
          {"age_of_consent", consent.basis ? Json(consent.age_of_consent) : Json()},
          {"given", TimeOrNull(consent.given)},
          {"expires", UnixSeconds(consent.expires)},
          {"withdrawn", TimeOrNull(consent.withdrawn)}};
}

// What a body asks for; one of the three.
struct Wanted {
  std::optional<AppId> app_id;
  std::optional<bool> everyone, withdraw, require;
  ReportedConsent consent;
};

Result<Wanted> Read(const std::string& body) {
  ASSIGN_OR_RETURN(const Json object,
                   ReadObject(body, {"app_id", "subject", "everyone", "withdraw", "require",
                                     "basis", "age", "jurisdiction", "expires_in"}));
  Wanted wanted;
  RETURN_IF_ERROR(ReadNumber(object, "app_id", &wanted.app_id));
  RETURN_IF_ERROR(ReadFlag(object, "everyone", &wanted.everyone));
  RETURN_IF_ERROR(ReadFlag(object, "withdraw", &wanted.withdraw));
  RETURN_IF_ERROR(ReadFlag(object, "require", &wanted.require));
  RETURN_IF_ERROR(ReadText(object, "subject", &wanted.consent.subject));
  RETURN_IF_ERROR(ReadText(object, "jurisdiction", &wanted.consent.jurisdiction));
  RETURN_IF_ERROR(ReadInteger(object, "age", &wanted.consent.age));
  std::string basis;
  RETURN_IF_ERROR(ReadText(object, "basis", &basis));
  std::optional<std::int64_t> expires_in;
  RETURN_IF_ERROR(ReadInteger(object, "expires_in", &expires_in));
  if (wanted.require) {
    if (object.size() > (wanted.app_id ? 2U : 1U)) {
      return InvalidArgument("require goes with nothing but app_id");
    }
    return wanted;
  }
  if (wanted.everyone.value_or(false) != wanted.consent.subject.empty()) {
    return InvalidArgument("say whose consent: subject, or everyone");
  }
  if (wanted.withdraw) {
    if (!*wanted.withdraw) return InvalidArgument("withdraw is true, or left out");
    return wanted;
  }
  const auto named = BasisNamed(basis);
  if (!named) return InvalidArgument("basis is person, parent or customer");
  wanted.consent.basis = *named;
  if (expires_in) {
    if (*expires_in < 1 || *expires_in > kLongestConsent / seconds(1)) {
      return InvalidArgument("expires_in is seconds, at most, of ten years: " +
                             std::to_string(kLongestConsent / seconds(1)));
    }
    wanted.consent.lifetime = seconds(*expires_in);
  }
  return wanted;
}

HttpResponse Require(Store& store, const OwnApiCaller& caller, AppId app_id, bool required) {
  if (!required && caller.app_id) {
    return OwnApiError(403, "permission_denied",
                       "only the operator ends the requirement: with the console's password, or "
                       "lethe consent require");
  }
  const Status status = store.applications().SetConsentRequired(app_id, required);
  if (!status.ok()) return OwnApiError(status);
  return OwnApiAnswer({{"app_id", app_id}, {"required", required}});
}

}  // namespace

HttpResponse ShowConsents(FaceContext& context, const OwnApiCaller& caller,
                          const HttpRequest& request) {
  const Json query = ReadQuery(request);
  std::optional<AppId> named;
  std::optional<int> limit;
  std::string after;
  Status status = ReadNumber(query, "app_id", &named);
  if (status.ok()) status = ReadNumber(query, "limit", &limit);
  if (status.ok()) status = ReadText(query, "after", &after);
  if (status.ok() && (limit.value_or(1) < 1 || limit.value_or(1) > kMaxPage)) {
    status = InvalidArgument("limit is at most " + std::to_string(kMaxPage));
  }
  if (!status.ok()) return OwnApiError(status);
  const auto app_id = NamedApplication(caller, named);
  if (!app_id.ok()) return OwnApiError(app_id.status());
  const auto application = context.store.applications().Find(*app_id);
  if (!application.ok()) return OwnApiError(application.status());
  const int page = limit.value_or(kPage);
  const auto list = context.store.consents().List(
      *app_id, after.empty() ? std::nullopt : std::optional(after), page);
  if (!list.ok()) return OwnApiError(list.status());
  const WallTime now = context.clock.Now();
  Json consents = Json::array();
  for (const Consent& consent : *list) consents.push_back(Show(consent, now));
  Json answer = {{"app_id", *app_id},
                 {"required", application->consent_required},
                 {"consents", std::move(consents)}};
  // Everyone's comes first, and the others are behind any beginning of a number.
  constexpr const char* kBehindEveryone = "0";
  if (static_cast<int>(list->size()) == page) {
    const std::string& last = list->back().pseudonym;
    answer["next"] = last.empty() ? kBehindEveryone : last;
  }
  return OwnApiAnswer(answer);
}

HttpResponse ChangeConsents(FaceContext& context, Eraser& eraser, const OwnApiCaller& caller,
                            const std::string& body) {
  auto wanted = Read(body);
  if (!wanted.ok()) return OwnApiError(wanted.status());
  const auto app_id = NamedApplication(caller, wanted->app_id);
  if (!app_id.ok()) return OwnApiError(app_id.status());
  if (wanted->require) return Require(context.store, caller, *app_id, *wanted->require);
  Consents& consents = context.store.consents();
  wanted->consent.app_id = *app_id;
  const WallTime now = context.clock.Now();
  if (wanted->withdraw) {
    const auto done = WithdrawConsent(consents, eraser, *app_id, wanted->consent.subject);
    if (!done.ok()) return OwnApiError(done.status());
    Json answer = ShowErasure(caller, done->erasure);
    answer["consent"] = Show(done->consent, now);
    return OwnApiAnswer(answer);
  }
  const auto given = GiveConsent(consents, wanted->consent, now);
  return given.ok() ? OwnApiAnswer({{"consent", Show(*given, now)}}) : OwnApiError(given.status());
}

}  // namespace lethe::server_internal
