#pragma once

// Variables of the environment that somebody meant for us and misspelt.

#include <string>

#include "app/option_table.h"

namespace lethe {

/// Names the variables that begin with LETHE_ and that nothing here reads, each with the option's
/// that may have been meant, as one line; empty if there are none. That is no error: clients have
/// variables of the same beginning, and Kubernetes makes some.
std::string UnknownVariables(const OptionTable& table);

}  // namespace lethe
