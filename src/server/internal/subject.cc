#include "server/internal/subject.h"

#include "server/internal/signature.h"
#include "service/consent_gate.h"

namespace lethe::server_internal {

std::string SubjectName(const HttpRequest& request) {
  const std::string_view name = request.Header("x-lethe-subject");
  if (!name.empty()) return std::string(name);
  return FindValue(ParseQuery(request.query, false), kSubjectParameter).value_or("");
}

Subject FindSubject(FaceContext& context, AppId app_id, const std::string& name) {
  auto pseudonym = context.store.consents().Pseudonym(app_id, name);
  if (!pseudonym.ok()) return {.pseudonym = {}, .status = pseudonym.status()};
  return {.pseudonym = *std::move(pseudonym), .status = OkStatus()};
}

Status CheckSubject(FaceContext& context, const Application& application, const Subject& subject) {
  if (!subject.status.ok()) return subject.status;
  return CheckConsent(context.store.consents(), application, subject.pseudonym);
}

}  // namespace lethe::server_internal
