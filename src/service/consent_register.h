#pragma once

// Consents, as they are given and withdrawn. Giving looks at ages, withdrawing erases.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "service/ages_of_consent.h"
#include "service/eraser.h"
#include "store/consents.h"

namespace lethe {

inline constexpr Millis kUsualConsent = std::chrono::days(365);
inline constexpr Millis kLongestConsent = std::chrono::days(3650);

/// A consent as somebody reports it.
struct ReportedConsent {
  AppId app_id = 0;
  std::string subject;  // empty: everyone
  ConsentBasis basis = ConsentBasis::kPerson;
  /// Of basis kPerson: the person is attested to be so old at least, in years.
  std::optional<int> age;
  std::string jurisdiction;
  Millis lifetime = kUsualConsent;
};

/// "person", "parent", "customer"; in answers and options. Nothing for another name.
std::string_view BasisName(ConsentBasis basis);
std::optional<ConsentBasis> BasisNamed(std::string_view name);
std::string_view PurposeName(ConsentPurpose purpose);

/// Registers it. Of the age only that it is enough is written down.
/// Errors: kFailedPrecondition for somebody younger than their country's age of consent, whose
///         parent has to consent; kInvalidArgument for an age that is missing or not asked for, and
///         a lifetime above kLongestConsent; as Consents::Give()
Result<Consent> GiveConsent(Consents& consents, const ReportedConsent& report, WallTime now);

struct Withdrawal {
  Consent consent;
  Erasure erasure;
};

/// Writes down that a person withdraws, then cancels and erases what there is of them; of everyone:
/// all that the application has. When erasing fails the withdrawal stands, and asking again does
/// the rest. Errors: as Consents::Withdraw() and Eraser
Result<Withdrawal> WithdrawConsent(Consents& consents, Eraser& eraser, AppId app_id,
                                   std::string_view subject);

}  // namespace lethe
