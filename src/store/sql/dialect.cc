#include "store/sql/internal/dialect.h"

namespace lethe {

std::string Dialect::Translate(std::string sql) const {
  for (const auto& [word, meaning] : words()) {
    for (std::size_t at = 0; (at = sql.find(word, at)) != std::string::npos; at += meaning.size()) {
      sql.replace(at, word.size(), meaning);
    }
  }
  return sql;
}

}  // namespace lethe
