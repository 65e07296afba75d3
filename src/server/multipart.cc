#include "server/multipart.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/encoding.h"
#include "base/trim.h"

namespace lethe {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool Same(std::string_view a, std::string_view lower_case) {
  return std::equal(a.begin(), a.end(), lower_case.begin(), lower_case.end(),
                    [](char x, char y) { return Lower(x) == y; });
}

std::string_view TrimBlanks(std::string_view text) { return Trim(text, IsBlank); }

// Takes what stands before the next semicolon, or all there is.
std::string_view TakePiece(std::string_view* text) {
  const std::size_t end = std::min(text->find(';'), text->size());
  const std::string_view piece = text->substr(0, end);
  text->remove_prefix(std::min(end + 1, text->size()));
  return TrimBlanks(piece);
}

struct Parameter {
  std::string_view name;
  std::string value;
};

// Whether a quoted value may end before this: nothing follows, or the next parameter.
bool MayFollowQuotes(std::string_view rest) {
  rest = TrimBlanks(rest);
  return rest.empty() || rest.front() == ';';
}

// Takes `name=value` or `name="value"` and the semicolon behind it. Nothing if it is neither.
std::optional<Parameter> TakeParameter(std::string_view* text) {
  while (!text->empty() && IsBlank(text->front())) text->remove_prefix(1);
  const std::size_t equals = text->find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  Parameter parameter{.name = TrimBlanks(text->substr(0, equals))};
  if (parameter.name.empty() || parameter.name.find(';') != std::string_view::npos) {
    return std::nullopt;
  }
  text->remove_prefix(equals + 1);
  while (!text->empty() && IsBlank(text->front())) text->remove_prefix(1);
  if (!text->starts_with('"')) {
    parameter.value = std::string(TakePiece(text));
    return parameter;
  }
  std::size_t at = 1;
  while (at < text->size()) {
    // Not everybody escapes the quotation marks of a file's name.
    if ((*text)[at] == '"' && MayFollowQuotes(text->substr(at + 1))) break;
    // A backslash before anything but a quotation mark is one: old browsers send Windows paths,
    // which may end in one.
    const bool escaped = (*text)[at] == '\\' && at + 1 < text->size() &&
                         ((*text)[at + 1] == '"' || (*text)[at + 1] == '\\') &&
                         !((*text)[at + 1] == '"' && TrimBlanks(text->substr(at + 2)).empty());
    if (escaped) ++at;
    parameter.value += (*text)[at++];
  }
  if (at >= text->size()) return std::nullopt;  // no closing mark
  text->remove_prefix(at + 1);
  TakePiece(text);
  return parameter;
}

// RFC 8187: charset'language'percent-encoded. Of any charset the bytes are kept.
std::string DecodeExtended(const std::string& value) {
  const std::size_t first = value.find('\'');
  const std::size_t second = first == std::string::npos ? first : value.find('\'', first + 1);
  if (second == std::string::npos) return value;
  return PercentDecode(std::string_view(value).substr(second + 1), false);
}

Status BadPart(std::size_t place, std::string_view why) {
  return InvalidArgument("part " + std::to_string(place) + " of the form " + std::string(why));
}

// Reads the value of a Content-Disposition; what is wrong with it, if something is.
std::optional<std::string_view> ReadDisposition(std::string_view value, FormPart* part) {
  if (!Same(TakePiece(&value), "form-data")) return "has no Content-Disposition: form-data";
  bool named = false, extended = false;
  while (!TrimBlanks(value).empty()) {
    const std::optional<Parameter> parameter = TakeParameter(&value);
    if (!parameter) return "has a Content-Disposition that cannot be read";
    if (Same(parameter->name, "name")) {
      if (named) return "has two names";
      named = true;
      part->name = parameter->value;
    } else if (Same(parameter->name, "filename*")) {
      extended = true;
      part->filename = DecodeExtended(parameter->value);
    } else if (Same(parameter->name, "filename") && !extended) {
      part->filename = parameter->value;
    }
  }
  if (!named || part->name.empty()) return "has no name";
  return std::nullopt;
}

// Reads a part's header lines; what is wrong with them, if something is.
std::optional<std::string_view> ReadHeader(std::string_view header, FormPart* part) {
  bool disposed = false;
  while (!header.empty()) {
    const std::size_t end = std::min(header.find(kLineEnd), header.size());
    const std::string_view line = header.substr(0, end);
    header.remove_prefix(std::min(end + kLineEnd.size(), header.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return "has a header line without a colon";
    const std::string_view name = TrimBlanks(line.substr(0, colon));
    const std::string_view value = TrimBlanks(line.substr(colon + 1));
    if (Same(name, "content-disposition")) {
      if (disposed) return "has two Content-Dispositions";
      disposed = true;
      if (const auto why = ReadDisposition(value, part)) return why;
    } else if (Same(name, "content-transfer-encoding")) {
      if (!Same(value, "binary") && !Same(value, "8bit") && !Same(value, "7bit")) {
        return "has a Content-Transfer-Encoding; send its bytes as they are";
      }
    }
  }
  if (!disposed) return "has no Content-Disposition: form-data";
  return std::nullopt;
}

// Walks from boundary to boundary.
class Boundaries {
 public:
  Boundaries(std::string_view body, std::string_view boundary)
      : body_(body), delimiter_(std::string(kLineEnd) + "--" + std::string(boundary)) {}

  enum class Kind { kNext, kLast, kNone };

  // Finds the next boundary. What stands before it is `before()`, what behind it begins at rest().
  Kind Find() {
    const std::size_t from = at_;
    std::size_t search = at_;
    while (true) {
      std::size_t length = delimiter_.size();
      std::size_t found = std::string_view::npos;
      // The first one needs no line end when the body begins with it.
      if (search == 0 && body_.starts_with(std::string_view(delimiter_).substr(2))) {
        found = 0;
        length -= 2;
      } else {
        found = body_.find(delimiter_, search);
      }
      if (found == std::string_view::npos) return Kind::kNone;
      before_ = body_.substr(from, found - from);
      std::size_t end = found + length;
      if (body_.substr(end).starts_with("--")) {
        at_ = end + 2;
        return Kind::kLast;
      }
      while (end < body_.size() && IsBlank(body_[end])) ++end;
      if (body_.substr(end).starts_with(kLineEnd)) {
        at_ = end + 2;
        return Kind::kNext;
      }
      // A longer word that begins like the boundary: data.
      search = found + length;
    }
  }

  std::string_view before() const { return before_; }
  std::string_view rest() const { return body_.substr(at_); }
  // Data may end right where they begin; their boundary then starts with the header's last line
  // end, so this leaves it.
  void SkipHeader(std::size_t bytes) { at_ += bytes; }

 private:
  const std::string_view body_;
  const std::string delimiter_;
  std::size_t at_ = 0;
  std::string_view before_;
};

}  // namespace

Result<std::string> FormBoundary(std::string_view content_type) {
  if (!Same(TakePiece(&content_type), "multipart/form-data")) {
    return InvalidArgument("the body has to be multipart/form-data");
  }
  while (!TrimBlanks(content_type).empty()) {
    std::optional<Parameter> parameter = TakeParameter(&content_type);
    if (!parameter) break;
    if (!Same(parameter->name, "boundary")) continue;
    const std::string& boundary = parameter->value;
    if (boundary.empty() || boundary.size() > kMaxBoundary || boundary.back() == ' ' ||
        std::any_of(boundary.begin(), boundary.end(),
                    [](char c) { return c < 0x20 || c > 0x7e; })) {
      return InvalidArgument("the Content-Type has a boundary that is none");
    }
    return std::move(parameter->value);
  }
  return InvalidArgument("the Content-Type names no boundary");
}

Result<std::vector<FormPart>> ParseForm(std::string_view body, std::string_view boundary) {
  Boundaries boundaries(body, boundary);
  std::vector<FormPart> parts;
  Boundaries::Kind kind = boundaries.Find();
  if (kind == Boundaries::Kind::kNone) return InvalidArgument("the form has no boundary in it");
  while (kind == Boundaries::Kind::kNext) {
    const std::size_t place = parts.size() + 1;
    if (place > kMaxFormParts) {
      return InvalidArgument("the form has too many parts; the most is " +
                             std::to_string(kMaxFormParts));
    }
    const std::string_view rest = boundaries.rest();
    if (rest.starts_with(kLineEnd)) return BadPart(place, "has no header");
    // The blank line behind a header is searched for no further than a header may go.
    const std::size_t end = rest.substr(0, kMaxPartHeader + 4).find("\r\n\r\n");
    if (end == std::string_view::npos) {
      return BadPart(place, rest.size() > kMaxPartHeader ? "has a header that is too large"
                                                         : "ends within its header");
    }
    FormPart part;
    if (const auto why = ReadHeader(rest.substr(0, end), &part)) return BadPart(place, *why);
    // Empty data end with the line end of the header's blank line.
    boundaries.SkipHeader(end + 2);
    kind = boundaries.Find();
    if (kind == Boundaries::Kind::kNone) return BadPart(place, "has no end");
    part.data = boundaries.before();
    part.data.remove_prefix(std::min<std::size_t>(2, part.data.size()));
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace lethe
