#include "base/json.h"

#include "base/wiped_memory.h"

namespace lethe {
namespace {

// Not in Write(), or its buffers would be there, too.
template <class Json>
[[gnu::noinline]] std::string Dump(const Json& json, int indent,
                                   nlohmann::json::error_handler_t not_utf8) {
  return json.dump(indent, ' ', /*ensure_ascii=*/false, not_utf8);
}

template <class Json>
std::string Write(const Json& json, int indent, nlohmann::json::error_handler_t not_utf8) {
  std::string text = Dump(json, indent, not_utf8);
  WipeReturnedCalls();  // it puts strings together in a buffer on the stack
  return text;
}

}  // namespace

template <>
nlohmann::json ParseJson(std::string_view text) {
  return nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
}

template <>
nlohmann::ordered_json ParseJson(std::string_view text) {
  return nlohmann::ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
}

std::string WriteJson(const nlohmann::json& json, int indent) {
  return Write(json, indent, nlohmann::json::error_handler_t::strict);
}

std::string WriteJson(const nlohmann::ordered_json& json, int indent) {
  return Write(json, indent, nlohmann::json::error_handler_t::strict);
}

std::string WriteLossyJson(const nlohmann::json& json, int indent) {
  return Write(json, indent, nlohmann::json::error_handler_t::replace);
}

std::string WriteLossyJson(const nlohmann::ordered_json& json, int indent) {
  return Write(json, indent, nlohmann::json::error_handler_t::replace);
}

}  // namespace lethe
