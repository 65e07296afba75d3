#pragma once

// The bodies of Lethe's own interface: objects of JSON, read strictly.

#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/json.h"
#include "base/status.h"
#include "server/http.h"
#include "server/internal/own_api_caller.h"
#include "service/eraser.h"

namespace lethe::server_internal {

using OwnApiJson = nlohmann::ordered_json;

/// Seconds since 1970.
std::int64_t UnixSeconds(WallTime time);

/// Nobody keeps it on its way.
HttpResponse OwnApiAnswer(const std::string& json);
HttpResponse OwnApiAnswer(const OwnApiJson& body);

/// Whether it is an object that has no other fields than these. Errors: kInvalidArgument
Status CheckFields(const OwnApiJson& object, std::initializer_list<std::string_view> fields);

/// A body that is such an object. Errors: kInvalidArgument
Result<OwnApiJson> ReadObject(const std::string& body,
                              std::initializer_list<std::string_view> fields);

/// The decoded query as an object of texts.
OwnApiJson ReadQuery(const HttpRequest& request);

/// Reads a field, if it is there. Numbers may be written as text, since JavaScript's end at 2^53.
/// Errors: kInvalidArgument
template <class Number>
Status ReadNumber(const OwnApiJson& object, const char* name, std::optional<Number>* number) {
  const auto field = object.find(name);
  if (field == object.end()) return OkStatus();
  const std::string text = field->is_string() ? field->get<std::string>() : WriteJson(*field);
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return InvalidArgument(std::string(name) + " has to be a number");
  }
  *number = value;
  return OkStatus();
}
/// The same of a body's field that is no number of a thing: not as text.
template <class Number>
Status ReadInteger(const OwnApiJson& object, const char* name, std::optional<Number>* number) {
  const auto field = object.find(name);
  if (field != object.end() && !field->is_number_integer()) {
    return InvalidArgument(std::string(name) + " has to be a whole number");
  }
  return ReadNumber(object, name, number);
}
Status ReadText(const OwnApiJson& object, const char* name, std::string* text);
Status ReadFlag(const OwnApiJson& object, const char* name, std::optional<bool>* flag);

/// Which application it is about: the caller's own, or the one that the operator names.
/// Errors: kInvalidArgument, kNotFound
Result<AppId> NamedApplication(const OwnApiCaller& caller, const std::optional<AppId>& named);

/// What was erased, with receipts.
OwnApiJson ShowErasure(const OwnApiCaller& caller, const Erasure& erasure);

}  // namespace lethe::server_internal
