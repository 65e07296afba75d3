#include "app/help_formatter.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/Formatter.hpp>

namespace lethe {
namespace {

constexpr std::size_t kColumns = 80, kDescriptionColumn = 34;

std::vector<std::string_view> Split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(at, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// Breaks a text between words, so that no line is wider than `columns` unless a word is.
std::string Wrap(std::string_view text, std::size_t columns) {
  std::string wrapped;
  std::size_t width = 0;
  for (const std::string_view word : Split(text, ' ')) {
    if (width > 0 && width + 1 + word.size() > columns) {
      wrapped += '\n';
      width = 0;
    } else if (width > 0) {
      wrapped += ' ';
      ++width;
    }
    wrapped += word;
    width += word.size();
  }
  return wrapped;
}

// Fills the paragraphs of prose that are too wide.
std::string Fill(std::string_view text) {
  std::string filled, paragraph;
  bool too_wide = false;
  const auto end_paragraph = [&] {
    if (too_wide) {
      for (char& c : paragraph) {
        if (c == '\n') c = ' ';
      }
      paragraph = Wrap(paragraph, kColumns);
    }
    if (!paragraph.empty()) filled += paragraph + '\n';
    paragraph.clear();
    too_wide = false;
  };
  for (const std::string_view line : Split(text, '\n')) {
    const bool is_prose = !line.empty() && line.front() != ' ';
    if (!is_prose || line.starts_with("More: ")) end_paragraph();
    if (is_prose) {
      paragraph += (paragraph.empty() ? "" : "\n") + std::string(line);
      too_wide = too_wide || line.size() > kColumns;
    } else {
      filled += std::string(line) + '\n';
    }
  }
  end_paragraph();
  filled.pop_back();
  return filled;
}

class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(kDescriptionColumn); }

  std::string make_option_desc(const CLI::Option* option) const override {
    return Describe(option->get_description());
  }

  std::string make_subcommand(const CLI::App* command) const override {
    std::string name = "  " + command->get_name();
    name.resize(std::max(name.size() + 1, kDescriptionColumn), ' ');
    std::string text = name;
    for (const char c : Describe(command->get_description())) {
      text += c;
      if (c == '\n') text.append(kDescriptionColumn, ' ');
    }
    return text + '\n';
  }

  std::string make_footer(const CLI::App* command) const override {
    const std::string footer = command->get_footer();
    return footer.empty() ? footer : Fill(footer) + '\n';
  }

 private:
  static std::string Describe(std::string_view text) {
    constexpr std::size_t kIndentOfGroup = 2;  // what CLI11 puts before groups of options
    return Wrap(text, kColumns - kDescriptionColumn - kIndentOfGroup);
  }
};

}  // namespace

std::shared_ptr<CLI::FormatterBase> MakeHelpFormatter() {
  return std::make_shared<HelpFormatter>();
}

}  // namespace lethe
