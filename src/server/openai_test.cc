// Goal: OpenAI's clients get what they expect: every format, streams, models, and errors in their
// own form. Method: forms to the handlers, without sockets; a made-up model that hears loudness.

#include "server/openai.h"

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>

#include "tests/support/face_fixture.h"

namespace lethe {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

using Form = std::vector<std::pair<std::string, std::string>>;

class OpenAiTest : public FaceFixture {
 protected:
  OpenAiTest() {
    context_.options.default_engine = "16k_en";
    AddOpenAiRoutes(router_, context_);
  }

  HttpRequest Request(const std::string& method, const std::string& path) {
    return {.method = method,
            .target = path,
            .path = path,
            .headers = {{"Authorization", "Bearer " + std::string(bearer_->secret.Reveal())}},
            .peer = "127.0.0.1"};
  }

  HttpRequest Upload(const Form& form) {
    HttpRequest request = Request("POST", "/v1/audio/transcriptions");
    request.headers.emplace_back("content-type", "multipart/form-data; boundary=XX");
    for (const auto& [name, value] : form) {
      request.body +=
          "--XX\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
    }
    request.body += "--XX--\r\n";
    return request;
  }

  // A call with the usual file and model, and what else is given.
  HttpResponse Ask(const Form& more = {}) {
    Form form = {{"file", wav_}, {"model", "whisper-1"}};
    form.insert(form.end(), more.begin(), more.end());
    return Call(Upload(form));
  }

  static json Error(const HttpResponse& response, int status) {
    EXPECT_EQ(response.status, status) << response.body;
    EXPECT_EQ(response.content_type, "application/json");
    json error = json::parse(response.body).at("error");
    for (const char* key : {"message", "type", "param", "code"}) EXPECT_TRUE(error.contains(key));
    const auto id = FindValue(response.headers, "x-request-id");
    EXPECT_TRUE(id && id->size() == 36);
    EXPECT_EQ(std::count_if(response.headers.begin(), response.headers.end(),
                            [](const auto& field) { return field.first == "x-request-id"; }),
              1);
    return error;
  }

  std::vector<std::string> Codes() {
    meter_.Flush();
    std::vector<std::string> codes;
    for (const auto& [key, count] : meter_.counts()) codes.push_back(key.second);
    return codes;
  }

  const std::string wav_ = WavOf({SpeechOf({5, 12})});
};

TEST_F(OpenAiTest, JsonIsTheDefault) {
  const HttpResponse response = Ask();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(
      json::parse(response.body),
      json::parse(R"({"text": "w5 w5 w12 w12", "usage": {"type": "duration", "seconds": 4}})"));
  EXPECT_THAT(Codes(), ElementsAre("200"));
}

TEST_F(OpenAiTest, ARecordingThatWasCutOffIsSaidToBe) {
  const std::string half = wav_.substr(0, wav_.size() / 2);
  for (const char* format : {"json", "verbose_json"}) {
    const json answer = json::parse(
        Call(Upload({{"file", half}, {"model", "whisper-1"}, {"response_format", format}})).body);
    EXPECT_THAT(answer.at("warning").get<std::string>(),
                testing::HasSubstr("ends early: 4.0 s promised, 2.0 s found"));
    EXPECT_FALSE(json::parse(Ask({{"response_format", format}}).body).contains("warning"));
  }
}

TEST_F(OpenAiTest, WhatIsErasedWhileItIsUnderWayIsNotAnswered) {
  for (const Form& more : {Form{}, Form{{"stream", "true"}}}) {
    Form form = {{"file", wav_}, {"model", "whisper-1"}};
    form.insert(form.end(), more.begin(), more.end());
    const HttpResponse response = CallErased(Upload(form));
    EXPECT_EQ(Error(response, 410).at("code"), "call_erased");
    EXPECT_EQ(response.body.find("w5"), std::string::npos);
  }
  // There is a row of usage for each, and nothing in the operation log.
  EXPECT_THAT(Codes(), ElementsAre("410"));
  EXPECT_EQ(LoggedCalls(), 0U);
  Ask();
  EXPECT_EQ(LoggedCalls(), 1U);
}

TEST_F(OpenAiTest, WhatIsCutOffBecauseTheServiceStopsIsItsFault) {
  calls_.CutOff();
  for (const Form& more : {Form{}, Form{{"stream", "true"}}}) {
    Form form = {{"file", wav_}, {"model", "whisper-1"}};
    form.insert(form.end(), more.begin(), more.end());
    EXPECT_EQ(Error(Call(Upload(form)), 503).at("code"), "service_unavailable");
  }
  EXPECT_THAT(Codes(), ElementsAre("503"));
  EXPECT_EQ(meter_.figures().at(Interface::kOpenAi).faults, 2U);
  EXPECT_EQ(meter_.figures().at(Interface::kOpenAi).audio, Millis(0));
}

TEST_F(OpenAiTest, TextAndSubtitles) {
  const HttpResponse text = Ask({{"response_format", "text"}});
  EXPECT_EQ(text.body, "w5 w5 w12 w12\n");
  EXPECT_THAT(text.content_type, StartsWith("text/plain"));
  EXPECT_THAT(Ask({{"response_format", "srt"}}).body, StartsWith("1\n00:00:00,"));
  EXPECT_THAT(Ask({{"response_format", "vtt"}}).body, StartsWith("WEBVTT\n\n00:00:00."));
}

TEST_F(OpenAiTest, VerboseJsonHasSegmentsOrWordsAsAsked) {
  const json plain = json::parse(Ask({{"response_format", "verbose_json"}}).body);
  EXPECT_EQ(plain.at("task"), "transcribe");
  EXPECT_EQ(plain.at("language"), "english");
  EXPECT_EQ(plain.at("duration"), 4.0);
  EXPECT_EQ(plain.at("usage").at("seconds"), 4);
  EXPECT_FALSE(plain.contains("words"));
  ASSERT_EQ(plain.at("segments").size(), 2U);
  const json& segment = plain.at("segments")[1];
  EXPECT_EQ(segment.at("id"), 1);
  EXPECT_EQ(segment.at("text"), " w12 w12");
  EXPECT_NEAR(segment.at("seek").get<double>(), segment.at("start").get<double>() * 100, 1);
  EXPECT_LE(segment.at("avg_logprob"), 0.0);
  EXPECT_GT(segment.at("avg_logprob"), -1.0);
  EXPECT_GT(segment.at("compression_ratio"), 0.0);
  EXPECT_EQ(segment.at("tokens"), json::array());

  const json words = json::parse(
      Ask({{"response_format", "verbose_json"}, {"timestamp_granularities[]", "word"}}).body);
  EXPECT_FALSE(words.contains("segments"));
  ASSERT_EQ(words.at("words").size(), 4U);
  EXPECT_EQ(words.at("words")[2].at("word"), "w12");

  const json both = json::parse(Ask({{"response_format", "verbose_json"},
                                     {"timestamp_granularities[]", "word"},
                                     {"timestamp_granularities[]", "segment"}})
                                    .body);
  EXPECT_TRUE(both.contains("words") && both.contains("segments"));
}

TEST_F(OpenAiTest, StreamsTellSegmentsAndThenTheWhole) {
  const HttpResponse response = Ask({{"stream", "true"}});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/event-stream");
  ASSERT_EQ(pieces_.size(), 3U);
  std::string text;
  for (std::size_t i = 0; i < 2; ++i) {
    ASSERT_THAT(pieces_[i], StartsWith("data: "));
    const json delta = json::parse(pieces_[i].substr(6));
    EXPECT_EQ(delta.at("type"), "transcript.text.delta");
    text += delta.at("delta").get<std::string>();
  }
  const json done = json::parse(pieces_[2].substr(6));
  EXPECT_EQ(done.at("type"), "transcript.text.done");
  EXPECT_EQ(done.at("text"), "w5 w5 w12 w12");
  EXPECT_EQ(text, "w5 w5 w12 w12");
  EXPECT_TRUE(pieces_[2].ends_with("\n\n"));
  EXPECT_THAT(Codes(), ElementsAre("200"));
  EXPECT_EQ(gate_.inside(application_.id, Interface::kOpenAi), 1) << "the answer is still there";
}

TEST_F(OpenAiTest, StreamsOfSilenceAndOfWhatIsNoRecording) {
  const Form silence = {
      {"file", WavOf({std::vector<float>(32'000)})}, {"model", "whisper-1"}, {"stream", "true"}};
  EXPECT_EQ(Call(Upload(silence)).status, 200);
  ASSERT_EQ(pieces_.size(), 1U);
  EXPECT_EQ(json::parse(pieces_[0].substr(6)).at("text"), "");
  const Form text = {{"file", "a text"}, {"model", "whisper-1"}, {"stream", "true"}};
  EXPECT_THAT(Error(Call(Upload(text)), 400).at("message").get<std::string>(),
              StartsWith("Invalid file format"));
}

TEST_F(OpenAiTest, AListenerWhoLeavesEndsTheWork) {
  hang_up_after_ = 1;
  { const HttpResponse response = Ask({{"stream", "true"}}); }
  EXPECT_EQ(pieces_.size(), 1U);
  EXPECT_EQ(gate_.inside(application_.id, Interface::kOpenAi), 0);
  while (Codes().empty()) std::this_thread::yield();  // it was done or cancelled
}

TEST_F(OpenAiTest, AnAnswerThatReachesNobodyIsNoSuccess) {
  is_there_ = false;
  Ask();
  Ask({{"stream", "true"}});
  EXPECT_THAT(Codes(), ElementsAre("499"));
  EXPECT_EQ(meter_.counts().at({Interface::kOpenAi, "499"}), 2U);
  EXPECT_EQ(meter_.figures().at(Interface::kOpenAi).audio, Millis(0));
}

TEST_F(OpenAiTest, HarmlessFieldsChangeNothing) {
  const HttpResponse response = Ask({{"temperature", "0.2"},
                                     {"include[]", "logprobs"},
                                     {"chunking_strategy", "auto"},
                                     {"language", "en"},
                                     {"prompt", "Kubernetes, Lethe"},
                                     {"keywords", "w5|11"},
                                     {"stream", "false"},
                                     {"something_new", "x"},
                                     {"timestamp_granularities[]", ""},
                                     {"known_speaker_references[]", std::string(100'000, 'x')},
                                     {"picture", "\x89PNG"}});
  EXPECT_EQ(response.status, 200) << response.body;
}

TEST_F(OpenAiTest, WrongFieldsAreNamed) {
  for (const auto& [name, value] : Form{{"response_format", "diarized_json"},
                                        {"temperature", "2"},
                                        {"temperature", "warm"},
                                        {"stream", "maybe"},
                                        {"timestamp_granularities[]", "letter"},
                                        {"language", "fr"},
                                        {"keywords", "a|12"},
                                        {"file", "twice"}}) {
    const json error = Error(Ask({{name, value}}), 400);
    EXPECT_EQ(error.at("param"), name.substr(0, name.find('['))) << value;
    EXPECT_EQ(error.at("type"), "invalid_request_error");
  }
  EXPECT_EQ(Error(Call(Upload({{"model", "whisper-1"}})), 400).at("param"), "file");
  EXPECT_EQ(Error(Call(Upload({{"file", wav_}})), 400).at("param"), "model");
  HttpRequest stranger = Upload({{"file", wav_}});
  stranger.headers.front().second = "Bearer nobody";
  EXPECT_EQ(FindValue(Call(stranger).headers, "WWW-Authenticate"), "Bearer");
  const std::optional<HttpResponse> from_head = Judge(stranger).refusal;
  ASSERT_TRUE(from_head);
  EXPECT_EQ(Error(*from_head, 401).at("code"), "invalid_api_key");
  // RFC 9110, section 11.4: one blank or more.
  stranger.headers.front().second = "Bearer   " + std::string(bearer_->secret.Reveal());
  EXPECT_EQ(Error(Call(stranger), 400).at("param"), "model");
  EXPECT_EQ(Judge(stranger).app_id, application_.id);
  EXPECT_EQ(Error(Ask({{"stream", "true"}, {"response_format", "srt"}}), 400).at("param"),
            "response_format");
  EXPECT_EQ(Error(Ask({{"prompt", "\xff"}}), 400).at("code"), "invalid_value");
  EXPECT_EQ(Error(Ask({{"prompt", "\xff"}}), 400).at("param"), "prompt");
  HttpRequest request = Upload({{"file", wav_}});
  request.headers.back().second = "application/json";
  Error(Call(request), 400);
  request = Upload({{"file", wav_}});
  request.body.resize(request.body.size() - 8);
  Error(Call(request), 400);
}

TEST_F(OpenAiTest, WhatIsNoRecordingIsRefused) {
  for (const std::string& file : {std::string(), std::string("a text"), wav_.substr(0, 44)}) {
    const json error = Error(Call(Upload({{"file", file}, {"model", "whisper-1"}})), 400);
    EXPECT_THAT(error.at("message").get<std::string>(),
                AllOf(StartsWith("Invalid file format. The audio "), Not(HasSubstr("audio:"))));
    EXPECT_EQ(error.at("param"), "file");
  }
}

TEST_F(OpenAiTest, FilesBeyondTheLimitAreTooLarge) {
  router_ = Router();
  AddOpenAiRoutes(router_, context_, {.max_file = 1000, .max_duration = std::chrono::seconds(1)});
  EXPECT_EQ(Error(Ask(), 413).at("code"), "file_too_large");
  const Route* route = router_.Find("POST", "/v1/audio/transcriptions").route;
  EXPECT_EQ(Error(route->refuse(413, "too large"), 413).at("code"), "file_too_large");
  router_ = Router();
  AddOpenAiRoutes(router_, context_, {.max_duration = std::chrono::seconds(1)});
  EXPECT_EQ(Error(Ask(), 400).at("param"), "file");
}

TEST_F(OpenAiTest, ModelsAreOpenAisNamesAndTheEngines) {
  const json list = json::parse(Call(Request("GET", "/v1/models")).body);
  EXPECT_EQ(list.at("object"), "list");
  std::vector<std::string> names;
  for (const json& model : list.at("data")) {
    names.push_back(model.at("id"));
    EXPECT_EQ(model.at("object"), "model");
    EXPECT_TRUE(model.at("created").is_number_integer());
    EXPECT_EQ(Call(Upload({{"file", wav_}, {"model", names.back()}})).status, 200);
    EXPECT_EQ(json::parse(Call(Request("GET", "/v1/models/" + names.back())).body), model);
  }
  EXPECT_THAT(names, ElementsAre("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe",
                                 "gpt-4o-mini-transcribe-2025-12-15", "16k_en", "8k_en"));
  EXPECT_EQ(Error(Call(Request("GET", "/v1/models/gpt-5")), 404).at("code"), "model_not_found");
  EXPECT_EQ(Error(Call(Upload({{"file", wav_}, {"model", "gpt-5"}})), 404).at("code"),
            "model_not_found");
  EXPECT_THAT(Error(Call(Upload({{"file", wav_}, {"model", "16k_zh"}})), 404)
                  .at("message")
                  .get<std::string>(),
              HasSubstr("lethe models pull"));
}

TEST_F(OpenAiTest, StrangersAreRefused) {
  HttpRequest request = Upload({{"file", wav_}, {"model", "whisper-1"}});
  request.headers[0].second = "bearer" + request.headers[0].second.substr(6);
  EXPECT_EQ(Call(request).status, 200);
  request.headers[0].second = "Bearer nonsense";
  EXPECT_EQ(Error(Call(request), 401).at("code"), "invalid_api_key");
  request.headers.erase(request.headers.begin());
  EXPECT_EQ(Error(Call(request), 401).at("code"), "invalid_api_key");
  request = Request("GET", "/v1/models");
  request.headers.clear();
  EXPECT_EQ(Error(Call(request), 401).at("code"), "invalid_api_key");
  ASSERT_TRUE(store_->applications().SetEnabled(application_.id, false).ok());
  EXPECT_EQ(Error(Ask(), 401).at("code"), "account_deactivated");
}

TEST_F(OpenAiTest, TooManyCallsAreToldWhenToComeBack) {
  ASSERT_TRUE(store_->applications()
                  .SetQuota(application_.id, Interface::kOpenAi, {.calls_per_second = 0})
                  .ok());
  const HttpResponse response = Ask();
  EXPECT_EQ(Error(response, 429).at("code"), "rate_limit_exceeded");
  EXPECT_EQ(FindValue(response.headers, "Retry-After"), "1");
  EXPECT_THAT(Codes(), ElementsAre("429"));
}

TEST_F(OpenAiTest, AServiceThatStopsSaysSo) {
  pool_.Stop();
  EXPECT_EQ(Error(Ask(), 503).at("type"), "server_error");
}

TEST_F(OpenAiTest, TranslationsAreNotOffered) {
  EXPECT_EQ(Error(Call(Request("POST", "/v1/audio/translations")), 404).at("code"),
            "unsupported_endpoint");
}

}  // namespace
}  // namespace lethe
