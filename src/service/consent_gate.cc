#include "service/consent_gate.h"

#include <string>

namespace lethe {

Status CheckConsent(Consents& consents, const Application& application,
                    std::string_view pseudonym) {
  if (!application.consent_required && pseudonym.empty()) return OkStatus();
  ASSIGN_OR_RETURN(const ConsentStanding standing,
                   consents.Look(application.id, pseudonym, ConsentPurpose::kTranscription));
  if (standing == ConsentStanding::kWithdrawn) {
    return PermissionDenied(
        "the person this call is about has withdrawn their consent; nothing is processed until "
        "they consent again");
  }
  if (!application.consent_required || standing == ConsentStanding::kGiven) return OkStatus();
  const std::string todo =
      "; this application processes nothing without: register it with POST /lethe/v1/consent and "
      "name the person in X-Lethe-Subject or lethe_subject";
  if (standing == ConsentStanding::kExpired) {
    return PermissionDenied("the consent to this has expired" + todo);
  }
  return PermissionDenied((pseudonym.empty() ? "the call names nobody, and there is no consent of "
                                               "everyone"
                                             : "there is no consent of the person named") +
                          todo);
}

Result<bool> HasWithdrawn(Consents& consents, AppId app_id, std::string_view pseudonym) {
  if (pseudonym.empty()) return false;
  ASSIGN_OR_RETURN(const ConsentStanding standing,
                   consents.Look(app_id, pseudonym, ConsentPurpose::kTranscription));
  return standing == ConsentStanding::kWithdrawn;
}

}  // namespace lethe
