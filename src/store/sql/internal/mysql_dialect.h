#pragma once

// MySQL and MariaDB, over InnoDB.

#include <memory>

#include "base/status.h"
#include "store/mysql_store.h"
#include "store/sql/internal/dialect.h"

namespace lethe {

/// Errors: kInvalidArgument for options that cannot be passed on
Result<std::unique_ptr<Dialect>> MakeMysqlDialect(const MysqlOptions& options);

}  // namespace lethe
