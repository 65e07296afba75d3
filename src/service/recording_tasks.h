#pragma once

// Recordings transcribed while nobody waits (CreateRecTask): submitted, worked off in turn, told to
// a URL when done.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "outbound/http_client.h"
#include "service/engine_catalog.h"
#include "service/meter.h"
#include "service/recognizer.h"
#include "service/task_view.h"
#include "service/word_lists.h"
#include "store/store.h"

namespace lethe {

class TaskCallbacks;

/// What is asked of one task. Everything but the upload is kept with the task and survives a
/// restart.
struct RecordingTaskRequest {
  std::string engine;  // a name the catalogue offers
  bool split_channels = false;
  int res_text_format = 0;
  int sentence_max_length = 0;
  PostOptions post;
  std::string hot_word_list, vocabulary_id;  // as WordLists::Resolve() takes them
  std::vector<std::string> keyword_library_ids;
  std::string url;              // where to fetch the recording, if there is no upload
  bool zero_retention = false;  // the upload is stored nowhere, not even sealed
  std::string callback_url;
};

/// Callbacks since the start.
struct CallbackCounts {
  std::uint64_t delivered = 0;
  std::uint64_t given_up = 0;  // nobody answered as they should, however often it was tried
};

struct RecordingTaskOptions {
  TaskHolder node{.node = "node"};  // this process among those that share the store
  int num_workers = 2;
  int max_running_per_application = 2;
  std::size_t max_upload_memory = std::size_t{1}
                                  << 30;  // of all uploads that wait or are worked on
  std::uint64_t max_fetch_bytes = std::uint64_t{1} << 30;
  Millis max_duration = std::chrono::hours(5);
  Millis poll{1'000};        // how often is looked for what other nodes did, and tried again
  std::string callback_key;  // signs callbacks; empty: they are not signed
  // Dates rows of usage, as other calls' are dated; none: the clock of all else.
  const Clock* calendar = nullptr;
};

/// Thread: any. Lifetime: everything given to it outlives it
class RecordingTasks {
 public:
  struct Parts {
    Store& store;
    const EngineCatalog& engines;
    Recognizer& recognizer;
    WordLists& word_lists;
    OutboundClient& outbound;
    Meter& meter;
    const Clock& clock;
    Recordings* recordings = nullptr;  // none: uploads stay in memory
  };

  /// Takes up what a former process of this node left: tasks that were running run again, those
  /// whose upload is lost are failed. If the store does not answer, that is done as soon as it
  /// does, and nothing is accepted before.
  RecordingTasks(const Parts& parts, const RecordingTaskOptions& options);
  ~RecordingTasks();
  RecordingTasks(const RecordingTasks&) = delete;
  RecordingTasks& operator=(const RecordingTasks&) = delete;

  /// Accepts a task. `upload` is the recording itself, or empty when the request has a URL;
  /// `subject` whom it is about, a pseudonym (store/consents.h).
  /// Errors: kInvalidArgument for a URL that is refused; kResourceExhausted when too many tasks or
  ///         uploads wait; kUnavailable at the end, and at the start while the store does not
  ///         answer; as Tasks::Create()
  Result<TaskId> Submit(AppId app_id, const std::string& request_id,
                        const RecordingTaskRequest& request, std::string upload,
                        const std::string& subject = "");

  /// A page of tasks, newest first, without a text of any result.
  struct Views {
    std::vector<TaskView> tasks;
    std::optional<std::int64_t> next;
  };
  /// Errors: as Tasks::List()
  Result<Views> List(const TaskQuery& query);

  /// Ends a task that waits or runs: it is failed and counted, its caller is told so, its recording
  /// is removed, and whoever transcribes it stops: here at once, on another node within five times
  /// `poll`. Of one that was cancelled before: ok. Blocks on the store, and on objects.
  /// Errors: as Tasks::Cancel(); kUnavailable when the store did not answer for ten times `poll`,
  /// and whether the task is cancelled is not known
  Result<TaskView> Cancel(std::optional<AppId> within, TaskId id);

  /// What was asked of a failed task, to be submitted once more.
  struct FormerRequest {
    AppId app_id = 0;
    std::string subject;
    RecordingTaskRequest request;
  };
  /// Errors: kNotFound; kFailedPrecondition when it has not failed, or was an upload, which is gone
  Result<FormerRequest> RequestOf(std::optional<AppId> within, TaskId id);

  /// Tells the caller of a task that has ended, now, whether or not that was done before.
  /// Errors: as Tasks::TellAgain()
  Result<TaskView> TellAgain(std::optional<AppId> within, TaskId id);

  /// Gives up a task that is being transcribed here, because it was erased. Returns whether it was.
  bool GiveUp(TaskId id);

  CallbackCounts callbacks() const;

  /// Takes no more, and waits for what is being transcribed; what waits stays in the store.
  void Stop();

 private:
  // What is known of a task that is in hand.
  struct RunState {
    std::atomic<bool> stop = false;           // nobody wants it any more
    std::atomic<bool> erased = false;         // the meter does not write down what it was
    std::atomic<bool> is_counted = false;     // by whoever cancelled or claimed it
    std::atomic<std::int64_t> done_ms = -1;   // of its audio, so far; -1: not begun
    std::atomic<std::int64_t> total_ms = -1;  // -1: unknown
    bool cancelled_unseen = false;            // by us, perhaps: no answer came; under mutex_
  };
  struct InHand {
    AppId app_id = 0;
    std::optional<int> lease;  // under which it runs; none: it is only being cancelled
    std::shared_ptr<RunState> run;
  };
  // A task may be in hand more than once: what was cancelled takes a while to stop.
  using InHands = std::multimap<TaskId, InHand>;

  void Work();
  // Takes up what was left, and gives up what is lost.
  void LookAfter();
  void BeatHeart();
  // Takes up what a former process left; false when the store did not answer.
  bool Recover();
  // Transcribes one task, of so many bytes; its outcome, and the code that a callback tells. None
  // when it cannot be worked on now, because what it needs does not answer.
  std::optional<TaskOutcome> Run(const Task& task, RunState& run, std::uint64_t* bytes);
  // The same, unless the person it is about has withdrawn their consent, before or meanwhile.
  std::optional<TaskOutcome> RunIfAllowed(const Task& task, RunState& run, std::uint64_t* bytes);
  void Record(const Task& task, const TaskOutcome& outcome, std::uint64_t bytes,
              const ErasedFlag& erased);
  // Writes the outcome down, however long the store does not answer. False when it is not this
  // process's to write: the task was somebody else's meanwhile, or we are stopping. A task that is
  // not there any more is settled, and erased.
  bool Settle(const Task& task, TaskOutcome& outcome, RunState& run);
  // By a Cancel() here.
  bool IsBeingCancelled(TaskId id) const REQUIRES(mutex_);
  // Of a task that is not there any more: false when whoever cancelled it before counts it.
  bool SettleGone(TaskId id, RunState& run);
  // Gives a claimed task back, however long the store does not answer.
  void PutBack(const Task& task);
  // But those of `passed_over`.
  Result<std::optional<Task>> Claim(std::optional<AppId> passed_over) REQUIRES(mutex_);
  bool WasFinishedHere(const Task& task);
  void DropUpload(TaskId id) REQUIRES(mutex_);
  // Ends it in the records, and asks again for an answer that does not come.
  Result<Task> CancelInStore(std::optional<AppId> within, TaskId id, bool* unanswered);
  // Errors: kNotFound
  Result<Task> Look(std::optional<AppId> within, TaskId id);
  // Those whose tasks were removed, expired, or given up by other nodes.
  void DropLostUploads();
  // What somebody else erased or cancelled, a command or another node.
  void GiveUpWhatIsNotOurs();
  std::optional<TaskProgress> ProgressOf(const Task& task) const REQUIRES(mutex_);
  TaskView View(const Task& task) EXCLUDES(mutex_);
  void RemoveRecording(const Task& task);
  using Bytes = std::shared_ptr<const std::string>;
  // Stores an upload, where it may be stored. None: it stays in memory.
  struct Kept {
    std::optional<StoredRecording> recording;
    bool refused = false;  // because it may not be stored
  };
  Result<Kept> StoreUpload(AppId app_id, const std::string& request_id, std::string_view upload,
                           bool zero_retention);
  // Errors: as Recordings::Get(); kUnavailable at the end
  Result<Bytes> StoredAudio(const Task& task);
  Result<Bytes> Audio(const Task& task, const RecordingTaskRequest& request, const RunState& run);
  std::vector<AppId> Busy() REQUIRES(mutex_);
  // Waits for the end, so long at most; whether it has come.
  bool AwaitStop(Millis longest) REQUIRES(mutex_);

  struct Upload {
    AppId app_id = 0;
    Bytes bytes;
  };

  // Constant after construction.
  const Parts parts_;
  const RecordingTaskOptions options_;
  const std::unique_ptr<TaskCallbacks> callbacks_;
  // Any thread.
  Mutex mutex_;
  CondVar changed_;
  std::map<TaskId, Upload> uploads_ GUARDED_BY(mutex_);
  TaskId last_looked_at_ GUARDED_BY(mutex_) = 0;
  std::size_t upload_bytes_ GUARDED_BY(mutex_) = 0;
  std::map<AppId, int> running_ GUARDED_BY(mutex_);
  InHands in_hand_ GUARDED_BY(mutex_);         // what runs here, until its end is recorded
  std::uint64_t news_ GUARDED_BY(mutex_) = 0;  // counts what was submitted or put back
  bool recovered_ GUARDED_BY(mutex_) = false, stopping_ GUARDED_BY(mutex_) = false;
  bool claim_unanswered_ GUARDED_BY(mutex_) = false;  // something may run here in the records only
  std::vector<std::thread> threads_;
};

}  // namespace lethe
