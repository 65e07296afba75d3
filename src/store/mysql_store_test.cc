// Goal: what only a database server can do to records. Nodes share them; the server dies, comes
// back, gives transactions up and takes only so much at once; schemas are made by two at once, are
// interrupted, or are newer. Method: a real MariaDB, ended by SIGKILL or spoken to behind the
// store's back; the tests of the interface itself run against it in *_contract_test.cc.

#include "store/mysql_store.h"

#include <atomic>
#include <map>
#include <set>
#include <thread>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mutex.h"
#include "tests/support/store_contract.h"
#include "tests/support/test_certificate.h"

namespace lethe {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

TEST(MysqlServerTest, IsInstalledWhereTestsAreRequired) {
  if (!MariaDbServer::Program().empty()) return;
  const std::string missing =
      "mariadbd is missing, nothing was tried with it; see scripts/packages-test.txt";
  if (std::getenv("LETHE_TEST_REQUIRE_MODELS") != nullptr) FAIL() << missing;
  GTEST_SKIP() << missing;
}

// A port of loopback that nobody listens to just now.
std::uint16_t FreePort() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  LETHE_CHECK(::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
  LETHE_CHECK(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  ::close(fd);
  return ntohs(address.sin_port);
}

class MariaDbStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    if (MariaDbServer::Program().empty()) GTEST_SKIP() << "mariadbd is missing";
    database_.emplace();
  }

  MysqlOptions Options(std::size_t connections = 16) const {
    MysqlOptions options;
    options.socket = database_->server().socket();
    options.user = "root";
    options.database = database_->name();
    options.max_connections = connections;
    return options;
  }
  Result<std::unique_ptr<Store>> TryOpen(std::size_t connections = 16) const {
    return OpenMysqlStore(Options(connections), clock_, keyring_);
  }
  std::unique_ptr<Store> Open(std::size_t connections = 16) const { return *TryOpen(connections); }

  /// Ends every connection but the one that says so.
  void KillConnections() { KillConnections(database_->server(), database_->name()); }
  static void KillConnections(MariaDbServer& server, const std::string& database) {
    for (;;) {
      const long long id = server.Number(
          database, "SELECT COALESCE(MAX(id), 0) FROM information_schema.processlist WHERE db = '" +
                        database + "' AND id <> CONNECTION_ID()");
      if (id == 0) return;
      try {
        server.Run(database, "KILL " + std::to_string(id));
      } catch (const soci::soci_error&) {
        // It was gone already.
      }
    }
  }

  TestFolder folder_;
  ManualClock clock_{kNoon};
  mutable TestKeyring keyring_{clock_};
  std::optional<TestDatabase> database_;
};

TEST_F(MariaDbStoreTest, NodesShareRecordsAndTheyOutliveBoth) {
  Application one;
  std::string pair;
  {
    EXPECT_TRUE(*MysqlStoreIsNew(Options()));
    const auto a = Open(), b = Open();
    EXPECT_FALSE(*MysqlStoreIsNew(Options()));
    one = *a->applications().Create({.name = "one"});
    pair = b->keys().Create(one.id, KeyKind::kPair)->key.id;
    EXPECT_EQ(a->keys().FindPair(pair)->application.id, one.id);
    ASSERT_THAT(b->applications().SetEnabled(one.id, false), IsOk());
    EXPECT_THAT(a->keys().FindPair(pair), HasCode(StatusCode::kPermissionDenied));
    // To say what is so already is no error.
    EXPECT_THAT(a->applications().SetEnabled(one.id, false), IsOk());
  }
  EXPECT_EQ(Open()->applications().Find(one.id)->name, "one");
}

TEST_F(MariaDbStoreTest, TextsAreBytes) {
  const auto store = Open();
  const std::string names[] = {"name", "Name", "name ", "n\xc3\xa4me", "\xf0\x9f\x98\x80"};
  for (const std::string& name : names) {
    const auto made = store->applications().Create({.name = name});
    ASSERT_THAT(made, IsOk()) << name;
    EXPECT_EQ(store->applications().FindByName(name)->id, made->id);
    EXPECT_EQ(store->applications().FindByName(name)->name, name);
  }
  const AppId app = store->applications().List()->front().id;
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  const Task task = *store->tasks().Create({.app_id = app, .request = ":a ' \\ \" %s"});
  EXPECT_EQ(task.request, ":a ' \\ \" %s");
  ASSERT_THAT(store->tasks().Claim({.node = "here"}), IsOk());
  ASSERT_THAT(store->tasks().Finish(task.id, 1, {.result = all}), IsOk());
  EXPECT_EQ(store->tasks().Find(app, task.id)->result, all);
  EXPECT_THAT(store->keys().FindPair("\xff\xfe"), HasCode(StatusCode::kNotFound));
}

TEST_F(MariaDbStoreTest, AnotherMasterKeyIsRefused) {
  Open();
  TestKeyring another(clock_);
  const auto other = OpenMysqlStore(Options(), clock_, another);
  ASSERT_THAT(other, HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(other.status().message(), HasSubstr("another master key"));
}

TEST_F(MariaDbStoreTest, NewerSchemaIsRefusedAndLeftAlone) {
  Open();
  database_->Run("INSERT INTO schema_version (version) VALUES (1000)");
  const long long before = database_->Number("SELECT COUNT(*) FROM schema_version");
  const auto store = TryOpen();
  ASSERT_THAT(store, HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(store.status().message(), HasSubstr("newer lethe (version 1000"));
  EXPECT_EQ(database_->Number("SELECT COUNT(*) FROM schema_version"), before);
}

TEST_F(MariaDbStoreTest, NodesThatStartAtOnceMakeOneSchema) {
  std::vector<std::thread> nodes;
  for (int i = 0; i < 6; ++i) {
    nodes.emplace_back([&] { EXPECT_THAT(TryOpen(), IsOk()); });
  }
  for (std::thread& node : nodes) node.join();
  EXPECT_EQ(database_->Number("SELECT COUNT(*) - MAX(version) FROM schema_version"), 0);
  EXPECT_EQ(database_->Number("SELECT COUNT(*) FROM settings"), 3);
}

TEST_F(MariaDbStoreTest, InterruptedMigrationIsFinishedByTheNextStart) {
  const auto one = *Open()->applications().Create({.name = "one"});
  // As a node would leave it that ended in the middle of a step: all made, nothing noted; and a
  // part of the last step missing.
  database_->Run("DELETE FROM schema_version");
  database_->Run("ALTER TABLE tasks DROP COLUMN held_until_ms");
  const auto store = TryOpen();
  ASSERT_THAT(store, IsOk());
  EXPECT_EQ((*store)->applications().Find(one.id)->name, "one");
  EXPECT_EQ((*store)->applications().Create({.name = "two"})->id, one.id + 1);
  EXPECT_THAT((*store)->tasks().Create({.app_id = one.id}), IsOk());
}

TEST_F(MariaDbStoreTest, WrongDatabaseAndDeadServerAreToldInOneLine) {
  MysqlOptions nowhere = Options();
  nowhere.database = "no_such_database";
  EXPECT_THAT(OpenMysqlStore(nowhere, clock_, keyring_), HasCode(StatusCode::kFailedPrecondition));
  MysqlOptions dead = Options();
  dead.socket = folder_ / "no-socket";
  dead.password = Secret("a secret word");
  const auto store = OpenMysqlStore(dead, clock_, keyring_);
  ASSERT_THAT(store, HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(store.status().message(), Not(AnyOf(HasSubstr("secret"), HasSubstr("\n"))));
  dead.host = "127.0.0.1;x=y";
  dead.tls = MysqlTls::kHost;
  EXPECT_THAT(OpenMysqlStore(dead, clock_, keyring_), HasCode(StatusCode::kInvalidArgument));
}

TEST_F(MariaDbStoreTest, LostConnectionsAreMadeAnewAndTheCallIsMadeAgain) {
  const auto store = Open();
  const Application one = *store->applications().Create({.name = "one"});
  for (int i = 0; i < 3; ++i) {
    KillConnections();
    EXPECT_THAT(store->applications().Find(one.id), IsOk());
    KillConnections();
    EXPECT_THAT(store->keys().Create(one.id, KeyKind::kPair), IsOk());
  }
  EXPECT_THAT(*store->keys().List(one.id), SizeIs(3));
}

// The client library says otherwise that a connection broke, when it was encrypted.
TEST_F(MariaDbStoreTest, LostConnectionsOverTlsAreMadeAnewToo) {
  const TestCertificate certificate("DNS:database.example");
  const std::string file = folder_ / "certificate.pem", key = folder_ / "key.pem";
  certificate.WriteTo(file);
  certificate.WriteKeyTo(key);
  const std::uint16_t port = FreePort();
  // By TCP, for a Unix socket tells what writes to it that nobody is there any more.
  MariaDbServer server({"--ssl-cert=" + file, "--ssl-key=" + key, "--skip-networking=0",
                        "--bind-address=127.0.0.1", "--port=" + std::to_string(port)});
  server.Run("mysql", "CREATE DATABASE encrypted");
  MysqlOptions options = Options();
  options.socket.clear();
  options.host = "127.0.0.1";
  options.port = port;
  options.database = "encrypted";
  options.tls = MysqlTls::kChain;
  options.tls_ca = file;
  const auto store = *OpenMysqlStore(options, clock_, keyring_);
  const Application one = *store->applications().Create({.name = "one"});
  for (int i = 0; i < 3; ++i) {
    KillConnections(server, "encrypted");
    EXPECT_THAT(store->applications().Find(one.id), IsOk());
    KillConnections(server, "encrypted");
    EXPECT_THAT(store->keys().Create(one.id, KeyKind::kPair), IsOk());
  }
  EXPECT_THAT(*store->keys().List(one.id), SizeIs(3));
  server.Kill();
  const auto gone = store->applications().Find(one.id);
  server.Start();
  EXPECT_THAT(gone, HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(gone.status().message(), Not(HasSubstr("certificate")));
  EXPECT_THAT(store->applications().Find(one.id), IsOk());

  const TestCertificate stranger("DNS:database.example");
  options.tls_ca = folder_ / "stranger.pem";
  stranger.WriteTo(options.tls_ca);
  const auto refused = OpenMysqlStore(options, clock_, keyring_);
  ASSERT_THAT(refused, HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(refused.status().message(), HasSubstr("certificate"));
}

TEST_F(MariaDbStoreTest, ServerThatIsGoneMakesCallsUnavailableUntilItIsBack) {
  const auto store = Open();
  const Application one = *store->applications().Create({.name = "one"});
  MariaDbServer& server = database_->server();
  server.Kill();
  const auto found = store->applications().Find(one.id);
  const auto made = store->applications().Create({.name = "two"});
  server.Start();
  EXPECT_THAT(found, HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(made, HasCode(StatusCode::kUnavailable));
  EXPECT_EQ(*store->applications().Find(one.id), one);
  EXPECT_THAT(store->applications().FindByName("two"), HasCode(StatusCode::kNotFound));
}

TEST_F(MariaDbStoreTest, ServerKilledInTheMiddleOfCallsLosesNothingThatWasPromised) {
  const auto store = Open();
  const Application one = *store->applications().Create({.name = "one"});
  std::atomic<bool> stop = false;
  Mutex mutex;
  std::set<TaskId> created, finished;
  std::map<StatusCode, int> refused;
  const auto note = [&](const Status& status) {
    const MutexLock lock(mutex);
    ++refused[status.code()];
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&, me = TaskHolder{.node = "node " + std::to_string(i)}] {
      while (!stop) {
        const auto made = store->tasks().Create({.app_id = one.id, .request = "r"});
        if (!made.ok()) {
          note(made.status());
          continue;
        }
        {
          const MutexLock lock(mutex);
          created.insert(made->id);
        }
        const auto claimed = store->tasks().Claim(me);
        if (!claimed.ok()) note(claimed.status());
        if (!claimed.ok() || !*claimed) continue;
        const Status done =
            store->tasks().Finish((*claimed)->id, (*claimed)->lease, {.result = me.node});
        if (!done.ok()) {
          note(done);
          continue;
        }
        const MutexLock lock(mutex);
        finished.insert((*claimed)->id);
      }
    });
  }
  const auto wait_for_more = [&] {
    std::size_t before = 0;
    {
      const MutexLock lock(mutex);
      before = finished.size();
    }
    for (;;) {
      {
        const MutexLock lock(mutex);
        if (finished.size() >= before + 20) return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  };
  for (int i = 0; i < 2; ++i) {
    wait_for_more();
    database_->server().Kill();
    database_->server().Start();
  }
  wait_for_more();
  stop = true;
  for (std::thread& thread : threads) thread.join();
  for (const auto& [code, count] : refused) EXPECT_EQ(code, StatusCode::kUnavailable) << count;
  EXPECT_GT(refused.size(), 0U);
  for (const TaskId id : created) EXPECT_THAT(store->tasks().Find(one.id, id), IsOk());
  for (const TaskId id : finished) {
    EXPECT_EQ(store->tasks().Find(one.id, id)->state, TaskState::kSuccess);
  }
}

TEST_F(MariaDbStoreTest, TransactionsThatAreGivenUpAreTriedAgain) {
  const auto store = Open();
  const Application one = *store->applications().Create({.name = "one"});
  const Application two = *store->applications().Create({.name = "two"});
  // Somebody locks the two rows in the other order than the store will, and is heavier than it.
  soci::session other(soci::mysql, "unix_socket=" + database_->server().socket() +
                                       " user=root db=" + database_->name());
  other << "CREATE TABLE weight (n INT)";
  other << "CREATE TABLE chain (n INT)";
  // An update of one locks two.
  other << "CREATE TRIGGER deadlock BEFORE UPDATE ON applications FOR EACH ROW "
           "UPDATE quotas SET concurrency = 5 WHERE app_id = " +
               std::to_string(two.id);
  ASSERT_THAT(store->applications().SetQuota(two.id, Interface::kFlash, {.concurrency = 1}),
              IsOk());
  other << "START TRANSACTION";
  for (int i = 0; i < 50; ++i) other << "INSERT INTO weight (n) VALUES (1)";
  other << "UPDATE quotas SET concurrency = 4";
  std::thread waiting(
      [&] { EXPECT_THAT(store->applications().SetEnabled(one.id, false), IsOk()); });
  while (database_->Number("SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = "
                           "'LOCK WAIT'") == 0) {
    // Asked more often than every 100 ms, the server gives its last answer for ever.
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
  }
  const long long before = database_->Number(
      "SELECT variable_value FROM information_schema.global_status WHERE variable_name = "
      "'INNODB_DEADLOCKS'");
  other << "SELECT app_id FROM applications WHERE app_id = " + std::to_string(one.id) +
               " FOR UPDATE";
  other << "COMMIT";
  waiting.join();
  EXPECT_GT(database_->Number(
                "SELECT variable_value FROM information_schema.global_status WHERE variable_name "
                "= 'INNODB_DEADLOCKS'"),
            before);
  EXPECT_FALSE(store->applications().Find(one.id)->enabled);
}

TEST_F(MariaDbStoreTest, BrokenCommitIsNotMadeAgainAndSaysSo) {
  const auto store = Open();
  const Application one = *store->applications().Create({.name = "one"});
  // The commit waits for whoever has the whole server locked, and is cut off there.
  soci::session other(soci::mysql, "unix_socket=" + database_->server().socket() +
                                       " user=root db=" + database_->name());
  other << "BACKUP STAGE START";
  other << "BACKUP STAGE BLOCK_COMMIT";
  Status status;
  std::thread waiting([&] { status = store->applications().SetEnabled(one.id, false); });
  long long id = 0;
  while ((id = database_->Number("SELECT COALESCE(MAX(id), 0) FROM information_schema.processlist "
                                 "WHERE info = 'COMMIT'")) == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  database_->Run("KILL " + std::to_string(id));
  waiting.join();
  other << "BACKUP STAGE END";
  EXPECT_THAT(status, HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(status.message(), HasSubstr("may be written or not"));
}

TEST_F(MariaDbStoreTest, WhatIsLargerThanTheServerTakesIsRefusedAndNothingBreaks) {
  database_->Run("SET GLOBAL max_allowed_packet = 2097152");
  const auto store = Open();
  database_->Run("SET GLOBAL max_allowed_packet = 16777216");
  const Application one = *store->applications().Create({.name = "one"});
  const Task task = *store->tasks().Create({.app_id = one.id});
  ASSERT_THAT(store->tasks().Claim({.node = "here"}), IsOk());
  // Sealed, three bytes are four.
  EXPECT_THAT(store->tasks().Finish(task.id, 1, {.result = std::string(1'600'000, 'x')}),
              HasCode(StatusCode::kResourceExhausted));
  EXPECT_THAT(store->tasks().Finish(task.id, 1, {.result = std::string(1'500'000, 'x')}), IsOk());
}

TEST_F(MariaDbStoreTest, TwoStoresClaimFiveHundredTasksEachOnce) {
  const auto a = Open(), b = Open();
  const Application one = *a->applications().Create({.name = "one"});
  constexpr std::size_t kTasks = 500;
  for (std::size_t i = 0; i < kTasks; ++i) {
    ASSERT_THAT(a->tasks().Create({.app_id = one.id}), IsOk());
  }
  Mutex mutex;
  std::multiset<TaskId> claimed;
  std::map<std::string, int> by_node;
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back(
        [&, &store = i % 2 == 0 ? *a : *b, me = TaskHolder{.node = i % 2 == 0 ? "a" : "b"}] {
          for (;;) {
            const auto task = store.tasks().Claim(me);
            ASSERT_THAT(task, IsOk());
            if (!*task) return;
            EXPECT_EQ((*task)->lease, 1);
            EXPECT_THAT(store.tasks().Finish((*task)->id, 1, {.result = me.node}), IsOk());
            const MutexLock lock(mutex);
            claimed.insert((*task)->id);
            ++by_node[me.node];
          }
        });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(claimed.size(), kTasks);
  EXPECT_THAT(std::set<TaskId>(claimed.begin(), claimed.end()), SizeIs(kTasks));
  EXPECT_THAT(by_node, SizeIs(2));
}

TEST_F(MariaDbStoreTest, LimitsHoldForManyThreadsOfManyNodes) {
  const auto a = Open(), b = Open();
  const Application one = *a->applications().Create({.name = "one"});
  std::atomic<int> made = 0, full = 0, other = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i, &store = i % 2 == 0 ? *a : *b] {
      for (int j = 0; j < 10; ++j) {
        const auto words = store.vocabularies().Create(one.id, {.name = "words"});
        ++(words.ok()                                                ? made
           : words.status().code() == StatusCode::kResourceExhausted ? full
                                                                     : other);
        const std::string name = std::to_string(i) + "-" + std::to_string(j);
        EXPECT_THAT(store.applications().Create({.name = name}), IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made, static_cast<int>(kMaxVocabularies));
  EXPECT_EQ(full, 40 - made);
  EXPECT_EQ(other, 0);
  EXPECT_THAT(*a->applications().List(), SizeIs(41));
}

TEST_F(MariaDbStoreTest, FewConnectionsServeManyThreads) {
  const auto store = Open(/*connections=*/2);
  const Application one = *store->applications().Create({.name = "one"});
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 10; ++j) EXPECT_THAT(store->applications().Find(one.id), IsOk());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(database_->Number("SELECT COUNT(*) FROM information_schema.processlist WHERE db = '" +
                              database_->name() + "' AND id <> CONNECTION_ID()"),
            2);
}

}  // namespace
}  // namespace lethe
