#pragma once

// For tests of faces: a service of made-up models and records of its own, requests that need no
// socket, and recordings in which loudness is what was said (tests/support/fake_models.h).

#include <atomic>
#include <cstdint>
#include <exception>
#include <future>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include "audio/media_decoder.h"
#include "base/clock.h"
#include "engine/engine.h"
#include "engine/hot_words.h"
#include "server/console_access.h"
#include "server/faces.h"
#include "server/router.h"
#include "tests/support/fake_models.h"
#include "tests/support/test_store.h"

namespace lethe {

/// A 16-bit WAV file at 16 kHz; every channel has as many samples.
inline std::string WavOf(const std::vector<std::vector<float>>& channels) {
  std::string data;
  const auto number = [](std::uint64_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
    return text;
  };
  for (std::size_t i = 0; i < channels.at(0).size(); ++i) {
    for (const std::vector<float>& channel : channels) {
      data += number(static_cast<std::uint64_t>(std::lround(channel.at(i) * 32'767.0f)), 2);
    }
  }
  const std::uint64_t frame = channels.size() * 2;
  return "RIFF" + number(36 + data.size(), 4) + "WAVEfmt " + number(16, 4) + number(1, 2) +
         number(channels.size(), 2) + number(16'000, 4) + number(16'000 * frame, 4) +
         number(frame, 2) + number(16, 2) + "data" + number(data.size(), 4) + data;
}

class FaceFixture : public ::testing::Test {
 protected:
  FaceFixture() {
    auto speech = std::make_shared<SpeechEngine>();
    speech->engine = std::make_shared<Engine>(model_, std::make_shared<LoudnessActivity>(),
                                              EngineOptions{.num_threads = 1});
    speech->label = {.name = "loudness", .language = "en"};
    speech->codec = MakeTokenCodec(model_->tokenizer());
    engines_.Add("16k_en", 16'000, speech);
    engines_.Add("8k_en", 8'000, speech);
    application_ = *store_->applications().Create({.name = "test"});
    pair_.emplace(*store_->keys().Create(application_.id, KeyKind::kPair));
    bearer_.emplace(*store_->keys().Create(application_.id, KeyKind::kBearer));
  }

  // What the pool is still at, needs what is declared behind it.
  ~FaceFixture() override {
    pool_.Stop();
    quick_pool_.Stop();
  }

  /// Answers as the server would; what an answer streams becomes its body.
  HttpResponse Call(const HttpRequest& request) {
    const Router::Match match = router_.Find(request.method, request.path);
    if (match.route == nullptr) return {.status = match.path_known ? 405 : 404};
    if (request.body.size() > match.route->max_body) {
      return match.route->refuse(413, "the request's body is too large");
    }
    // A thread of the pool may still be leaving the context when the answer is there.
    boost::asio::io_context& io = contexts_.emplace_back();
    HttpResponse response;
    boost::asio::co_spawn(io, Exchange(*match.route, request, &response),
                          [](const std::exception_ptr& error) {
                            if (error) std::rethrow_exception(error);
                          });
    // The coroutine may be waiting for the pool, which the context knows nothing of.
    const auto busy = boost::asio::make_work_guard(io);
    while (!done_) io.run_one();
    done_ = false;
    return response;
  }

  /// What is said of a request before its body is read.
  HeadVerdict Judge(const HttpRequest& request) {
    const Router::Match match = router_.Find(request.method, request.path);
    boost::asio::io_context& io = contexts_.emplace_back();
    std::optional<HeadVerdict> verdict;
    boost::asio::co_spawn(io, match.route->head(request),
                          [&](const std::exception_ptr& error, HeadVerdict judged) {
                            if (error) std::rethrow_exception(error);
                            verdict = std::move(judged);
                          });
    const auto busy = boost::asio::make_work_guard(io);
    while (!verdict) io.run_one();
    return *std::move(verdict);
  }

  /// Answers a call whose subject is erased as soon as it is under way, before anything is heard.
  HttpResponse CallErased(const HttpRequest& request) {
    std::promise<void> erased;
    const std::shared_future<void> wait = erased.get_future().share();
    for (int i = 0; i < kThreads; ++i) {
      EXPECT_TRUE(pool_.Post(0, [wait] { wait.wait(); }).ok());
    }
    std::atomic<bool> answered = false;
    std::thread eraser([&] {
      while (!answered && calls_.Cancel({.app_id = application_.id}) == 0) {
        std::this_thread::yield();
      }
      erased.set_value();
    });
    HttpResponse response = Call(request);
    answered = true;
    eraser.join();
    // A thread of the pool may still be leaving its work.
    while (calls_.size() > 0) std::this_thread::yield();
    return response;
  }

  /// Rows of the operation log for all the calls that are in the records.
  std::size_t LoggedCalls() {
    meter_.Flush();
    std::size_t logged = 0;
    EXPECT_TRUE(store_->usage()
                    .Calls({.app_id = application_.id,
                            .begin = clock_.Now() - std::chrono::hours(1),
                            .end = clock_.Now() + std::chrono::hours(1)},
                           [&](const FinishedCall& call) {
                             logged += store_->operation_log().Find(call.call_id)->size();
                             return OkStatus();
                           })
                    .ok());
    return logged;
  }

  /// Pieces that an answer streamed, one by one.
  std::vector<std::string> pieces_;
  /// After so many pieces the client is gone.
  std::optional<std::size_t> hang_up_after_;
  /// Whether somebody gets the answers.
  bool is_there_ = true;

  ManualClock clock_{WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 24))};
  TestStore store_{clock_};
  std::shared_ptr<FakeModel> model_ = std::make_shared<FakeModel>();
  EngineCatalog engines_;
  Application application_;
  std::optional<NewKey> pair_, bearer_;
  CallGate gate_{{{Interface::kFlash, {.concurrency = 20}}, {Interface::kOpenAi, {}}}};
  std::list<boost::asio::io_context> contexts_;  // outlive the pool
  static constexpr int kThreads = 2;
  CreditGate credit_{store_->usage(), clock_};
  FairPool pool_{kThreads, 100}, quick_pool_{kThreads, 100};
  Meter meter_{store_->usage(), {.region = "", .price = nullptr, .log = &store_->operation_log()}};
  Recognizer recognizer_{InProcessMediaDecoder()};
  WordLists word_lists_{store_->vocabularies()};
  CallsUnderWay calls_;
  ConsoleAccess console_{store_->keys(), clock_};
  FaceContext context_{.store = *store_,
                       .engines = engines_,
                       .gate = gate_,
                       .credit = credit_,
                       .pool = pool_,
                       .quick_pool = quick_pool_,
                       .meter = meter_,
                       .recognizer = recognizer_,
                       .word_lists = word_lists_,
                       .media = InProcessMediaDecoder(),
                       .calls = calls_,
                       .clock = clock_,
                       .console = console_};
  Router router_;

 private:
  class Collector final : public BodyWriter {
   public:
    explicit Collector(FaceFixture& owner) : owner_(owner) {}
    Awaitable<bool> Write(std::string_view piece) override {
      if (owner_.hang_up_after_ && owner_.pieces_.size() >= *owner_.hang_up_after_) co_return false;
      owner_.pieces_.emplace_back(piece);
      co_return true;
    }

   private:
    FaceFixture& owner_;
  };

  Awaitable<void> Exchange(const Route& route, const HttpRequest& request, HttpResponse* response) {
    pieces_.clear();
    HttpResponse answer = co_await route.http(request);
    *response = std::move(answer);
    if (response->stream) {
      Collector collector(*this);
      co_await response->stream(collector);
      for (const std::string& piece : pieces_) response->body += piece;
    }
    if (response->receipt) {
      response->receipt->Settle(is_there_ && pieces_.size() < hang_up_after_.value_or(SIZE_MAX));
    }
    done_ = true;
  }

  bool done_ = false;
};

}  // namespace lethe
