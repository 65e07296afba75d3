#pragma once

// A MariaDB server for tests: Debian's mariadb-server-core with a data folder of its own, without
// network, started once for a test program and ended with it.

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <soci/mysql/soci-mysql.h>
#include <soci/soci.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/random.h"

namespace lethe {

class MariaDbServer {
 public:
  /// Where the server's program is; empty: nowhere.
  static std::string Program() {
    for (const char* path : {"/usr/sbin/mariadbd", "/usr/local/sbin/mariadbd"}) {
      if (::access(path, X_OK) == 0) return path;
    }
    return "";
  }

  /// The one of this test program, started when it is first asked for, in the thread that asks.
  static MariaDbServer& Instance() {
    static MariaDbServer server;
    return server;
  }

  /// `more_arguments`: of the program, besides its own.
  explicit MariaDbServer(std::vector<std::string> more_arguments = {})
      : more_arguments_(std::move(more_arguments)) {
    // The folder of the system tables is missed otherwise; nobody is asked who they are.
    std::filesystem::create_directories(folder_ / "data/mysql");
    std::filesystem::create_directories(folder_ / "tmp");
    Start();
  }
  ~MariaDbServer() {
    Kill();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  MariaDbServer(const MariaDbServer&) = delete;
  MariaDbServer& operator=(const MariaDbServer&) = delete;

  /// Starts it on the data that is there, and waits until it answers.
  void Start() {
    const std::string program = Program(), data = "--datadir=" + (folder_ / "data").string();
    // A starting server removes all temporary tables of its tmpdir, those of other servers too.
    const std::string tmpdir = "--tmpdir=" + (folder_ / "tmp").string();
    const std::string socket_option = "--socket=" + socket(), log = (folder_ / "log").string();
    const std::string pid_file = "--pid-file=" + (folder_ / "pid").string();
    std::vector<const char*> arguments = {program.c_str(),
                                          "--no-defaults",
                                          data.c_str(),
                                          tmpdir.c_str(),
                                          socket_option.c_str(),
                                          pid_file.c_str(),
                                          "--skip-networking",
                                          "--skip-grant-tables",
                                          "--innodb-flush-log-at-trx-commit=2",
                                          "--innodb-buffer-pool-size=16M",
                                          "--innodb-log-file-size=8M",
                                          "--innodb-flush-method=nosync",
                                          "--debug-no-sync"};
    if (::geteuid() == 0) arguments.push_back("--user=root");  // the user to be
    for (const std::string& argument : more_arguments_) arguments.push_back(argument.c_str());
    arguments.push_back(nullptr);
    std::filesystem::remove(socket());
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      ::dup2(fd, STDOUT_FILENO);
      ::dup2(fd, STDERR_FILENO);
      ::execv(program.c_str(), const_cast<char* const*>(arguments.data()));
      ::_exit(127);
    }
    for (int i = 0; i < 3'000; ++i) {
      try {
        soci::session(soci::mysql, "unix_socket=" + socket() + " user=root");
        return;
      } catch (const soci::soci_error&) {
        if (::waitpid(pid_, nullptr, WNOHANG) != 0) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    }
    std::ifstream text(log);
    throw std::runtime_error("mariadbd did not start: " +
                             std::string(std::istreambuf_iterator<char>(text), {}));
  }

  /// Ends it as a power cut would.
  void Kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

  /// Runs a statement in a database.
  void Run(const std::string& database, const std::string& statement) {
    soci::session session(soci::mysql, "unix_socket=" + socket() + " user=root db=" + database);
    session << statement;
  }

  /// The number a query gives.
  long long Number(const std::string& database, const std::string& query) {
    soci::session session(soci::mysql, "unix_socket=" + socket() + " user=root db=" + database);
    long long number = 0;
    session << query, soci::into(number);
    return number;
  }

  std::string socket() const { return (folder_ / "socket").string(); }

 private:
  const std::vector<std::string> more_arguments_;
  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / ("lethe_mariadb_" + RandomHex(8));
  pid_t pid_ = -1;
};

/// A database of its own for a test.
class TestDatabase {
 public:
  TestDatabase() {
    soci::session(soci::mysql, "unix_socket=" + server().socket() + " user=root")
        << "CREATE DATABASE " + name_;
  }
  ~TestDatabase() {
    try {
      server().Run(name_, "DROP DATABASE " + name_);
    } catch (const soci::soci_error&) {
      // The server goes with the test program anyway.
    }
  }
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  static MariaDbServer& server() { return MariaDbServer::Instance(); }
  void Run(const std::string& statement) { server().Run(name_, statement); }
  long long Number(const std::string& query) { return server().Number(name_, query); }
  const std::string& name() const { return name_; }

 private:
  const std::string name_ = "test_" + RandomHex(8);
};

}  // namespace lethe
