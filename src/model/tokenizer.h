#pragma once

// Tokens to text. A piece is text in SentencePiece's form (U+2581 stands for a space), one raw
// byte, or a control token that is never shown.
//
// In a model file: tokenizer.pieces U8 (all pieces, one after the other), tokenizer.offsets I32
// [n + 1], tokenizer.kinds U8 [n].

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "tensor/safetensors.h"

namespace lethe {

enum class PieceKind : std::uint8_t { kText = 0, kByte = 1, kControl = 2 };

struct Piece {
  PieceKind kind = PieceKind::kControl;
  std::string text;  // for kByte, the byte itself
};

class Tokenizer {
 public:
  Tokenizer() = default;
  explicit Tokenizer(std::vector<Piece> pieces) : pieces_(std::move(pieces)) {}

  /// Reads the tokenizer of a model with so many tokens.
  /// Errors: kDataLoss for one that is missing, damaged or of another size
  static Result<Tokenizer> Load(const SafetensorsFile& file, int vocabulary);
  void Save(SafetensorsWriter* writer) const;

  int size() const { return static_cast<int>(pieces_.size()); }
  const Piece& piece(int token) const { return pieces_[static_cast<std::size_t>(token)]; }

  /// True when the token begins a new word: its text starts with a space.
  bool BeginsWord(int token) const;

  /// The text of a run of tokens, spaces and all. Bytes that do not form UTF-8 become U+FFFD;
  /// control tokens vanish.
  std::string Decode(std::span<const int> tokens) const;

 private:
  std::vector<Piece> pieces_;
};

/// Text to tokens, the way a byte-pair vocabulary writes it: characters are joined pair by pair,
/// the pair first whose joined piece was learnt first. Tokens are numbered in the order in which
/// they were learnt, so the lower number goes first. A character that is no piece is written in
/// bytes.
///
/// Constant once made; making one visits the whole vocabulary. Borrows nothing.
///
/// Source: Sennrich et al. 2016, arXiv:1508.07909; the order of merges as in SentencePiece's
///         bpe_model.cc, where a piece's score is minus its number
class TokenEncoder {
 public:
  explicit TokenEncoder(const Tokenizer& tokenizer);

  /// The tokens of a short text; a word in the middle of a sentence is written with a space before
  /// it. Empty when the vocabulary cannot write it. Time: quadratic in the text.
  std::vector<int> Encode(std::string_view text) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  std::unordered_map<std::string, int, Hash, std::equal_to<>> pieces_;  // spaces are ' '
  std::array<int, 256> bytes_;
};

/// Reads the pieces out of llama-tokenizer.js of the npm package llama-tokenizer-js: the Base64
/// text called llama_vocab_base64 holds them a line each. Tokens from there to `vocabulary` are
/// control tokens. Errors: kDataLoss when it is not there or not what it should be
Result<Tokenizer> ParseLlamaTokenizerJs(std::string_view source, int vocabulary);

/// Reads a Hugging Face tokenizer.json with a BPE model and byte fallback.
/// Errors: kDataLoss
Result<Tokenizer> ParseTokenizerJson(std::string_view source, int vocabulary);

}  // namespace lethe
