#pragma once

// GET and POST /lethe/v1/vocabularies: lists of hot words that an application keeps here. An
// application changes its own, as through the contract's actions (section 3.4); the operator all.

#include <cstddef>

#include "server/http.h"
#include "server/internal/own_api_caller.h"
#include "store/vocabularies.h"

namespace lethe::server_internal {

/// Longer than any vocabulary that is let in.
inline constexpr std::size_t kMaxVocabularyBody = 1 << 20;

/// All of an application, oldest first, with how many words each has; a named one with the words.
/// Blocks on the store.
HttpResponse ShowVocabularies(Vocabularies& vocabularies, const OwnApiCaller& caller,
                              const HttpRequest& request);

/// Makes a vocabulary, or replaces parts of one, makes it the default, or removes it. Blocks on the
/// store.
HttpResponse ChangeVocabulary(Vocabularies& vocabularies, const OwnApiCaller& caller,
                              const std::string& body);

}  // namespace lethe::server_internal
