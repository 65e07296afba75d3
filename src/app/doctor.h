#pragma once

// What `lethe doctor` finds, a line for each thing it looked at.

#include <string>
#include <string_view>

#include "app/serve_options.h"

namespace lethe {

/// Findings, one a line: what was looked at, what was found and, where something is missing, what
/// to do about it.
class DoctorReport {
 public:
  void Good(std::string_view what, std::string_view found) { Add("ok   ", what, found); }
  /// Something will not work.
  void Bad(std::string_view what, std::string_view found) {
    Add("FAIL ", what, found);
    ++problems_;
  }
  /// Something could be better.
  void Note(std::string_view what, std::string_view found) { Add("note ", what, found); }

  int problems() const { return problems_; }
  const std::string& text() const { return text_; }

 private:
  void Add(std::string_view mark, std::string_view what, std::string_view found);

  std::string text_;
  int problems_ = 0;
};

/// Looks at what only a service needs: the clock, addresses to listen on, certificates, the folders
/// of data, keys and ledger with their rights, the disk, the database server. Changes nothing but
/// what any command does that opens the records, and may be done beside a running service.
void LookAtService(const ServeOptions& options, DoctorReport* report);

}  // namespace lethe
