#include "base/clock.h"

namespace lethe {
namespace {

class MachineClock : public Clock {
 public:
  WallTime Now() const override {
    return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
  }
};

}  // namespace

const Clock& SystemClock() {
  static const MachineClock clock;
  return clock;
}

}  // namespace lethe
