#pragma once

// SQLite: a file with one writer at a time, whoever it is.

#include <memory>
#include <string>

#include "base/status.h"
#include "store/sql/internal/dialect.h"

namespace lethe {

/// Makes the file, if it is not there, before SQLite would, readable by its owner only.
/// Errors: as OpenSqliteStore()
Result<std::unique_ptr<Dialect>> MakeSqliteDialect(const std::string& path);

}  // namespace lethe
