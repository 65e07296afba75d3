// Tokens to text: spaces, raw bytes and control tokens, and importers that refuse what is no
// vocabulary. Method: small vocabularies made here.

#include "model/tokenizer.h"

#include <gtest/gtest.h>

namespace lethe {
namespace {

Tokenizer Small() {
  return Tokenizer({{PieceKind::kControl, ""},
                    {PieceKind::kText, "\xE2\x96\x81hello"},
                    {PieceKind::kText, "s"},
                    {PieceKind::kByte, "\xC3"},
                    {PieceKind::kByte, "\xA9"},
                    {PieceKind::kText, "\xE2\x96\x81"}});
}

TEST(TokenizerTest, PiecesJoinWithSpacesAndBytesFormUtf8) {
  const int tokens[] = {0, 1, 2, 5, 3, 4};
  EXPECT_EQ(Small().Decode(tokens), " hellos \xC3\xA9");
  EXPECT_TRUE(Small().BeginsWord(1));
  EXPECT_FALSE(Small().BeginsWord(2));
  EXPECT_FALSE(Small().BeginsWord(0));
}

TEST(TokenizerTest, BytesThatFormNoUtf8BecomeTheReplacementCharacter) {
  const int tokens[] = {3, 2, 4};
  EXPECT_EQ(Small().Decode(tokens), "\xEF\xBF\xBDs\xEF\xBF\xBD");
}

TEST(TokenizerTest, IsTheSameAfterSavingAndLoading) {
  SafetensorsWriter writer;
  Small().Save(&writer);
  const std::vector<std::byte> bytes = writer.Serialize();
  const auto file = SafetensorsFile::Parse(bytes);
  ASSERT_TRUE(file.ok());
  const auto loaded = Tokenizer::Load(*file, 6);
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(loaded->piece(i).text, Small().piece(i).text);
    EXPECT_EQ(loaded->piece(i).kind, Small().piece(i).kind);
  }
  EXPECT_FALSE(Tokenizer::Load(*file, 7).ok());
}

TEST(TokenEncoderTest, PairsLearntFirstAreJoinedFirst) {
  const std::string mark = "\xE2\x96\x81";
  // "ab" before "bc": "abc" is "ab" + "c" though "a" + "bc" would do as well.
  const Tokenizer tokenizer({{PieceKind::kText, "ab"},
                             {PieceKind::kText, "bc"},
                             {PieceKind::kText, mark + "ab"},
                             {PieceKind::kText, mark},
                             {PieceKind::kText, "a"},
                             {PieceKind::kText, "b"},
                             {PieceKind::kText, "c"},
                             {PieceKind::kByte, "\xC3"},
                             {PieceKind::kByte, "\xA9"},
                             {PieceKind::kControl, ""}});
  const TokenEncoder encoder(tokenizer);
  EXPECT_EQ(encoder.Encode("abc"), (std::vector<int>{0, 6}));
  EXPECT_EQ(encoder.Encode(" abc"), (std::vector<int>{2, 6}));
  EXPECT_EQ(encoder.Encode("bc\xC3\xA9"), (std::vector<int>{1, 7, 8}));
  EXPECT_EQ(tokenizer.Decode(encoder.Encode(" abc bc")), " abc bc");
  EXPECT_TRUE(encoder.Encode("abz").empty());  // neither a piece nor a byte
  EXPECT_TRUE(encoder.Encode("").empty());
}

TEST(TokenEncoderTest, AnyBytesAreEncodedOrRefused) {
  const Tokenizer tokenizer({{PieceKind::kByte, "\xFF"}, {PieceKind::kByte, ""}});
  EXPECT_EQ(TokenEncoder(tokenizer).Encode("\xFF\xFF").size(), 2u);
  EXPECT_TRUE(TokenEncoder(tokenizer).Encode("\xE2\x96").empty());
  EXPECT_TRUE(TokenEncoder(Tokenizer()).Encode("a").empty());
}

TEST(TokenizerImportTest, WhatIsNoVocabularyIsRefused) {
  EXPECT_FALSE(ParseLlamaTokenizerJs("", 32768).ok());
  EXPECT_FALSE(ParseLlamaTokenizerJs("llama_vocab_base64 = \"abc", 32768).ok());
  EXPECT_FALSE(ParseLlamaTokenizerJs("llama_vocab_base64 = \"YWJj\"", 32768).ok());
  EXPECT_FALSE(ParseLlamaTokenizerJs("llama_vocab_base64 = \"!!!!\"", 32768).ok());
  EXPECT_FALSE(ParseTokenizerJson("{}", 10).ok());
  EXPECT_FALSE(ParseTokenizerJson(R"({"model":{"vocab":{"a":10}}})", 10).ok());
}

TEST(TokenizerImportTest, TokenizerJsonGivesTextBytesAndSigns) {
  const auto tokenizer = ParseTokenizerJson(
      R"({"model":{"vocab":{"<unk>":0,"<0x0A>":1,"a":2}},"added_tokens":[{"id":3,"content":"<<x>>"}]})",
      5);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().message();
  const int all[] = {0, 1, 2, 3, 4};
  EXPECT_EQ(tokenizer->Decode(all), "\na");
}

}  // namespace
}  // namespace lethe
