#pragma once

// nlohmann's JSON read and written, compiled here once: each takes the compiler seconds wherever it
// is instantiated. tensor/safetensors.cc has a parser of its own, which looks at depths on the way.

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace lethe {

/// What the text says; discarded (`is_discarded()`), and so no object or anything else, if it is no
/// JSON. `Json` is one of the two below.
template <class Json>
Json ParseJson(std::string_view text);
template <>
nlohmann::json ParseJson(std::string_view text);
template <>
nlohmann::ordered_json ParseJson(std::string_view text);

/// The value as text: on one line, or by lines indented by that many blanks.
/// Errors: throws nlohmann::json::type_error for a string that is no UTF-8
std::string WriteJson(const nlohmann::json& json, int indent = -1);
std::string WriteJson(const nlohmann::ordered_json& json, int indent = -1);

/// The same of an object that may hold strings that are no UTF-8: what is not becomes U+FFFD.
std::string WriteLossyJson(const nlohmann::json& json, int indent = -1);
std::string WriteLossyJson(const nlohmann::ordered_json& json, int indent = -1);

}  // namespace lethe
