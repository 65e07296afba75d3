// Goal: every official client's signature is accepted, and none that was made for another request
// or with another key. Method: the vectors of section 16 of the contract, made with the official
// Python code; each is then spoilt in one place.

#include "server/internal/signature.h"

#include <gmock/gmock.h>

#include "base/encoding.h"
#include "base/hmac.h"
#include "base/sha256.h"

namespace lethe::server_internal {
namespace {

constexpr std::string_view kKey = "example-secret-key-0001";
constexpr std::string_view kSpaced = "{\"TaskId\": 1000000286}";
constexpr std::string_view kCompact = "{\"TaskId\":1000000286}";
const std::set<std::string> kCloud = {"asr.tencentcloudapi.com", "asr.cloud.tencent.com"};

HttpRequest Post(std::string_view content_type, std::string_view host, std::string_view body) {
  HttpRequest request;
  request.method = "POST";
  request.target = request.path = "/";
  request.body = body;
  request.headers = {{"Host", std::string(host)},
                     {"Content-Type", std::string(content_type)},
                     {"X-TC-Timestamp", "1700000000"}};
  return request;
}

Tc3Authorization Authorization(std::string_view service, std::string_view signature) {
  const auto parsed = ParseTc3Authorization(
      "TC3-HMAC-SHA256 Credential=AKIDexample0001/2023-11-14/" + std::string(service) +
      "/tc3_request, SignedHeaders=content-type;host, Signature=" + std::string(signature));
  return parsed.value();
}

struct Vector {
  const char* name;
  const char* content_type;
  const char* host;  // as the Host header has it
  const char* service;
  std::string_view body;
  const char* signature;
};

class Tc3VectorTest : public ::testing::TestWithParam<Vector> {};

TEST_P(Tc3VectorTest, IsAcceptedAndNothingElseIs) {
  const Vector& v = GetParam();
  const Tc3Authorization good = Authorization(v.service, v.signature);
  const HttpRequest request = Post(v.content_type, v.host, v.body);
  EXPECT_TRUE(VerifyTc3(request, good, kKey, kCloud));
  EXPECT_FALSE(VerifyTc3(request, good, "example-secret-key-0002", kCloud));
  HttpRequest other = request;
  other.body += " ";
  EXPECT_FALSE(VerifyTc3(other, good, kKey, kCloud));
  other = request;
  other.method = "GET";
  EXPECT_FALSE(VerifyTc3(other, good, kKey, kCloud));
  Tc3Authorization spoilt = good;
  spoilt.signature.back() = spoilt.signature.back() == '0' ? '1' : '0';
  EXPECT_FALSE(VerifyTc3(request, spoilt, kKey, kCloud));
  spoilt = good;
  spoilt.date = "2023-11-15";
  EXPECT_FALSE(VerifyTc3(request, spoilt, kKey, kCloud));
}

INSTANTIATE_TEST_SUITE_P(
    Contract, Tc3VectorTest,
    ::testing::Values(
        Vector{"PythonOfficial", "application/json", "asr.tencentcloudapi.com", "asr", kSpaced,
               "f417b23cf85a364ba336765f1f24dce646ece839eb9c10eed1193012cd4d9bbe"},
        Vector{"PythonLocal", "application/json", "127.0.0.1:8080", "asr", kSpaced,
               "9cad3b85c4714d7972c0e6fa37dd77753f43572a10a3c8e9573ad954f1846688"},
        Vector{"GoNodeCppOfficial", "application/json", "asr.tencentcloudapi.com", "asr", kCompact,
               "1d45494a8f47bb5eca399060e3af196ac3f22a6291ffa52958ebfed52334aa47"},
        Vector{"GoLocal", "application/json", "127.0.0.1:8080", "asr", kCompact,
               "69e12017c20657e8f97193a1fa75169c25376f6f5b483a0dc658f25f81bfee93"},
        Vector{"CppLocal", "application/json", "127.0.0.1:8080", "127", kCompact,
               "fae77ba1b9e37642d577c91275d664d6ce9ec322187066798cfc235f1fd9f679"},
        Vector{"NodeLocalSignsTheHostWithoutItsPort", "application/json", "127.0.0.1:8080", "127",
               kCompact, "f2213782e8506b09e399834bbfa13cd5e541793cf91b6c46e723cdf338ba5b37"},
        Vector{"JavaOfficial", "application/json; charset=utf-8", "asr.tencentcloudapi.com", "asr",
               kCompact, "498ae74c68ad145d026e8d9feef4780e019acbdb5081d4b3ecf86a43bb7172aa"},
        Vector{"JavaLocal", "application/json; charset=utf-8", "127.0.0.1:8080", "127", kCompact,
               "ef7755d40f5dc5243401a8d7e4508b0d7e5a74085dca1ff29705623fb4a4a4c4"},
        // Signed over the official name, sent to ours.
        Vector{"PythonOfficialNameElsewhere", "application/json", "10.1.2.3:9000", "asr", kSpaced,
               "f417b23cf85a364ba336765f1f24dce646ece839eb9c10eed1193012cd4d9bbe"}),
    [](const auto& test) { return test.param.name; });

TEST(Tc3Test, TheCanonicalRequestOfTheFirstVector) {
  const std::string body_hash = "a57dd463ec858188e091d603b3b3a74483bb7f2305e51ed15b1e6698426c9888";
  const std::string text = Tc3CanonicalRequest(
      "POST", "", {{"content-type", "application/json"}, {"host", "asr.tencentcloudapi.com"}},
      body_hash);
  EXPECT_EQ(Sha256Hex(std::as_bytes(std::span(text.data(), text.size()))),
            "8ba141bf39a5f561d86f69ac27ce2e6abff6e3920dbb21c180ef61a31fc94121");
}

TEST(Tc3Test, AnUnsignedPayloadIsAcceptedWhereTheRequestSaysSo) {
  HttpRequest request = Post("application/json", "asr.tencentcloudapi.com", "whatever");
  const Tc3Authorization authorization =
      Authorization("asr", "0a17e4421f8a53c7e57261b4b2990cf5b68719e7c7c4a091013781d48f0b7111");
  EXPECT_FALSE(VerifyTc3(request, authorization, kKey, kCloud));
  request.headers.emplace_back("X-TC-Content-SHA256", "UNSIGNED-PAYLOAD");
  EXPECT_TRUE(VerifyTc3(request, authorization, kKey, kCloud));
}

TEST(Tc3Test, MoreHeadersMayBeSignedAndAGetSignsItsQuery) {
  HttpRequest request;
  request.method = "GET";
  request.query = "Limit=10&Offset=0";
  request.headers = {{"host", "localhost:1"},
                     {"content-type", "application/x-www-form-urlencoded"},
                     {"x-tc-action", "GetAsrVocabList"},
                     {"x-tc-timestamp", "1700000000"}};
  Tc3Authorization authorization;
  authorization.date = "2023-11-14";
  authorization.service = "asr";
  authorization.signed_headers = {"x-tc-action", "content-type", "host"};
  const std::string empty_hash = Sha256Hex({});
  // The written rule: names sorted, values in lower case.
  authorization.signature =
      Tc3Signature(kKey, "1700000000", "2023-11-14", "asr",
                   Tc3CanonicalRequest("GET", request.query,
                                       {{"content-type", "application/x-www-form-urlencoded"},
                                        {"host", "localhost:1"},
                                        {"x-tc-action", "getasrvocablist"}},
                                       empty_hash));
  EXPECT_TRUE(VerifyTc3(request, authorization, kKey, {}));
  // Some write the Content-Type into what they sign as they send it, and the others in lower case.
  HttpRequest mixed = request;
  mixed.headers[1].second = "application/x-www-form-urlencoded; charset=UTF-8";
  Tc3Authorization as_sent = authorization;
  as_sent.signature = Tc3Signature(
      kKey, "1700000000", "2023-11-14", "asr",
      Tc3CanonicalRequest("GET", request.query,
                          {{"content-type", "application/x-www-form-urlencoded; charset=UTF-8"},
                           {"host", "localhost:1"},
                           {"x-tc-action", "getasrvocablist"}},
                          empty_hash));
  EXPECT_TRUE(VerifyTc3(mixed, as_sent, kKey, {}));
  request.query += "0";
  EXPECT_FALSE(VerifyTc3(request, authorization, kKey, {}));
}

// Section 14, line 3.
TEST(Tc3Test, TheContentTypeIsSignedAsSentOrInSmallLetters) {
  const HttpRequest request = Post("Application/JSON; charset=UTF-8", "127.0.0.1:8080", kSpaced);
  const auto verify = [&](const std::string& content_type) {
    const std::string signature = Tc3Signature(
        kKey, "1700000000", "2023-11-14", "127",
        Tc3CanonicalRequest("POST", "", {{"content-type", content_type}, {"host", "127.0.0.1"}},
                            Sha256Hex(std::as_bytes(std::span(kSpaced)))));
    return VerifyTc3(request, Authorization("127", signature), kKey, {});
  };
  EXPECT_TRUE(verify("Application/JSON; charset=UTF-8"));
  EXPECT_TRUE(verify("application/json; charset=utf-8"));
  EXPECT_FALSE(verify("application/json"));
}

TEST(Tc3Test, HeadersOfAnotherFormAreNone) {
  for (const char* header :
       {"", "SKIP", "TC3-HMAC-SHA256", "Bearer x",
        "TC3-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=x",
        "TC3-HMAC-SHA256 Credential=a/b/c/tc3_request, Signature=x",
        "TC3-HMAC-SHA256 Credential=a/b/c/tc3_request, SignedHeaders=host",
        "TC3-HMAC-SHA256 Credential=/b/c/tc3_request, SignedHeaders=host, Signature=x"}) {
    EXPECT_FALSE(ParseTc3Authorization(header).has_value()) << header;
  }
}

TEST(UtcDateTest, IsTheDayOfTheTimestamp) {
  EXPECT_EQ(UtcDate("1700000000"), "2023-11-14");
  EXPECT_EQ(UtcDate("0"), "1970-01-01");
  for (const char* text : {"", "-1", "1e9", " 1", "1234567890123"}) {
    EXPECT_EQ(UtcDate(text), std::nullopt) << text;
  }
}

TEST(V1Test, BothHashesOfTheContract) {
  HttpRequest request;
  request.method = "POST";
  request.headers = {{"host", "127.0.0.1:8080"}};
  NamedValues parameters = {{"TaskId", "1000000286"},
                            {"Action", "DescribeTaskStatus"},
                            {"Language", "en-US"},
                            {"Nonce", "12345"},
                            {"Region", "ap-guangzhou"},
                            {"RequestClient", "SDK_PYTHON_3.0.0"},
                            {"SecretId", "AKIDexample0001"},
                            {"SignatureMethod", "HmacSHA256"},
                            {"Timestamp", "1700000000"},
                            {"Version", "2019-06-14"},
                            {"Signature", "MyZFNDGiw6ppR+CR4MohpQ3/LkCtJnrvItAgoyDZXzs="}};
  EXPECT_TRUE(VerifyV1(request, parameters, kKey, kCloud));
  EXPECT_FALSE(VerifyV1(request, parameters, kKey, {}));
  parameters[7].second = "HmacSHA1";
  EXPECT_FALSE(VerifyV1(request, parameters, kKey, kCloud));
  parameters.back().second = "nmc9FDPy6VqJp3b1SdwmIvouF3w=";
  EXPECT_TRUE(VerifyV1(request, parameters, kKey, kCloud));
  parameters[7].second = "HmacMD5";
  EXPECT_FALSE(VerifyV1(request, parameters, kKey, kCloud));
}

constexpr std::string_view kRealtimeQuery =
    "secretid=AKIDexample0001&convert_num_mode=0&engine_model_type=16k_zh&expired=1700086400&"
    "filter_dirty=0&filter_modal=0&filter_punc=0&hotword_list=%E8%85%BE%E8%AE%AF%E4%BA%91%7C10%"
    "2CASR"
    "%7C11&language_judgment=0&needvad=0&noise_threshold=0&nonce=1700000000&reinforce_hotword=0&"
    "speaker_diarization=0&sub_service_type=1&timestamp=1700000000&voice_format=1&voice_id=v-0001&"
    "word_info=0";

TEST(QuerySignatureTest, RealtimeIsSignedInPlainTextOverTheOfficialName) {
  HttpRequest request;
  request.method = "GET";
  request.path = "/asr/v2/1250000000";
  request.query = std::string(kRealtimeQuery) + "&signature=Dmcg0ehg6gj%2Fk1%2BTLp6ibY00Nj8%3D";
  request.headers = {{"host", "127.0.0.1:8080"}};
  const std::string signature = FindValue(ParseQuery(request.query, false), "signature").value();
  EXPECT_TRUE(VerifyQuery(request, "", signature, kKey, kCloud));
  EXPECT_FALSE(VerifyQuery(request, "POST", signature, kKey, kCloud));
  EXPECT_FALSE(VerifyQuery(request, "", signature, "other", kCloud));
  // Clients that do not escape.
  HttpRequest raw = request;
  raw.query = PercentDecode(kRealtimeQuery, false);
  EXPECT_TRUE(VerifyQuery(raw, "", signature, kKey, kCloud));
  // Clients that sign what they escaped.
  HttpRequest escaped = request;
  escaped.query = kRealtimeQuery;
  const std::string over_escaped = Base64Encode(HmacSha1(
      kKey, QuerySignedText("", "127.0.0.1:8080", request.path, SplitQuery(kRealtimeQuery))));
  EXPECT_TRUE(VerifyQuery(escaped, "", over_escaped, kKey, kCloud));
  // Somebody changes a parameter on the way.
  request.query.replace(request.query.find("needvad=0"), 9, "needvad=1");
  EXPECT_FALSE(VerifyQuery(request, "", signature, kKey, kCloud));
}

TEST(QuerySignatureTest, FlashSignsItsMethodAndEmptyParameters) {
  HttpRequest request;
  request.method = "POST";
  request.path = "/asr/flash/v1/1250000000";
  request.query =
      "convert_num_mode=1&customization_id=&engine_type=16k_zh&filter_dirty=0&filter_modal=0&"
      "filter_punc=0&first_channel_only=1&reinforce_hotword=0&secretid=AKIDexample0001&"
      "sentence_max_length=0&speaker_diarization=0&timestamp=1700000000&voice_format=wav&word_info="
      "0";
  request.headers = {{"host", "127.0.0.1:8080"}};
  EXPECT_TRUE(VerifyQuery(request, "POST", "/5E00b/3S6yF558Q5zNjIhxsPbs=", kKey, kCloud));
  EXPECT_FALSE(VerifyQuery(request, "", "/5E00b/3S6yF558Q5zNjIhxsPbs=", kKey, kCloud));
}

}  // namespace
}  // namespace lethe::server_internal
