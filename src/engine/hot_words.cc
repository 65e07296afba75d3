#include "engine/hot_words.h"

namespace lethe {

TokenCodec MakeTokenCodec(const Tokenizer& tokenizer) {
  auto kinds = std::make_shared<std::vector<TokenCodec::Kind>>(
      static_cast<std::size_t>(tokenizer.size()), TokenCodec::Kind::kOther);
  for (int token = 0; token < tokenizer.size(); ++token) {
    if (tokenizer.piece(token).kind != PieceKind::kText) continue;
    const std::string& text = tokenizer.piece(token).text;
    auto& kind = (*kinds)[static_cast<std::size_t>(token)];
    const auto first = text.empty() ? 0 : static_cast<unsigned char>(text[0]);
    if (tokenizer.BeginsWord(token)) {
      kind = TokenCodec::Kind::kBeginsWord;
    } else if (std::isalnum(first) != 0 || first >= 0x80) {
      kind = TokenCodec::Kind::kContinuesWord;
    }
  }
  auto encoder = std::make_shared<const TokenEncoder>(tokenizer);
  return {.encode = [encoder](std::string_view text) { return encoder->Encode(text); },
          .kinds = std::move(kinds)};
}

}  // namespace lethe
