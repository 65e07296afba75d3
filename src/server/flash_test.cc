// Goal: flash calls of official clients are answered as the contract says: every parameter, every
// code, and a row of usage for each. Method: signed requests to the handler, without sockets; a
// made-up model that hears loudness.

#include "server/flash.h"

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>

#include "base/encoding.h"
#include "base/hmac.h"
#include "tests/support/face_fixture.h"

namespace lethe {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class FlashTest : public FaceFixture {
 protected:
  FlashTest() { AddFlashRoutes(router_, context_); }

  std::map<std::string, std::string> Parameters() const {
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(clock_.Now().time_since_epoch());
    return {{"secretid", pair_->key.id},
            {"engine_type", "16k_en"},
            {"voice_format", "wav"},
            {"timestamp", std::to_string(now.count())}};
  }

  // Signs as the official Python client does.
  HttpRequest Signed(const std::map<std::string, std::string>& parameters, std::string body) {
    HttpRequest request{.method = "POST",
                        .path = "/asr/flash/v1/" + std::to_string(application_.id),
                        .body = std::move(body),
                        .peer = "127.0.0.1"};
    for (const auto& [name, value] : parameters) {
      request.query += (request.query.empty() ? "" : "&") + name + "=" + value;
    }
    request.target = request.path + "?" + request.query;
    const std::string text = "POSTasr.cloud.tencent.com" + request.path + "?" + request.query;
    request.headers = {{"Host", "asr.cloud.tencent.com"},
                       {"Authorization", Base64Encode(HmacSha1(pair_->secret.Reveal(), text))}};
    return request;
  }

  json Ask(const std::map<std::string, std::string>& more, const std::string& body) {
    std::map<std::string, std::string> parameters = Parameters();
    for (const auto& [name, value] : more) parameters[name] = value;
    return Parse(Call(Signed(parameters, body)));
  }

  static json Parse(const HttpResponse& response) {
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.content_type, "application/json");
    json answer = json::parse(response.body);
    EXPECT_EQ(answer.at("request_id").get<std::string>().size(), 36U);
    return answer;
  }

  const std::string wav_ = WavOf({SpeechOf({5, 12})});
};

TEST_F(FlashTest, WhoMayNotUploadIsToldFromTheHead) {
  EXPECT_EQ(Judge(Signed(Parameters(), "")).app_id, application_.id);
  HttpRequest stranger = Signed(Parameters(), "");
  stranger.headers.back().second = "c2lnbmF0dXJl";
  const std::optional<HttpResponse> refusal = Judge(stranger).refusal;
  ASSERT_TRUE(refusal);
  EXPECT_EQ(Parse(*refusal).at("code"), 4002);
  EXPECT_EQ(Parse(*refusal).at("message"), Parse(Call(stranger)).at("message"));
}

TEST_F(FlashTest, WhatIsErasedWhileItIsUnderWayIsNotAnswered) {
  const json answer = Parse(CallErased(Signed(Parameters(), wav_)));
  EXPECT_EQ(answer.at("code"), 4009);
  EXPECT_FALSE(answer.contains("flash_result"));
  EXPECT_EQ(LoggedCalls(), 0U);
}

TEST_F(FlashTest, ARecordingIsAnsweredSentenceBySentence) {
  const json answer = Ask({}, wav_);
  EXPECT_EQ(answer.at("code"), 0);
  EXPECT_EQ(answer.at("message"), "");
  EXPECT_EQ(answer.at("audio_duration"), 4000);
  ASSERT_EQ(answer.at("flash_result").size(), 1U);
  const json& result = answer.at("flash_result")[0];
  EXPECT_EQ(result.at("text"), "w5 w5 w12 w12");
  EXPECT_EQ(result.at("channel_id"), 0);
  ASSERT_EQ(result.at("sentence_list").size(), 2U);
  const json& sentence = result.at("sentence_list")[1];
  EXPECT_EQ(sentence.at("text"), "w12 w12");
  EXPECT_EQ(sentence.at("speaker_id"), 0);
  EXPECT_NEAR(sentence.at("start_time").get<int>(), 2500, 450);
  EXPECT_LT(sentence.at("start_time"), sentence.at("end_time"));
  EXPECT_EQ(sentence.at("word_list"), json::array());
}

TEST_F(FlashTest, WordsAreToldOnDemand) {
  const json answer = Ask({{"word_info", "2"}}, wav_);
  const json& words = answer.at("flash_result")[0].at("sentence_list")[0].at("word_list");
  ASSERT_EQ(words.size(), 2U);
  EXPECT_EQ(words[0].at("word"), "w5");
  EXPECT_EQ(words[0].at("stable_flag"), 1);
  EXPECT_LE(words[0].at("start_time"), words[0].at("end_time"));
}

TEST_F(FlashTest, ChannelsAreOneByDefaultAndAllOnDemand) {
  const std::string stereo = WavOf({SpeechOf({5}), SpeechOf({9})});
  EXPECT_EQ(Ask({}, stereo).at("flash_result").size(), 1U);
  EXPECT_EQ(Ask({}, stereo).at("flash_result")[0].at("text"), "w5 w5");
  const json both = Ask({{"first_channel_only", "0"}}, stereo).at("flash_result");
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[1].at("channel_id"), 1);
  EXPECT_EQ(both[1].at("text"), "w9 w9");
  EXPECT_EQ(both[1].at("sentence_list")[0].at("speaker_id"), 1);
  EXPECT_EQ(Ask({{"first_channel_only", "0"}}, wav_).at("flash_result").size(), 1U);
}

TEST_F(FlashTest, UsageCountsEveryChannelThatWasHeard) {
  Ask({{"first_channel_only", "0"}}, WavOf({SpeechOf({5, 6}), SpeechOf({9, 9})}));
  Ask({{"word_info", "9"}}, wav_);
  meter_.Flush();
  EXPECT_EQ(meter_.counts(), (std::map<std::pair<Interface, std::string>, std::uint64_t>{
                                 {{Interface::kFlash, "0"}, 1}, {{Interface::kFlash, "4001"}, 1}}));
  const auto today = std::chrono::floor<std::chrono::days>(clock_.Now());
  const auto usage = store_->usage().ByDay(
      {.app_id = application_.id, .first = today, .last = today + std::chrono::days(1)});
  ASSERT_TRUE(usage.ok());
  ASSERT_EQ(usage->size(), 1U);
  EXPECT_EQ(usage->at(0).seconds, 8U);
  EXPECT_EQ(usage->at(0).failed, 1U);
}

TEST_F(FlashTest, WhatIsCutOffBecauseTheServiceStopsIsItsFault) {
  calls_.CutOff();
  EXPECT_EQ(Ask({}, wav_).at("code"), 5001);
  meter_.Flush();
  EXPECT_EQ(meter_.figures().at(Interface::kFlash).faults, 1U);
}

TEST_F(FlashTest, ACallThatIsErasedIsNoFaultOfTheService) {
  json answer = {{"code", 0}};
  // Again, where the call was over just when it was found.
  while (answer.at("code") == 0) {
    std::atomic<bool> over = false;
    std::thread eraser([&] {
      while (!over && calls_.Cancel({.app_id = application_.id}) == 0) std::this_thread::yield();
    });
    answer = Ask({}, wav_);
    over = true;
    eraser.join();
  }
  EXPECT_EQ(answer.at("code"), 4009);
  meter_.Flush();
  EXPECT_EQ(meter_.counts().at({Interface::kFlash, "4009"}), 1U);
}

TEST_F(FlashTest, AnAnswerThatReachesNobodyIsNoSuccess) {
  is_there_ = false;
  Ask({}, wav_);
  meter_.Flush();
  EXPECT_EQ(meter_.counts(), (std::map<std::pair<Interface, std::string>, std::uint64_t>{
                                 {{Interface::kFlash, "4009"}, 1}}));
  EXPECT_EQ(meter_.figures().at(Interface::kFlash).faults, 0U);
  EXPECT_EQ(meter_.figures().at(Interface::kFlash).audio, Millis(0));
}

TEST_F(FlashTest, WhoResetsTheConnectionIsHeardNoFurther) {
  HttpRequest request = Signed(Parameters(), wav_);
  request.reset = std::make_shared<const std::atomic<bool>>(true);
  EXPECT_EQ(Parse(Call(request)).at("code"), 4009);
  calls_.CutOff();  // that is the service's own fault, whoever left besides
  EXPECT_EQ(Parse(Call(request)).at("code"), 5001);
}

TEST_F(FlashTest, ACallBeginsWithItsFirstByte) {
  HttpRequest request = Signed(Parameters(), wav_);
  request.begun = std::chrono::steady_clock::now() - std::chrono::seconds(10);
  Parse(Call(request));
  meter_.Flush();
  EXPECT_GE(meter_.figures().at(Interface::kFlash).duration, std::chrono::seconds(10));
}

TEST_F(FlashTest, EmptyParametersAreAbsentAndUnknownOnesIgnored) {
  const json answer = Ask({{"customization_id", ""},
                           {"hotword_id", ""},
                           {"replace_text_id", ""},
                           {"word_info", ""},
                           {"speaker_diarization", "1"},
                           {"reinforce_hotword", "1"},
                           {"filter_dirty", "1"},
                           {"filter_modal", "2"},
                           {"filter_punc", "2"},
                           {"convert_num_mode", "0"},
                           {"something_new", "x"}},
                          wav_);
  EXPECT_EQ(answer.at("code"), 0);
}

TEST_F(FlashTest, RawSamplesAreBelieved) {
  const std::string samples = wav_.substr(44);
  EXPECT_EQ(Ask({{"voice_format", "pcm"}}, samples).at("audio_duration"), 4000);
  const json narrow = Ask({{"voice_format", "pcm"}, {"input_sample_rate", "8000"}}, samples);
  EXPECT_EQ(narrow.at("audio_duration"), 8000);
  const json by_engine = Ask({{"voice_format", "pcm"}, {"engine_type", "8k_en"}}, samples);
  EXPECT_EQ(by_engine.at("audio_duration"), 8000);
}

TEST_F(FlashTest, WrongParametersAreNamed) {
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"engine_type", ""},
                                                        {"voice_format", ""},
                                                        {"voice_format", "1"},
                                                        {"word_info", "4"},
                                                        {"word_info", "x"},
                                                        {"filter_dirty", "3"},
                                                        {"filter_modal", "-1"},
                                                        {"filter_punc", "3"},
                                                        {"convert_num_mode", "2"},
                                                        {"first_channel_only", "2"},
                                                        {"speaker_diarization", "2"},
                                                        {"reinforce_hotword", "9"},
                                                        {"sentence_max_length", "5"},
                                                        {"sentence_max_length", "41"},
                                                        {"input_sample_rate", "44100"}}) {
    const json answer = Ask({{name, value}}, wav_);
    EXPECT_EQ(answer.at("code"), 4001) << name;
    EXPECT_THAT(answer.at("message").get<std::string>(), HasSubstr(name));
    EXPECT_FALSE(answer.contains("flash_result"));
  }
  EXPECT_EQ(Ask({{"hotword_list", "word|12"}}, wav_).at("code"), 4001);
  EXPECT_EQ(Ask({{"hotword_id", "none"}}, wav_).at("code"), 4001);
  EXPECT_EQ(Ask({{"hotword_list", "word|11,other"}}, wav_).at("code"), 0);
}

TEST_F(FlashTest, AnEngineWithoutAModelSaysHowToGetOne) {
  const json answer = Ask({{"engine_type", "16k_zh"}}, wav_);
  EXPECT_EQ(answer.at("code"), 4001);
  EXPECT_THAT(answer.at("message").get<std::string>(), HasSubstr("lethe models pull"));
  EXPECT_EQ(Ask({{"engine_type", "nonsense"}}, wav_).at("code"), 4001);
}

TEST_F(FlashTest, StrangersAreRefused) {
  HttpRequest request = Signed(Parameters(), wav_);
  request.query += "&filter_dirty=1";
  EXPECT_EQ(Parse(Call(request)).at("code"), 4002);
  request = Signed(Parameters(), wav_);
  request.path = "/asr/flash/v1/1";
  EXPECT_EQ(Parse(Call(request)).at("code"), 4002);
  request = Signed(Parameters(), wav_);
  request.headers.pop_back();
  EXPECT_EQ(Parse(Call(request)).at("code"), 4002);
  request = Signed(Parameters(), wav_);
  clock_.Advance(std::chrono::seconds(181));
  EXPECT_EQ(Parse(Call(request)).at("code"), 4002);
  ASSERT_TRUE(store_->applications().SetEnabled(application_.id, false).ok());
  EXPECT_EQ(Parse(Call(Signed(Parameters(), wav_))).at("code"), 4003);
}

// Section 14, line 12.
TEST_F(FlashTest, TheTimestampMayBeThreeMinutesOffEitherWay) {
  for (const auto& [seconds, code] :
       {std::pair(-181, 4002), std::pair(-180, 0), std::pair(180, 0), std::pair(181, 4002)}) {
    std::map<std::string, std::string> parameters = Parameters();
    parameters["timestamp"] = std::to_string(std::stoll(parameters["timestamp"]) + seconds);
    EXPECT_EQ(Parse(Call(Signed(parameters, wav_))).at("code"), code) << seconds;
  }
}

TEST_F(FlashTest, WhatIsNoRecordingCannotBeDecoded) {
  EXPECT_EQ(Ask({}, "").at("code"), 4012);
  EXPECT_EQ(Ask({}, "this is a text").at("code"), 4007);
  EXPECT_EQ(Ask({}, wav_.substr(0, 44)).at("code"), 4007);
  EXPECT_EQ(Ask({}, wav_.substr(0, 50)).at("code"), 4007);
}

TEST_F(FlashTest, MoreThanItMayBeIsTooLarge) {
  EXPECT_EQ(FlashOptions().max_duration, std::chrono::hours(2));
  router_ = Router();
  AddFlashRoutes(router_, context_, {.max_duration = Millis(3'999)});
  EXPECT_EQ(Ask({}, wav_).at("code"), 4011);
  router_ = Router();
  AddFlashRoutes(router_, context_, {.max_duration = Millis(4'000)});
  EXPECT_EQ(Ask({}, wav_).at("code"), 0);
}

TEST_F(FlashTest, WhatNeverBecameACallIsAnsweredInTheSameForm) {
  const Route* route = router_.Find("POST", "/asr/flash/v1/1").route;
  ASSERT_NE(route, nullptr);
  EXPECT_EQ(route->max_body, 104'857'600U);
  EXPECT_EQ(Parse(route->refuse(413, "x")).at("code"), 4011);
  EXPECT_EQ(Parse(route->refuse(408, "x")).at("code"), 4008);
  EXPECT_EQ(Parse(route->refuse(503, "x")).at("code"), 5001);
}

TEST_F(FlashTest, TooManyCallsAtOnceAreRefused) {
  ASSERT_TRUE(
      store_->applications().SetQuota(application_.id, Interface::kFlash, {.concurrency = 1}).ok());
  {
    const auto held = gate_.Enter(*store_->applications().Find(application_.id), Interface::kFlash);
    ASSERT_TRUE(std::holds_alternative<Permit>(held));
    EXPECT_EQ(Ask({}, wav_).at("code"), 4006);
  }
  EXPECT_EQ(Ask({}, wav_).at("code"), 0);
  EXPECT_EQ(gate_.inside(application_.id, Interface::kFlash), 0);
}

TEST_F(FlashTest, AServiceThatStopsSaysSo) {
  pool_.Stop();
  EXPECT_EQ(Ask({}, wav_).at("code"), 5001);
}

}  // namespace
}  // namespace lethe
