#pragma once

// For tests: cages whose children are the test program itself (media_cage_children_test.cc).

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include "audio/media_cage.h"
#include "base/check.h"

namespace lethe::audio_internal {

inline MediaCageOptions TestCageOptions(const std::string& child = "media-child") {
  return {.command = {"/proc/self/exe", "--child=" + child}, .max_idle = 1};
}

/// One for all tests of a process.
inline CagedMediaDecoder& TestCage() {
  static const std::unique_ptr<CagedMediaDecoder> cage = [] {
    auto started = CagedMediaDecoder::Start(TestCageOptions());
    if (!started.ok()) CheckFailed(__FILE__, __LINE__, started.status().message().c_str());
    return *std::move(started);
  }();
  return *cage;
}

/// The processes that a process has started and not yet reaped.
inline std::vector<pid_t> ChildrenOf(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    // "PID (name) state parent ...", and a name may hold anything.
    std::ifstream file(entry.path() / "stat");
    std::string line;
    std::getline(file, line);
    const size_t behind_name = line.rfind(") ");
    if (behind_name == std::string::npos) continue;
    if (std::stoi(line.substr(behind_name + 4)) == parent) children.push_back(std::stoi(name));
  }
  return children;
}

/// Waits for what happens in the background; gives up after a minute.
template <class Condition>
bool Eventually(Condition condition) {
  for (int i = 0; i < 6'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

/// The children of this process, but for those of TestCage(): a stem and one that waits.
inline size_t NumChildren() {
  if (!Eventually([] { return TestCage().idle() == 1 && TestCage().busy() == 0; })) return 999;
  return ChildrenOf(getpid()).size() - 2;
}

}  // namespace lethe::audio_internal
