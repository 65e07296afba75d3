#include <string>
#include <tuple>

#include "base/encoding.h"
#include "base/hmac.h"
#include "store/internal/checks.h"
#include "store/sql/internal/repositories.h"

namespace lethe {
namespace {

using Row = std::tuple<Text, Int, Int, Int, Text, Int, Int, Int>;

const std::string kSelect =
    "SELECT subject, purpose, basis, age_of_consent, jurisdiction, given_ms, expires_ms, "
    "withdrawn_ms FROM consents ";

std::optional<WallTime> TimeIfAny(Int millis) {
  if (millis == 0) return std::nullopt;
  return FromMillis(millis);
}

Consent ToConsent(AppId app_id, const Row& row) {
  const auto& [subject, purpose, basis, age, jurisdiction, given, expires, withdrawn] = row;
  return {.app_id = app_id,
          .pseudonym = subject,
          .purpose = static_cast<ConsentPurpose>(purpose),
          .basis = basis == 0 ? std::nullopt : std::optional(static_cast<ConsentBasis>(basis)),
          .jurisdiction = jurisdiction,
          .age_of_consent = static_cast<int>(age),
          .given = TimeIfAny(given),
          .expires = FromMillis(expires),
          .withdrawn = TimeIfAny(withdrawn)};
}

Result<Consent> Read(Connection& sql, AppId app_id, std::string_view pseudonym,
                     ConsentPurpose purpose) {
  const auto rows =
      sql.Rows<Row>(kSelect + "WHERE app_id = :app AND subject = :subject AND purpose = :purpose",
                    app_id, pseudonym, purpose);
  if (rows.empty()) return NotFound("there is no such consent");
  return ToConsent(app_id, rows.front());
}

// Room for one more of somebody who has none.
Status CheckRoom(Connection& sql, AppId app_id) {
  if (sql.Number("SELECT COUNT(*) FROM consents WHERE app_id = :app", app_id) >=
      Int{kMaxConsents}) {
    return TooMany("consents of an application", kMaxConsents);
  }
  return OkStatus();
}

class SqlConsents : public Consents {
 public:
  SqlConsents(Database& database, const Clock& clock, KeyStore& keys)
      : database_(database), clock_(clock), keys_(keys) {}

  Result<std::string> Pseudonym(AppId app_id, std::string_view subject) override {
    if (subject.empty()) return std::string();
    RETURN_IF_ERROR(CheckSubject(subject));
    ASSIGN_OR_RETURN(const auto tenant, keys_.TenantKey(app_id));
    // A key of its own, so that it tells nothing of what else is under the application's.
    const SealingKey key = tenant->Mix(*tenant, "lethe subject of consent v1");
    const auto bytes = key.bytes();
    const std::string hash =
        HmacSha256({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, subject);
    return HexEncode(std::as_bytes(std::span(hash)));
  }

  Result<Consent> Give(const NewConsent& consent) override {
    RETURN_IF_ERROR(CheckNewConsent(consent, clock_.Now()));
    const auto work = [&](Connection& sql) -> Result<Consent> {
      if (!LockApplication(sql, consent.app_id)) return NoSuchApplication();
      ASSIGN_OR_RETURN(const std::string pseudonym, Pseudonym(consent.app_id, consent.subject));
      const auto known = Read(sql, consent.app_id, pseudonym, consent.purpose);
      const Int before = sql.Run(
          "DELETE FROM consents WHERE app_id = :app AND subject = :subject AND "
          "purpose = :purpose",
          consent.app_id, pseudonym, consent.purpose);
      if (before == 0) RETURN_IF_ERROR(CheckRoom(sql, consent.app_id));
      Insert(sql, consent, pseudonym, ToMillis(clock_.Now()), 0);
      // Nobody is harmed by the loss of any other: it is given again.
      if (known.ok() && known->withdrawn) NoteGivenConsent(sql, consent.app_id, pseudonym);
      return Read(sql, consent.app_id, pseudonym, consent.purpose);
    };
    return database_.Write("write down a consent", work);
  }

  Result<Consent> Withdraw(AppId app_id, std::string_view subject,
                           ConsentPurpose purpose) override {
    const auto work = [&](Connection& sql) -> Result<Consent> {
      if (!LockApplication(sql, app_id)) return NoSuchApplication();
      ASSIGN_OR_RETURN(const std::string pseudonym, Pseudonym(app_id, subject));
      const Int now = ToMillis(clock_.Now());
      const auto found = Read(sql, app_id, pseudonym, purpose);
      if (!found.ok()) {
        // There is always room for a withdrawal.
        NewConsent nothing{.app_id = app_id, .purpose = purpose, .expires = FromMillis(now)};
        Insert(sql, nothing, pseudonym, 0, now);
        NoteWithdrawal(sql, app_id, pseudonym, now);
      } else if (!found->withdrawn) {
        sql.Run(
            "UPDATE consents SET withdrawn_ms = :now WHERE app_id = :app AND subject = :subject "
            "AND purpose = :purpose",
            now, app_id, pseudonym, purpose);
        NoteWithdrawal(sql, app_id, pseudonym, now);
      }
      return Read(sql, app_id, pseudonym, purpose);
    };
    return database_.Write("withdraw a consent", work);
  }

  Result<ConsentStanding> Look(AppId app_id, std::string_view pseudonym,
                               ConsentPurpose purpose) override {
    const auto work = [&](Connection& sql) -> Result<ConsentStanding> {
      const WallTime now = clock_.Now();
      ConsentStanding standing = ConsentStanding::kNone;
      for (const auto& row : sql.Rows<Row>(
               kSelect + "WHERE app_id = :app AND subject IN ('', :subject) AND purpose = :purpose "
                         "ORDER BY subject",
               app_id, pseudonym, purpose)) {
        const Consent consent = ToConsent(app_id, row);
        const bool own = !consent.pseudonym.empty();
        if (consent.withdrawn) {
          if (own) return ConsentStanding::kWithdrawn;
        } else if (consent.expires > now) {
          standing = ConsentStanding::kGiven;
        } else if (standing == ConsentStanding::kNone) {
          standing = ConsentStanding::kExpired;
        }
      }
      return standing;
    };
    return database_.Read("look for a consent", work);
  }

  Result<std::vector<Consent>> List(AppId app_id, const std::optional<std::string>& after,
                                    int limit) override {
    RETURN_IF_ERROR(CheckLimit(limit));
    const auto work = [&](Connection& sql) -> Result<std::vector<Consent>> {
      if (!HasApplication(sql, app_id)) return NoSuchApplication();
      std::vector<Consent> list;
      for (const Row& row :
           sql.Rows<Row>(kSelect + "WHERE app_id = :app AND (subject > :after OR :all = 1) "
                                   "ORDER BY subject, purpose LIMIT :limit",
                         app_id, after.value_or(""), !after.has_value(), limit)) {
        list.push_back(ToConsent(app_id, row));
      }
      return list;
    };
    return database_.Read("list consents", work);
  }

  Result<int> RemoveExpired(int limit) override {
    RETURN_IF_ERROR(CheckLimit(limit));
    const auto work = [&](Connection& sql) -> Result<int> {
      const Int ended = ToMillis(clock_.Now() - kConsentEvidence);
      const auto over = sql.Rows<std::tuple<Int>>(
          "SELECT seq FROM consents WHERE basis IN (1, 2, 3) AND withdrawn_ms = 0 AND "
          "expires_ms <= :ended LIMIT :limit {free}",
          ended, limit);
      for (const auto& [seq] : over) sql.Run("DELETE FROM consents WHERE seq = :seq", seq);
      const auto withdrawn = sql.Rows<std::tuple<Int>>(
          "SELECT seq FROM consents WHERE basis IN (1, 2, 3) AND withdrawn_ms > 0 AND "
          "withdrawn_ms <= :ended LIMIT :limit {free}",
          ended, limit - static_cast<int>(over.size()));
      for (const auto& [seq] : withdrawn) {
        sql.Run(
            "UPDATE consents SET basis = 0, age_of_consent = 0, jurisdiction = '', given_ms = 0, "
            "expires_ms = withdrawn_ms WHERE seq = :seq",
            seq);
      }
      return static_cast<int>(over.size() + withdrawn.size());
    };
    ASSIGN_OR_RETURN(const int removed,
                     database_.Write("remove consents that are over", work, Durability::kBuffered));
    database_.EmptyLogAfter(removed, limit);
    return removed;
  }

 private:
  static void NoteWithdrawal(Connection& sql, AppId app_id, const std::string& pseudonym, Int now) {
    NoteDecision(sql, {.kind = DecisionKind::kConsentToTranscription,
                       .app_id = app_id,
                       .subject = pseudonym,
                       .value = std::string(decided::kWithdrawn),
                       .made = FromMillis(now),
                       .ends = {}});
  }

  static void Insert(Connection& sql, const NewConsent& consent, std::string_view pseudonym,
                     Int given, Int withdrawn) {
    const bool nothing = given == 0;
    sql.Run(
        "INSERT INTO consents (app_id, subject, purpose, basis, age_of_consent, jurisdiction, "
        "given_ms, expires_ms, withdrawn_ms) VALUES (:app, :subject, :purpose, :basis, :age, "
        ":jurisdiction, :given, :expires, :withdrawn)",
        consent.app_id, pseudonym, consent.purpose,
        nothing ? Int{0} : static_cast<Int>(consent.basis), consent.age_of_consent,
        consent.jurisdiction, given, ToMillis(consent.expires), withdrawn);
  }

  Database& database_;
  const Clock& clock_;
  KeyStore& keys_;
};

}  // namespace

std::unique_ptr<Consents> MakeSqlConsents(Database& database, const Clock& clock, KeyStore& keys) {
  return std::make_unique<SqlConsents>(database, clock, keys);
}

}  // namespace lethe
