#include "service/ages_of_consent.h"

#include <algorithm>
#include <array>

namespace lethe {
namespace {

// Sources: the laws as named; for the members of the European Union besides, the Commission's
// report on the application of the GDPR, SWD(2020) 115, section on children's consent. Denmark has
// raised its age since.
constexpr std::array kAges = {
    AgeOfConsent{"AT", 14, "GDPR art. 8; Datenschutzgesetz, sec. 4 (4)"},
    AgeOfConsent{"BE", 13, "GDPR art. 8; Act of 30 July 2018, art. 7"},
    AgeOfConsent{"BG", 14, "GDPR art. 8; Personal Data Protection Act, art. 25c"},
    AgeOfConsent{"BR", 18,
                 "LGPD art. 14, which asks for a parent's consent for children; of age at 18 "
                 "(Civil Code art. 5)"},
    AgeOfConsent{"CN", 14, "Personal Information Protection Law, art. 31"},
    AgeOfConsent{"CY", 14, "GDPR art. 8; Law 125(I)/2018, sec. 8"},
    AgeOfConsent{"CZ", 15, "GDPR art. 8; Act 110/2019, sec. 7"},
    AgeOfConsent{"DE", 16, "GDPR art. 8, which no other law changes"},
    AgeOfConsent{"DK", 15, "GDPR art. 8; Databeskyttelsesloven, sec. 6, as amended from 2024"},
    AgeOfConsent{"EE", 13, "GDPR art. 8; Personal Data Protection Act, sec. 8"},
    AgeOfConsent{"ES", 14, "GDPR art. 8; Organic Law 3/2018, art. 7"},
    AgeOfConsent{"FI", 13, "GDPR art. 8; Data Protection Act 1050/2018, sec. 5"},
    AgeOfConsent{"FR", 15, "GDPR art. 8; Act 78-17 (Informatique et Libertes), art. 45"},
    AgeOfConsent{"GB", 13, "UK GDPR art. 8; Data Protection Act 2018, sec. 9"},
    AgeOfConsent{"GR", 15, "GDPR art. 8; Law 4624/2019, art. 21"},
    AgeOfConsent{"HR", 16, "GDPR art. 8; Act on its implementation (NN 42/2018), art. 19"},
    AgeOfConsent{"HU", 16, "GDPR art. 8, which no other law changes"},
    AgeOfConsent{"IE", 16, "GDPR art. 8; Data Protection Act 2018, sec. 31"},
    AgeOfConsent{"IN", 18, "Digital Personal Data Protection Act 2023, sec. 2 (f) and 9"},
    AgeOfConsent{"IT", 14, "GDPR art. 8; Codice privacy, art. 2-quinquies"},
    AgeOfConsent{"KR", 14, "Personal Information Protection Act, art. 22-2"},
    AgeOfConsent{"LT", 14, "GDPR art. 8; Law on Legal Protection of Personal Data, art. 6"},
    AgeOfConsent{"LU", 16, "GDPR art. 8, which no other law changes"},
    AgeOfConsent{"LV", 13, "GDPR art. 8; Personal Data Processing Law, sec. 33"},
    AgeOfConsent{"MT", 13, "GDPR art. 8; Subsidiary Legislation 586.11"},
    AgeOfConsent{"NL", 16, "GDPR art. 8; Uitvoeringswet AVG, art. 5"},
    AgeOfConsent{"PL", 16, "GDPR art. 8, which no other law changes"},
    AgeOfConsent{"PT", 13, "GDPR art. 8; Law 58/2019, art. 16"},
    AgeOfConsent{"RO", 16, "GDPR art. 8, which no other law changes"},
    AgeOfConsent{"SE", 13, "GDPR art. 8; Act 2018:218, ch. 2 sec. 4"},
    AgeOfConsent{"SI", 16, "GDPR art. 8; a lower age of ZVOP-2 is not applied here"},
    AgeOfConsent{"SK", 16, "GDPR art. 8; Act 18/2018, sec. 15"},
    AgeOfConsent{"US", 13, "Children's Online Privacy Protection Act, 15 U.S.C. 6501; 16 CFR 312"},
    AgeOfConsent{"ZA", 18, "Protection of Personal Information Act, sec. 1, 34 and 35"},
};

}  // namespace

std::span<const AgeOfConsent> AgesOfConsent() { return kAges; }

AgeOfConsent FindAgeOfConsent(std::string_view country) {
  const auto found = std::find_if(kAges.begin(), kAges.end(),
                                  [&](const AgeOfConsent& age) { return age.country == country; });
  if (found != kAges.end()) return *found;
  return {.country = country, .law = "not in the table of laws: the strictest age holds"};
}

}  // namespace lethe
