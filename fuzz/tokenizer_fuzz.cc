// Any text as a vocabulary: refused, or every token of it can be shown.

#include <cstdint>
#include <string_view>
#include <vector>

#include "model/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& tokenizer :
       {lethe::ParseLlamaTokenizerJs(text, 1200), lethe::ParseTokenizerJson(text, 300)}) {
    if (!tokenizer.ok()) continue;
    std::vector<int> all;
    for (int i = 0; i < tokenizer->size(); ++i) all.push_back(i);
    (void)tokenizer->Decode(all);
  }
  return 0;
}
