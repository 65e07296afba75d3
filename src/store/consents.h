#pragma once

// The register of consents: who may be processed, on what ground, until when. One row for each
// person and purpose of an application, and one for everyone.
//
// A person's name, as the application gives it, is held nowhere: a pseudonym stands for it, which
// only the application's key makes again and which is another one in every application.
//
// What is held of a consent, and for how long: while it is valid, all of it. For kConsentEvidence
// after its end too, since so long there may be something that was processed under it. Then a
// consent that expired is removed; of one that was withdrawn the pseudonym and the time stay until
// the person consents again, or the application is removed: without them the withdrawal would be
// forgotten, and what everyone's consent allows would be done to them.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "seal/data_class.h"
#include "store/applications.h"

namespace lethe {

inline constexpr std::size_t kMaxSubject = 256;         // bytes of a person's name
inline constexpr std::size_t kMaxConsents = 1'000'000;  // per application
inline constexpr int kMaxAgeOfConsent = 21;
/// As long as anything that was processed may be held, whatever its class.
inline constexpr Millis kConsentEvidence = MaxLifetime(DataClass::kMonitoring);

/// The numbers are written down: they stay.
enum class ConsentPurpose {
  kTranscription = 1,  // to write down what is said in audio that the application sends
};

enum class ConsentBasis {
  kPerson = 1,    // the person's, who is attested to be old enough
  kParent = 2,    // a parent's or guardian's, for somebody who is not
  kCustomer = 3,  // the customer represents that it has them of all of its end users
};

struct NewConsent {
  AppId app_id = 0;
  std::string subject;  // as the application names the person; empty: everyone
  ConsentPurpose purpose = ConsentPurpose::kTranscription;
  ConsentBasis basis = ConsentBasis::kPerson;
  std::string jurisdiction;  // where the person is: two capital letters, ISO 3166-1
  int age_of_consent = 0;    // there, in years: what the person is attested to have reached, or not
  WallTime expires;
};

struct Consent {
  AppId app_id = 0;
  std::string pseudonym;  // empty: everyone
  ConsentPurpose purpose = ConsentPurpose::kTranscription;
  // None: of a withdrawal, whose details are over, or before which nothing was given.
  std::optional<ConsentBasis> basis;
  std::string jurisdiction;
  int age_of_consent = 0;
  std::optional<WallTime> given;
  WallTime expires;
  std::optional<WallTime> withdrawn;

  bool operator==(const Consent&) const = default;
};

/// How things stand with a person.
enum class ConsentStanding {
  kGiven,
  kNone,
  kExpired,    // the person's own, or everyone's, and nothing else is given
  kWithdrawn,  // by the person: then everyone's does not help
};

/// Thread: any; calls may wait for the disk
/// Errors: kNotFound for an application that there is not; as Store
class Consents {
 public:
  virtual ~Consents() = default;

  /// What stands for a person: 64 hexadecimal digits. Of everyone, the empty name: empty.
  /// Errors: kInvalidArgument for a name over kMaxSubject, no UTF-8 or with control characters; as
  ///         KeyStore
  virtual Result<std::string> Pseudonym(AppId app_id, std::string_view subject) = 0;

  /// Replaces what there was of that person and purpose, a withdrawal too.
  /// Errors: kInvalidArgument for a name as above, a jurisdiction that is no code, an age below 0
  /// or above kMaxAgeOfConsent, an end that is not to come, and a customer's representation that is
  /// not for everyone, or anybody else's that is; kResourceExhausted at kMaxConsents
  virtual Result<Consent> Give(const NewConsent& consent) = 0;

  /// Writes down that the consent is withdrawn, also where none was given. Once withdrawn, the
  /// first time stays.
  virtual Result<Consent> Withdraw(AppId app_id, std::string_view subject,
                                   ConsentPurpose purpose) = 0;

  /// By pseudonym; empty: nobody is named, so only everyone's counts.
  virtual Result<ConsentStanding> Look(AppId app_id, std::string_view pseudonym,
                                       ConsentPurpose purpose) = 0;

  /// At most `limit`, by pseudonym, those behind `after`.
  virtual Result<std::vector<Consent>> List(AppId app_id, const std::optional<std::string>& after,
                                            int limit) = 0;

  /// Removes at most `limit` that are over, or of withdrawals their details. Returns how many.
  virtual Result<int> RemoveExpired(int limit) = 0;
};

}  // namespace lethe
