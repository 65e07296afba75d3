#pragma once

// Tables for people: columns as wide as they have to be.

#include <cstddef>
#include <string>
#include <vector>

namespace lethe {

class Table {
 public:
  /// The first `left` columns are set to the left, numbers behind them to the right.
  Table(std::size_t left, std::vector<std::string> heads) : left_(left), rows_{std::move(heads)} {}

  /// One cell for each head.
  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  /// All rows, a line each, two spaces between columns and none at the end.
  std::string Text() const;

 private:
  std::size_t left_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace lethe
