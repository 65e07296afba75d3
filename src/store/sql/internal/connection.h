#pragma once

// One session with a database, whose statements are prepared once and used again.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <soci/soci.h>

#include "base/check.h"
#include "store/sql/internal/dialect.h"

namespace lethe {

/// What a column or a parameter can be. There is no NULL in our tables: where there may be nothing,
/// an empty text, -1 or 0 says so.
using Int = long long;
using Text = std::string;

/// A statement that is longer than the database takes.
class StatementTooLong : public soci::soci_error {
 public:
  StatementTooLong() : soci::soci_error("statement too long") {}
};

/// Thread: one at a time
/// Errors: soci::soci_error, which Database turns into a Status
class Connection {
 public:
  /// Lifetime: the dialect has to outlive the connection
  Connection(const Dialect& dialect, Access access);

  const Dialect& dialect() const { return dialect_; }

  /// Begins a transaction; `synced`: its commit waits for the disk.
  void Begin(bool synced);

  /// Runs a statement that gives no rows; its parameters (:a, :b, ...) take the values in their
  /// order. Returns how many rows it found to change.
  template <class... Values>
  Int Run(const std::string& sql, const Values&... values) {
    CheckLength(sql, values...);
    return Prepare<std::tuple<>, std::tuple<Stored<Values>...>>(sql).Run(Stored<Values>(values)...);
  }

  /// Runs a statement that gives rows, a std::tuple of Int and Text each.
  template <class Row, class... Values>
  std::vector<Row> Rows(const std::string& sql, const Values&... values) {
    CheckLength(sql, values...);
    return Prepare<Row, std::tuple<Stored<Values>...>>(sql).Rows(Stored<Values>(values)...);
  }

  /// The single number of a statement that gives one row of one: a count, a sum.
  template <class... Values>
  Int Number(const std::string& sql, const Values&... values) {
    const auto rows = Rows<std::tuple<Int>>(sql, values...);
    LETHE_CHECK(rows.size() == 1);
    return std::get<0>(rows.front());
  }

 private:
  template <class Value>
  using Stored = std::conditional_t<std::is_integral_v<Value> || std::is_enum_v<Value>, Int, Text>;

  class AnyStatement {
   public:
    virtual ~AnyStatement() = default;
  };

  // SOCI binds addresses, so parameters and columns live here.
  template <class Row, class Parameters>
  class Statement : public AnyStatement {
   public:
    Statement(soci::session& session, const std::string& sql) : statement_(session) {
      std::apply([&](auto&... column) { (statement_.exchange(soci::into(column)), ...); }, row_);
      std::apply([&](auto&... value) { (statement_.exchange(soci::use(value)), ...); },
                 parameters_);
      statement_.alloc();
      statement_.prepare(sql);
      statement_.define_and_bind();
    }

    template <class... Values>
    Int Run(Values... values) {
      parameters_ = Parameters(std::move(values)...);
      statement_.execute(true);
      const Int changed = statement_.get_affected_rows();
      parameters_ = Parameters();  // texts are not kept longer than they are needed
      return changed;
    }

    template <class... Values>
    std::vector<Row> Rows(Values... values) {
      parameters_ = Parameters(std::move(values)...);
      std::vector<Row> rows;
      // To the end, always: a statement left in between would keep its snapshot.
      for (bool more = statement_.execute(true); more; more = statement_.fetch()) {
        rows.push_back(row_);
      }
      row_ = Row();
      parameters_ = Parameters();
      return rows;
    }

   private:
    Row row_;
    Parameters parameters_;
    soci::statement statement_;
  };

  template <class Row, class Parameters>
  Statement<Row, Parameters>& Prepare(const std::string& sql) {
    auto found = statements_.find(sql);
    if (found == statements_.end()) {
      // Texts with a list in them are many; nobody needs all of them for ever.
      if (statements_.size() >= kMaxStatements) statements_.clear();
      found = statements_
                  .emplace(sql, std::make_unique<Statement<Row, Parameters>>(
                                    *session_, dialect_.Translate(sql)))
                  .first;
    }
    auto* statement = dynamic_cast<Statement<Row, Parameters>*>(found->second.get());
    LETHE_CHECK(statement != nullptr);  // one text, one shape
    return *statement;
  }

  // A server that is sent more than it takes hangs up, which would look like its end.
  template <class... Values>
  void CheckLength(const std::string& sql, const Values&... values) const {
    if (max_statement_ == 0) return;
    if (sql.size() + 1024 + (WrittenSize(values) + ... + 0) > max_statement_) {
      throw StatementTooLong();
    }
  }

  template <class Value>
  static std::size_t WrittenSize(const Value& value) {
    if constexpr (std::is_same_v<Stored<Value>, Int>) {
      return 24;
    } else {
      return EscapedSize(value);
    }
  }
  // Its bytes as a literal: some are written with a backslash before them.
  static std::size_t EscapedSize(std::string_view text);

  static constexpr std::size_t kMaxStatements = 128;

  const Dialect& dialect_;
  const Access access_;
  const std::unique_ptr<soci::session> session_;
  std::size_t max_statement_ = 0;  // 0: as long as memory
  bool synced_ = false;
  std::map<std::string, std::unique_ptr<AnyStatement>> statements_;  // die before the session
};

}  // namespace lethe
