// Goal: a recording decoded in a cage sounds as it does without one, and whatever its decoder does
// is an error of that recording and of nothing else.
// Method: real recordings through real children; then children made for the test that crash, hang,
// lie, or try what they may not do (media_cage_children_test.cc). Processes and descriptors are
// counted before and after. That each format gives equal samples is in media_decoder_test.cc.

#include "audio/media_cage.h"

#include <atomic>
#include <csignal>
#include <filesystem>
#include <random>
#include <thread>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audio/audio_source.h"
#include "audio/internal/test_audio.h"
#include "audio/internal/test_cage.h"
#include "tests/support/test_encoder.h"

namespace lethe {
namespace {

using audio_internal::BytesOf;
using audio_internal::ChildrenOf;
using audio_internal::Encoding;
using audio_internal::Eventually;
using audio_internal::FailsWith;
using audio_internal::Hear;
using audio_internal::Heard;
using audio_internal::HearFile;
using audio_internal::HearPipe;
using audio_internal::NumChildren;
using audio_internal::Pipe;
using audio_internal::TestCage;
using audio_internal::TestCageOptions;
using audio_internal::TestEncoder;
using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr StatusCode kInvalid = StatusCode::kInvalidArgument;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

std::string Recording(int seconds = 1,
                      const Encoding& encoding = {"mp3", "libmp3lame", 16'000, 1}) {
  std::vector<float> noise(static_cast<size_t>(seconds * encoding.sample_rate * encoding.channels));
  std::minstd_rand random(3);
  for (float& sample : noise) sample = static_cast<float>(random() % 2'000) / 4'000.0F - 0.25F;
  return TestEncoder(encoding).Encode(noise);
}

std::unique_ptr<CagedMediaDecoder> StartCage(MediaCageOptions options) {
  auto cage = CagedMediaDecoder::Start(std::move(options));
  EXPECT_TRUE(cage.ok()) << cage.status().message();
  return *std::move(cage);
}

size_t NumDescriptors() {
  return static_cast<size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

// What comes of a recording that is given to this child.
Heard HearThrough(const MediaCageOptions& options) {
  const std::string bytes = Recording();
  const auto cage = StartCage(options);
  Heard heard = HearFile(bytes, {.media_decoder = cage.get()});
  EXPECT_EQ(cage->busy(), 0);
  return heard;
}

TEST(MediaCageTest, SaysWhatHoldsItsChildren) {
  const auto cage = StartCage(TestCageOptions());
  EXPECT_TRUE(cage->confinement().seccomp);
  EXPECT_GE(cage->confinement().landlock_abi, 0);
}

TEST(MediaCageTest, AChildHasNothingOfOurs) {
  // Without O_CLOEXEC: what careless code leaves open must not reach the child either.
  const int careless = open("/dev/null", O_RDONLY);
  const Heard heard = HearThrough(TestCageOptions("reports-surroundings"));
  close(careless);
  EXPECT_THAT(heard.status, FailsWith(kInvalid, "3 descriptors, 0 variables"));
}

class ForbiddenTest : public testing::TestWithParam<const char*> {};

TEST_P(ForbiddenTest, IsRefusedOrDeadly) {
  const Heard heard = HearThrough(TestCageOptions(GetParam()));
  EXPECT_EQ(heard.status.code(), kInvalid);
  EXPECT_THAT(heard.status.message(), AnyOf(HasSubstr("refused"), HasSubstr("SIGSYS")));
  EXPECT_FALSE(std::filesystem::exists("/tmp/lethe_cage_test_must_not_exist"));
}

std::string NameOf(const testing::TestParamInfo<const char*>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, ForbiddenTest,
                         testing::Values("opens-a-file", "makes-a-file", "opens-a-socket",
                                         "runs-a-program", "forks", "clones", "kills-its-parent",
                                         "signals-its-parent", "traces", "maps-code", "makes-code",
                                         "writes-elsewhere", "raises-limits", "io-uring"),
                         NameOf);

TEST(MediaCageTest, LandlockAloneKeepsFilesAway) {
  if (TestCage().confinement().landlock_abi == 0) GTEST_SKIP() << "no landlock in this kernel";
  const Heard heard = HearThrough(TestCageOptions("opens-a-file-without-filter"));
  EXPECT_THAT(heard.status, FailsWith(kInvalid, "refused"));
}

struct Fault {
  const char* child;
  const char* message;  // behind "the recording's decoder was stopped: "
  StatusCode code = kInvalid;
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.child; }

class FaultTest : public testing::TestWithParam<Fault> {};

TEST_P(FaultTest, IsOneFailedRecording) {
  const Fault& fault = GetParam();
  MediaCageOptions options = TestCageOptions(fault.child);
  options.max_audio = std::chrono::seconds(5);
  // Long enough for a busy machine to answer.
  if (std::string_view(fault.message) == "no progress")
    options.max_stall = Millis{kSanitized ? 3'000 : 700};
  const Heard heard = HearThrough(options);
  EXPECT_THAT(heard.status, FailsWith(fault.code, fault.message));
  EXPECT_LE(heard.samples.size(), 5U * 16'000);
  EXPECT_EQ(NumChildren(), 0U);
}

std::string FaultName(const testing::TestParamInfo<Fault>& info) {
  std::string name = info.param.child;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(
    All, FaultTest,
    testing::Values(
        Fault{"ends", "decoder was stopped: it ended too early"},
        Fault{"crashes", "decoder was stopped: it crashed (SIGSEGV)"},
        Fault{"crashes-midway", "decoder was stopped: it crashed (SIGSEGV)"},
        Fault{"aborts", "decoder was stopped: it crashed (SIGABRT)"}, Fault{"spins", "no progress"},
        Fault{"is-silent", "no progress"}, Fault{"is-silent-midway", "no progress"},
        Fault{"sends-half", "no progress"}, Fault{"reads-the-end-for-ever", "no progress"},
        Fault{"seeks-and-never-listens", "no progress"},
        Fault{"never-ends", "is longer than allowed", StatusCode::kResourceExhausted},
        Fault{"talks-http", "it announced a message of"},
        Fault{"huge-message", "it announced a message of 4294967295 bytes"},
        Fault{"unknown-message", "no known kind"}, Fault{"message-of-ours", "no known kind"},
        Fault{"short-message", "wrong size"}, Fault{"65-channels", "impossible recording"},
        Fault{"no-channel", "impossible recording"}, Fault{"no-rate", "impossible recording"},
        Fault{"endless-length", "impossible recording"}, Fault{"two-lines", "impossible recording"},
        Fault{"opened-twice", "impossible recording"}, Fault{"samples-first", "wrong number"},
        Fault{"half-a-frame", "wrong number"}, Fault{"no-samples", "wrong number"},
        Fault{"not-numbers", "holds samples that are not numbers"},
        Fault{"end-first", "impossible way"}, Fault{"reads-nothing", "impossible number of bytes"},
        Fault{"reads-too-much", "impossible number of bytes"},
        Fault{"seeks-too-far", "impossible position"}, Fault{"fails-with-ok", "impossible way"},
        Fault{"fails-in-two-lines", "impossible way"}, Fault{"fails-for-others", "impossible way"}),
    FaultName);

TEST(MediaCageTest, AMemoryBombMeetsItsLimit) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer reserves more address space than any limit";
  EXPECT_THAT(HearThrough(TestCageOptions("eats-memory")).status,
              FailsWith(kInvalid, "decoder was stopped: it needed more than 768 MiB of memory"));
}

TEST(MediaCageTest, ProcessorTimeIsLimited) {
  MediaCageOptions options = TestCageOptions("spins");
  options.max_cpu = std::chrono::seconds(1);
  options.max_stall = Millis{60'000};
  EXPECT_THAT(HearThrough(options).status,
              FailsWith(kInvalid, "it used more than 1 s of processor time"));
}

TEST(MediaCageTest, DoesNotStartWhereChildrenCannotBeTrusted) {
  const auto start = [](const std::string& child) {
    MediaCageOptions options = TestCageOptions(child);
    if (child == "never-ready") options.max_start = Millis{500};
    return CagedMediaDecoder::Start(options).status();
  };
  EXPECT_THAT(start("cannot-be-confined"),
              FailsWith(StatusCode::kFailedPrecondition, "no seccomp"));
  EXPECT_THAT(start("not-confined"), FailsWith(StatusCode::kUnavailable, "another program"));
  EXPECT_THAT(start("ends-before-it-is-ready"), FailsWith(StatusCode::kUnavailable, "too early"));
  EXPECT_THAT(start("never-ready"), FailsWith(StatusCode::kUnavailable, "no progress"));
  EXPECT_THAT(CagedMediaDecoder::Start({.command = {"/nowhere/lethe"}}).status(),
              FailsWith(StatusCode::kUnavailable, "No such file"));
  EXPECT_EQ(NumChildren(), 0U);
}

TEST(MediaCageTest, ARecordingThatIsTooLongGivesWhatIsAllowed) {
  MediaCageOptions options = TestCageOptions();
  options.max_audio = std::chrono::seconds(3);
  const auto cage = StartCage(options);
  const AudioInputOptions caged{.media_decoder = cage.get()};
  EXPECT_TRUE(HearFile(Recording(2), caged).status.ok());
  const Heard heard = HearFile(Recording(10), caged);
  EXPECT_THAT(heard.status, FailsWith(StatusCode::kResourceExhausted, "limit 3 s"));
  EXPECT_LE(heard.samples.size(), 3U * 16'000);
}

TEST(MediaCageTest, DamagedRecordingsEndAsTheyDoWithoutACage) {
  std::mt19937 random(17);
  const AudioInputOptions caged{.media_decoder = &TestCage()};
  for (const Encoding& encoding : {Encoding{"mp3", "libmp3lame", 16'000, 1},
                                   {"mp4", "aac", 16'000, 1},
                                   {"ogg", "libopus", 48'000, 1},
                                   {"asf", "wmav2", 44'100, 1},
                                   {"avi", "libmp3lame", 16'000, 1},
                                   {"mpegts", "aac", 16'000, 1},
                                   {"flac", "flac", 16'000, 1}}) {
    SCOPED_TRACE(encoding.muxer);
    const std::string whole = Recording(1, encoding);
    for (int round = 0; round < 6; ++round) {
      std::string damaged = whole.substr(0, whole.size() - random() % (whole.size() / 2));
      for (int i = 0; i < 3 * round; ++i) damaged[random() % damaged.size()] ^= '\x55';
      const Heard free = HearFile(damaged);
      const Heard heard = HearFile(damaged, caged);
      EXPECT_EQ(heard.status.code(), free.status.code());
      EXPECT_EQ(heard.status.message(), free.status.message());
      EXPECT_EQ(heard.samples, free.samples);
      EXPECT_EQ(heard.warning, free.warning);
    }
  }
}

TEST(MediaCageTest, AnInputThatBreaksOffFailsWithItsOwnReason) {
  class Breaking final : public ByteSource {
   public:
    Breaking(std::string bytes, int reads) : bytes_(std::move(bytes), 1'000), reads_(reads) {}
    Result<size_t> Read(std::span<std::byte> bytes) override {
      if (reads_-- == 0) return Unavailable("the line is dead");
      return bytes_.Read(bytes);
    }

   private:
    Pipe bytes_;
    int reads_;
  };
  const std::string bytes = Recording(20, {"au", "pcm_s16be", 44'100, 1});
  for (const int reads : {1, 100, 1'500}) {
    const Heard heard =
        Hear(OpenAudio(std::make_unique<Breaking>(bytes, reads), {.media_decoder = &TestCage()}));
    EXPECT_THAT(heard.status, FailsWith(StatusCode::kUnavailable, "the line is dead"));
  }
}

TEST(MediaCageTest, WhoFindsAllBusyWaitsAndIsToldSo) {
  MediaCageOptions options = TestCageOptions();
  options.max_busy = 1;
  options.max_wait = Millis{20};
  const auto cage = StartCage(options);
  const std::string bytes = Recording();
  const AudioInputOptions caged{.media_decoder = cage.get()};
  auto first = OpenAudioBytes(BytesOf(bytes), caged);
  ASSERT_TRUE(first.ok()) << first.status().message();
  EXPECT_EQ(cage->busy(), 1);
  EXPECT_THAT(HearFile(bytes, caged).status,
              FailsWith(StatusCode::kUnavailable, "media decoders are all busy"));
  *first = nullptr;
  EXPECT_EQ(cage->busy(), 0);
  // The place is free at once; the child for it may still have to be started.
  EXPECT_TRUE(Eventually([&] { return HearFile(bytes, caged).status.ok(); }));
}

TEST(MediaCageTest, WhoWaitsGetsTheNextFreePlace) {
  MediaCageOptions options = TestCageOptions();
  options.max_busy = 1;
  options.max_wait = Millis{60'000};
  const auto cage = StartCage(options);
  const std::string bytes = Recording();
  const AudioInputOptions caged{.media_decoder = cage.get()};
  auto first = OpenAudioBytes(BytesOf(bytes), caged);
  ASSERT_TRUE(first.ok());
  Heard heard;
  std::thread waiting([&] { heard = HearFile(bytes, caged); });
  std::this_thread::sleep_for(Millis{50});  // so that it does wait, mostly
  *first = nullptr;
  waiting.join();
  EXPECT_TRUE(heard.status.ok()) << heard.status.message();
}

// Returns when they have died.
void KillChildrenBut(const std::vector<pid_t>& others) {
  for (const pid_t child : ChildrenOf(getpid())) {
    if (std::find(others.begin(), others.end(), child) != others.end()) continue;
    kill(child, SIGKILL);
    siginfo_t end{};
    waitid(P_PID, static_cast<id_t>(child), &end, WEXITED | WNOWAIT);
  }
}

TEST(MediaCageTest, ThePoolIsFilledAgain) {
  MediaCageOptions options = TestCageOptions();
  options.max_idle = 3;
  const auto cage = StartCage(options);
  const std::string bytes = Recording();
  EXPECT_TRUE(Eventually([&] { return cage->idle() == 3; }));
  const auto source = OpenAudioBytes(BytesOf(bytes), {.media_decoder = cage.get()});
  ASSERT_TRUE(source.ok());
  EXPECT_TRUE(Eventually([&] { return cage->idle() == 3; }));
  EXPECT_EQ(NumChildren(), 5U);  // one of them the stem
}

TEST(MediaCageTest, ChildrenThatDiedWaitingAreReplacedAndSoIsTheStem) {
  ASSERT_EQ(NumChildren(), 0U);
  const std::vector<pid_t> others = ChildrenOf(getpid());
  const auto cage = StartCage(TestCageOptions());
  ASSERT_TRUE(Eventually([&] { return cage->idle() == 1; }));
  KillChildrenBut(others);
  const Heard heard = HearFile(Recording(), {.media_decoder = cage.get()});
  EXPECT_TRUE(heard.status.ok()) << heard.status.message();
}

// The machine's want of memory is no fault of the recording; a call is told to try again.
TEST(MediaCageTest, WhatTheSystemKilledIsUnavailable) {
  const std::vector<pid_t> others = ChildrenOf(getpid());
  const auto cage = StartCage(TestCageOptions());
  const std::string bytes = Recording(20);
  auto source = OpenAudioBytes(BytesOf(bytes), {.media_decoder = cage.get()});
  ASSERT_TRUE(source.ok()) << source.status().message();
  KillChildrenBut(others);
  std::vector<float> block(20'000);
  Result<std::size_t> read = std::size_t{0};
  do {
    read = (*source)->Read(block);
  } while (read.ok() && *read > 0);
  EXPECT_THAT(read.status(), FailsWith(StatusCode::kUnavailable, "the system killed it"));
}

TEST(MediaCageTest, NothingIsLeftOfManyRecordings) {
  const std::string bytes = Recording(20);
  ASSERT_EQ(NumChildren(), 0U);  // and the common cage has its descriptors
  const size_t descriptors = NumDescriptors();
  {
    const auto cage = StartCage(TestCageOptions());
    for (int i = 0; i < 200; ++i) {
      auto source = OpenAudioBytes(BytesOf(bytes), {.media_decoder = cage.get()});
      ASSERT_TRUE(source.ok()) << source.status().message();
      // Some are dropped at once, some midway.
      std::vector<float> block(20'000);
      for (int read = 0; read < i % 4; ++read) ASSERT_TRUE((*source)->Read(block).ok());
    }
    EXPECT_EQ(cage->busy(), 0);
    // The one that waits, and the stem, and at most one that is just being started.
    EXPECT_LE(NumChildren(), 3U);
  }
  EXPECT_EQ(NumChildren(), 0U);
  EXPECT_EQ(NumDescriptors(), descriptors);
}

TEST(MediaCageTest, ManyThreadsHearTheSame) {
  MediaCageOptions options = TestCageOptions();
  options.max_idle = 2;
  options.max_busy = 4;
  options.max_wait = Millis{120'000};
  const auto cage = StartCage(options);
  const std::string bytes = Recording(3);
  const Heard expected = HearPipe(bytes, 999);
  std::atomic<int> alike = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) {
        const Heard heard = HearPipe(bytes, 999, {.media_decoder = cage.get()});
        if (heard.status.ok() && heard.samples == expected.samples) ++alike;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(alike, 40);
  EXPECT_EQ(cage->busy(), 0);
}

TEST(MediaCageTest, ChildrenDieWithTheirParent) {
  std::string self = "/proc/self/exe";
  std::string mode = "--child=parent";
  char* arguments[] = {self.data(), mode.data(), nullptr};
  pid_t parent = -1;
  ASSERT_EQ(posix_spawn(&parent, arguments[0], nullptr, nullptr, arguments, environ), 0);
  std::vector<pid_t> children;
  EXPECT_TRUE(Eventually([&] {
    children = ChildrenOf(parent);
    return !children.empty();
  }));
  kill(parent, SIGKILL);
  waitpid(parent, nullptr, 0);
  for (const pid_t child : children) {
    // Gone, or a zombie of whoever reaps orphans here.
    EXPECT_TRUE(Eventually([&] {
      std::ifstream file("/proc/" + std::to_string(child) + "/stat");
      std::string line;
      std::getline(file, line);
      return line.empty() || line.find(") Z") != std::string::npos;
    }));
  }
}

}  // namespace
}  // namespace lethe
