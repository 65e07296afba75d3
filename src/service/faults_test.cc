// Goal: whatever call of the records or of the object store fails, and whether or not it was done,
// no accepted task is lost, nothing stays readable past its time or after its erasure, no object is
// left, and the ledger's account is exact. Method: the life of an uploaded recording, from its
// submission to its end by erasure, by time or by being cancelled, again and again, each time with
// the next call failing (tests/support/faulty_store.h), until there are no more calls to fail.

#include <chrono>
#include <filesystem>
#include <thread>

#include <gmock/gmock.h>

#include "audio/media_decoder.h"
#include "engine/hot_words.h"
#include "ledger/export.h"
#include "ledger/verifier.h"
#include "service/eraser.h"
#include "store/directory_objects.h"
#include "tests/support/fake_models.h"
#include "tests/support/faulty_store.h"
#include "tests/support/recording_tasks_fixture.h"
#include "tests/support/test_store.h"

namespace lethe {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using Moment = FaultPlan::Moment;

constexpr Millis kPoll{50};

// All that a node has, and one call that fails.
class Node {
 public:
  Node(int call, Moment moment) : plan_(call, moment) {
    auto speech = std::make_shared<SpeechEngine>();
    auto model = std::make_shared<FakeModel>();
    speech->engine = std::make_shared<Engine>(model, std::make_shared<LoudnessActivity>(),
                                              EngineOptions{.num_threads = 1});
    speech->label = {.name = "loudness", .language = "en"};
    speech->codec = MakeTokenCodec(model->tokenizer());
    engines_.Add("16k_en", 16'000, speech);
  }

  // Where the task is when its life ends.
  enum class At { kWaiting, kFinishing, kEnded };

  // The life of one task, ended by `end`.
  void Live(const std::function<void(Node&, TaskId)>& end, At at) {
    flaky_.flaky.on_finish = [this, at](int, auto&&...) -> std::optional<Status> {
      is_finishing_ = true;
      while (at == At::kFinishing && !goes_on_) std::this_thread::sleep_for(Millis(1));
      return std::nullopt;
    };
    {
      RecordingTasks tasks(
          {flaky_, engines_, recognizer_, word_lists_, outbound_, meter_, clock_, &recordings_},
          {.node = {.node = "here"}, .num_workers = at == At::kWaiting ? 0 : 1, .poll = kPoll});
      tasks_ = &tasks;
      eraser_.emplace(Eraser::Parts{store_, &recordings_, &tasks, nullptr, &feed_});
      const TaskId id = Submit(tasks);
      if (at == At::kEnded) WaitForSuccess(id);
      while (at == At::kFinishing && !is_finishing_) std::this_thread::sleep_for(kPoll);
      (void)feed_.CatchUp();
      end(*this, id);
      EXPECT_EQ(records_->tasks().Find(application_.id, id).status().code(), StatusCode::kNotFound);
      eraser_.reset();
    }
    // Rows of usage, which are written behind everything else, are items of the ledger, too.
    meter_.Flush();
    // Whatever a failure left is found by the sweeper: orphaned objects by their age.
    clock_.Advance(hours(25));
    Sweep();
    ExpectNothingIsLeft();
  }

  void Erase(TaskId id) {
    Retry([&] { return eraser_->Erase({.task = id}, ErasureCause::kRequested).status(); });
    Sweep();
  }

  void Expire() {
    clock_.Advance(hours(25));
    Sweep();
  }

  void Cancel(TaskId id) {
    const std::string object =
        records_->tasks().Find(application_.id, id)->recording.value_or(StoredRecording()).name;
    EXPECT_TRUE(fs::exists(fs::path(folder_ / "objects") / object)) << object;
    Retry([&] { return tasks_->Cancel(application_.id, id).status(); });
    EXPECT_EQ(records_->tasks().Find(application_.id, id)->state, TaskState::kFailed);
    // Whoever transcribes it comes to their end now, which is not the task's.
    goes_on_ = true;
    tasks_->Stop();
    ExpectOneCancelledCall();
    Sweep();
    // What was submitted without an answer may have left another one: noise, until its time is
    // over.
    EXPECT_FALSE(fs::exists(fs::path(folder_ / "objects") / object));
    Expire();
  }

  bool fault_happened() const { return plan_.happened(); }

 private:
  template <class Call>
  static void Retry(Call call) {
    Status status = call();
    for (int i = 0; i < 3 && !status.ok(); ++i) status = call();
    EXPECT_TRUE(status.ok()) << status.message();
  }

  // As a client does: until it is acknowledged.
  TaskId Submit(RecordingTasks& tasks) {
    for (;;) {
      call_id_ = "request " + std::to_string(++submissions_);
      const auto id =
          tasks.Submit(application_.id, call_id_, {.engine = "16k_en"}, LoudRecording(10));
      if (id.ok()) return *id;
      EXPECT_EQ(id.status().code(), StatusCode::kUnavailable);
      std::this_thread::sleep_for(kPoll);
    }
  }

  void WaitForSuccess(TaskId id) {
    for (;;) {
      const auto task = records_->tasks().Find(application_.id, id);
      ASSERT_TRUE(task.ok()) << "an acknowledged task is gone";
      if (task->finished) {
        EXPECT_EQ(task->state, TaskState::kSuccess) << task->error;
        return;
      }
      std::this_thread::sleep_for(kPoll);
    }
  }

  void Sweep() {
    Retry([&]() -> Status {
      ASSIGN_OR_RETURN(const auto objects, store_.tasks().ObjectsToRemove(10));
      for (const ObjectOfTask& object : objects) {
        RETURN_IF_ERROR(recordings_.Remove(object.name));
        RETURN_IF_ERROR(store_.tasks().ObjectIsGone(object.task));
      }
      return OkStatus();
    });
    Retry([&] { return recordings_.RemoveExpired(10).status(); });
    Retry([&] { return store_.tasks().RemoveExpired(10).status(); });
    Retry([&] { return DestroyKeys(); });
    Retry([&] { return feed_.CatchUp(); });
  }

  // Of the hours that are over, as the service does.
  Status DestroyKeys() {
    KeyStore& keys = records_.keyring().keys();
    ASSIGN_OR_RETURN(const std::vector<Epoch> epochs, keys.Epochs());
    for (const Epoch& epoch : epochs) {
      if (clock_.Now() < EndOf(epoch)) continue;
      const std::chrono::sys_seconds begin{hours(epoch.hour)};
      const Leaf leaf{
          .kind = LeafKind::kEpochKeyDestroyed,
          .data_class = epoch.data_class,
          .items = 0,
          .due = begin + std::chrono::floor<std::chrono::seconds>(MaxLifetime(epoch.data_class)),
          .from = begin.time_since_epoch(),
          .to = begin.time_since_epoch() + hours(1)};
      RETURN_IF_ERROR(keys.DestroyEpoch(epoch, [&] { return store_.journal().Note(leaf); }));
    }
    return OkStatus();
  }

  void ExpectOneCancelledCall() {
    meter_.Flush();
    std::vector<std::string> codes;
    const CallQuery query{.app_id = application_.id,
                          .begin = clock_.Now() - hours(1),
                          .end = clock_.Now() + hours(1)};
    EXPECT_TRUE(records_->usage()
                    .Calls(query,
                           [&](const FinishedCall& call) {
                             // One that was submitted without an answer may have ended besides.
                             if (call.call_id == call_id_) codes.push_back(call.result_code);
                             return OkStatus();
                           })
                    .ok());
    EXPECT_THAT(codes, testing::ElementsAre("cancelled"));
  }

  void ExpectNothingIsLeft() {
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "objects")) {
      EXPECT_FALSE(entry.is_regular_file()) << entry.path();
    }
    EXPECT_TRUE(records_->journal().Pending(10)->empty());
    feed_.Stop();
    const auto ledger = *Ledger::OpenForReading(folder_ / "ledger");
    std::string bytes;
    ASSERT_TRUE(WriteExport(*ledger, [&](std::span<const std::byte> piece) {
                  bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
                  return OkStatus();
                }).ok());
    const Verification verified =
        *VerifyExport(std::as_bytes(std::span(bytes)), {.allowed_lateness = hours(3)});
    for (const Finding& finding : verified.findings) ADD_FAILURE() << finding.what;
    // Rows of usage live longer than this.
    for (std::size_t i = 0; i < kDataClasses.size(); ++i) {
      if (kDataClasses[i] == DataClass::kMonitoring) continue;
      EXPECT_EQ(verified.classes[i].live, 0U) << DataClassName(kDataClasses[i]);
    }
    EXPECT_GE(verified.classes[0].created, 1U);
    EXPECT_GE(verified.classes[1].created, 1U);
  }

  FaultPlan plan_;
  const TestFolder folder_;
  ManualClock clock_{kNoon};
  TestStore records_{clock_};
  const Application application_ = *records_->applications().Create({.name = "test"});
  FaultyStore store_{*records_, plan_};
  FlakyStore flaky_{store_};
  std::atomic<bool> is_finishing_ = false, goes_on_ = false;
  int submissions_ = 0;
  std::string call_id_;  // of the task whose life it is
  const std::unique_ptr<ObjectStore> directory_ = *OpenDirectoryObjects(folder_ / "objects");
  FaultyObjects objects_{*directory_, plan_};
  Recordings recordings_{objects_, records_.keyring().sealer(), clock_};
  LedgerFeed feed_{store_.journal(),
                   {.folder = folder_ / "ledger", .signing_key_file = folder_ / "signing.key"},
                   clock_};
  EngineCatalog engines_;
  Recognizer recognizer_{InProcessMediaDecoder()};
  WordLists word_lists_{records_->vocabularies()};
  OutboundClient outbound_{*AddressRules::Create({})};
  Meter meter_{records_->usage()};
  std::optional<Eraser> eraser_;
  RecordingTasks* tasks_ = nullptr;  // of the life
};

// More than a life has, by far: if it is reached, something calls for ever.
constexpr int kMostCalls = 300;

void FailEveryCall(const std::function<void(Node&, TaskId)>& end, Node::At at = Node::At::kEnded) {
  for (const Moment moment : {Moment::kBefore, Moment::kAfter}) {
    int call = 1;
    for (bool more = true; more && call < kMostCalls && !testing::Test::HasFailure(); ++call) {
      SCOPED_TRACE("call " + std::to_string(call) +
                   (moment == Moment::kBefore ? " not done" : " done without an answer"));
      Node node(call, moment);
      node.Live(end, at);
      more = node.fault_happened();
    }
    EXPECT_LT(call, kMostCalls);
    EXPECT_GT(call, 15);
  }
}

TEST(FaultsTest, AnErasedTaskIsGoneWhateverFails) {
  FailEveryCall([](Node& node, TaskId id) { node.Erase(id); });
}

TEST(FaultsTest, AnExpiredTaskIsGoneWhateverFails) {
  FailEveryCall([](Node& node, TaskId) { node.Expire(); });
}

TEST(FaultsTest, ACancelledTaskHasFailedAndItsRecordingIsGoneWhateverFails) {
  FailEveryCall([](Node& node, TaskId id) { node.Cancel(id); }, Node::At::kWaiting);
}

TEST(FaultsTest, ATaskThatIsCancelledInItsLastMomentHasOneEndWhateverFails) {
  FailEveryCall([](Node& node, TaskId id) { node.Cancel(id); }, Node::At::kFinishing);
}

}  // namespace
}  // namespace lethe
