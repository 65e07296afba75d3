// Goal: what only a file can do wrong. Records survive; secrets and what was forgotten are not in
// the files; files that are foreign, newer, damaged, shared or locked are refused with one clear
// line. Method: stores are closed and opened again, files are searched and damaged byte by byte,
// and two stores work on one file at once.

#include "store/sqlite_store.h"

#include <atomic>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>

#include "tests/support/test_store.h"

namespace lethe {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

namespace fs = std::filesystem;

class SqliteStoreTest : public testing::Test {
 protected:
  Result<std::unique_ptr<Store>> TryOpen() { return OpenSqliteStore(path_, clock_, keyring_); }
  std::unique_ptr<Store> Open() { return *TryOpen(); }

  /// One line that names the file and has none of `secret`.
  void ExpectRefused(StatusCode code, const std::string& mentions) {
    const auto store = TryOpen();
    ASSERT_THAT(store, HasCode(code));
    EXPECT_THAT(store.status().message(),
                AllOf(HasSubstr(path_), HasSubstr(mentions), Not(HasSubstr("\n"))));
  }

  static std::string Contents(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  /// The database, its log and whatever else lies beside it.
  std::string AllFiles() const {
    std::string all;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      all += Contents(entry.path());
    }
    return all;
  }

  TestFolder folder_;
  const std::string path_ = folder_ / "records.db";
  ManualClock clock_{kNoon};
  TestKeyring keyring_{clock_};
};

TEST_F(SqliteStoreTest, EverythingSurvivesReopening) {
  auto store = Open();
  const Application one = *store->applications().Create({.name = "one"});
  ASSERT_THAT(store->applications().SetQuota(one.id, Interface::kRealtime, {.concurrency = 3}),
              IsOk());
  const NewKey pair = *store->keys().Create(one.id, KeyKind::kPair);
  const NewKey bearer = *store->keys().Create(one.id, KeyKind::kBearer);
  ASSERT_THAT(store->keys().SetConsolePassword(Secret("a good password")), IsOk());
  const Vocabulary words =
      *store->vocabularies().Create(one.id, {.name = "words", .words = {{"word", 5}}});
  const KeywordLibrary names = *store->keyword_libraries().Create(one.id, "names", {"anna"});
  const Task task = *store->tasks().Create({.app_id = one.id, .request = "{}"});
  const FinishedCall call{.app_id = one.id, .succeeded = true, .start = kNoon, .end = kNoon};
  ASSERT_THAT(store->usage().Record({&call, 1}), IsOk());

  store.reset();
  store = Open();
  EXPECT_EQ(store->applications().Find(one.id)->quotas.at(Interface::kRealtime).concurrency, 3);
  EXPECT_TRUE(store->keys().FindPair(pair.key.id)->secret.Reveal() == pair.secret.Reveal());
  EXPECT_EQ(store->keys().FindBearer(bearer.secret.Reveal())->application.id, one.id);
  EXPECT_TRUE(*store->keys().CheckConsolePassword("a good password"));
  EXPECT_EQ(*store->vocabularies().Find(one.id, words.id), words);
  EXPECT_EQ(*store->keyword_libraries().Find(one.id, names.id), names);
  EXPECT_EQ(*store->tasks().Find(one.id, task.id), task);
  const auto today = std::chrono::floor<std::chrono::days>(kNoon);
  EXPECT_THAT(*store->usage().ByDay({.app_id = one.id, .first = today, .last = today}), SizeIs(1));
  EXPECT_EQ(store->applications().Create({.name = "two"})->id, one.id + 1);
}

TEST_F(SqliteStoreTest, FilesHoldNoSecretKeyNoBearerKeyAndNoPassword) {
  auto store = Open();
  const Application one = *store->applications().Create({.name = "findable name"});
  const NewKey pair = *store->keys().Create(one.id, KeyKind::kPair);
  const NewKey bearer = *store->keys().Create(one.id, KeyKind::kBearer);
  ASSERT_THAT(store->keys().SetConsolePassword(Secret("a good password")), IsOk());
  ASSERT_THAT(store->keys().FindPair(pair.key.id), IsOk());
  ASSERT_THAT(store->keys().FindBearer(bearer.secret.Reveal()), IsOk());
  const auto expect_nothing = [&] {
    const std::string files = AllFiles();
    ASSERT_THAT(files, HasSubstr("findable name"));
    ASSERT_THAT(files, HasSubstr(pair.key.id));
    for (const std::string_view secret :
         {pair.secret.Reveal(), bearer.secret.Reveal(), bearer.secret.Reveal().substr(9, 20),
          std::string_view("a good password")}) {
      EXPECT_EQ(files.find(secret), std::string::npos);
    }
    EXPECT_EQ(files.find(Contents(keyring_.folder() + "/master.key")), std::string::npos);
  };
  expect_nothing();  // the log is beside the file
  store.reset();
  expect_nothing();  // and now within it
}

TEST_F(SqliteStoreTest, WhatWasForgottenIsInNoFile) {
  auto store = Open();
  const Application one = *store->applications().Create({.name = "one"});
  struct Finished {
    TaskId id = 0;
    std::string sealed;  // some of its result, as the file has it
  };
  const auto finish = [&](const std::string& text) {
    const Task task = *store->tasks().Create(
        {.app_id = one.id, .request = "ask " + text, .callback_url = "https://" + text});
    EXPECT_EQ((*store->tasks().Claim({.node = "here"}))->id, task.id);
    EXPECT_THAT(
        store->tasks().Finish(task.id, 1, {.result = text + std::string(9000, ' '), .error = text}),
        IsOk());
    EXPECT_THAT(store->tasks().Find(one.id, task.id)->result, StartsWith(text));
    Finished finished{.id = task.id, .sealed = ""};
    soci::session sql(soci::sqlite3, path_);
    sql << "SELECT result FROM tasks WHERE task_id = " << task.id, soci::into(finished.sealed);
    EXPECT_GT(finished.sealed.size(), 9000U);
    finished.sealed = finished.sealed.substr(1000, 64);
    return finished;
  };
  const Finished expired = finish("expired utterance");
  const Finished removed = finish("removed utterance");
  EXPECT_THAT(AllFiles(), AllOf(HasSubstr(expired.sealed), HasSubstr(removed.sealed)));
  // What was said is in no file at any time.
  EXPECT_THAT(AllFiles(), Not(HasSubstr("utterance")));
  EXPECT_THAT(store->tasks().Remove(one.id, removed.id), IsOk());
  EXPECT_THAT(AllFiles(), AllOf(HasSubstr(expired.sealed), Not(HasSubstr(removed.sealed))));
  clock_.Advance(kTaskLifetime);
  EXPECT_EQ(*store->tasks().RemoveExpired(10), 1);
  EXPECT_THAT(AllFiles(), Not(HasSubstr(expired.sealed)));

  const Vocabulary names =
      *store->vocabularies().Create(one.id, {.name = "n", .words = {{"a patient's name", 5}}});
  const KeywordLibrary library = *store->keyword_libraries().Create(one.id, "n", {"a keyword"});
  EXPECT_THAT(AllFiles(), AllOf(HasSubstr("a patient's name"), HasSubstr("a keyword")));
  EXPECT_THAT(store->vocabularies().Remove(one.id, names.id), IsOk());
  EXPECT_THAT(store->keyword_libraries().Remove(one.id, library.id), IsOk());
  EXPECT_THAT(AllFiles(), AllOf(Not(HasSubstr("a patient's name")), Not(HasSubstr("a keyword"))));
}

// Whoever reads the file sees it as it was, so SQLite keeps it so.
TEST_F(SqliteStoreTest, WhoReadsTheFileForLongIsSeenToHoldItsLog) {
  auto store = Open();
  const Application one = *store->applications().Create({.name = "one"});
  const Task task = *store->tasks().Create({.app_id = one.id, .request = "ask"});
  EXPECT_EQ(store->LogHeld(), Millis(0));
  {
    soci::session reader(soci::sqlite3, path_);
    int tasks = 0;
    reader << "BEGIN";
    reader << "SELECT COUNT(*) FROM tasks", soci::into(tasks);
    EXPECT_THAT(store->tasks().Remove(one.id, task.id), IsOk());
    EXPECT_GT(store->LogHeld(), Millis(0)) << "at once: whoever erases asks then";
    // Sweeps try again, in vain.
    EXPECT_EQ(*store->tasks().RemoveExpired(10), 0);
    EXPECT_GT(store->LogHeld(), Millis(0));
    EXPECT_GT(fs::file_size(path_ + "-wal"), 0U);
  }
  EXPECT_EQ(*store->tasks().RemoveExpired(10), 0);
  EXPECT_EQ(store->LogHeld(), Millis(0));
  EXPECT_EQ(fs::file_size(path_ + "-wal"), 0U);
}

// A backup of yesterday, restored: without the hour's key it is noise, and its tasks are not there.
TEST_F(SqliteStoreTest, AFileThatOutlivesItsKeysTellsNothing) {
  Application one;
  TaskId id = 0;
  {
    const auto store = Open();
    one = *store->applications().Create({.name = "one"});
    id = store->tasks().Create({.app_id = one.id, .request = "ask"})->id;
  }
  clock_.Advance(std::chrono::hours(1));
  ASSERT_THAT(keyring_->keys().DestroyEpoch(EpochOf(DataClass::kResult, "test", kNoon)), IsOk());
  const auto store = Open();
  EXPECT_THAT(store->tasks().Find(one.id, id), HasCode(StatusCode::kNotFound));
  // Nor is it in anybody's way.
  const Task next = *store->tasks().Create({.app_id = one.id, .request = "ask again"});
  EXPECT_EQ(*store->tasks().Claim({.node = "here"}), std::nullopt);
  EXPECT_EQ((*store->tasks().Claim({.node = "here"}))->id, next.id);
}

// No acknowledged task is lost because its keys could not be reached for a while.
TEST_F(SqliteStoreTest, TasksWaitForKeysThatAreOutOfReach) {
  const auto store = Open();
  const Application one = *store->applications().Create({.name = "one"});
  const Task task = *store->tasks().Create({.app_id = one.id, .request = "ask"});
  const std::string epochs = keyring_.folder() + "/epochs";
  fs::rename(epochs, epochs + "_away");
  EXPECT_THAT(store->tasks().Claim({.node = "here"}), HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(store->tasks().Find(one.id, task.id), HasCode(StatusCode::kUnavailable));
  fs::rename(epochs + "_away", epochs);
  const auto claimed = store->tasks().Claim({.node = "here"});
  ASSERT_THAT(claimed, IsOk());
  ASSERT_TRUE(claimed->has_value());
  EXPECT_EQ((*claimed)->request, "ask");
}

TEST_F(SqliteStoreTest, WithAnApplicationTheKeyOfItsTextsIsDestroyed) {
  const auto store = Open();
  const Application one = *store->applications().Create({.name = "one"});
  const Application two = *store->applications().Create({.name = "two"});
  for (const Application& each : {one, two}) {
    ASSERT_THAT(store->tasks().Create({.app_id = each.id, .request = "ask"}), IsOk());
  }
  ASSERT_THAT(store->applications().Remove(one.id), IsOk());
  EXPECT_THAT(*keyring_->keys().Tenants(), AllOf(Not(Contains(one.id)), Contains(two.id)));
  EXPECT_THAT(keyring_->keys().TenantKey(one.id), HasCode(StatusCode::kNotFound));
  // Of one that never was, nothing is destroyed or noted.
  EXPECT_THAT(store->applications().Remove(7), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(keyring_->keys().TenantKey(7), IsOk());
}

TEST_F(SqliteStoreTest, FilesAreTheOwnersOnly) {
  const mode_t mask = ::umask(0);
  {
    const auto store = Open();
    ASSERT_THAT(store->applications().Create({.name = "one"}), IsOk());
    int files = 0;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      EXPECT_EQ(entry.status().permissions(), fs::perms::owner_read | fs::perms::owner_write)
          << entry.path();
      ++files;
    }
    EXPECT_EQ(files, 3);  // the database, its log, the log's index
  }
  ::umask(mask);
  ASSERT_EQ(::chmod(path_.c_str(), 0640), 0);
  ExpectRefused(StatusCode::kPermissionDenied, "chmod 600");
}

TEST_F(SqliteStoreTest, AnotherMasterKeyIsRefused) {
  const Application one = *Open()->applications().Create({.name = "one"});
  TestKeyring another(clock_);
  const auto other = OpenSqliteStore(path_, clock_, another);
  ASSERT_THAT(other, HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(other.status().message(), AllOf(HasSubstr(path_), HasSubstr("another master key")));
  EXPECT_EQ(Open()->applications().Find(one.id)->name, "one");
}

TEST_F(SqliteStoreTest, SealedSecretOfAnotherRowDoesNotOpen) {
  auto store = Open();
  const Application one = *store->applications().Create({.name = "one"});
  const NewKey a = *store->keys().Create(one.id, KeyKind::kPair);
  const NewKey b = *store->keys().Create(one.id, KeyKind::kPair);
  soci::session sql(soci::sqlite3, path_);
  sql << "UPDATE access_keys SET sealed = (SELECT sealed FROM access_keys WHERE key_id = '" +
             a.key.id + "')";
  EXPECT_THAT(store->keys().FindPair(a.key.id), IsOk());
  EXPECT_THAT(store->keys().FindPair(b.key.id), HasCode(StatusCode::kDataLoss));
}

TEST_F(SqliteStoreTest, NewerSchemaIsRefusedAndLeftAlone) {
  Open();
  {
    soci::session sql(soci::sqlite3, path_);
    sql << "INSERT INTO schema_version (version) VALUES (1000)";
  }
  ExpectRefused(StatusCode::kFailedPrecondition, "newer lethe (version 1000");
  soci::session sql(soci::sqlite3, path_);
  int versions = 0;
  soci::statement count(sql);
  count.exchange(soci::into(versions));
  count.alloc();
  count.prepare("SELECT COUNT(*) FROM schema_version WHERE version >= 1000");
  count.define_and_bind();
  count.execute(true);
  EXPECT_EQ(versions, 1);
}

TEST_F(SqliteStoreTest, FileOfTheFirstSchemaIsBroughtUpToDateWithItsData) {
  const TaskHolder me{.node = "here"};
  Application one;
  NewKey key;
  Task by_url, upload, done;
  {
    const auto store = Open();
    one = *store->applications().Create({.name = "one"});
    key = *store->keys().Create(one.id, KeyKind::kPair);
    by_url = *store->tasks().Create({.app_id = one.id, .request = "by URL"});
    upload = *store->tasks().Create({.app_id = one.id, .request = "upload", .upload_holder = me});
    done = *store->tasks().Create({.app_id = one.id, .callback_url = "http://x.example"});
    for (int i = 0; i < 3; ++i) ASSERT_THAT(store->tasks().Claim(me), IsOk());
    ASSERT_THAT(store->tasks().Finish(done.id, 1, {.result = "r"}), IsOk());
    std::vector<FinishedCall> calls;
    for (const char* code : {"0", "InternalError.ErrorRecognize", "5001", "4001"}) {
      calls.push_back({.app_id = one.id,
                       .result_code = code,
                       .succeeded = std::string(code) == "0",
                       .start = kNoon,
                       .end = kNoon});
    }
    ASSERT_THAT(store->usage().Record(calls), IsOk());
  }
  {
    // What later versions added is taken away.
    soci::session sql(soci::sqlite3, path_);
    for (const char* index :
         {"tasks_by_holder", "tasks_by_object", "tasks_by_call", "tasks_by_item",
          "tasks_by_audio_item", "tasks_by_uin", "finished_calls_by_item", "tasks_by_subject",
          "tasks_by_app_and_age"}) {
      sql << "DROP INDEX " + std::string(index);
    }
    for (const std::string& statement : UndoLaterSchemas()) sql << statement;
    sql << "DELETE FROM schema_version WHERE version > 1";
  }
  const auto store = Open();
  EXPECT_TRUE(store->keys().FindPair(key.key.id)->secret.Reveal() == key.secret.Reveal());
  EXPECT_EQ(store->tasks().Find(one.id, done.id)->result, "r");
  // Nobody holds what the former program had in hand.
  EXPECT_EQ(*store->tasks().FailLostUploads("anybody", "lost"), 1);
  EXPECT_EQ(store->tasks().Find(one.id, upload.id)->error, "lost");
  EXPECT_EQ(*store->tasks().ResetRunning("anybody"), 1);
  EXPECT_EQ((*store->tasks().Claim({.node = "anybody"}))->id, by_url.id);
  EXPECT_THAT(*store->tasks().ClaimCallbacks({.node = "anybody"}, 10), SizeIs(1));
  std::vector<bool> server_faults;
  ASSERT_THAT(store->usage().Calls({.app_id = one.id, .begin = kNoon, .end = kNoon + Millis(1)},
                                   [&](const FinishedCall& call) {
                                     server_faults.push_back(call.server_fault);
                                     return OkStatus();
                                   }),
              IsOk());
  EXPECT_THAT(server_faults, testing::ElementsAre(false, true, true, false));
}

TEST_F(SqliteStoreTest, FileThatIsNoDatabaseIsRefusedAndLeftAlone) {
  for (const std::string& text : {std::string("hello, these are my notes\n"),
                                  std::string(8192, 'x'), std::string(100, '\0')}) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << text;
    fs::permissions(path_, fs::perms::owner_read | fs::perms::owner_write);
    ExpectRefused(StatusCode::kDataLoss, "no database");
    EXPECT_EQ(Contents(path_), text);
  }
  fs::remove(path_);
  fs::create_directory(path_);
  EXPECT_FALSE(TryOpen().ok());
}

TEST_F(SqliteStoreTest, DamagedFileGivesErrorsAndNoCrash) {
  {
    const auto store = Open();
    const Application one = *store->applications().Create({.name = "one"});
    for (int i = 0; i < 30; ++i) {
      ASSERT_THAT(store->vocabularies().Create(
                      one.id, {.name = std::string(1000, 'n'),
                               .words = std::vector<WeightedWord>(50, {"word", 5})}),
                  IsOk());
    }
  }
  const std::string whole = Contents(path_);
  int refused = 0;
  // Every page in turn is overwritten, and once the second half is cut off.
  for (std::size_t at = 0; at < whole.size(); at += 4096) {
    std::string damaged = whole;
    if (at == 0) {
      damaged.resize(whole.size() / 2 / 4096 * 4096);
    } else {
      damaged.replace(at, 4096, 4096, '\xa5');
    }
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << damaged;
    for (const char* suffix : {"-wal", "-shm"}) fs::remove(path_ + suffix);
    const auto store = TryOpen();
    if (!store.ok()) {
      ++refused;
      continue;
    }
    for (const Status& status :
         {(*store)->applications().List().status(), (*store)->keys().List().status(),
          (*store)->vocabularies().List(kFirstAppId).status(),
          (*store)->applications().Create({.name = "two"}).status()}) {
      if (status.ok()) continue;
      ++refused;
      EXPECT_THAT(status.message(), AllOf(Not(HasSubstr("word 5")), Not(HasSubstr("SELECT"))));
    }
  }
  EXPECT_GT(refused, 5);
}

TEST_F(SqliteStoreTest, TwoProcessesShareTheFile) {
  const auto service = Open(), command = Open();
  const Application one = *command->applications().Create({.name = "one"});
  const NewKey key = *command->keys().Create(one.id, KeyKind::kPair);
  EXPECT_THAT(service->keys().FindPair(key.key.id), IsOk());
  ASSERT_THAT(command->applications().SetEnabled(one.id, false), IsOk());
  EXPECT_THAT(service->keys().FindPair(key.key.id), HasCode(StatusCode::kPermissionDenied));
}

// SQLite refuses at once who wants to turn the write-ahead log on while somebody writes without it.
TEST_F(SqliteStoreTest, AFileThatAnotherOneBeginsIsWaitedFor) {
  soci::session other(soci::sqlite3, path_);
  other << "BEGIN IMMEDIATE";
  fs::permissions(path_, fs::perms::owner_read | fs::perms::owner_write);
  std::thread opener([this] { EXPECT_THAT(TryOpen(), IsOk()); });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  other << "ROLLBACK";
  opener.join();
}

TEST_F(SqliteStoreTest, TwoProcessesAndManyThreadsKeepTheLimits) {
  const auto first = Open(), second = Open();
  const Application one = *first->applications().Create({.name = "one"});
  std::atomic<int> made = 0, full = 0, other = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, &store = i % 2 == 0 ? *first : *second] {
      for (int j = 0; j < 10; ++j) {
        const auto vocabulary = store.vocabularies().Create(one.id, {.name = "words"});
        if (vocabulary.ok()) {
          ++made;
        } else if (vocabulary.status().code() == StatusCode::kResourceExhausted) {
          ++full;
        } else {
          ++other;
        }
        if (!store.vocabularies().List(one.id).ok()) ++other;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made, static_cast<int>(kMaxVocabularies));
  EXPECT_EQ(full, 40 - made);
  EXPECT_EQ(other, 0);
}

TEST_F(SqliteStoreTest, ApplicationsCreatedAtOnceHaveNumbersOfTheirOwn) {
  const auto first = Open(), second = Open();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([i, &store = i % 2 == 0 ? *first : *second] {
      for (int j = 0; j < 5; ++j) {
        const std::string name = std::to_string(i) + "-" + std::to_string(j);
        EXPECT_THAT(store.applications().Create({.name = name}), IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<AppId> ids;
  const std::vector<Application> all = *first->applications().List();
  for (const Application& application : all) ids.insert(application.id);
  EXPECT_THAT(ids, SizeIs(20));
}

TEST_F(SqliteStoreTest, PathsWithBlanksAndSignsWork) {
  for (const char* name : {"with blank.db", "db=x.db", "q\"uote.db", "a=b", "%41?mode=memory"}) {
    ASSERT_THAT(OpenSqliteStore(folder_ / name, clock_, keyring_), IsOk()) << name;
    EXPECT_GT(fs::file_size(folder_ / name), 0U) << name;
  }
  EXPECT_THAT(OpenSqliteStore(folder_ / "a=b c", clock_, keyring_),
              HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(OpenSqliteStore("", clock_, keyring_), HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(OpenSqliteStore(folder_ / "no/such/folder.db", clock_, keyring_),
              HasCode(StatusCode::kNotFound));
}

}  // namespace
}  // namespace lethe
