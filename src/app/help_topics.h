#pragma once

// The texts of `lethe help`, which are files in app/topics/ and become part of the program.

#include <span>
#include <string_view>

namespace lethe {

struct HelpTopic {
  std::string_view name;
  std::string_view text;  // the first line says what it is about

  std::string_view title() const { return text.substr(0, text.find('\n')); }
};

/// In the order of their names.
std::span<const HelpTopic> HelpTopics();

}  // namespace lethe
