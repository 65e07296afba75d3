#pragma once

// The files of a TLS certificate, looked at before they are needed.

#include <string>

#include "base/clock.h"
#include "base/status.h"

namespace lethe {

/// Reads a certificate (the first of the file, PEM) and its key, and says until when it holds.
/// Errors: as ReadFile(); kInvalidArgument for a file that is none, for a key with a password, and
///         for one that belongs to another certificate
Result<WallTime> ReadCertificate(const std::string& certificate_file, const std::string& key_file);

}  // namespace lethe
