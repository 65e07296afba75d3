#include "text/word_error.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace lethe {

double WordErrors::rate() const {
  if (words == 0) return errors() == 0 ? 0.0 : 1.0;
  return static_cast<double>(errors()) / static_cast<double>(words);
}

WordErrors& WordErrors::operator+=(const WordErrors& other) {
  words += other.words;
  insertions += other.insertions;
  deletions += other.deletions;
  substitutions += other.substitutions;
  return *this;
}

WordErrors CountWordErrors(std::span<const std::string> reference,
                           std::span<const std::string> hypothesis) {
  // row[j]: the best way from the reference words so far to the first j words of the hypothesis.
  std::vector<WordErrors> row(hypothesis.size() + 1);
  for (std::size_t j = 1; j < row.size(); ++j) row[j].insertions = static_cast<std::int64_t>(j);
  for (const std::string& word : reference) {
    WordErrors diagonal = row[0];
    ++row[0].deletions;
    for (std::size_t j = 1; j < row.size(); ++j) {
      WordErrors best = diagonal;
      if (word != hypothesis[j - 1]) ++best.substitutions;
      if (row[j].errors() + 1 < best.errors()) {
        best = row[j];
        ++best.deletions;
      }
      if (row[j - 1].errors() + 1 < best.errors()) {
        best = row[j - 1];
        ++best.insertions;
      }
      diagonal = row[j];
      row[j] = best;
    }
  }
  WordErrors result = row.back();
  result.words = static_cast<std::int64_t>(reference.size());
  return result;
}

std::int64_t CountOracleErrors(std::span<const std::string> reference,
                               std::span<const std::vector<std::vector<std::string>>> segments) {
  // row[i]: the fewest errors from the words so far to the first i words of the reference. Choices
  // meet again where a segment ends, so the best of each place is all that has to be kept.
  std::vector<std::int64_t> row(reference.size() + 1), way, best;
  std::iota(row.begin(), row.end(), 0);
  for (const std::vector<std::vector<std::string>>& alternatives : segments) {
    if (alternatives.empty()) continue;
    best.assign(row.size(), std::numeric_limits<std::int64_t>::max());
    for (const std::vector<std::string>& words : alternatives) {
      way = row;
      for (const std::string& word : words) {
        std::int64_t diagonal = way[0]++;
        for (std::size_t i = 1; i < way.size(); ++i) {
          const std::int64_t both = diagonal + (word == reference[i - 1] ? 0 : 1);
          diagonal = way[i];
          way[i] = std::min({both, way[i] + 1, way[i - 1] + 1});
        }
      }
      std::transform(way.begin(), way.end(), best.begin(), best.begin(),
                     [](std::int64_t a, std::int64_t b) { return std::min(a, b); });
    }
    std::swap(row, best);
  }
  return row.back();
}

std::vector<AlignedWord> AlignWords(std::span<const std::string> reference,
                                    std::span<const std::string> hypothesis) {
  const std::size_t rows = reference.size() + 1;
  const std::size_t columns = hypothesis.size() + 1;
  if (rows > kMaxAlignmentCells / columns) return {};

  enum class Move : std::uint8_t { kBoth, kDelete, kInsert };
  std::vector<Move> moves(rows * columns, Move::kBoth);
  std::vector<std::int64_t> cost(columns);
  for (std::size_t j = 1; j < columns; ++j) {
    cost[j] = static_cast<std::int64_t>(j);
    moves[j] = Move::kInsert;
  }
  for (std::size_t i = 1; i < rows; ++i) {
    std::int64_t diagonal = cost[0]++;
    moves[i * columns] = Move::kDelete;
    for (std::size_t j = 1; j < columns; ++j) {
      std::int64_t best = diagonal + (reference[i - 1] == hypothesis[j - 1] ? 0 : 1);
      Move move = Move::kBoth;
      if (cost[j] + 1 < best) {
        best = cost[j] + 1;
        move = Move::kDelete;
      }
      if (cost[j - 1] + 1 < best) {
        best = cost[j - 1] + 1;
        move = Move::kInsert;
      }
      diagonal = cost[j];
      cost[j] = best;
      moves[i * columns + j] = move;
    }
  }

  std::vector<AlignedWord> alignment;
  for (std::size_t i = rows - 1, j = columns - 1; i > 0 || j > 0;) {
    AlignedWord step;
    const Move move = moves[i * columns + j];
    if (move != Move::kInsert) step.reference = reference[--i];
    if (move != Move::kDelete) step.hypothesis = hypothesis[--j];
    alignment.push_back(std::move(step));
  }
  std::reverse(alignment.begin(), alignment.end());
  return alignment;
}

}  // namespace lethe
