#include <sstream>
#include <string>
#include <tuple>

#include "base/encoding.h"
#include "base/sha256.h"
#include "store/internal/checks.h"
#include "store/sql/internal/repositories.h"

namespace lethe {
namespace {

using std::chrono::seconds;

// A removed key is nobody's any more; its hash recognises it.
std::string HashOfKey(std::string_view key_id) {
  return Sha256Hex(std::as_bytes(std::span(key_id)));
}

// A consent as a value has it, behind its time.
struct GivenConsent {
  Int basis = 0, age = 0, expires_ms = 0;
  Text jurisdiction;

  Text Write() const {
    return std::to_string(basis) + " " + std::to_string(age) + " " + std::to_string(expires_ms) +
           " " + jurisdiction;
  }
  static GivenConsent Read(const Text& value) {
    GivenConsent given;
    std::istringstream(value) >> given.basis >> given.age >> given.expires_ms >> given.jurisdiction;
    return given;
  }
};

class SqlDecisions : public Decisions {
 public:
  SqlDecisions(Database& database, const Clock& clock, KeyStore& keys, TaskForgetting forgetting)
      : database_(database), clock_(clock), keys_(keys), forgetting_(forgetting) {}

  Result<std::vector<PendingDecision>> Pending(int limit) override {
    RETURN_IF_ERROR(CheckLimit(limit));
    const auto work = [&](Connection& sql) -> Result<std::vector<PendingDecision>> {
      std::vector<PendingDecision> pending;
      for (const auto& [seq, kind, app, subject, value, made, ends] :
           sql.Rows<std::tuple<Int, Int, Int, Text, Text, Int, Int>>(
               "SELECT seq, kind, app_id, subject, value, made_ms, ends_ms FROM decisions "
               "ORDER BY seq LIMIT :limit",
               limit)) {
        pending.push_back(
            {.number = seq,
             .decision = {.kind = static_cast<DecisionKind>(kind),
                          .app_id = static_cast<AppId>(app),
                          .subject = subject,
                          .value = value,
                          .made = FromMillis(made),
                          .ends = ends == 0 ? std::nullopt : std::optional(FromMillis(ends))}});
      }
      return pending;
    };
    return database_.Read("read the decisions", work);
  }

  Status Settle(std::span<const PendingDecision> decisions, const KnownDecisions& known) override {
    const auto work = [&](Connection& sql) {
      for (const PendingDecision& pending : decisions) {
        sql.Run("DELETE FROM decisions WHERE seq = :seq", pending.number);
      }
      SetKnown(sql, known);
      return OkStatus();
    };
    // What a power cut unsettles is recognised in the file.
    return database_.Write("settle the decisions", work, Durability::kBuffered);
  }

  Result<KnownDecisions> Known() override {
    const auto work = [](Connection& sql) -> Result<KnownDecisions> {
      return KnownDecisions{.file = Counter(sql, "decisions_file"),
                            .next = Counter(sql, "decisions_settled")};
    };
    return database_.Read("read the decisions", work);
  }

  Result<DecisionsPutBack> PutBack(std::span<const Decision> decisions,
                                   const KnownDecisions& known) override {
    const auto work = [&](Connection& sql) -> Result<DecisionsPutBack> {
      DecisionsPutBack sum;
      for (const Decision& decision : decisions) {
        // In this order: whoever decides something about it meanwhile waits.
        const bool concerns = Concerns(sql, decision);
        const bool is_newest = IsNewest(sql, decision);
        if (concerns && is_newest) RETURN_IF_ERROR(PutBackOne(sql, decision, sum));
      }
      SetKnown(sql, known);
      return sum;
    };
    ASSIGN_OR_RETURN(const DecisionsPutBack sum, database_.Write("put decisions back", work));
    if (sum.sum() > 0) database_.EmptyLog();
    return sum;
  }

  Status QueueAll() override {
    const auto work = [&](Connection& sql) {
      const WallTime now = clock_.Now();
      for (const auto& [app, data_class, period] : sql.Rows<std::tuple<Int, Int, Int>>(
               "SELECT app_id, data_class, period_ms FROM retention_periods")) {
        NoteDecision(sql, {.kind = DecisionKind::kPeriod,
                           .app_id = static_cast<AppId>(app),
                           .subject = std::to_string(data_class),
                           .value = std::to_string(period),
                           .made = now,
                           .ends = {}});
      }
      Queue(sql, DecisionKind::kConsentRequired, "1", now,
            "app_id, '' FROM applications WHERE consent_required = 1");
      Queue(sql, DecisionKind::kApplication, decided::kDisabled, now,
            "app_id, '' FROM applications WHERE enabled = 0");
      for (const auto& [app, id] : sql.Rows<std::tuple<Int, Text>>(
               "SELECT app_id, key_id FROM access_keys WHERE enabled = 0")) {
        NoteKey(sql, static_cast<AppId>(app), id, decided::kDisabled, now);
      }
      for (const auto& [hash] : sql.Rows<std::tuple<Text>>(
               "SELECT value FROM settings WHERE name = 'console_password'")) {
        NoteDecision(sql, {.kind = DecisionKind::kConsolePassword,
                           .app_id = 0,
                           .subject = {},
                           .value = hash,
                           .made = now,
                           .ends = {}});
      }
      // There may be a million.
      sql.Run(
          "INSERT INTO decisions (kind, app_id, subject, value, made_ms, ends_ms) SELECT :kind, "
          "app_id, subject, :value, withdrawn_ms, 0 FROM consents WHERE purpose = :purpose AND "
          "withdrawn_ms > 0",
          DecisionKind::kConsentToTranscription, decided::kWithdrawn,
          ConsentPurpose::kTranscription);
      return OkStatus();
    };
    return database_.Write("look through the decisions", work);
  }

 private:
  static std::uint64_t Counter(Connection& sql, std::string_view name) {
    return static_cast<std::uint64_t>(
        sql.Number("SELECT COALESCE(MAX(value), 0) FROM counters WHERE name = :name", name));
  }

  static void SetKnown(Connection& sql, const KnownDecisions& known) {
    sql.Run("UPDATE counters SET value = :file WHERE name = 'decisions_file'", known.file);
    sql.Run("UPDATE counters SET value = :next WHERE name = 'decisions_settled'", known.next);
  }

  static void Queue(Connection& sql, DecisionKind kind, std::string_view value, WallTime made,
                    const std::string& which) {
    sql.Run(
        "INSERT INTO decisions (kind, value, made_ms, ends_ms, app_id, subject) SELECT :kind, "
        ":value, :made, 0, " +
            which,
        kind, value, ToMillis(made));
  }

  // What is pending of the same subject is older, or the very same and then known, or newer.
  static bool IsNewest(Connection& sql, const Decision& decision) {
    bool is_newest = true;
    for (const auto& [seq, made, value] : sql.Rows<std::tuple<Int, Int, Text>>(
             "SELECT seq, made_ms, value FROM decisions WHERE kind = :kind AND app_id = :app AND "
             "subject = :subject ORDER BY seq {lock}",
             decision.kind, decision.app_id, decision.subject)) {
      const bool same = made == ToMillis(decision.made) && value == decision.value;
      if (same || made < ToMillis(decision.made)) {
        sql.Run("DELETE FROM decisions WHERE seq = :seq", seq);
      } else {
        is_newest = false;
      }
    }
    return is_newest;
  }

  // Whether there is whom it is about. An application that came later is another one.
  static bool Concerns(Connection& sql, const Decision& decision) {
    if (decision.app_id == 0) return true;
    // Numbers of applications are given once, also those that a backup does not know of.
    sql.Run("UPDATE counters SET value = :app WHERE name = 'app_id' AND value < :app2",
            decision.app_id, decision.app_id);
    const auto created = sql.Rows<std::tuple<Int>>(
        "SELECT created_ms FROM applications WHERE app_id = :app {lock}", decision.app_id);
    return !created.empty() && std::get<0>(created.front()) <= ToMillis(decision.made);
  }

  Status PutBackOne(Connection& sql, const Decision& decision, DecisionsPutBack& sum) const {
    switch (decision.kind) {
      case DecisionKind::kPeriod:
        sum.periods += PutBackPeriod(sql, decision);
        break;
      case DecisionKind::kConsentRequired:
        sum.consent_required += PutBackRequired(sql, decision);
        break;
      case DecisionKind::kConsentToTranscription:
        PutBackConsent(sql, decision, sum);
        break;
      case DecisionKind::kKey:
        sum.keys += PutBackKey(sql, decision);
        break;
      case DecisionKind::kApplication: {
        ASSIGN_OR_RETURN(const int changed, PutBackApplication(sql, decision));
        sum.applications += changed;
        break;
      }
      case DecisionKind::kConsolePassword:
        sum.passwords += PutBackPassword(sql, decision);
        break;
    }
    return OkStatus();
  }

  static int PutBackPassword(Connection& sql, const Decision& decision) {
    if (sql.Number("SELECT COUNT(*) FROM settings WHERE name = 'console_password' AND "
                   "value = :hash",
                   decision.value) > 0) {
      return 0;
    }
    sql.Run("DELETE FROM settings WHERE name = 'console_password'");
    sql.Run("INSERT INTO settings (name, value) VALUES ('console_password', :hash)",
            decision.value);
    return 1;
  }

  static int PutBackPeriod(Connection& sql, const Decision& decision) {
    const auto data_class = static_cast<DataClass>(std::stoi(decision.subject));
    const Millis period(std::stoll(decision.value));
    const AppId app = decision.app_id;
    if (PeriodOf(sql, app, data_class).value_or(MaxLifetime(data_class)) <= period) return 0;
    sql.Run("DELETE FROM retention_periods WHERE app_id = :app AND data_class = :class", app,
            data_class);
    // The ledger has a leaf of it. What is stored is made to hold to it by the next sweep.
    sql.Run(
        "INSERT INTO retention_periods (app_id, data_class, period_ms, applied) "
        "VALUES (:app, :class, :period, 0)",
        app, data_class, period.count());
    return 1;
  }

  static int PutBackRequired(Connection& sql, const Decision& decision) {
    const bool required = decision.value == "1";
    return static_cast<int>(
        sql.Run("UPDATE applications SET consent_required = :required WHERE app_id = :app AND "
                "consent_required <> :required2",
                required, decision.app_id, required));
  }

  static void PutBackConsent(Connection& sql, const Decision& decision, DecisionsPutBack& sum) {
    const Int made = ToMillis(decision.made);
    const auto rows = sql.Rows<std::tuple<Int, Int>>(
        "SELECT given_ms, withdrawn_ms FROM consents WHERE app_id = :app AND subject = :subject "
        "AND purpose = :purpose",
        decision.app_id, decision.subject, ConsentPurpose::kTranscription);
    const auto [given, withdrawn] = rows.empty() ? std::tuple(Int{0}, Int{0}) : rows.front();
    if (decision.value == decided::kWithdrawn) {
      if (withdrawn > 0) return;
      if (given > made) {
        // In older records, which knew of no withdrawal, and so it was not said.
        NoteGivenConsent(sql, decision.app_id, decision.subject);
        return;
      }
      if (rows.empty()) {
        InsertConsent(sql, decision, {.expires_ms = made}, 0, made);
      } else {
        sql.Run(
            "UPDATE consents SET withdrawn_ms = :made WHERE app_id = :app AND subject = :subject "
            "AND purpose = :purpose",
            made, decision.app_id, decision.subject, ConsentPurpose::kTranscription);
      }
      ++sum.withdrawals;
      return;
    }
    if (withdrawn > made || (withdrawn == 0 && given >= made)) return;
    sql.Run(
        "DELETE FROM consents WHERE app_id = :app AND subject = :subject AND purpose = :purpose",
        decision.app_id, decision.subject, ConsentPurpose::kTranscription);
    InsertConsent(sql, decision, GivenConsent::Read(decision.value), made, 0);
    ++sum.consents;
  }

  static void InsertConsent(Connection& sql, const Decision& decision, const GivenConsent& consent,
                            Int given, Int withdrawn) {
    sql.Run(
        "INSERT INTO consents (app_id, subject, purpose, basis, age_of_consent, jurisdiction, "
        "given_ms, expires_ms, withdrawn_ms) VALUES (:app, :subject, :purpose, :basis, :age, "
        ":jurisdiction, :given, :expires, :withdrawn)",
        decision.app_id, decision.subject, ConsentPurpose::kTranscription, consent.basis,
        consent.age, consent.jurisdiction, given, consent.expires_ms, withdrawn);
  }

  static int PutBackKey(Connection& sql, const Decision& decision) {
    for (const auto& [id] : sql.Rows<std::tuple<Text>>(
             "SELECT key_id FROM access_keys WHERE app_id = :app", decision.app_id)) {
      if (HashOfKey(id) != decision.subject) continue;
      if (decision.value == decided::kRemoved) {
        return static_cast<int>(sql.Run("DELETE FROM access_keys WHERE key_id = :id", id));
      }
      const bool enabled = decision.value == decided::kEnabled;
      return static_cast<int>(sql.Run(
          "UPDATE access_keys SET enabled = :enabled WHERE key_id = :id AND enabled <> :enabled2",
          enabled, id, enabled));
    }
    return 0;
  }

  Result<int> PutBackApplication(Connection& sql, const Decision& decision) const {
    const AppId app = decision.app_id;
    if (decision.value != decided::kRemoved) return SetEnabled(sql, app, decision.value);
    // As when it was removed; a backup of keys may have brought it back.
    RETURN_IF_ERROR(keys_.DestroyTenant(app));
    if (CheckHoldsNoObject(sql, app).ok()) {
      RETURN_IF_ERROR(RemoveApplication(sql, app, forgetting_, decision.made));
      // The file has it.
      sql.Run("DELETE FROM decisions WHERE app_id = :app", app);
      return 1;
    }
    // Its rows find the objects; nobody calls for it.
    const Int keys = sql.Run("DELETE FROM access_keys WHERE app_id = :app", app);
    return SetEnabled(sql, app, decided::kDisabled) + (keys > 0 ? 1 : 0) > 0 ? 1 : 0;
  }

  static int SetEnabled(Connection& sql, AppId app, std::string_view what) {
    const bool enabled = what == decided::kEnabled;
    return static_cast<int>(
        sql.Run("UPDATE applications SET enabled = :enabled WHERE app_id = :app AND "
                "enabled <> :enabled2",
                enabled, app, enabled));
  }

  Database& database_;
  const Clock& clock_;
  KeyStore& keys_;
  const TaskForgetting forgetting_;
};

}  // namespace

DecisionsPutBack& DecisionsPutBack::operator+=(const DecisionsPutBack& other) {
  periods += other.periods;
  consent_required += other.consent_required;
  withdrawals += other.withdrawals;
  consents += other.consents;
  keys += other.keys;
  applications += other.applications;
  passwords += other.passwords;
  return *this;
}

void NoteDecision(Connection& sql, const Decision& decision) {
  sql.Run(
      "INSERT INTO decisions (kind, app_id, subject, value, made_ms, ends_ms) "
      "VALUES (:kind, :app, :subject, :value, :made, :ends)",
      decision.kind, decision.app_id, decision.subject, decision.value, ToMillis(decision.made),
      decision.ends ? ToMillis(*decision.ends) : 0);
}

void NoteKey(Connection& sql, AppId app_id, std::string_view key_id, std::string_view what,
             WallTime now) {
  NoteDecision(sql, {.kind = DecisionKind::kKey,
                     .app_id = app_id,
                     .subject = HashOfKey(key_id),
                     .value = std::string(what),
                     .made = now,
                     .ends = {}});
}

void NoteGivenConsent(Connection& sql, AppId app_id, std::string_view pseudonym) {
  for (const auto& [basis, age, jurisdiction, given, expires] :
       sql.Rows<std::tuple<Int, Int, Text, Int, Int>>(
           "SELECT basis, age_of_consent, jurisdiction, given_ms, expires_ms FROM consents WHERE "
           "app_id = :app AND subject = :subject AND purpose = :purpose",
           app_id, pseudonym, ConsentPurpose::kTranscription)) {
    const GivenConsent consent{
        .basis = basis, .age = age, .expires_ms = expires, .jurisdiction = jurisdiction};
    NoteDecision(sql, {.kind = DecisionKind::kConsentToTranscription,
                       .app_id = app_id,
                       .subject = std::string(pseudonym),
                       .value = consent.Write(),
                       .made = FromMillis(given),
                       .ends = FromMillis(expires) + kConsentEvidence});
  }
}

std::unique_ptr<Decisions> MakeSqlDecisions(Database& database, const Clock& clock, KeyStore& keys,
                                            TaskForgetting forgetting) {
  return std::make_unique<SqlDecisions>(database, clock, keys, forgetting);
}

}  // namespace lethe
