#include "text/internal/contractions.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>

namespace lethe::internal {
namespace {

/// uh, uhh, um, umm, hm, hmm, mm, mmm, mhm and the like, of any length.
bool IsFiller(std::string_view word) {
  if (word == "mhm" || word == "mmhm" || word == "hm") return true;
  if (word.size() < 2) return false;
  const std::string_view rest = word.substr(1);
  const auto all = [&](char letter) {
    return rest.find_first_not_of(letter) == std::string_view::npos;
  };
  return (word[0] == 'u' && (all('h') || all('m'))) || (word[0] == 'h' && all('m')) ||
         (word[0] == 'm' && all('m'));
}

const std::unordered_map<std::string_view, std::string_view>& WholeWords() {
  static const std::unordered_map<std::string_view, std::string_view> words = {
      {"won't", "will not"},     {"can't", "can not"},       {"cannot", "can not"},
      {"shan't", "shall not"},   {"let's", "let us"},        {"ain't", "aint"},
      {"y'all", "you all"},      {"ma'am", "madam"},         {"o'clock", "oclock"},
      {"i'ma", "i am going to"}, {"imma", "i am going to"},  {"'cause", "because"},
      {"'em", "them"},           {"'til", "till"},           {"'tis", "it is"},
      {"'twas", "it was"},       {"d'you", "do you"},        {"wanna", "want to"},
      {"gotta", "got to"},       {"gonna", "going to"},      {"woulda", "would have"},
      {"coulda", "could have"},  {"shoulda", "should have"}, {"mr", "mister"},
      {"mrs", "missus"},         {"dr", "doctor"},           {"st", "saint"},
      {"prof", "professor"},     {"capt", "captain"},        {"gov", "governor"},
      {"gen", "general"},        {"sen", "senator"},         {"rep", "representative"},
      {"pres", "president"},     {"rev", "reverend"},        {"hon", "honorable"},
      {"asst", "assistant"},     {"assoc", "associate"},     {"lt", "lieutenant"},
      {"col", "colonel"},        {"jr", "junior"},           {"sr", "senior"},
      {"esq", "esquire"},        {"vs", "versus"},
  };
  return words;
}

struct Ending {
  std::string_view contracted;
  std::string_view full;
};
// n't before 't, so that "don't" is "do not".
constexpr std::array<Ending, 8> kEndings = {{{"n't", "not"},
                                             {"'re", "are"},
                                             {"'s", "is"},
                                             {"'d", "would"},
                                             {"'ll", "will"},
                                             {"'t", "not"},
                                             {"'ve", "have"},
                                             {"'m", "am"}}};

void AppendSplit(std::string_view text, char separator, std::vector<std::string>& words) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

std::vector<std::string> ExpandContractions(const std::vector<std::string>& words) {
  std::vector<std::string> expanded;
  expanded.reserve(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    if (IsFiller(word)) continue;
    // Longest first: "wouldn't've" sheds its endings one by one, from the right.
    std::vector<std::string_view> tail;
    const std::string_view next = i + 1 < words.size() ? std::string_view(words[i + 1]) : "";
    const bool perfect = next == "been" || next == "gone" || next == "done";
    for (bool shed = true; shed;) {
      shed = false;
      if (WholeWords().contains(word)) break;
      for (const Ending& ending : kEndings) {
        if (word.size() <= ending.contracted.size() || !word.ends_with(ending.contracted)) continue;
        std::string_view full = ending.full;
        if (full == "is" && tail.empty() && (perfect || next == "got")) full = "has";
        if (full == "would" && tail.empty() && perfect) full = "had";
        tail.push_back(full);
        word.remove_suffix(ending.contracted.size());
        shed = true;
        break;
      }
    }
    const auto whole = WholeWords().find(word);
    if (whole != WholeWords().end()) {
      AppendSplit(whole->second, ' ', expanded);
    } else {
      AppendSplit(word, '\'', expanded);
    }
    expanded.insert(expanded.end(), tail.rbegin(), tail.rend());
  }
  return expanded;
}

}  // namespace lethe::internal
