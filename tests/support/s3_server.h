#pragma once

// An S3 server for tests (tests/s3/server.mjs): s3rver with a folder of its own, on a free port of
// 127.0.0.1, started once for a test program and ended with it.

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/random.h"
#include "store/s3_objects.h"

namespace lethe {

class S3Server {
 public:
  static constexpr const char* kBucket = "lethe-tests";

  /// Whether it can be started: `make clients` fetches it.
  static bool IsInstalled() { return std::filesystem::exists(Folder() / "node_modules/s3rver"); }

  /// The one of this test program, started when it is first asked for, in the thread that asks.
  static S3Server& Instance() {
    static S3Server server;
    return server;
  }

  S3Server() {
    std::filesystem::create_directories(folder_);
    int out[2], in[2];
    if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(in, O_CLOEXEC) != 0) {
      throw std::runtime_error("no pipe");
    }
    const std::string script = (Folder() / "server.mjs").string(), folder = folder_.string();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      ::execlp("node", "node", "--openssl-legacy-provider", "--no-deprecation", script.c_str(),
               folder.c_str(), kBucket, static_cast<char*>(nullptr));
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    stdin_ = in[1];
    std::string line;
    char c = 0;
    while (::read(out[0], &c, 1) == 1 && c != '\n') line += c;
    ::close(out[0]);
    if (line.empty()) throw std::runtime_error("tests/s3/server.mjs did not start");
    port_ = line;
  }
  ~S3Server() {
    ::close(stdin_);
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  S3Server(const S3Server&) = delete;
  S3Server& operator=(const S3Server&) = delete;

  /// Options for the bucket and a prefix in it.
  S3Options Options(const std::string& prefix) const {
    S3Options options = *ParseS3Url("s3://" + std::string(kBucket) + "/" + prefix +
                                    "?endpoint=http://127.0.0.1:" + port_);
    options.access_key_id = "S3RVER";
    options.secret_access_key = Secret("S3RVER");
    return options;
  }

  /// Where it keeps its files.
  const std::filesystem::path& folder() const { return folder_; }

 private:
  static std::filesystem::path Folder() {
    return std::filesystem::path(LETHE_SOURCE_DIR) / "tests" / "s3";
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / ("lethe_s3_" + RandomHex(8));
  pid_t pid_ = -1;
  int stdin_ = -1;
  std::string port_;
};

}  // namespace lethe
