// Goal:   a realtime call goes as the contract's sections 5 and 6 say, and each line of its
// checklist
//         (section 14) that speaks of WebSockets holds: the number stands with the test. Whatever a
//         client sends, and whenever it leaves, it gets the right code and leaves nothing behind.
// Method: the face with a WebSocket made of two queues, records in memory, and the made-up model of
//         tests/support/fake_models.h, whose answer is written into the loudness of the samples.

#include "server/realtime.h"

#include <cmath>
#include <condition_variable>
#include <deque>
#include <future>
#include <list>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <nlohmann/json.hpp>

#include <gmock/gmock.h>

#include "audio/media_decoder.h"
#include "base/encoding.h"
#include "base/hmac.h"
#include "engine/hot_words.h"
#include "server/internal/realtime_frames.h"
#include "store/memory_store.h"
#include "tests/support/fake_models.h"

namespace lethe {
namespace {

namespace asio = boost::asio;
using Json = nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kNow = 1'700'000'000;
constexpr Millis kPatience{20'000};  // for what must happen

// The client's end is for any thread; the handler's for its strand.
class FakeSocket final : public WebSocket {
 public:
  explicit FakeSocket(asio::any_io_executor strand) : strand_(strand), timer_(strand) {}

  Awaitable<std::optional<WebSocketMessage>> Read() override {
    while (true) {
      {
        const std::lock_guard lock(mutex_);
        if (over_) co_return std::nullopt;
        if (!inbox_.empty()) {
          WebSocketMessage message = std::move(inbox_.front());
          inbox_.pop_front();
          co_return message;
        }
      }
      timer_.expires_at(std::chrono::steady_clock::time_point::max());
      co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
  }

  Awaitable<bool> Send(std::string_view text) override {
    const std::lock_guard lock(mutex_);
    if (over_) co_return false;
    frames_.emplace_back(text);
    changed_.notify_all();
    co_return true;
  }

  Awaitable<void> Close(std::uint16_t code, std::string_view) override {
    const std::lock_guard lock(mutex_);
    if (over_) co_return;
    over_ = true;
    close_code_ = code;
    timer_.cancel();
    co_return;
  }

  void Say(WebSocketMessage message) {
    asio::post(strand_, [this, message = std::move(message)]() mutable {
      const std::lock_guard lock(mutex_);
      inbox_.push_back(std::move(message));
      timer_.cancel();
    });
  }

  void HangUp() {
    asio::post(strand_, [this] {
      const std::lock_guard lock(mutex_);
      over_ = true;
      timer_.cancel();
    });
  }

  std::vector<std::string> frames() const {
    const std::lock_guard lock(mutex_);
    return frames_;
  }
  int close_code() const {
    const std::lock_guard lock(mutex_);
    return close_code_;
  }

  bool WaitForFrames(std::size_t n) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return frames_.size() >= n; });
  }

 private:
  const asio::any_io_executor strand_;
  asio::steady_timer timer_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<WebSocketMessage> inbox_;
  std::vector<std::string> frames_;
  int close_code_ = 0;
  bool over_ = false;
};

using Parameters = std::map<std::string, std::string>;

std::string Pcm(std::span<const float> samples) {
  std::string bytes;
  for (const float sample : samples) {
    const auto value = static_cast<std::uint16_t>(std::lround(sample * 32767));
    bytes.push_back(static_cast<char>(value & 0xff));
    bytes.push_back(static_cast<char>(value >> 8));
  }
  return bytes;
}

constexpr const char* kEnd = "{\"type\": \"end\"}";

class RealtimeTest : public ::testing::Test {
 protected:
  RealtimeTest() {
    const auto model = std::make_shared<FakeModel>();
    speech_->engine = std::make_shared<Engine>(model, std::make_shared<LoudnessActivity>(),
                                               EngineOptions{.num_threads = 1, .max_streams = 50});
    speech_->label = {.name = "fake", .language = "en"};
    speech_->codec = MakeTokenCodec(model->tokenizer());
    catalog_.Add("16k_en", 16'000, speech_);
    catalog_.Add("8k_en", 8'000, speech_);
    catalog_.Add("16k_zh_en_speaker_2.0", 16'000, speech_);
    app_ = *store_->applications().Create({.name = "test"});
    const auto key = *store_->keys().Create(app_.id, KeyKind::kPair);
    secret_id_ = key.key.id;
    secret_key_ = key.secret.Reveal();
    Serve({});
    for (int i = 0; i < 2; ++i) threads_.emplace_back([this] { io_.run(); });
  }

  ~RealtimeTest() override {
    calls_.clear();
    work_.reset();
    for (std::thread& thread : threads_) thread.join();
    pool_.Stop();
  }

  void Serve(const RealtimeOptions& options) {
    router_ = Router();
    AddRealtimeRoutes(router_, context_, options);
  }

  // The query as clients send it, after what is signed.
  HttpRequest Signed(const Parameters& changes, const std::string& more = "") {
    Parameters parameters = {{"secretid", secret_id_},
                             {"timestamp", std::to_string(kNow)},
                             {"expired", std::to_string(kNow + 86'400)},
                             {"nonce", std::to_string(kNow)},
                             {"engine_model_type", "16k_en"},
                             {"voice_id", "v-1"},
                             {"voice_format", "1"},
                             {"needvad", "1"},
                             {"vad_silence_time", "500"}};
    for (const auto& [name, value] : changes) parameters[name] = value;
    std::string query;
    for (const auto& [name, value] : parameters) {
      if (value != "-") query += (query.empty() ? "" : "&") + name + "=" + value;
    }
    HttpRequest request;
    request.method = "GET";
    request.path = "/asr/v2/" + std::to_string(app_.id);
    const std::string signature =
        Base64Encode(HmacSha1(secret_key_, "asr.cloud.tencent.com" + request.path + "?" + query));
    request.query = query + "&signature=" + PercentEncode(signature) + more;
    request.target = request.path + "?" + request.query;
    request.headers = {{"Host", "127.0.0.1:8080"}};
    return request;
  }

  struct Call {
    std::unique_ptr<HttpRequest> request;
    std::unique_ptr<FakeSocket> socket;
    std::future<void> ended;

    FakeSocket* operator->() const { return socket.get(); }
    ~Call() {
      if (!ended.valid()) return;
      socket->HangUp();
      ended.wait();
    }
    Call(Call&&) = default;
    Call(std::unique_ptr<HttpRequest> r, std::unique_ptr<FakeSocket> s)
        : request(std::move(r)), socket(std::move(s)) {}
  };

  Call& Begin(HttpRequest request) {
    const auto strand = asio::make_strand(io_);
    calls_.emplace_back(std::make_unique<HttpRequest>(std::move(request)),
                        std::make_unique<FakeSocket>(strand));
    Call& call = calls_.back();
    const auto match = router_.Find("GET", call.request->path);
    EXPECT_TRUE(match.route != nullptr && match.route->websocket);
    call.ended = asio::co_spawn(strand, match.route->websocket(*call.request, *call.socket),
                                asio::use_future);
    return call;
  }

  static void SayPcm(Call& call, std::span<const float> samples, std::size_t piece = 6400) {
    const std::string bytes = Pcm(samples);
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      call->Say({true, bytes.substr(at, piece)});
    }
  }

  // The frames of a call that ends by itself.
  static std::vector<Json> Finish(Call& call) {
    EXPECT_EQ(call.ended.wait_for(kPatience), std::future_status::ready);
    call.ended.get();
    EXPECT_EQ(call->close_code(), 1000);
    std::vector<Json> frames;
    for (const std::string& frame : call->frames()) frames.push_back(Json::parse(frame));
    return frames;
  }

  // A whole call.
  std::vector<Json> Speak(const Parameters& changes, std::span<const float> samples,
                          std::size_t piece = 6400) {
    Call& call = Begin(Signed(changes));
    SayPcm(call, samples, piece);
    call->Say({false, kEnd});
    return Finish(call);
  }

  // The one frame of a call that is not let in.
  Json Refused(HttpRequest request) {
    const std::vector<Json> frames = Finish(Begin(std::move(request)));
    EXPECT_EQ(frames.size(), 1U);
    EXPECT_EQ(gate_.inside(app_.id, Interface::kRealtime), 0);
    return frames.empty() ? Json() : frames[0];
  }

  std::map<std::string, std::uint64_t> Metered() {
    meter_.Flush();
    std::map<std::string, std::uint64_t> counts;
    for (const auto& [key, count] : meter_.counts()) {
      EXPECT_EQ(key.first, Interface::kRealtime);
      counts[key.second] = count;
    }
    return counts;
  }

  ManualClock clock_{WallTime(std::chrono::seconds(kNow))};
  const std::unique_ptr<Store> store_ = MakeMemoryStore(clock_);
  const std::shared_ptr<SpeechEngine> speech_ = std::make_shared<SpeechEngine>();
  EngineCatalog catalog_;
  CallGate gate_{{{Interface::kRealtime, {.concurrency = 3}}}};
  FairPool pool_{2, 1000};
  FairPool quick_pool_{2, 1000};
  Meter meter_{store_->usage()};
  Recognizer recognizer_{InProcessMediaDecoder()};
  WordLists word_lists_{store_->vocabularies()};
  FaceContext context_{.store = *store_,
                       .engines = catalog_,
                       .gate = gate_,
                       .pool = pool_,
                       .quick_pool = quick_pool_,
                       .meter = meter_,
                       .recognizer = recognizer_,
                       .word_lists = word_lists_,
                       .media = InProcessMediaDecoder(),
                       .clock = clock_,
                       .options = {}};
  Router router_;
  Application app_;
  std::string secret_id_, secret_key_;
  asio::io_context io_;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_ =
      asio::make_work_guard(io_);
  std::vector<std::thread> threads_;
  std::list<Call> calls_;
};

std::vector<std::string> FinalTexts(const std::vector<Json>& frames) {
  std::vector<std::string> texts;
  for (const Json& frame : frames) {
    if (frame.contains("result") && frame["result"]["slice_type"] == 2) {
      texts.push_back(frame["result"]["voice_text_str"]);
    }
  }
  return texts;
}

std::vector<std::string> Keys(const Json& frame) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : frame.items()) keys.push_back(key);
  return keys;  // sorted
}

// Section 14, lines 4, 5, 7, 8 and 10.
TEST_F(RealtimeTest, ACallGoesAsTheContractSays) {
  for (const std::size_t piece : {std::size_t{999}, std::size_t{6400}, std::size_t{200'000}}) {
    const std::vector<Json> frames = Speak({}, SpeechOf({20, 30, 25}), piece);
    ASSERT_GE(frames.size(), 5U);
    // 5: the handshake is exactly this.
    EXPECT_EQ(frames[0], Json({{"code", 0}, {"message", "success"}, {"voice_id", "v-1"}}));
    EXPECT_THAT(FinalTexts(frames), ElementsAre("w20 w20", "w30 w30", "w25 w25"));
    // 8: the last frame has no result, and `final` is a number.
    EXPECT_THAT(Keys(frames.back()),
                ElementsAre("code", "final", "message", "message_id", "voice_id"));
    EXPECT_EQ(frames.back()["final"], 1);
    std::set<std::string> ids;
    std::uint64_t index = 0;
    bool begun = false;
    for (std::size_t i = 1; i + 1 < frames.size(); ++i) {
      const Json& frame = frames[i];
      EXPECT_THAT(Keys(frame), ElementsAre("code", "message", "message_id", "result", "voice_id"));
      EXPECT_TRUE(ids.insert(frame["message_id"]).second);
      const Json& result = frame["result"];
      EXPECT_THAT(Keys(result), ElementsAre("end_time", "index", "slice_type", "start_time",
                                            "voice_text_str", "word_list", "word_size"));
      // 10: numbers that count, a list that is there, sentences one after the other.
      for (const char* name : {"slice_type", "index", "start_time", "end_time", "word_size"}) {
        EXPECT_TRUE(result[name].is_number_unsigned()) << name;
      }
      EXPECT_EQ(result["word_list"], Json::array());
      EXPECT_EQ(result["index"], index);
      EXPECT_LE(result["start_time"], result["end_time"]);
      EXPECT_TRUE(begun || result["slice_type"] != 1);
      begun = result["slice_type"] != 2;
      if (!begun) ++index;
    }
  }
  EXPECT_THAT(Metered(), ElementsAre(std::pair("0", 3)));
  const auto usage = *store_->usage().ByDay(
      {.app_id = app_.id,
       .first = std::chrono::floor<std::chrono::days>(clock_.Now()) - std::chrono::days(1),
       .last = std::chrono::floor<std::chrono::days>(clock_.Now()) + std::chrono::days(1)});
  ASSERT_EQ(usage.size(), 1U);
  EXPECT_EQ(usage[0].seconds, 3U * 6);
  EXPECT_EQ(gate_.inside(app_.id, Interface::kRealtime), 0);
}

// Section 14, line 10; section 5.4.
TEST_F(RealtimeTest, EverySentenceThatBeginsEndsIfEmptyResultsAreWanted) {
  const std::vector<Json> frames = Speak({{"filter_empty_result", "0"}}, SpeechOf({20, 30, 25}));
  std::string slices;
  for (const Json& frame : frames) {
    if (frame.contains("result"))
      slices += std::to_string(frame["result"]["slice_type"].get<int>());
  }
  EXPECT_THAT(slices, ::testing::MatchesRegex("01*201*201*2"));
  EXPECT_EQ(frames[1]["result"]["voice_text_str"], "");
}

TEST_F(RealtimeTest, PartialsComeWhileSomebodySpeaks) {
  Call& call = Begin(Signed({{"word_info", "2"}}));
  std::vector<float> samples(kSampleRate, 0.0f);
  samples.resize(samples.size() + 5 * kSampleRate, LoudnessOf(20));
  SayPcm(call, samples);
  // The handshake and one of them, before anything has ended.
  ASSERT_TRUE(call->WaitForFrames(2));
  const Json first = Json::parse(call->frames()[1])["result"];
  EXPECT_EQ(first["slice_type"], 0);
  EXPECT_EQ(first["index"], 0);
  EXPECT_EQ(first["voice_text_str"], "w20 w20");
  EXPECT_EQ(first["word_size"], 2);
  EXPECT_THAT(Keys(first["word_list"][0]),
              ElementsAre("end_time", "stable_flag", "start_time", "word"));
  call->Say({false, kEnd});
  const std::vector<Json> frames = Finish(call);
  const Json last = frames[frames.size() - 2]["result"];
  EXPECT_EQ(last["slice_type"], 2);
  for (const Json& word : last["word_list"]) {
    EXPECT_EQ(word["stable_flag"], 1);
    EXPECT_GE(word["start_time"], last["start_time"]);
  }
}

// Section 6.
TEST_F(RealtimeTest, SentenceMode) {
  for (const bool by_engine : {false, true}) {
    const Parameters changes = by_engine
                                   ? Parameters{{"engine_model_type", "16k_zh_en_speaker_2.0"}}
                                   : Parameters{{"result_mod", "1"}, {"word_info", "100"}};
    const std::vector<Json> frames = Speak(changes, SpeechOf({20, 30}));
    EXPECT_EQ(frames[0], Json({{"code", 0}, {"message", "success"}, {"voice_id", "v-1"}}));
    std::vector<std::string> fixed;
    for (std::size_t i = 1; i + 1 < frames.size(); ++i) {
      EXPECT_FALSE(frames[i].contains("result"));
      const Json& list = frames[i]["sentences"]["sentence_list"];
      ASSERT_EQ(list.size(), 1U);
      EXPECT_EQ(list[0]["sentence_id"], fixed.size());
      EXPECT_EQ(list[0]["speaker_id"], -1);
      EXPECT_EQ(list[0].contains("word_list"), !by_engine);
      if (list[0]["sentence_type"] == 1) fixed.push_back(list[0]["sentence"]);
    }
    EXPECT_THAT(fixed, ElementsAre("w20 w20", "w30 w30"));
    EXPECT_EQ(frames.back()["final"], 1);
  }
}

// Section 14, line 5.
TEST_F(RealtimeTest, ASpeakersContextIsNamedInTheHandshakeOnlyWhenItIsWanted) {
  const Parameters wanted = {
      {"result_mod", "1"}, {"enable_speaker_context", "1"}, {"speaker_context_id", ""}};
  Json first = Speak(wanted, {})[0];
  EXPECT_THAT(Keys(first), ElementsAre("code", "message", "speaker_context_id", "voice_id"));
  EXPECT_NE(first["speaker_context_id"], "");
  first = Speak({{"result_mod", "1"}, {"enable_speaker_context", "1"}, {"speaker_context_id", "x"}},
                {})[0];
  EXPECT_EQ(first["speaker_context_id"], "x");
  first = Speak({{"result_mod", "1"}, {"speaker_context_id", ""}}, {})[0];
  EXPECT_THAT(Keys(first), ElementsAre("code", "message", "voice_id"));
}

// Section 14, line 4: an answer is always a frame with a code, and then the end.
TEST_F(RealtimeTest, WhoIsNotLetInIsToldWhy) {
  const auto code = [&](const Parameters& changes) {
    const Json frame = Refused(Signed(changes));
    EXPECT_THAT(Keys(frame), ElementsAre("code", "message", "voice_id"));
    return frame["code"].get<int>();
  };
  EXPECT_EQ(code({{"secretid", "AKIDnobody"}}), 4002);
  EXPECT_EQ(code({{"secretid", "-"}}), 4002);
  EXPECT_EQ(code({{"expired", std::to_string(kNow - 1)}}), 4002);
  EXPECT_EQ(code({{"timestamp", std::to_string(kNow - 100 * 86'400)}}), 4002);
  HttpRequest request = Signed({});
  request.query += "&later=1";
  EXPECT_EQ(Refused(request)["code"], 4002);
  request = Signed({});
  request.path = "/asr/v2/1399999999";
  EXPECT_EQ(Refused(request)["code"], 4002);
  request.path = "/asr/v2/../../etc";
  EXPECT_EQ(Refused(request)["code"], 4002);
  EXPECT_THAT(Metered(), IsEmpty());

  EXPECT_EQ(code({{"engine_model_type", "16k_klingon"}}), 4001);
  const Json known = Refused(Signed({{"engine_model_type", "16k_zh"}}));
  EXPECT_EQ(known["code"], 4001);
  EXPECT_THAT(known["message"].get<std::string>(), HasSubstr("lethe models pull"));
  EXPECT_EQ(code({{"hotword_id", "0123456789abcdef0123456789abcdef"}}), 4001);
  EXPECT_EQ(code({{"hotword_list", "w20|999"}}), 4001);
  EXPECT_EQ(Metered()["4001"], 4U);

  ASSERT_TRUE(store_->applications().SetEnabled(app_.id, false).ok());
  EXPECT_EQ(code({}), 4003);
}

// Section 5.1, row by row.
TEST_F(RealtimeTest, EveryParameterHasItsRange) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> bad = {
      {"engine_model_type", {"", "-", "16K_EN"}},
      {"voice_id", {"", "-", std::string(129, 'v'), "\xff"}},
      {"nonce", {"", "-", "0", "-1", "12345678901", "1x"}},
      {"voice_format", {"0", "2", "6", "17", "pcm", "1.0", "99999999999999999999"}},
      {"needvad", {"2", "yes"}},
      {"filter_dirty", {"3", "-1"}},
      {"filter_modal", {"3"}},
      {"filter_punc", {"3"}},
      {"filter_empty_result", {"2"}},
      {"convert_num_mode", {"2", "4"}},
      {"word_info", {"3", "99"}},
      {"vad_silence_time", {"239", "2001", "-1", "x"}},
      {"max_speak_time", {"4999", "90001", "-5000"}},
      {"noise_threshold", {"2.001", "-2.001", "nan", "inf", "1,5", "1e99"}},
      {"input_sample_rate", {"44100", "8k"}},
      {"emotion_recognition", {"1", "2", "3"}},
      {"result_mod", {"2"}},
      {"sentence_strategy", {"2"}},
      {"speaker_diarization", {"2"}},
      {"enable_speaker_context", {"2"}},
      {"speaker_context_id", {std::string(129, 'x')}}};
  for (const auto& [name, values] : bad) {
    for (const std::string& value : values) {
      const Json frame = Refused(Signed({{name, value == "-1" ? "-1" : value}}));
      EXPECT_EQ(frame["code"], 4001) << name << "=" << value;
      EXPECT_THAT(frame["message"].get<std::string>(),
                  ::testing::AnyOf(HasSubstr(name), HasSubstr("no such engine")))
          << name << "=" << value;
      if (value.size() > 3) {
        EXPECT_THAT(frame["message"].get<std::string>(), ::testing::Not(HasSubstr(value)));
      }
    }
  }
  const std::vector<std::pair<std::string, std::vector<std::string>>> good = {
      {"voice_id", {std::string(128, 'v'), "é"}},
      {"nonce", {"1", "9999999999"}},
      {"voice_format", {"", "4", "8", "10", "12", "14", "16"}},
      {"needvad", {"", "0", "1"}},
      {"filter_punc", {"0", "1", "2"}},
      {"filter_empty_result", {"", "0", "1"}},
      {"convert_num_mode", {"", "0", "1", "3"}},
      {"word_info", {"0", "1", "2", "100"}},
      {"vad_silence_time", {"", "0", "240", "2000"}},
      // 0 is what one official client always sends.
      {"max_speak_time", {"0", "5000", "90000"}},
      {"noise_threshold", {"0", "0.000", "-2", "2", "1.500"}},
      {"input_sample_rate", {"", "8000"}},
      {"emotion_recognition", {"", "0"}},
      {"customization_id", {"", "x"}},
      {"replace_text_id", {"x"}},
      {"reinforce_hotword", {"0", "1"}},
      {"sub_service_type", {"1"}},
      {"language_judgment", {"0", "1"}},
      {"hotword_id", {""}},
      {"hotword_list", {"", "w20", "w20|10,w30|11"}},
      {"timeout", {"5000"}}};
  for (const auto& [name, values] : good) {
    for (const std::string& value : values) {
      EXPECT_EQ(Speak({{name, value}}, {}).back()["final"], 1) << name << "=" << value;
    }
  }
}

// Section 14, line 6.
TEST_F(RealtimeTest, QueriesMayLookLikeAnything) {
  const std::vector<Parameters> odd = {
      {{"hotword_list", "腾讯云|10,ASR|11"}},  // raw, bars and commas too
      {{"hotword_id", ""}, {"customization_id", ""}},
      {{"my_own", "a b+c"}, {"zz", "%20+%41"}},
      {{"my_own", "%E8%85%BE"}},
  };
  for (const Parameters& changes : odd) {
    EXPECT_EQ(Speak(changes, {}).back()["final"], 1) << changes.begin()->first;
  }
  // Percent signs where the signature is over plain text.
  HttpRequest request = Signed({{"hotword_list", "w20|10"}});
  request.query.replace(request.query.find("w20|10"), 6, "w20%7C10");
  Call& call = Begin(request);
  call->Say({false, kEnd});
  EXPECT_EQ(Finish(call).back()["final"], 1);
  // A name twice: the first counts.
  request = Signed({{"word_info=0&word_info", "9"}});
  Call& twice = Begin(request);
  twice->Say({false, kEnd});
  EXPECT_EQ(Finish(twice).back()["final"], 1);
  // What cannot be repeated, is not.
  EXPECT_EQ(Refused(Signed({{"voice_id", "\xff\xfe"}}))["voice_id"], "");
}

// Section 14, line 9.
TEST_F(RealtimeTest, TextThatIsNeitherEndNorContextIsRefused) {
  for (const char* text : {"", "end", "{", "[]", "{}", "{\"type\":\"begin\"}", "{\"type\":1}"}) {
    Call& call = Begin(Signed({}));
    call->Say({false, "{\"context_type\":\"context\",\"hotword_list\":\"a|10\",\"prompt\":[]}"});
    call->Say({true, std::string(640, '\0')});
    call->Say({false, text});
    const std::vector<Json> frames = Finish(call);
    EXPECT_EQ(frames.back()["code"], 4010) << text;
    EXPECT_EQ(frames.back()["message_id"], "v-1_0");
    EXPECT_FALSE(frames.back().contains("final"));
  }
  Call& deep = Begin(Signed({}));
  deep->Say({false, std::string(900'000, '[')});
  EXPECT_EQ(Finish(deep).back()["code"], 4010);
}

TEST_F(RealtimeTest, SilenceOnTheLineEndsACall) {
  Serve({.audio_patience = Millis(50)});
  Call& call = Begin(Signed({}));
  EXPECT_EQ(Finish(call).back()["code"], 4008);
  // Empty frames are no audio, and neither is a context.
  Call& nothing = Begin(Signed({}));
  nothing->Say({true, ""});
  nothing->Say({false, "{\"prompt\":[]}"});
  EXPECT_EQ(Finish(nothing).back()["code"], 4008);
  EXPECT_THAT(Metered(), ElementsAre(std::pair("4008", 2)));
}

TEST_F(RealtimeTest, AFloodEndsACall) {
  Serve({.max_ahead = Millis(1'000)});
  Call& call = Begin(Signed({}));
  call->Say({true, std::string(1'000'000, '\0')});
  EXPECT_EQ(Finish(call).back()["code"], 4000);
  // Ten times as fast as speech is what the vendor's own examples send.
  Serve({});
  std::vector<int> words;
  for (int i = 0; i < 20; ++i) words.push_back(10 + i);
  EXPECT_EQ(FinalTexts(Speak({}, SpeechOf(words))).size(), 20U);
}

TEST_F(RealtimeTest, WhatCannotBeDecodedIsToldSo) {
  for (const char* format : {"4", "8", "10", "12", "14", "16"}) {
    Call& call = Begin(Signed({{"voice_format", format}}));
    call->Say({true, std::string(5'000, 'x')});
    call->Say({false, kEnd});
    EXPECT_EQ(Finish(call).back()["code"], 4007) << format;
  }
}

TEST_F(RealtimeTest, ConcurrencyIsLimited) {
  std::vector<Call*> open;
  for (int i = 0; i < 3; ++i) {
    open.push_back(&Begin(Signed({})));
    ASSERT_TRUE((*open.back())->WaitForFrames(1));
  }
  EXPECT_EQ(gate_.inside(app_.id, Interface::kRealtime), 3);
  EXPECT_EQ(Finish(Begin(Signed({})))[0]["code"], 4006);
  (*open[0])->Say({false, kEnd});
  Finish(*open[0]);
  // The place is free before the last frame's reader can come back.
  EXPECT_EQ(Speak({}, {}).back()["final"], 1);
}

TEST_F(RealtimeTest, WhoLeavesLeavesNothingBehind) {
  const std::string bytes = Pcm(SpeechOf({20, 30}));
  for (int i = 0; i < 200; ++i) {
    Call& call = Begin(Signed({{"voice_format", i % 4 == 0 ? "8" : "1"}}));
    if (i % 5 > 0) {
      ASSERT_TRUE(call->WaitForFrames(1));
    }
    if (i % 5 > 1) call->Say({true, bytes.substr(0, static_cast<std::size_t>(i) * 500)});
    if (i % 5 > 2) call->Say({false, kEnd});
    call->HangUp();
    call.ended.get();
    calls_.pop_back();
    ASSERT_EQ(gate_.inside(app_.id, Interface::kRealtime), 0);
  }
  std::uint64_t calls = 0;
  for (const auto& [code, count] : Metered()) {
    EXPECT_THAT(code, ::testing::AnyOf("0", "4009", "4007", "5000"));
    calls += count;
  }
  EXPECT_EQ(calls, 200U);
  EXPECT_EQ(Speak({}, {}).back()["final"], 1);
}

// Section 14, line 11.
TEST(RealtimeFramesTest, PartialsStayBelowAThousandBytesAndFinalsAreWhole) {
  using server_internal::RealtimeFrames;
  StreamEvent event{.kind = StreamEvent::Kind::kPartial, .segment = {}, .stable_words = 3};
  event.segment.start = Millis(1'000);
  for (int i = 0; i < 60; ++i) {
    const std::string word = i % 10 == 9 ? "end." : "wörd" + std::to_string(i);
    event.segment.text += (i > 0 ? " " : "") + word;
    event.segment.words.push_back({word, Millis(1'000 + i * 100), Millis(1'050 + i * 100), 0.5f});
  }
  event.segment.end = Millis(7'000);
  for (const server_internal::WordInfo info :
       {server_internal::WordInfo::kPlain, server_internal::WordInfo::kPunctuated}) {
    RealtimeFrames frames({.voice_id = std::string(36, 'v'), .word_info = info}, "en");
    event.kind = StreamEvent::Kind::kPartial;
    const std::string frame = frames.Event(event).value();
    EXPECT_LE(frame.size(), 1000U);
    EXPECT_GT(frame.size(), 900U);  // as many as there is room for
    const Json partial = Json::parse(frame)["result"];
    EXPECT_EQ(partial["word_size"], partial["word_list"].size());
    const char* last = info == server_internal::WordInfo::kPlain ? "end" : "end.";
    EXPECT_EQ(partial["word_list"].back()["word"], last);
    EXPECT_EQ(partial["word_list"].back()["end_time"], 6'950);
    EXPECT_EQ(partial["word_list"].back()["stable_flag"], 0);

    event.kind = StreamEvent::Kind::kFinal;
    const Json final = Json::parse(frames.Event(event).value())["result"];
    EXPECT_EQ(final["word_size"], 60);
    EXPECT_EQ(final["word_list"][0]["word"], "wörd0");
    EXPECT_EQ(final["word_list"][59]["stable_flag"], 1);
  }
  // A few words are all there.
  event.segment.words.resize(5);
  event.kind = StreamEvent::Kind::kPartial;
  RealtimeFrames frames({.word_info = server_internal::WordInfo::kPunctuated}, "en");
  const Json partial = Json::parse(frames.Event(event).value())["result"];
  std::vector<int> flags;
  for (const Json& word : partial["word_list"]) flags.push_back(word["stable_flag"]);
  EXPECT_THAT(flags, ElementsAre(1, 1, 1, 0, 0));
}

// Section 14, line 10; section 5.4.
TEST(RealtimeFramesTest, WhatIsEmptyHasNoNumber) {
  using Kind = StreamEvent::Kind;
  server_internal::RealtimeFrames frames({.voice_id = "v"}, "en");
  const auto tell = [&](Kind kind, const std::string& text) {
    StreamEvent event{.kind = kind, .segment = {}};
    event.segment.text = text;
    const auto frame = frames.Event(event);
    if (!frame) return std::string();
    const Json result = Json::parse(*frame)["result"];
    return result["slice_type"].dump() + " " + result["index"].dump();
  };
  EXPECT_EQ(tell(Kind::kBegin, ""), "");
  EXPECT_EQ(tell(Kind::kFinal, ""), "");
  EXPECT_EQ(tell(Kind::kBegin, ""), "");
  EXPECT_EQ(tell(Kind::kFinal, "a"), "2 0");
  EXPECT_EQ(tell(Kind::kPartial, "a"), "0 1");
  EXPECT_EQ(tell(Kind::kPartial, "ab"), "1 1");
  EXPECT_EQ(tell(Kind::kFinal, ""), "");
  EXPECT_EQ(tell(Kind::kPartial, "a"), "0 2");
  EXPECT_EQ(tell(Kind::kFinal, "a\xff"), "2 2");
}

// Section 14, line 1; section 7.5.
TEST_F(RealtimeTest, TheServersTimeIsForEverybody) {
  const auto match = router_.Find("GET", "/server_time");
  ASSERT_TRUE(match.route != nullptr && match.route->http);
  const HttpRequest request;
  const HttpResponse response =
      asio::co_spawn(io_, match.route->http(request), asio::use_future).get();
  EXPECT_EQ(response.body, std::to_string(kNow));
  EXPECT_EQ(response.content_type, "text/plain");
  EXPECT_EQ(FindValue(response.headers, "Access-Control-Allow-Origin"), "*");
}

}  // namespace
}  // namespace lethe
