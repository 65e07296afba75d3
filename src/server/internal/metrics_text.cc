#include "server/internal/metrics_text.h"

#include <array>
#include <charconv>

namespace lethe::server_internal {

std::string ShowMetric(double value) {
  std::array<char, 32> text{};  // a double has 24 characters at most
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? std::string(text.data(), end) : "NaN";
}

void MetricsText::Metric(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  for (const auto& [what, value] : {std::pair("# HELP ", help), std::pair("# TYPE ", type)}) {
    text_.append(what).append(name).append(" ").append(value).append("\n");
  }
}

void MetricsText::Value(std::uint64_t value, Labels labels, std::string_view suffix) {
  Line(std::to_string(value), labels, suffix);
}

void MetricsText::Value(double value, Labels labels, std::string_view suffix) {
  Line(ShowMetric(value), labels, suffix);
}

void MetricsText::Line(std::string_view value, Labels labels, std::string_view suffix) {
  text_.append(name_).append(suffix);
  char between = '{';
  for (const auto& [label, word] : labels) {
    text_ += between;
    text_.append(label).append("=\"").append(word).append("\"");
    between = ',';
  }
  if (labels.size() > 0) text_ += '}';
  text_.append(" ").append(value).append("\n");
}

}  // namespace lethe::server_internal
