#include "store/objects/internal/s3_xml.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>

#include <expat.h>

#include "base/check.h"
#include "base/encoding.h"

namespace lethe {
namespace {

// S3's own are four deep, and a continuation token or an encoded key is at most 3 KiB long.
constexpr std::size_t kMaxDepth = 8;
constexpr std::size_t kMaxName = 64;
constexpr std::size_t kMaxText = 4'096;

Status Wrong() { return Unavailable("the server answers with other XML than S3's"); }

// Tells of each element, when it ends, its path ("ListBucketResult/Contents/Key") and the text
// behind its last child.
class Reader {
 public:
  using Visitor = std::function<void(std::string_view path, const std::string& text)>;

  explicit Reader(const Visitor& visit) : visit_(visit) {}

  bool Read(std::string_view xml) {
    LETHE_CHECK(parser_ != nullptr);
    LETHE_CHECK(xml.size() <= kMaxS3Listing);
    XML_SetUserData(parser_.get(), this);
    XML_SetElementHandler(parser_.get(), OnBegin, OnEnd);
    XML_SetCharacterDataHandler(parser_.get(), OnText);
    XML_SetStartDoctypeDeclHandler(parser_.get(), OnDoctype);
    return XML_Parse(parser_.get(), xml.data(), static_cast<int>(xml.size()), 1) == XML_STATUS_OK;
  }

 private:
  static void OnBegin(void* self, const char* name, const char** /*attributes*/) {
    auto& reader = *static_cast<Reader*>(self);
    const std::string_view local(name);
    if (reader.ends_.size() == kMaxDepth || local.size() > kMaxName) return reader.Stop();
    reader.ends_.push_back(reader.path_.size());
    if (!reader.path_.empty()) reader.path_ += '/';
    reader.path_ += local;
    reader.text_.clear();
  }
  static void OnEnd(void* self, const char* /*name*/) {
    auto& reader = *static_cast<Reader*>(self);
    // Behind Stop() there may come the end of an empty element.
    if (reader.stopped_) return;
    reader.visit_(reader.path_, reader.text_);
    reader.path_.resize(reader.ends_.back());
    reader.ends_.pop_back();
    reader.text_.clear();
  }
  static void OnText(void* self, const char* text, int size) {
    auto& reader = *static_cast<Reader*>(self);
    if (reader.text_.size() + static_cast<std::size_t>(size) > kMaxText) return reader.Stop();
    reader.text_.append(text, static_cast<std::size_t>(size));
  }
  static void OnDoctype(void* self, const char* /*name*/, const char* /*system*/,
                        const char* /*public_id*/, int /*has_internal*/) {
    static_cast<Reader*>(self)->Stop();
  }
  void Stop() {
    stopped_ = true;
    XML_StopParser(parser_.get(), XML_FALSE);
  }

  const Visitor& visit_;
  const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser_{
      XML_ParserCreate("UTF-8"), XML_ParserFree};
  std::string path_;
  std::vector<std::size_t> ends_;  // where the paths of the open elements' parents end
  std::string text_;
  bool stopped_ = false;
};

bool ReadXml(std::string_view xml, const Reader::Visitor& visit) { return Reader(visit).Read(xml); }

// The name of the outermost element; nothing if it is no XML to the end.
std::optional<std::string> RootOf(std::string_view xml) {
  std::string root;
  const bool read = ReadXml(xml, [&](std::string_view path, const std::string& /*text*/) {
    if (path.find('/') == std::string_view::npos) root = path;
  });
  if (!read) return std::nullopt;
  return root;
}

bool IsShown(std::string_view text) {
  return text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-';
         });
}

}  // namespace

Result<S3Listing> ParseS3Listing(std::string_view xml, std::size_t max_keys) {
  if (xml.size() > kMaxS3Listing) return Wrong();
  S3Listing listing;
  std::string truncated, encoding;
  bool whole = false, too_many = false;
  const bool read = ReadXml(xml, [&](std::string_view path, const std::string& text) {
    if (path == "ListBucketResult/Contents/Key") {
      too_many = too_many || listing.keys.size() == max_keys;
      if (!too_many) listing.keys.push_back(text);
    } else if (path == "ListBucketResult/IsTruncated") {
      truncated = text;
    } else if (path == "ListBucketResult/NextContinuationToken") {
      listing.next = text;
    } else if (path == "ListBucketResult/EncodingType") {
      encoding = text;
    } else if (path == "ListBucketResult") {
      whole = true;
    }
  });
  const bool more = truncated == "true";
  if (!read || !whole || too_many || (!more && truncated != "false") ||
      (more && listing.next.empty())) {
    return Wrong();
  }
  if (!more) listing.next.clear();
  if (encoding == "url") {
    for (std::string& key : listing.keys) key = PercentDecode(key, /*plus_is_space=*/true);
  }
  return listing;
}

S3Error ParseS3Error(std::string_view xml) {
  S3Error error;
  if (xml.size() > kMaxS3Document) return error;
  const bool read = ReadXml(xml, [&](std::string_view path, const std::string& text) {
    if (!IsShown(text)) return;
    if (path == "Error/Code") error.code = text;
    if (path == "Error/Region") error.region = text;
  });
  return read ? error : S3Error{};
}

bool IsS3Error(std::string_view xml) {
  return xml.size() <= kMaxS3Document && RootOf(xml) == "Error";
}

Result<std::string> ParseS3Text(std::string_view xml, std::string_view root) {
  if (xml.size() > kMaxS3Document) return Wrong();
  std::optional<std::string> found;
  const bool read = ReadXml(xml, [&](std::string_view path, const std::string& text) {
    if (path == root) found = text;
  });
  if (!read || !found) return Wrong();
  return *std::move(found);
}

Result<std::string> ParseS3Versioning(std::string_view xml) {
  if (xml.size() > kMaxS3Listing) return Wrong();
  std::string status;
  bool whole = false, listing = false;
  const bool read = ReadXml(xml, [&](std::string_view path, const std::string& text) {
    if (path == "VersioningConfiguration/Status") status = text;
    if (path == "VersioningConfiguration") whole = true;
    if (path == "ListBucketResult") listing = true;
  });
  if (read && listing) return Unimplemented("the server does not know of versioning");
  if (!read || !whole || (status != "Enabled" && status != "Suspended" && !status.empty())) {
    return Wrong();
  }
  return status;
}

}  // namespace lethe
