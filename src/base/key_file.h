#pragma once

// Keys in files of their own, made once and read by their owner alone.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace lethe {

/// Reads a key of exactly key.size() bytes from `path` into `key`. If the file is not there and
/// `may_create`, one is made of random bytes, whole or not at all, with a mode of 0600, and is on
/// the disk with its name when this returns; when two do that at once, both get the one that was
/// first. `what` names it in messages, e.g. "master key".
///
/// Errors: kFailedPrecondition when it is not there and may not be made; kPermissionDenied when
///         others may read or write it; kDataLoss when it has not the size of a key; as
///         ErrnoStatus()
Status LoadKeyFile(const std::string& path, std::string_view what, bool may_create,
                   std::span<std::byte> key);

}  // namespace lethe
