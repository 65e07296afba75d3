#pragma once

// Hot words out of a prompt. Models that take prompts read them as text that came before; ours has
// use for the names and terms in it.

#include <string>
#include <string_view>
#include <vector>

namespace lethe::server_internal {

/// A prompt is a hint, so its terms weigh half of what a hot word does.
inline constexpr int kPromptTermWeight = 5;
inline constexpr std::size_t kMaxPromptTerms = 64;

/// The terms in a prompt that may be hot words, each once.
///
/// A list ("Kubernetes, etcd, Ana Lopez": pieces of at most three words between commas, semicolons
/// or line ends, half of them with a capital or a digit, no sentence among them) gives its pieces.
/// Any other text gives what is written like a name: capitalised words inside a sentence, those
/// that follow each other as one (up to three), and words with a capital or a digit inside or all
/// in capitals, wherever they stand. Of long prompts the last 4096 bytes count.
std::vector<std::string> TermsOfPrompt(std::string_view prompt);

/// Appends a prompt's terms to a list of hot words as calls bring it ("word|weight,word"), which
/// has `count` words: as many as the list may have.
void AppendPromptTerms(std::string_view prompt, std::size_t count, std::string* list);

}  // namespace lethe::server_internal
