#pragma once

// Objects: bytes under a name, in a folder (store/directory_objects.h) or in S3. What is in them is
// sealed before it comes here (store/recordings.h).

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace lethe {

/// Fills bytes from the front and says how many; 0: that was all.
using ObjectSource = std::function<Result<std::size_t>(std::span<char>)>;
/// Takes the next bytes.
using ObjectSink = std::function<Status(std::string_view)>;

/// Names are parts of lower-case letters, digits and '-', joined by '/', 200 bytes at most.
///
/// Thread: any; calls wait for a disk or a network
/// Errors: kInvalidArgument for a name that is none; kUnavailable when the store does not answer as
///         it should; kResourceExhausted when it is full
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  /// Stores `size` bytes under a name that is not taken; whole and on the disk when it returns, or
  /// not at all. An error of the source is returned.
  /// Errors: kInvalidArgument when the source has more or fewer; kFailedPrecondition when the name
  ///         is taken
  virtual Status Put(const std::string& name, std::uint64_t size, const ObjectSource& source) = 0;

  /// Reads an object from its beginning to its end. An error of the sink ends it and is returned.
  /// Errors: kNotFound
  virtual Status Get(const std::string& name, const ObjectSink& sink) = 0;

  /// Of what is gone already: ok.
  virtual Status Remove(const std::string& name) = 0;

  /// At most `limit` names that begin with a folder's name and '/', in order.
  virtual Result<std::vector<std::string>> List(const std::string& folder, int limit) = 0;

  /// Removes what is no object and was left an hour ago or longer by whoever died while storing it;
  /// nothing where a store cannot have it.
  virtual Status RemoveAbandoned() { return OkStatus(); }
};

/// Whether it is a name as ObjectStore says.
bool IsObjectName(std::string_view name);

}  // namespace lethe
