// Goal: forms of every client are read, data arrive as they were sent, and no form can cost more
// than its size. Method: forms by hand, whole and broken.

#include "server/multipart.h"

#include <gmock/gmock.h>

namespace lethe {
namespace {

using ::testing::HasSubstr;

std::string Part(const std::string& disposition, const std::string& data) {
  return "--XX\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + data + "\r\n";
}

std::vector<FormPart> Parts(const std::string& body) {
  static std::string kept;  // parts borrow from it
  kept = body;
  const auto parts = ParseForm(kept, "XX");
  EXPECT_TRUE(parts.ok()) << parts.status().message();
  return parts.ok() ? *parts : std::vector<FormPart>();
}

std::string Problem(const std::string& body) {
  const auto parts = ParseForm(body, "XX");
  return parts.ok() ? "" : parts.status().message();
}

TEST(MultipartTest, PartsComeInTheirOrderWithTheirNames) {
  const auto parts =
      Parts(Part("name=\"file\"; filename=\"a.wav\"", "RIFF\r\n\r\nx") +
            Part("name=model", "whisper-1") + Part("name=\"model\"", "") + "--XX--\r\n");
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0].name, "file");
  EXPECT_EQ(parts[0].filename, "a.wav");
  EXPECT_EQ(parts[0].data, "RIFF\r\n\r\nx");
  EXPECT_EQ(parts[1].name, "model");
  EXPECT_EQ(parts[1].filename, "");
  EXPECT_EQ(parts[1].data, "whisper-1");
  EXPECT_EQ(parts[2].data, "");
}

TEST(MultipartTest, PreambleEpilogueAndPaddingAreLeftOut) {
  const auto parts = Parts(
      "this is a form\r\n--XX \t\r\nContent-Disposition:form-data;name=a\r\n"
      "\r\n1\r\n--XX--\r\nand so on\r\n--XX\r\n");
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].data, "1");
}

TEST(MultipartTest, WhatLooksLikeABoundaryIsData) {
  const std::string data = "--XX\n--XX\r\r\n--XXY\r\n --XX\r\n-XX\n--XX--\n\r\n--X";
  const auto parts = Parts(Part("name=a", data) + "--XX--");
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].data, data);
}

TEST(MultipartTest, NamesMayBeQuotedAndEncoded) {
  const auto parts =
      Parts(Part(R"(name="a\"b;c=\\d"; filename="C:\dir\x; y.wav")", "1") +
            Part(R"(name="n"; filename="plain"; filename*=UTF-8'en'na%C3%AFve.mp3)", "2") +
            Part(R"(filename*=UTF-8''x; filename=y ; NAME = n)", "3") +
            Part(R"(name=n; filename="my "new" talk.wav")", "4") +
            Part(R"(name=n; filename="C:\dir\")", "5") + "--XX--");
  ASSERT_EQ(parts.size(), 5U);
  EXPECT_EQ(parts[3].filename, R"(my "new" talk.wav)");
  EXPECT_EQ(parts[4].filename, R"(C:\dir\)");
  EXPECT_EQ(parts[0].name, R"(a"b;c=\d)");
  EXPECT_EQ(parts[0].filename, R"(C:\dir\x; y.wav)");
  EXPECT_EQ(parts[1].filename, "na\xc3\xafve.mp3");
  EXPECT_EQ(parts[2].name, "n");
  EXPECT_EQ(parts[2].filename, "x");
}

TEST(MultipartTest, HeadersAreReadWithoutCaseAndTheUnknownSkipped) {
  const auto parts = Parts(
      "--XX\r\nX-Other: 1\r\ncontent-type: audio/wav\r\n"
      "CONTENT-DISPOSITION:  Form-Data ; Name=\"a\"\r\n"
      "Content-Transfer-Encoding: Binary\r\n\r\n1\r\n--XX--");
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].name, "a");
}

TEST(MultipartTest, BrokenFormsAreNamedByPlace) {
  EXPECT_THAT(Problem(""), HasSubstr("no boundary in it"));
  EXPECT_THAT(Problem("--XY\r\n"), HasSubstr("no boundary in it"));
  EXPECT_THAT(Problem("--XX\n"), HasSubstr("no boundary in it"));
  EXPECT_EQ(Problem("--XX--"), "");
  const std::string good = Part("name=a", "1");
  EXPECT_THAT(Problem(good), HasSubstr("part 1 of the form has no end"));
  EXPECT_THAT(Problem(good + "--XX"), HasSubstr("part 1 of the form has no end"));
  EXPECT_THAT(Problem(good + "--XX\r\n"), HasSubstr("part 2 of the form ends within its header"));
  EXPECT_THAT(Problem(good + "--XX\r\nContent-Disposition: form-data; name=b\r\n--XX--\r\n"),
              HasSubstr("part 2 of the form"));
  EXPECT_THAT(Problem("--XX\r\n\r\n1\r\n--XX--"), HasSubstr("has no header"));
  EXPECT_THAT(Problem("--XX\nContent-Disposition: form-data; name=a\n\n1\n--XX--\n"),
              HasSubstr("no boundary in it"));
  EXPECT_THAT(Problem("--XX\r\nno colon\r\n\r\n1\r\n--XX--"), HasSubstr("without a colon"));
  EXPECT_THAT(Problem("--XX\r\nContent-Type: a\r\n\r\n1\r\n--XX--"), HasSubstr("form-data"));
  EXPECT_THAT(Problem("--XX\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--XX--"),
              HasSubstr("form-data"));
  EXPECT_THAT(Problem(Part("filename=a", "1") + "--XX--"), HasSubstr("has no name"));
  EXPECT_THAT(Problem(Part("name=\"\"", "1") + "--XX--"), HasSubstr("has no name"));
  EXPECT_THAT(Problem(Part("name=a; name=b", "1") + "--XX--"), HasSubstr("two names"));
  EXPECT_THAT(Problem(Part("name=\"a", "1") + "--XX--"), HasSubstr("cannot be read"));
  EXPECT_THAT(Problem(Part("name=\"a\"b", "1") + "--XX--"), HasSubstr("cannot be read"));
  EXPECT_THAT(Problem("--XX\r\nContent-Disposition: form-data; name=a\r\n"
                      "Content-Transfer-Encoding: base64\r\n\r\nMQ==\r\n--XX--"),
              HasSubstr("Transfer-Encoding"));
}

TEST(MultipartTest, SizesHaveLimits) {
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += Part("name=a", "1");
  EXPECT_THAT(Problem(many + "--XX--"), HasSubstr("too many parts"));
  many.clear();
  for (std::size_t i = 0; i < kMaxFormParts; ++i) many += Part("name=a", "1");
  EXPECT_EQ(Parts(many + "--XX--").size(), kMaxFormParts);
  const std::string huge(kMaxPartHeader + 1, 'x');
  EXPECT_THAT(Problem(Part("name=a; x=" + huge, "1") + "--XX--"), HasSubstr("too large"));
  EXPECT_EQ(Parts(Part("name=" + huge.substr(0, kMaxPartHeader - 100), "1") + "--XX--").size(), 1U);
}

TEST(MultipartTest, BoundariesAreFoundInContentTypes) {
  EXPECT_EQ(*FormBoundary("multipart/form-data; boundary=----WebKit7a"), "----WebKit7a");
  EXPECT_EQ(*FormBoundary("Multipart/Form-Data;charset=utf-8; BOUNDARY=\"a b;c\""), "a b;c");
  EXPECT_EQ(*FormBoundary("multipart/form-data; boundary=" + std::string(70, 'x')),
            std::string(70, 'x'));
  for (const std::string& bad :
       {std::string(), std::string("application/json"), std::string("multipart/mixed; boundary=a"),
        std::string("multipart/form-data"), std::string("multipart/form-data; boundary="),
        std::string("multipart/form-data; boundary=\"a"),
        std::string("multipart/form-data; boundary=\"a \""),
        std::string("multipart/form-data; boundary=a\x80"),
        "multipart/form-data; boundary=" + std::string(71, 'x')}) {
    EXPECT_FALSE(FormBoundary(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace lethe
