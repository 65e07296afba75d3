#pragma once

// Word error rate: the least number of insertions, deletions and substitutions that turn what was
// said into what was recognised, per word that was said.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lethe {

/// Counts that add up over clips: the rate of a corpus is pooled, not a mean of clips' rates.
struct WordErrors {
  std::int64_t words = 0;  // in the reference
  std::int64_t insertions = 0;
  std::int64_t deletions = 0;
  std::int64_t substitutions = 0;

  std::int64_t errors() const { return insertions + deletions + substitutions; }
  /// Errors per word of the reference, 0.083 for 8.3 %; may exceed 1. Without words: 0 when there
  /// are no errors either, otherwise 1.
  double rate() const;
  WordErrors& operator+=(const WordErrors& other);
  bool operator==(const WordErrors&) const = default;
};

/// Counts the errors of `hypothesis` against `reference`, word for word; both are normalised
/// already (text/normalizer.h). Of the alignments with the fewest errors, one with the most
/// substitutions is chosen. Time n*m, memory m.
WordErrors CountWordErrors(std::span<const std::string> reference,
                           std::span<const std::string> hypothesis);

/// Counts the errors that are left when the best is chosen of each segment's alternatives: what
/// somebody who knew the answers could make of them. `segments` follow each other; all texts are
/// normalised. Time r*h, for r words of the reference and h of all alternatives together; memory r.
std::int64_t CountOracleErrors(std::span<const std::string> reference,
                               std::span<const std::vector<std::vector<std::string>>> segments);

/// One step of an alignment: both words equal, both different, or one of them empty.
struct AlignedWord {
  std::string reference;   // empty: the word was inserted
  std::string hypothesis;  // empty: the word was deleted
  bool operator==(const AlignedWord&) const = default;
};

/// Above this many cells (reference words times hypothesis words) AlignWords() gives up: a byte
/// each.
inline constexpr std::size_t kMaxAlignmentCells = std::size_t{1} << 28;

/// Aligns word for word, to show which words went wrong. Empty if the texts are too long for it.
std::vector<AlignedWord> AlignWords(std::span<const std::string> reference,
                                    std::span<const std::string> hypothesis);

}  // namespace lethe
