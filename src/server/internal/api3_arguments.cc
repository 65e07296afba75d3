#include "server/internal/api3_arguments.h"

#include <algorithm>
#include <charconv>

#include "base/json.h"

namespace lethe::server_internal {
namespace {

using Json = nlohmann::json;

// Deeper nesting has no use here and could exhaust the stack of a recursive parser.
constexpr int kMaxDepth = 16;
constexpr std::size_t kMaxShownName = 100;

// Whether a text is nested deeper than makes sense, or has more values than any call: a byte of it
// may become a hundred of memory.
bool TooMuch(const std::string& text) {
  int depth = 0;
  std::size_t values = 0;
  bool quoted = false, escaped = false;
  for (const char c : text) {
    if (quoted) {
      quoted = escaped || c != '"';
      escaped = !escaped && c == '\\';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxDepth) return true;
    } else if (c == ',') {
      if (++values > kMaxArguments) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

std::optional<std::int64_t> ToNumber(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

ApiError WrongType(const char* name, const char* wanted) {
  return {"InvalidParameter",
          "The parameter `" + std::string(name) + "` has to be " + wanted + "."};
}

// The first step of a name, "a" of "a.0.b", which is taken off it.
std::string_view TakeStep(std::string_view* name) {
  const std::size_t end = std::min(name->find('.'), name->size());
  const std::string_view step = name->substr(0, end);
  name->remove_prefix(std::min(end + 1, name->size()));
  return step;
}

// In the order of lists: "a.2" before "a.10".
bool Before(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    const std::string_view left = TakeStep(&a), right = TakeStep(&b);
    if (left == right) continue;
    const auto index = ToNumber(left), other = ToNumber(right);
    if (index && other && *index != *other) return *index < *other;
    if (index.has_value() != other.has_value()) return index.has_value();
    return left < right;
  }
  return a.empty() && !b.empty();
}

// Puts one flattened value where its name says; names that make no sense are left out. False if it
// is an element of a list that has a gap before it.
bool Insert(Json& root, std::string_view name, const std::string& value) {
  Json* place = &root;
  for (int depth = 0; depth < kMaxDepth; ++depth) {
    const std::size_t end = std::min(name.find('.'), name.size());
    const std::string step(name.substr(0, end));
    const bool last = end == name.size();
    name.remove_prefix(std::min(end + 1, name.size()));
    const auto index = ToNumber(step);
    if (index && depth > 0) {
      if (place->is_null()) *place = Json::array();
      if (!place->is_array()) return true;
      if (*index < 0 || *index > static_cast<std::int64_t>(place->size())) return false;
      const auto at = static_cast<std::size_t>(*index);
      if (at == place->size()) place->push_back(nullptr);
      place = &(*place)[at];
    } else {
      if (place->is_null()) *place = Json::object();
      if (!place->is_object()) return true;
      place = &(*place)[step];
    }
    if (last) {
      *place = value;
      return true;
    }
  }
  return true;
}

}  // namespace

ApiResult<ApiArguments> ApiArguments::FromJson(const std::string& body) {
  const ApiError error{"InvalidParameter.ErrorParsequest", "The body has to be a JSON object."};
  if (TooMuch(body)) return error;
  Json values = ParseJson<Json>(body);
  if (!values.is_object()) return error;
  return ApiArguments(std::move(values), false);
}

ApiArguments ApiArguments::FromFlat(const NamedValues& values) {
  // Clients send them in the order of their maps: of text, or of hashes.
  std::vector<const NamedValues::value_type*> sorted;
  for (const auto& value : values) sorted.push_back(&value);
  sorted.resize(std::min(sorted.size(), kMaxArguments));
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto* a, const auto* b) { return Before(a->first, b->first); });
  Json root = Json::object();
  std::optional<ApiError> error;
  for (const auto* value : sorted) {
    if (Insert(root, value->first, value->second) || error) continue;
    error = {"InvalidParameter", "The parameter `" + value->first.substr(0, kMaxShownName) +
                                     "` belongs to a list whose elements before it are missing: "
                                     "lists count from 0."};
  }
  ApiArguments arguments(std::move(root), true);
  if (error) arguments.Note(*std::move(error));
  return arguments;
}

void ApiArguments::Note(ApiError error) {
  if (!error_) error_ = std::move(error);
}

bool ApiArguments::Has(const char* name) const {
  const auto found = values_.find(name);
  return found != values_.end() && !found->is_null();
}

const Json* ApiArguments::Find(const char* name, bool required) {
  if (Has(name)) return &*values_.find(name);
  if (required) {
    Note({"MissingParameter", "The required parameter `" + std::string(name) + "` is missing."});
  }
  return nullptr;
}

std::optional<std::string> ApiArguments::Text(const char* name, bool required) {
  const Json* value = Find(name, required);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  Note(WrongType(name, "a string"));
  return std::nullopt;
}

std::optional<std::int64_t> ApiArguments::Number(const char* name, bool required) {
  const Json* value = Find(name, required);
  if (value == nullptr) return std::nullopt;
  if (value->is_number_unsigned() &&
      value->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
    Note(WrongType(name, "a smaller number"));
    return std::nullopt;
  }
  if (value->is_number_integer()) return value->get<std::int64_t>();
  if (flat_ && value->is_string()) {
    if (const auto number = ToNumber(value->get<std::string>())) return number;
  }
  Note(WrongType(name, "an integer"));
  return std::nullopt;
}

std::int64_t ApiArguments::Choice(const char* name, std::int64_t least, std::int64_t most,
                                  std::int64_t standard) {
  const std::int64_t value = Number(name).value_or(standard);
  if (value < least || value > most) {
    Note({"InvalidParameterValue", "The parameter `" + std::string(name) + "` has to be from " +
                                       std::to_string(least) + " to " + std::to_string(most) +
                                       "."});
  }
  return value;
}

std::optional<bool> ApiArguments::Flag(const char* name) {
  const Json* value = Find(name, false);
  if (value == nullptr) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  if (flat_ && value->is_string()) return *value == "true" || *value == "1";
  Note(WrongType(name, "true or false"));
  return std::nullopt;
}

std::vector<std::string> ApiArguments::Texts(const char* name) {
  std::vector<std::string> texts;
  const Json* value = Find(name, false);
  if (value == nullptr) return texts;
  if (!value->is_array()) {
    Note(WrongType(name, "a list of strings"));
    return texts;
  }
  for (const Json& element : *value) {
    if (!element.is_string()) {
      Note(WrongType(name, "a list of strings"));
      return texts;
    }
    texts.push_back(element.get<std::string>());
  }
  return texts;
}

std::vector<ApiArguments> ApiArguments::Objects(const char* name) {
  std::vector<ApiArguments> objects;
  const Json* value = Find(name, false);
  if (value == nullptr) return objects;
  const bool all = value->is_array() && std::all_of(value->begin(), value->end(),
                                                    [](const Json& e) { return e.is_object(); });
  if (!all) {
    Note(WrongType(name, "a list of objects"));
    return objects;
  }
  for (const Json& element : *value) objects.push_back(ApiArguments(element, flat_));
  return objects;
}

}  // namespace lethe::server_internal
