#pragma once

// For tests of realtime calls: the face with a WebSocket made of two queues, records of its own,
// and the made-up model of tests/support/fake_models.h, whose answer is written into the loudness
// of the samples.

#include <cmath>
#include <deque>
#include <future>
#include <list>
#include <map>
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
#include "base/mutex.h"
#include "engine/hot_words.h"
#include "server/realtime.h"
#include "tests/support/fake_models.h"
#include "tests/support/test_store.h"

namespace lethe {

namespace asio = boost::asio;
using Json = nlohmann::json;

inline constexpr int kNow = 1'700'000'000;
inline constexpr Millis kPatience{20'000};  // for what must happen

// The client's end is for any thread; the handler's for its strand.
class FakeSocket final : public WebSocket {
 public:
  explicit FakeSocket(asio::any_io_executor strand) : strand_(strand), timer_(strand) {}

  Awaitable<std::optional<WebSocketMessage>> Read() override {
    while (true) {
      {
        const MutexLock lock(mutex_);
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
    const MutexLock lock(mutex_);
    if (over_) co_return false;
    frames_.emplace_back(text);
    changed_.NotifyAll();
    co_return true;
  }

  Awaitable<bool> SendBinary(std::string_view bytes) override { return Send(bytes); }

  Awaitable<void> Close(std::uint16_t code, std::string_view) override {
    const MutexLock lock(mutex_);
    if (over_) co_return;
    over_ = true;
    close_code_ = code;
    timer_.cancel();
    co_return;
  }

  void Say(WebSocketMessage message) {
    asio::post(strand_, [this, message = std::move(message)]() mutable {
      const MutexLock lock(mutex_);
      inbox_.push_back(std::move(message));
      timer_.cancel();
    });
  }

  void HangUp() {
    asio::post(strand_, [this] {
      const MutexLock lock(mutex_);
      over_ = true;
      timer_.cancel();
    });
  }

  /// Waits until all that was asked for above has been done.
  void WaitForStrand() {
    std::promise<void> done;
    asio::post(strand_, [&done] { done.set_value(); });
    done.get_future().wait();
  }

  std::vector<std::string> frames() const {
    const MutexLock lock(mutex_);
    return frames_;
  }
  int close_code() const {
    const MutexLock lock(mutex_);
    return close_code_;
  }

  bool WaitForFrames(std::size_t n) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    const MutexLock lock(mutex_);
    while (frames_.size() < n && changed_.WaitUntil(mutex_, until)) {
    }
    return frames_.size() >= n;
  }

 private:
  const asio::any_io_executor strand_;
  asio::steady_timer timer_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<WebSocketMessage> inbox_ GUARDED_BY(mutex_);
  std::vector<std::string> frames_ GUARDED_BY(mutex_);
  int close_code_ GUARDED_BY(mutex_) = 0;
  bool over_ GUARDED_BY(mutex_) = false;
};

using Parameters = std::map<std::string, std::string>;

inline std::string Pcm(std::span<const float> samples) {
  std::string bytes;
  for (const float sample : samples) {
    const auto value = static_cast<std::uint16_t>(std::lround(sample * 32767));
    bytes.push_back(static_cast<char>(value & 0xff));
    bytes.push_back(static_cast<char>(value >> 8));
  }
  return bytes;
}

inline constexpr const char* kEndFrame = "{\"type\": \"end\"}";

class RealtimeTest : public ::testing::Test {
 protected:
  RealtimeTest() {
    speech_->engine = std::make_shared<Engine>(model_, std::make_shared<LoudnessActivity>(),
                                               EngineOptions{.num_threads = 1, .max_streams = 50});
    speech_->label = {.name = "fake", .language = "en"};
    speech_->codec = MakeTokenCodec(model_->tokenizer());
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
    quick_pool_.Stop();
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
      socket->WaitForStrand();
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
    call->Say({false, kEndFrame});
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
  const TestStore store_{clock_};
  const std::shared_ptr<FakeModel> model_ = std::make_shared<FakeModel>();
  const std::shared_ptr<SpeechEngine> speech_ = std::make_shared<SpeechEngine>();
  EngineCatalog catalog_;
  CallGate gate_{{{Interface::kRealtime, {.concurrency = 3}},
                  {Interface::kOpenAiRealtime, {.concurrency = 3}}}};
  CreditGate credit_{store_->usage(), clock_};
  FairPool pool_{2, 1000};
  FairPool quick_pool_{2, 1000};
  Meter meter_{store_->usage()};
  Recognizer recognizer_{InProcessMediaDecoder()};
  WordLists word_lists_{store_->vocabularies()};
  CallsUnderWay calls_under_way_;
  ConsoleAccess console_{store_->keys(), clock_};
  FaceContext context_{.store = *store_,
                       .engines = catalog_,
                       .gate = gate_,
                       .credit = credit_,
                       .pool = pool_,
                       .quick_pool = quick_pool_,
                       .meter = meter_,
                       .recognizer = recognizer_,
                       .word_lists = word_lists_,
                       .media = InProcessMediaDecoder(),
                       .calls = calls_under_way_,
                       .clock = clock_,
                       .console = console_,
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

inline std::vector<std::string> FinalTexts(const std::vector<Json>& frames) {
  std::vector<std::string> texts;
  for (const Json& frame : frames) {
    if (frame.contains("result") && frame["result"]["slice_type"] == 2) {
      texts.push_back(frame["result"]["voice_text_str"]);
    }
  }
  return texts;
}

inline std::vector<std::string> KeysOf(const Json& frame) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : frame.items()) keys.push_back(key);
  return keys;  // sorted
}

}  // namespace lethe
