#include "store/recordings_place.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "base/random.h"

namespace lethe {
namespace {

// A region and random digits, a line each. Errors: kNotFound when nobody wrote that yet
Result<std::string> Read(ObjectStore& objects) {
  constexpr std::size_t kMostBytes = 128;
  std::string mark;
  RETURN_IF_ERROR(objects.Get(kPlaceObject, [&](std::string_view bytes) {
    if (mark.size() + bytes.size() > kMostBytes) return DataLoss("no mark of an object store");
    mark += bytes;
    return OkStatus();
  }));
  return mark;
}

Status Write(ObjectStore& objects, const std::string& mark) {
  return objects.Put(
      kPlaceObject, mark.size(),
      [left = std::string_view(mark)](std::span<char> block) mutable -> Result<std::size_t> {
        const std::size_t size = std::min(block.size(), left.size());
        std::copy_n(left.data(), size, block.data());
        left.remove_prefix(size);
        return size;
      });
}

}  // namespace

Result<std::string> MarkOfPlace(ObjectStore& objects, const std::string& region) {
  auto mark = Read(objects);
  if (mark.status().code() == StatusCode::kNotFound) {
    const Status written = Write(objects, region + "\n" + RandomHex(32));
    // Another node may have been first.
    if (!written.ok() && written.code() != StatusCode::kFailedPrecondition) return written;
    mark = Read(objects);
  }
  if (!mark.ok()) return mark.status().WithContext("the region of the object store");
  const std::string theirs = mark->substr(0, mark->find('\n'));
  if (theirs == region) return mark;
  return FailedPrecondition("the object store has recordings of the region " + theirs +
                            ", this node is in " + region + " (store.region)");
}

}  // namespace lethe
