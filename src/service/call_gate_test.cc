// Goal: an application gets what its quota says, whoever else is calling, and room comes back.
// Method: a clock that the test moves.

#include "service/call_gate.h"

#include <gmock/gmock.h>

namespace lethe {
namespace {

using Time = CallGate::Clock::time_point;
constexpr std::chrono::milliseconds kSecond{1000};

Application App(AppId id) {
  Application application;
  application.id = id;
  return application;
}

bool Enters(CallGate& gate, const Application& application, Interface interface, Time now) {
  return std::holds_alternative<Permit>(gate.Enter(application, interface, now));
}

TEST(CallGateTest, SoManyCallsASecondAndEveryApplicationForItself) {
  CallGate gate({{Interface::kSentence, {.calls_per_second = 3}}});
  const Time now{};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Enters(gate, App(1), Interface::kSentence, now));
  const auto refused = gate.Enter(App(1), Interface::kSentence, now);
  EXPECT_EQ(std::get<GateRefusal>(refused), GateRefusal::kRate);
  EXPECT_TRUE(Enters(gate, App(2), Interface::kSentence, now));
  EXPECT_TRUE(Enters(gate, App(1), Interface::kFlash, now));
  EXPECT_TRUE(Enters(gate, App(1), Interface::kSentence, now + kSecond / 2));
  EXPECT_FALSE(Enters(gate, App(1), Interface::kSentence, now + kSecond / 2));
  // What was saved up is a second's worth at most, and a clock set back gives nothing.
  int entered = 0;
  while (Enters(gate, App(1), Interface::kSentence, now + 60 * kSecond)) ++entered;
  EXPECT_EQ(entered, 3);
  EXPECT_FALSE(Enters(gate, App(1), Interface::kSentence, now));
}

TEST(CallGateTest, SoManyAtOnceUntilOneLeaves) {
  CallGate gate({{Interface::kFlash, {.concurrency = 2}}});
  auto first = gate.Enter(App(1), Interface::kFlash);
  auto second = gate.Enter(App(1), Interface::kFlash);
  EXPECT_EQ(std::get<GateRefusal>(gate.Enter(App(1), Interface::kFlash)),
            GateRefusal::kConcurrency);
  EXPECT_EQ(gate.inside(1, Interface::kFlash), 2);
  Permit moved = std::get<Permit>(std::move(first));
  { const Permit leaves = std::move(moved); }
  EXPECT_EQ(gate.inside(1, Interface::kFlash), 1);
  EXPECT_TRUE(Enters(gate, App(1), Interface::kFlash, CallGate::Clock::now()));
}

TEST(CallGateTest, AnApplicationsOwnQuotaGoesBeforeTheDefault) {
  CallGate gate(DefaultGateLimits());
  Application application = App(1);
  application.quotas[Interface::kRealtime] = {.concurrency = 0};
  EXPECT_EQ(std::get<GateRefusal>(gate.Enter(application, Interface::kRealtime)),
            GateRefusal::kConcurrency);
  application.quotas[Interface::kRealtime] = {.concurrency = 1};
  const auto entered = gate.Enter(application, Interface::kRealtime);
  EXPECT_TRUE(std::holds_alternative<Permit>(entered));
}

}  // namespace
}  // namespace lethe
