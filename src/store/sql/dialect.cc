#include "store/sql/internal/dialect.h"

#include <utility>

namespace lethe {

std::string Dialect::Translate(std::string sql) const {
  for (const auto& [word, meaning] : words()) {
    for (std::size_t at = 0; (at = sql.find(word, at)) != std::string::npos; at += meaning.size()) {
      sql.replace(at, word.size(), meaning);
    }
  }
  return sql;
}

Status ToCaller(Status status) {
  const bool refuses_us = status.code() == StatusCode::kPermissionDenied ||
                          status.code() == StatusCode::kFailedPrecondition;
  return refuses_us ? Unavailable(status.message()) : std::move(status);
}

}  // namespace lethe
