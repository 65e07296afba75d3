// Goal:   signatures are AWS's.
// Method: the figures that AWS publishes: the test suite of Signature Version 4 ("get-vanilla" and
//         its neighbours) and the examples of the Amazon S3 API Reference, "Signature Calculations
//         for the Authorization Header: Transferring Payload in a Single Chunk". A signer that is
//         not ours looks at every request of objects_contract_test.cc (tests/s3/server.mjs).

#include "store/objects/internal/aws_signature.h"

#include <gmock/gmock.h>

#include "base/sha256.h"

namespace lethe {
namespace {

using ::testing::EndsWith;

std::string HashOf(std::string_view text) { return Sha256Hex(std::as_bytes(std::span(text))); }

// ---- The test suite.

constexpr std::string_view kSuiteDate = "20150830T123600Z";

std::string SuiteSignature(std::string_view method, std::string_view path, const TextPairs& query,
                           const TextPairs& more_headers = {}) {
  const AwsSigner signer{.region = "us-east-1",
                         .service = "service",
                         .access_key_id = "AKIDEXAMPLE",
                         .secret_access_key = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")};
  TextPairs headers = {{"x-amz-date", std::string(kSuiteDate)}, {"host", "example.amazonaws.com"}};
  headers.insert(headers.end(), more_headers.begin(), more_headers.end());
  return SignAwsRequest(signer, kSuiteDate, method, path, query, headers, HashOf(""));
}

TEST(AwsSignatureTest, IsThatOfTheTestSuite) {
  EXPECT_EQ(SuiteSignature("GET", "/", {}),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date, "
            "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  // post-vanilla
  EXPECT_THAT(SuiteSignature("POST", "/", {}),
              EndsWith("5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"));
}

// ---- Examples of the S3 reference.

constexpr std::string_view kExampleDate = "20130524T000000Z";

std::string ExampleSignature(std::string_view method, std::string_view path, const TextPairs& query,
                             const TextPairs& more_headers, std::string_view body) {
  const AwsSigner signer{.region = "us-east-1",
                         .service = "s3",
                         .access_key_id = "AKIAIOSFODNN7EXAMPLE",
                         .secret_access_key = Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")};
  TextPairs headers = {{"host", "examplebucket.s3.amazonaws.com"},
                       {"x-amz-content-sha256", HashOf(body)},
                       {"x-amz-date", std::string(kExampleDate)}};
  headers.insert(headers.end(), more_headers.begin(), more_headers.end());
  return SignAwsRequest(signer, kExampleDate, method, path, query, headers, HashOf(body));
}

TEST(AwsSignatureTest, IsThatOfTheExampleOfGetObject) {
  EXPECT_EQ(ExampleSignature("GET", "/test.txt", {}, {{"range", "bytes=0-9"}}, ""),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(AwsSignatureTest, IsThatOfTheExampleOfPutObject) {
  EXPECT_THAT(ExampleSignature("PUT", "/test$file.text", {},
                               {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
                                {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                               "Welcome to Amazon S3."),
              EndsWith("98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"));
}

TEST(AwsSignatureTest, IsThatOfTheExamplesWithAQuery) {
  EXPECT_THAT(ExampleSignature("GET", "/", {{"lifecycle", ""}}, {}, ""),
              EndsWith("fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
  // In the order in which nobody signs them.
  EXPECT_THAT(ExampleSignature("GET", "/", {{"prefix", "J"}, {"max-keys", "2"}}, {}, ""),
              EndsWith("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

TEST(AwsSignatureTest, PathsAndQueriesAreEncodedOnce) {
  EXPECT_EQ(EncodeAwsPath("/a b/c+d/~x_-./%"), "/a%20b/c%2Bd/~x_-./%25");
  EXPECT_EQ(EncodeAwsQuery({{"b", "2 /="}, {"a", ""}, {"b", "1"}}), "a=&b=1&b=2%20%2F%3D");
}

TEST(AwsSignatureTest, DatesAreOfUtc) {
  EXPECT_EQ(AwsDate(WallTime(Millis(1'440'938'160'999))), kSuiteDate);
}

}  // namespace
}  // namespace lethe
