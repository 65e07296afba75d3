// The tables, version by version. A step that was released is never changed; the next one changes
// what it made.
//
// Times are milliseconds since 1970, UTC. Nothing is NULL. The words in braces are the dialect's.
// Where a schema is not changed in a transaction (MySQL), a step that was interrupted is run again
// from its beginning, and what is there already is passed over: so every statement makes one thing.

#include <array>
#include <span>

#include "store/sql/internal/database.h"

namespace lethe {
namespace {

constexpr std::array kVersion1 = {
    "CREATE TABLE counters (name {string}(32) PRIMARY KEY, value BIGINT NOT NULL) {table}",
    "INSERT INTO counters (name, value) VALUES ('app_id', 1300000000)",
    "INSERT INTO counters (name, value) VALUES ('uin', 100000000000)",

    // The hash of the console's password, and how to tell which master key belongs here.
    "CREATE TABLE settings (name {string}(32) PRIMARY KEY, value {text} NOT NULL) {table}",

    "CREATE TABLE applications ("
    " app_id BIGINT PRIMARY KEY,"
    " uin BIGINT NOT NULL,"
    " name {string}(64) NOT NULL UNIQUE,"
    " enabled INT NOT NULL,"
    " created_ms BIGINT NOT NULL) {table}",

    "CREATE TABLE quotas ("
    " app_id BIGINT NOT NULL,"
    " interface {string}(32) NOT NULL,"
    " calls_per_second INT NOT NULL,"  // -1: the default
    " concurrency INT NOT NULL,"       // -1: the default
    " PRIMARY KEY (app_id, interface),"
    " FOREIGN KEY (app_id) REFERENCES applications (app_id) ON DELETE CASCADE) {table}",

    "CREATE TABLE access_keys ("
    " seq {serial},"
    " key_id {string}(64) NOT NULL UNIQUE,"
    " kind INT NOT NULL,"
    " app_id BIGINT NOT NULL,"
    " enabled INT NOT NULL,"
    " created_ms BIGINT NOT NULL,"
    " last4 {string}(4) NOT NULL,"
    " lookup {string}(64) NOT NULL UNIQUE,"  // of a pair its id, of a bearer key its hash
    " sealed {text} NOT NULL,"               // of a pair its secret
    " FOREIGN KEY (app_id) REFERENCES applications (app_id) ON DELETE CASCADE) {table}",
    "CREATE INDEX access_keys_by_app ON access_keys (app_id)",

    "CREATE TABLE vocabularies ("
    " seq {serial},"
    " vocabulary_id {string}(32) NOT NULL UNIQUE,"
    " app_id BIGINT NOT NULL,"
    " name {text} NOT NULL,"
    " description {text} NOT NULL,"
    " words {text} NOT NULL,"  // lines of a weight, a blank and a word
    " is_default INT NOT NULL,"
    " created_ms BIGINT NOT NULL,"
    " updated_ms BIGINT NOT NULL,"
    " FOREIGN KEY (app_id) REFERENCES applications (app_id) ON DELETE CASCADE) {table}",
    "CREATE INDEX vocabularies_by_app ON vocabularies (app_id)",

    "CREATE TABLE keyword_libraries ("
    " seq {serial},"
    " library_id {string}(32) NOT NULL UNIQUE,"
    " app_id BIGINT NOT NULL,"
    " name {string}(128) NOT NULL,"
    " words {text} NOT NULL,"  // lines
    " created_ms BIGINT NOT NULL,"
    " updated_ms BIGINT NOT NULL,"
    " UNIQUE (app_id, name),"
    " FOREIGN KEY (app_id) REFERENCES applications (app_id) ON DELETE CASCADE) {table}",

    "CREATE TABLE tasks ("
    " seq {serial},"
    " task_id BIGINT NOT NULL UNIQUE,"
    " app_id BIGINT NOT NULL,"
    " uin BIGINT NOT NULL,"
    " request_id {text} NOT NULL,"
    " engine {text} NOT NULL,"
    " request {text} NOT NULL,"
    " holds_upload INT NOT NULL,"
    " callback_url {text} NOT NULL,"
    " callback INT NOT NULL,"
    " callback_attempts INT NOT NULL,"
    " state INT NOT NULL,"
    " lease INT NOT NULL,"
    " created_ms BIGINT NOT NULL,"
    " expires_ms BIGINT NOT NULL,"
    " started_ms BIGINT NOT NULL,"   // 0: not yet
    " finished_ms BIGINT NOT NULL,"  // 0: not yet
    " error {text} NOT NULL,"
    " result {text} NOT NULL,"
    " audio_ms BIGINT NOT NULL,"
    " FOREIGN KEY (app_id) REFERENCES applications (app_id) ON DELETE CASCADE) {table}",
    "CREATE INDEX tasks_by_state ON tasks (state, seq)",
    "CREATE INDEX tasks_by_app ON tasks (app_id, state)",
    "CREATE INDEX tasks_by_callback ON tasks (callback, seq)",
    "CREATE INDEX tasks_by_expiry ON tasks (expires_ms)",

    // Without a reference to the application, which its usage may outlive.
    "CREATE TABLE finished_calls ("
    " seq {serial},"
    " app_id BIGINT NOT NULL,"
    " interface {string}(32) NOT NULL,"
    " call_id {text} NOT NULL,"
    " result_code {text} NOT NULL,"
    " succeeded INT NOT NULL,"
    " start_ms BIGINT NOT NULL,"
    " end_ms BIGINT NOT NULL,"
    " expires_ms BIGINT NOT NULL,"
    " audio_ms BIGINT NOT NULL,"
    " counted_seconds BIGINT NOT NULL,"
    " bytes BIGINT NOT NULL) {table}",
    "CREATE INDEX finished_calls_by_app ON finished_calls (app_id, end_ms)",
    "CREATE INDEX finished_calls_by_expiry ON finished_calls (expires_ms)",
};

// Several nodes: which one has a task in hand, and until when.
constexpr std::array kVersion2 = {
    "ALTER TABLE tasks ADD COLUMN holder {string}(64) NOT NULL DEFAULT ''",
    "ALTER TABLE tasks ADD COLUMN held_until_ms BIGINT NOT NULL DEFAULT 0",
    "CREATE INDEX tasks_by_holder ON tasks (holder)",
};

// What is held, and what the ledger has yet to be told (store/journal.h); recordings of tasks in an
// object store; periods that applications made shorter.
constexpr std::array kVersion3 = {
    "CREATE TABLE items ("
    " seq {serial},"
    " reference {string}(64) NOT NULL UNIQUE,"
    " salt {string}(32) NOT NULL,"
    " data_class INT NOT NULL,"
    " record {string}(64) NOT NULL,"
    " remaining BIGINT NOT NULL,"
    " due_s BIGINT NOT NULL,"
    " leaf BIGINT NOT NULL) {table}",  // -1: the ledger was not told yet
    "CREATE INDEX items_by_leaf ON items (leaf, seq)",

    "CREATE TABLE ledger_outbox ("
    " seq {serial},"
    " kind INT NOT NULL,"
    " data_class INT NOT NULL,"
    " cause INT NOT NULL,"
    " item_count BIGINT NOT NULL,"
    " due_s BIGINT NOT NULL,"
    " item BIGINT NOT NULL,"  // 0: the next two columns have what is known of it
    " reference {string}(64) NOT NULL,"
    " creation BIGINT NOT NULL,"
    " from_s BIGINT NOT NULL,"
    " to_s BIGINT NOT NULL) {table}",
    "CREATE INDEX ledger_outbox_by_item ON ledger_outbox (item)",
    "INSERT INTO counters (name, value) VALUES ('ledger_leaves', 0)",

    "ALTER TABLE tasks ADD COLUMN item BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE tasks ADD COLUMN audio_item BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE tasks ADD COLUMN holds_object INT NOT NULL DEFAULT 0",
    "ALTER TABLE tasks ADD COLUMN object_name {string}(200) NOT NULL DEFAULT ''",
    "ALTER TABLE tasks ADD COLUMN object_key {string}(200) NOT NULL DEFAULT ''",
    "ALTER TABLE tasks ADD COLUMN audio_expires_ms BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE tasks ADD COLUMN erase_cause INT NOT NULL DEFAULT 0",
    "CREATE INDEX tasks_by_object ON tasks (holds_object, state)",
    "ALTER TABLE tasks ADD COLUMN call_id {string}(64) NOT NULL DEFAULT ''",
    "CREATE INDEX tasks_by_call ON tasks (call_id)",
    "CREATE INDEX tasks_by_item ON tasks (item)",
    "CREATE INDEX tasks_by_audio_item ON tasks (audio_item)",
    "CREATE INDEX tasks_by_uin ON tasks (uin)",

    "CREATE TABLE operations ("
    " seq {serial},"
    " app_id BIGINT NOT NULL,"
    " call_key {string}(64) NOT NULL,"  // a keyed hash of the call's id
    " item BIGINT NOT NULL,"
    " created_ms BIGINT NOT NULL,"
    " expires_ms BIGINT NOT NULL,"
    " facts {text} NOT NULL) {table}",
    "CREATE INDEX operations_by_call ON operations (call_key)",
    "CREATE INDEX operations_by_app ON operations (app_id)",
    "CREATE INDEX operations_by_item ON operations (item)",
    "CREATE INDEX operations_by_expiry ON operations (expires_ms)",

    "CREATE TABLE retention_periods ("
    " app_id BIGINT NOT NULL,"
    " data_class INT NOT NULL,"
    " period_ms BIGINT NOT NULL,"
    " PRIMARY KEY (app_id, data_class),"
    " FOREIGN KEY (app_id) REFERENCES applications (app_id) ON DELETE CASCADE) {table}",
};

// What the agreement lists of a call. Of the rows that are there, the codes say whose fault it was
// (service/meter.h); nobody priced them.
constexpr std::array kVersion4 = {
    "ALTER TABLE finished_calls ADD COLUMN server_fault INT NOT NULL DEFAULT 0",
    "ALTER TABLE finished_calls ADD COLUMN region {string}(64) NOT NULL DEFAULT ''",
    "ALTER TABLE finished_calls ADD COLUMN fee BIGINT NOT NULL DEFAULT 0",
    "UPDATE finished_calls SET server_fault = 1 WHERE succeeded = 0 AND (result_code LIKE "
    "'InternalError%' OR result_code IN ('500', '502', '503', '5000', '5001', '5002', '5003', "
    "'ServiceUnavailable', 'ResourceInsufficient'))",
};

// Periods that do not hold for everything yet, rows of usage that the ledger knows, what was
// refused instead of stored, and nodes that wait for the one that has the ledger.
constexpr std::array kVersion5 = {
    "ALTER TABLE retention_periods ADD COLUMN applied INT NOT NULL DEFAULT 1",
    "ALTER TABLE finished_calls ADD COLUMN item BIGINT NOT NULL DEFAULT 0",
    "CREATE INDEX finished_calls_by_item ON finished_calls (item)",
    "ALTER TABLE items ADD COLUMN kind INT NOT NULL DEFAULT 1",  // of the leaf that began it
    "INSERT INTO counters (name, value) VALUES ('ledger_asked', 0)",
    "INSERT INTO counters (name, value) VALUES ('ledger_compared', 0)",
};

// The register of consents (store/consents.h), and whom what is held is about: a pseudonym, or
// nobody who was named.
constexpr std::array kVersion6 = {
    "CREATE TABLE consents ("
    " seq {serial},"
    " app_id BIGINT NOT NULL,"
    " subject {string}(64) NOT NULL,"  // a pseudonym; empty: everyone
    " purpose INT NOT NULL,"
    " basis INT NOT NULL,"  // 0: of a withdrawal without details
    " age_of_consent INT NOT NULL,"
    " jurisdiction {string}(2) NOT NULL,"
    " given_ms BIGINT NOT NULL,"  // 0: never
    " expires_ms BIGINT NOT NULL,"
    " withdrawn_ms BIGINT NOT NULL,"  // 0: it is not
    " UNIQUE (app_id, subject, purpose),"
    " FOREIGN KEY (app_id) REFERENCES applications (app_id) ON DELETE CASCADE) {table}",
    "CREATE INDEX consents_by_end ON consents (basis, withdrawn_ms, expires_ms)",
    "ALTER TABLE applications ADD COLUMN consent_required INT NOT NULL DEFAULT 0",
    "ALTER TABLE tasks ADD COLUMN subject {string}(64) NOT NULL DEFAULT ''",
    "CREATE INDEX tasks_by_subject ON tasks (subject)",
    "ALTER TABLE operations ADD COLUMN subject {string}(64) NOT NULL DEFAULT ''",
    "CREATE INDEX operations_by_subject ON operations (subject)",
};

// What applications may spend and what their accounts owe; and what erasures ask of the calls that
// nodes have under way, kept for minutes.
constexpr std::array kVersion7 = {
    "ALTER TABLE applications ADD COLUMN monthly_limit BIGINT NOT NULL DEFAULT -1",    // -1: none
    "ALTER TABLE applications ADD COLUMN overdue_since_ms BIGINT NOT NULL DEFAULT 0",  // 0: not
    "CREATE TABLE cancellations ("
    " seq {serial},"
    " asked_ms BIGINT NOT NULL,"
    " app_id BIGINT NOT NULL,"          // 0: any
    " uin BIGINT NOT NULL,"             // 0: any
    " call_key {string}(64) NOT NULL,"  // a keyed hash; empty: any
    " subject {string}(64) NOT NULL,"   // a pseudonym; empty: any
    " cause INT NOT NULL,"
    " reference {string}(32) NOT NULL) {table}",
    "CREATE INDEX cancellations_by_time ON cancellations (asked_ms)",
};

// What became of the attempts to tell callers, while they can be asked about; and an application's
// tasks in their order.
constexpr std::array kVersion8 = {
    "ALTER TABLE tasks ADD COLUMN callback_outcome {string}(1024) NOT NULL DEFAULT ''",  // sealed
    "ALTER TABLE tasks ADD COLUMN callback_tried_ms BIGINT NOT NULL DEFAULT 0",          // 0: never
    "ALTER TABLE tasks ADD COLUMN callback_next_ms BIGINT NOT NULL DEFAULT 0",           // 0: none
    "CREATE INDEX tasks_by_app_and_age ON tasks (app_id, seq)",
};

// What the file of decisions has yet to be told (store/decisions.h).
constexpr std::array kVersion9 = {
    "CREATE TABLE decisions ("
    " seq {serial},"
    " kind INT NOT NULL,"
    " app_id BIGINT NOT NULL,"         // 0: nobody's
    " subject {string}(80) NOT NULL,"  // a pseudonym, a hash, the number of a class
    " value {string}(160) NOT NULL,"
    " made_ms BIGINT NOT NULL,"
    " ends_ms BIGINT NOT NULL) {table}",  // 0: never
    "INSERT INTO counters (name, value) VALUES ('decisions_settled', 0), ('decisions_file', 0)",
};

constexpr std::array<std::span<const char* const>, 9> kSteps = {kVersion1, kVersion2, kVersion3,
                                                                kVersion4, kVersion5, kVersion6,
                                                                kVersion7, kVersion8, kVersion9};

void RunStep(Connection& sql, std::span<const char* const> statements) {
  for (const char* statement : statements) {
    try {
      sql.Run(statement);
    } catch (const soci::soci_error& error) {
      if (!sql.dialect().SaysItIsThere(error)) throw;
    }
  }
}

}  // namespace

Int SchemaVersion(Connection& sql) {
  if (sql.Number(sql.dialect().CountTables(), "schema_version") == 0) return 0;
  return sql.Number("SELECT COALESCE(MAX(version), 0) FROM schema_version");
}

Status Migrate(Connection& sql) {
  const auto known = static_cast<Int>(kSteps.size());
  const Int version = SchemaVersion(sql);
  if (version > known) {
    return FailedPrecondition("the records were written by a newer lethe (version " +
                              std::to_string(version) + ", this one knows " +
                              std::to_string(known) + "); use that one");
  }
  if (version == 0) {
    sql.Run("CREATE TABLE IF NOT EXISTS schema_version (version INT NOT NULL) {table}");
  }
  for (Int step = version; step < known; ++step) {
    RunStep(sql, kSteps[static_cast<std::size_t>(step)]);
    sql.Run("INSERT INTO schema_version (version) VALUES (:version)", step + 1);
  }
  return OkStatus();
}

}  // namespace lethe
