#pragma once

// The records of the service, behind one interface: who may call, with which keys, their word
// lists, tasks and usage. In SQLite (store/sqlite_store.h) or in MySQL (store/mysql_store.h); what
// is said here and in the headers of the repositories holds for both, and one test suite
// (store_contract_test.cc) says it to both.
//
// Errors:   of every call, besides those it names: kUnavailable when the database is busy,
//           refuses the service, or its disk fails or is full; kDataLoss when it is damaged. So
//           what is kPermissionDenied, kFailedPrecondition or kResourceExhausted is the caller's
//           affair. Messages name what was being done and never a value.
// Thread:   any. Calls block while they wait for the disk: keep them off I/O threads.
// Lifetime: repositories live as long as their store.

#include "store/applications.h"
#include "store/cancellations.h"
#include "store/consents.h"
#include "store/decisions.h"
#include "store/holdings.h"
#include "store/journal.h"
#include "store/keys.h"
#include "store/keyword_libraries.h"
#include "store/operation_log.h"
#include "store/retention_periods.h"
#include "store/tasks.h"
#include "store/usage.h"
#include "store/vocabularies.h"

namespace lethe {

class Store {
 public:
  virtual ~Store() = default;

  virtual Applications& applications() = 0;
  virtual Keys& keys() = 0;
  virtual Vocabularies& vocabularies() = 0;
  virtual KeywordLibraries& keyword_libraries() = 0;
  virtual Tasks& tasks() = 0;
  virtual Usage& usage() = 0;
  virtual Journal& journal() = 0;
  virtual OperationLog& operation_log() = 0;
  virtual RetentionPeriods& retention_periods() = 0;
  virtual Consents& consents() = 0;
  virtual Decisions& decisions() = 0;
  virtual Cancellations& cancellations() = 0;
  virtual Holdings& holdings() = 0;

  /// For how long something that was removed has stayed in the database's log because somebody who
  /// reads the database is in the way; 0: nothing has.
  virtual Millis LogHeld() const { return Millis(0); }

  /// The mark of the object store that the recordings of these records are in; empty: nobody said
  /// yet. Errors: kUnavailable when the records do not answer
  virtual Result<std::string> RecordingsPlace() = 0;
  /// Says which it is from now on. Errors: kFailedPrecondition when it was another one that still
  /// has some; kUnavailable
  virtual Status UseRecordingsPlace(const std::string& mark) = 0;
};

}  // namespace lethe
