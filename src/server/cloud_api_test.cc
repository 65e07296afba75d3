// Goal: the cloud's API 3.0 keeps to the contract where its clients' tests cannot reach: at the end
// of the service, and at the edges of what an argument may be. Method: signed requests without
// sockets, to a service of made-up models (tests/support/face_fixture.h).

#include "server/cloud_api.h"

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <span>
#include <string>

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>

#include "base/encoding.h"
#include "base/json.h"
#include "base/sha256.h"
#include "server/internal/signature.h"
#include "tests/support/face_fixture.h"

namespace lethe {
namespace {

using Json = nlohmann::json;

class CloudApiTest : public FaceFixture {
 protected:
  CloudApiTest() { AddCloudApiRoutes(router_, context_, tasks_, outbound_); }

  /// What is in the envelope.
  Json Ask(const std::string& action, const Json& arguments) {
    const auto now = std::chrono::floor<std::chrono::seconds>(clock_.Now());
    const std::string timestamp = std::to_string(now.time_since_epoch().count());
    const std::string date = server_internal::UtcDate(timestamp).value();
    HttpRequest request{.method = "POST", .target = "/", .path = "/"};
    request.body = WriteJson(arguments);
    const NamedValues as_signed = {{"content-type", "application/json"}, {"host", "localhost"}};
    const std::string signature = server_internal::Tc3Signature(
        pair_->secret.Reveal(), timestamp, date, "asr",
        server_internal::Tc3CanonicalRequest("POST", "", as_signed,
                                             Sha256Hex(std::as_bytes(std::span(request.body)))));
    request.headers = as_signed;
    request.headers.emplace_back("X-TC-Action", action);
    request.headers.emplace_back("X-TC-Version", "2019-06-14");
    request.headers.emplace_back("X-TC-Timestamp", timestamp);
    request.headers.emplace_back("Authorization", "TC3-HMAC-SHA256 Credential=" + pair_->key.id +
                                                      "/" + date +
                                                      "/asr/tc3_request, SignedHeaders=content-"
                                                      "type;host, Signature=" +
                                                      signature);
    request.reset = reset_;
    return ParseJson<Json>(Call(request).body).at("Response");
  }

  /// The code of a refusal; nothing for an answer.
  std::string Code(const std::string& action, const Json& arguments) {
    const Json response = Ask(action, arguments);
    return response.contains("Error") ? response["Error"].value("Code", "") : "";
  }

  static Json Sentence() {
    return {{"EngSerViceType", "16k_en"},
            {"SourceType", 1},
            {"VoiceFormat", "wav"},
            {"Data", Base64Encode(LoudRecording(10))}};
  }

  std::shared_ptr<const std::atomic<bool>> reset_;  // of the connection
  OutboundClient outbound_{*AddressRules::Create({})};
  RecordingTasks tasks_{
      {*store_, engines_, recognizer_, word_lists_, outbound_, meter_, clock_},
      {.node = {.node = "here", .lease = std::chrono::seconds(30)}, .num_workers = 0}};
};

TEST_F(CloudApiTest, WhatIsCutOffBecauseTheServiceStopsIsItsFault) {
  EXPECT_EQ(Code("SentenceRecognition", Sentence()), "");
  calls_.CutOff();
  EXPECT_EQ(Code("SentenceRecognition", Sentence()), "ServiceUnavailable");
  meter_.Flush();
  EXPECT_EQ(meter_.figures().at(Interface::kSentence).faults, 1U);
}

TEST_F(CloudApiTest, AnAnswerThatReachesNobodyIsNoSuccess) {
  is_there_ = false;
  EXPECT_EQ(Code("SentenceRecognition", Sentence()), "");
  meter_.Flush();
  EXPECT_EQ(meter_.counts(), (std::map<std::pair<Interface, std::string>, std::uint64_t>{
                                 {{Interface::kSentence, "FailedOperation"}, 1}}));
  EXPECT_EQ(meter_.figures().at(Interface::kSentence).faults, 0U);
}

TEST_F(CloudApiTest, WhoResetsTheConnectionIsHeardNoFurther) {
  reset_ = std::make_shared<const std::atomic<bool>>(true);
  EXPECT_EQ(Code("SentenceRecognition", Sentence()), "FailedOperation");
  calls_.CutOff();  // that is the service's own fault, whoever left besides
  EXPECT_EQ(Code("SentenceRecognition", Sentence()), "ServiceUnavailable");
}

TEST_F(CloudApiTest, AVocabularyIsNotEmptied) {
  const Json words = {{{"Word", "Styx"}, {"Weight", 5}}};
  const std::string id =
      Ask("CreateAsrVocab", {{"Name", "rivers"}, {"WordWeights", words}}).at("VocabId");
  for (const Json& nothing :
       {Json{{"WordWeights", Json::array()}}, Json{{"WordWeightStr", Base64Encode("\n")}}}) {
    Json arguments = nothing;
    arguments["VocabId"] = id;
    EXPECT_EQ(Code("UpdateAsrVocab", arguments), "InvalidParameterValue.InvalidParameterLength");
  }
  EXPECT_EQ(Code("UpdateAsrVocab", {{"VocabId", id}, {"Name", "waters"}}), "");
  const Json shown = Ask("GetAsrVocab", {{"VocabId", id}});
  EXPECT_EQ(shown.at("Name"), "waters");
  EXPECT_EQ(shown.at("WordWeights"), words);
}

TEST_F(CloudApiTest, AKeywordHasFifteenCharactersOrFiveOfChinese) {
  int made = 0;
  const auto code = [&](const std::string& word) {
    return Code("CreateAsrKeyWordLib",
                {{"Name", "lib" + std::to_string(++made)}, {"KeyWordFile", Base64Encode(word)}});
  };
  EXPECT_EQ(code(std::string(15, 'x')), "");
  EXPECT_EQ(code("\u65e5\u672c\u8a9e\u65e5\u672c"), "");
  EXPECT_EQ(code("\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc"), "");
  constexpr const char* kTooLong = "InvalidParameterValue.InvalidParameterLength";
  EXPECT_EQ(code(std::string(16, 'x')), kTooLong);
  EXPECT_EQ(code("\u65e5\u672c\u8a9e\u65e5\u672c\u8a9e"), kTooLong);
  EXPECT_EQ(code("abcde\u65e5"), kTooLong);
}

TEST_F(CloudApiTest, SpeakersAreToldApartOrNotAndNothingElse) {
  const auto code = [&](int diarization) {
    return Code("CreateRecTask", {{"EngineModelType", "16k_en"},
                                  {"ChannelNum", 1},
                                  {"ResTextFormat", 0},
                                  {"SourceType", 1},
                                  {"Data", Base64Encode(LoudRecording(10))},
                                  {"SpeakerDiarization", diarization}});
  };
  for (const int known : {0, 1}) EXPECT_EQ(code(known), "") << known;
  for (const int other : {-1, 2, 3, 4}) EXPECT_EQ(code(other), "InvalidParameterValue") << other;
}

}  // namespace
}  // namespace lethe
