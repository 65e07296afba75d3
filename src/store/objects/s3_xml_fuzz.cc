// Goal:   no bytes make the readers of an S3 server's XML crash, hang or keep more than was asked
//         for; what they give can be shown where that is promised.
// Method: every reader on the input, whose first byte says how many keys were asked for.

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "store/objects/internal/s3_xml.h"

namespace {

using namespace lethe;

bool IsShown(std::string_view text) {
  return text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return c == '-' || (c > 0 && std::isalnum(static_cast<unsigned char>(c)) != 0);
         });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t max_keys = data[0];
  const std::string_view xml(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto listing = ParseS3Listing(xml, max_keys);
  if (listing.ok()) {
    LETHE_CHECK(listing->keys.size() <= max_keys);
    for (const std::string& key : listing->keys) LETHE_CHECK(key.size() <= 4'096);
    LETHE_CHECK(!IsS3Error(xml));
  }
  const S3Error error = ParseS3Error(xml);
  LETHE_CHECK(IsShown(error.code) && IsShown(error.region));
  if (!error.code.empty()) LETHE_CHECK(IsS3Error(xml) && !listing.ok());
  (void)ParseS3Text(xml, "LocationConstraint");
  const auto versioning = ParseS3Versioning(xml);
  if (listing.ok()) LETHE_CHECK(versioning.status().code() == StatusCode::kUnimplemented);
  return 0;
}
