#include "store/sql/internal/connection.h"

#include <algorithm>

namespace lethe {

Connection::Connection(const Dialect& dialect, Access access)
    : dialect_(dialect),
      access_(access),
      session_(dialect.Connect(access)),
      max_statement_(dialect.MaxStatement(*session_)) {}

void Connection::Begin(bool synced) {
  if (synced != synced_) {
    dialect_.SetSynced(*session_, synced);
    synced_ = synced;
  }
  Run(dialect_.BeginStatement(access_));
}

std::size_t Connection::EscapedSize(std::string_view text) {
  constexpr std::string_view kEscaped("\0\n\r\x1a\\'\"", 7);
  const auto escaped = std::count_if(
      text.begin(), text.end(), [&](char c) { return kEscaped.find(c) != std::string_view::npos; });
  return text.size() + static_cast<std::size_t>(escaped) + 2;
}

}  // namespace lethe
