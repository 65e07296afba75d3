#include "model/tokenizer.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace lethe {
namespace {

constexpr std::string_view kSpace = "\xE2\x96\x81";  // U+2581
constexpr int kMaxVocabulary = 1'000'000;
constexpr std::size_t kMaxPiece = 1024;

// The length of the valid UTF-8 sequence that starts text, or 0.
std::size_t Utf8Length(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what is past U+10FFFF.
  if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F) ||
      (lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F)) {
    return 0;
  }
  return length;
}

// U+2581 as a space.
std::string WithSpaces(std::string_view text) {
  std::string plain;
  for (std::size_t at; (at = text.find(kSpace)) != std::string_view::npos;) {
    plain.append(text.substr(0, at)).append(" ");
    text.remove_prefix(at + kSpace.size());
  }
  return plain.append(text);
}

std::string RepairUtf8(std::string_view text) {
  std::string good;
  while (!text.empty()) {
    const std::size_t length = Utf8Length(text);
    good += length > 0 ? text.substr(0, length) : std::string_view("\xEF\xBF\xBD");
    text.remove_prefix(length > 0 ? length : 1);
  }
  return good;
}

// "<0x41>" as its byte.
std::optional<char> ByteOf(std::string_view piece) {
  if (piece.size() != 6 || !piece.starts_with("<0x") || piece[5] != '>') return std::nullopt;
  int value = 0;
  for (char c : piece.substr(3, 2)) {
    if (c >= '0' && c <= '9') {
      value = value * 16 + (c - '0');
    } else if (c >= 'A' && c <= 'F') {
      value = value * 16 + (c - 'A' + 10);
    } else {
      return std::nullopt;
    }
  }
  return static_cast<char>(value);
}

Piece MakePiece(std::string_view text) {
  if (const auto byte = ByteOf(text)) return {PieceKind::kByte, std::string(1, *byte)};
  if (text == "<unk>" || text == "<s>" || text == "</s>" || text.empty()) {
    return {PieceKind::kControl, {}};
  }
  return {PieceKind::kText, std::string(text)};
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<int, 256> value;
  value.fill(-1);
  for (std::size_t i = 0; i < kDigits.size(); ++i) {
    value[static_cast<unsigned char>(kDigits[i])] = static_cast<int>(i);
  }
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (char c : text) {
    const int digit = value[static_cast<unsigned char>(c)];
    if (digit < 0) return std::nullopt;
    bits = (bits << 6) | static_cast<unsigned>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>((bits >> count) & 0xFF);
    }
  }
  return bytes;
}

}  // namespace

Result<Tokenizer> Tokenizer::Load(const SafetensorsFile& file, int vocabulary) {
  ASSIGN_OR_RETURN(const auto offsets,
                   file.Int32s("tokenizer.offsets", {std::int64_t{vocabulary} + 1}));
  ASSIGN_OR_RETURN(const auto kinds, file.Uint8s("tokenizer.kinds", {vocabulary}));
  ASSIGN_OR_RETURN(const auto raw, file.Raw("tokenizer.pieces"));
  const std::string_view text(reinterpret_cast<const char*>(raw.second.data()), raw.second.size());
  std::vector<Piece> pieces;
  pieces.reserve(static_cast<std::size_t>(vocabulary));
  for (int i = 0; i < vocabulary; ++i) {
    const std::int32_t begin = offsets[i], end = offsets[i + 1];
    if (begin < 0 || end < begin || static_cast<std::size_t>(end) > text.size() ||
        kinds[i] > static_cast<std::uint8_t>(PieceKind::kControl)) {
      return DataLoss("damaged model file: token " + std::to_string(i) + " has no text");
    }
    pieces.push_back({static_cast<PieceKind>(kinds[i]),
                      std::string(text.substr(begin, static_cast<std::size_t>(end - begin)))});
  }
  return Tokenizer(std::move(pieces));
}

void Tokenizer::Save(SafetensorsWriter* writer) const {
  std::vector<std::uint8_t> text, kinds;
  std::vector<std::int32_t> offsets{0};
  for (const Piece& piece : pieces_) {
    text.insert(text.end(), piece.text.begin(), piece.text.end());
    offsets.push_back(static_cast<std::int32_t>(text.size()));
    kinds.push_back(static_cast<std::uint8_t>(piece.kind));
  }
  const auto count = static_cast<std::int64_t>(pieces_.size());
  writer->Add("tokenizer.pieces", DataType::kU8, {static_cast<std::int64_t>(text.size())}, text);
  writer->Add("tokenizer.offsets", DataType::kI32, {count + 1}, offsets);
  writer->Add("tokenizer.kinds", DataType::kU8, {count}, kinds);
}

bool Tokenizer::BeginsWord(int token) const {
  const Piece& p = piece(token);
  return p.kind == PieceKind::kText && (p.text.starts_with(kSpace) || p.text.starts_with(' '));
}

std::string Tokenizer::Decode(std::span<const int> tokens) const {
  std::string text;
  for (int token : tokens) {
    const Piece& p = piece(token);
    if (p.kind == PieceKind::kByte) {
      text += p.text;
    } else if (p.kind == PieceKind::kText) {
      text += WithSpaces(p.text);
    }
  }
  return RepairUtf8(text);
}

TokenEncoder::TokenEncoder(const Tokenizer& tokenizer) {
  bytes_.fill(-1);
  pieces_.reserve(static_cast<std::size_t>(tokenizer.size()));
  for (int i = 0; i < tokenizer.size(); ++i) {
    const Piece& piece = tokenizer.piece(i);
    if (piece.kind == PieceKind::kText) {
      pieces_.emplace(WithSpaces(piece.text), i);
    } else if (piece.kind == PieceKind::kByte) {
      bytes_[static_cast<unsigned char>(piece.text[0])] = i;
    }
  }
}

std::vector<int> TokenEncoder::Encode(std::string_view text) const {
  std::vector<std::string_view> parts;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t length = std::max<std::size_t>(Utf8Length(rest), 1);
    parts.push_back(rest.substr(0, length));
    rest.remove_prefix(length);
  }
  const auto joined = [](std::string_view a, std::string_view b) {
    return std::string_view(a.data(), a.size() + b.size());  // neighbours of one text
  };
  while (true) {
    int best = -1;
    std::size_t at = 0;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto found = pieces_.find(joined(parts[i], parts[i + 1]));
      if (found == pieces_.end() || (best >= 0 && found->second >= best)) continue;
      best = found->second;
      at = i;
    }
    if (best < 0) break;
    parts[at] = joined(parts[at], parts[at + 1]);
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
  std::vector<int> tokens;
  for (const std::string_view part : parts) {
    if (const auto found = pieces_.find(part); found != pieces_.end()) {
      tokens.push_back(found->second);
      continue;
    }
    for (const char c : part) {
      const int token = bytes_[static_cast<unsigned char>(c)];
      if (token < 0) return {};
      tokens.push_back(token);
    }
  }
  return tokens;
}

Result<Tokenizer> ParseLlamaTokenizerJs(std::string_view source, int vocabulary) {
  const std::size_t name = source.find("llama_vocab_base64 =");
  const std::size_t open = source.find_first_of("\"'`", name);
  if (name == std::string_view::npos || open == std::string_view::npos) {
    return DataLoss("this is no llama-tokenizer.js: it has no llama_vocab_base64");
  }
  const std::size_t close = source.find(source[open], open + 1);
  if (close == std::string_view::npos) {
    return DataLoss("llama-tokenizer.js is cut off in the middle of its vocabulary");
  }
  const auto decoded = DecodeBase64(source.substr(open + 1, close - open - 1));
  if (!decoded) return DataLoss("the vocabulary in llama-tokenizer.js is no Base64");
  std::vector<Piece> pieces;
  std::string_view rest = *decoded;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (end > kMaxPiece || pieces.size() >= static_cast<std::size_t>(vocabulary)) {
      return DataLoss("the vocabulary in llama-tokenizer.js is too large");
    }
    pieces.push_back(MakePiece(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (pieces.size() < 1000) {
    return DataLoss("the vocabulary in llama-tokenizer.js is too small: " +
                    std::to_string(pieces.size()) + " pieces");
  }
  pieces.resize(static_cast<std::size_t>(vocabulary));
  return Tokenizer(std::move(pieces));
}

Result<Tokenizer> ParseTokenizerJson(std::string_view source, int vocabulary) {
  if (vocabulary < 1 || vocabulary > kMaxVocabulary) {
    return DataLoss("a vocabulary of " + std::to_string(vocabulary) + " tokens makes no sense");
  }
  const auto json = ParseJson<nlohmann::json>(source);
  if (!json.is_object() || !json.contains("model") || !json["model"].is_object() ||
      !json["model"].contains("vocab") || !json["model"]["vocab"].is_object()) {
    return DataLoss("this is no tokenizer.json with a vocabulary");
  }
  std::vector<Piece> pieces(static_cast<std::size_t>(vocabulary));
  const auto valid = [vocabulary](const nlohmann::json& id) {
    return id.is_number_unsigned() && id.get<std::uint64_t>() < static_cast<unsigned>(vocabulary);
  };
  for (const auto& [text, id] : json["model"]["vocab"].items()) {
    if (!valid(id) || text.size() > kMaxPiece) {
      return DataLoss("tokenizer.json has a token outside the model's vocabulary");
    }
    pieces[id.get<std::size_t>()] = MakePiece(text);
  }
  if (json.contains("added_tokens") && json["added_tokens"].is_array()) {
    for (const auto& token : json["added_tokens"]) {
      // Added tokens are the model's own signs (<s>, <<ST_12>>): special or not, nobody says them.
      if (token.is_object() && token.contains("id") && valid(token["id"])) {
        pieces[token["id"].get<std::size_t>()] = {PieceKind::kControl, {}};
      }
    }
  }
  return Tokenizer(std::move(pieces));
}

}  // namespace lethe
