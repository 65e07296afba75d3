#pragma once

// How tasks are forgotten, within a transaction: their texts at once, their audio as soon as its
// object is gone, and the ledger is told of both.

#include <optional>
#include <string>
#include <vector>

#include "store/sql/internal/item_book.h"
#include "store/tasks.h"

namespace lethe {

/// Thread: any. Lifetime: the book outlives it
/// Errors: soci::soci_error
class TaskForgetting {
 public:
  explicit TaskForgetting(const ItemBook& items) : items_(items) {}

  /// What is left of a task is what finds its object, if there is one; without, nothing is left.
  void Wipe(Connection& sql, TaskId id, ErasureCause cause) const;

  /// The object of a task is gone.
  void AudioIsGone(Connection& sql, TaskId id, Int now_ms) const;

  /// Tasks that belong to an application or to what is asked for, and were not erased yet, at most
  /// `limit`.
  static std::vector<TaskId> Find(Connection& sql, const TaskSelector& selector, int limit);

  /// What an erasure of that task will be about.
  std::vector<ErasedItem> Describe(Connection& sql, TaskId id) const;

  /// Something of an item was erased after these records were saved: whatever holds it is wiped,
  /// and the ledger is told nothing. Which rows of several they were nobody knows: all go.
  void WipeAgain(Connection& sql, Int item, DataClass data_class) const;

 private:
  const ItemBook& items_;
};

}  // namespace lethe
