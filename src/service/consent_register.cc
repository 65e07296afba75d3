#include "service/consent_register.h"

#include <array>
#include <utility>

namespace lethe {
namespace {

constexpr std::array kBasisNames = {std::pair(ConsentBasis::kPerson, "person"),
                                    std::pair(ConsentBasis::kParent, "parent"),
                                    std::pair(ConsentBasis::kCustomer, "customer")};

Status CheckAge(const ReportedConsent& report, const AgeOfConsent& needed) {
  if (report.basis != ConsentBasis::kPerson) {
    if (!report.age) return OkStatus();
    return InvalidArgument("an age is attested of a person who consents by themselves only");
  }
  if (!report.age) {
    return InvalidArgument("say what age of the person is attested; needed there, in years: " +
                           std::to_string(needed.years));
  }
  if (*report.age >= needed.years) return OkStatus();
  return FailedPrecondition("below the age of consent a parent or guardian has to consent; it is " +
                            std::to_string(needed.years) + " in " + std::string(needed.country) +
                            ": " + std::string(needed.law));
}

}  // namespace

std::string_view BasisName(ConsentBasis basis) {
  for (const auto& [value, name] : kBasisNames) {
    if (value == basis) return name;
  }
  return "";
}

std::optional<ConsentBasis> BasisNamed(std::string_view name) {
  for (const auto& [value, known] : kBasisNames) {
    if (known == name) return value;
  }
  return std::nullopt;
}

std::string_view PurposeName(ConsentPurpose purpose) {
  return purpose == ConsentPurpose::kTranscription ? "transcription" : "";
}

Result<Consent> GiveConsent(Consents& consents, const ReportedConsent& report, WallTime now) {
  const AgeOfConsent needed = FindAgeOfConsent(report.jurisdiction);
  NewConsent consent{.app_id = report.app_id,
                     .subject = report.subject,
                     .basis = report.basis,
                     .jurisdiction = report.jurisdiction,
                     .age_of_consent = needed.years,
                     .expires = now + report.lifetime};
  if (report.lifetime > kLongestConsent) {
    return InvalidArgument("a consent lasts ten years at most");
  }
  RETURN_IF_ERROR(CheckAge(report, needed));
  return consents.Give(consent);
}

Result<Withdrawal> WithdrawConsent(Consents& consents, Eraser& eraser, AppId app_id,
                                   std::string_view subject) {
  Withdrawal done;
  // First this: a call that begins now is refused, and one that has begun is found below.
  ASSIGN_OR_RETURN(done.consent,
                   consents.Withdraw(app_id, subject, ConsentPurpose::kTranscription));
  ErasureRequest request{.within = app_id};
  if (subject.empty()) {
    request.app_id = app_id;
  } else {
    request.subject = done.consent.pseudonym;
  }
  ASSIGN_OR_RETURN(done.erasure, eraser.Erase(request, ErasureCause::kConsentWithdrawn));
  return done;
}

}  // namespace lethe
