#pragma once

// Prometheus' text format, version 0.0.4.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace lethe::server_internal {

/// Thread: one at a time
class MetricsText {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  /// Begins a metric; `type` is counter, gauge or histogram. Neither text has line ends.
  void Metric(std::string_view name, std::string_view type, std::string_view help);

  /// A value of the metric begun last, whose name `suffix` makes longer (a histogram's "_bucket").
  /// Values of labels have no quotes, backslashes or line ends: they are words of ours.
  void Value(std::uint64_t value, Labels labels = {}, std::string_view suffix = "");
  void Value(double value, Labels labels = {}, std::string_view suffix = "");

  /// The metric and its only value.
  template <class Number>
  void Single(std::string_view name, std::string_view type, std::string_view help, Number value) {
    Metric(name, type, help);
    Value(value);
  }

  std::string Take() { return std::move(text_); }

 private:
  void Line(std::string_view value, Labels labels, std::string_view suffix);

  std::string name_, text_;
};

/// A number as short as it can be read back.
std::string ShowMetric(double value);

}  // namespace lethe::server_internal
