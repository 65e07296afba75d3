#pragma once

// What the commands about applications and keys share.

#include <memory>
#include <string>

#include <CLI/App.hpp>

#include "app/data_folder.h"

namespace lethe {

/// Adds --data, which is left in `path`.
void AddDataOption(CLI::App* command, std::string& path);

/// Adds --data and those that name a database server.
void AddRecordsOptions(CLI::App* command, RecordsOptions& options);

/// Where recordings are, for commands that remove some.
void AddObjectsOptions(CLI::App* command, RecordsOptions& options);

/// Finds an application by its AppId or its name. Errors: kNotFound, naming it
Result<Application> FindApplication(Store& store, const std::string& id_or_name);

/// "2026-11-24 12:00", UTC.
std::string ShowTime(WallTime time);

}  // namespace lethe
