// The AMX table's products, which few machines can run, give the bits of the scalar table.
//
// Method: a strict emulation of tiles (amx_emulated/), which notes every misuse, where the CPU has
// AVX-512 with VNNI. First their code is compiled a second time, over the emulation. Then the code
// that is shipped runs, and the emulation does in a signal handler what its AMX instructions say,
// which this CPU does not know. What a kernel reads or writes by itself lies at the end of a page
// behind which nothing may be touched; what tiles load is checked row by row.

#include <algorithm>
#include <csignal>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include <cpuid.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "kernels/amx_emulated/kernels.h"
#include "kernels/dispatch.h"
#include "kernels/internal/test_weights.h"
#include "kernels/kernels.h"

namespace lethe {
namespace {

using kernels_internal::ExpectSameBits;
using kernels_internal::Head;
using kernels_internal::Quantized;
using kernels_internal::RandomFloats;
using kernels_internal::Weights;

// Values that end where a page does which nobody may touch; one lies in front of them too.
template <class X>
class Guarded {
 public:
  explicit Guarded(std::size_t count, std::size_t align = alignof(X)) : size_(count * sizeof(X)) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t inside = (size_ + align + page - 1) / page * page;
    mapped_ = inside + 2 * page;
    base_ =
        static_cast<char*>(mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    EXPECT_NE(base_, MAP_FAILED);
    EXPECT_EQ(mprotect(base_ + page, inside, PROT_READ | PROT_WRITE), 0);
    data_ = base_ + page + (inside - size_) / align * align;
  }
  explicit Guarded(const std::vector<X>& values) : Guarded(values.size()) {
    if (size_ != 0) std::memcpy(data_, values.data(), size_);
  }
  ~Guarded() { munmap(base_, mapped_); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  X* data() const { return reinterpret_cast<X*>(data_); }
  std::vector<X> values() const { return {data(), data() + size_ / sizeof(X)}; }
  ReadableMemory readable() const { return {data_, static_cast<std::int64_t>(size_)}; }

 private:
  std::size_t size_, mapped_;
  char *base_, *data_;
};

// A matrix whose parts are guarded.
struct GuardedWeights {
  explicit GuardedWeights(const Weights& w)
      : q(w.q), scale(w.scale), bias(w.bias), zero(w.zero), correction(w.correction), view(w.view) {
    view.weight = q.data();
    view.scale = scale.data();
    view.zero = zero.data();
    view.correction = correction.data();
    if (view.bias != nullptr) view.bias = bias.data();
  }
  Guarded<std::int8_t> q;
  Guarded<float> scale, bias;
  Guarded<std::int32_t> zero, correction;
  PackedWeights view;
};

// While it lives, AMX instructions that stop this thread are emulated.
class EmulatedInstructions {
 public:
  EmulatedInstructions() {
    struct sigaction action = {};
    action.sa_sigaction = Emulate;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGILL, &action, &before_);
  }
  ~EmulatedInstructions() { sigaction(SIGILL, &before_, nullptr); }
  EmulatedInstructions(const EmulatedInstructions&) = delete;
  EmulatedInstructions& operator=(const EmulatedInstructions&) = delete;

 private:
  static void Emulate(int, siginfo_t*, void* context) {
    constexpr int kOrder[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                              REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                              REG_R12, REG_R13, REG_R14, REG_R15};
    auto& state = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    std::int64_t registers[16];
    for (int i = 0; i < 16; ++i) registers[i] = state[kOrder[i]];
    const int length = EmulateInstruction(reinterpret_cast<const void*>(state[REG_RIP]), registers);
    if (length == 0) std::signal(SIGILL, SIG_DFL);  // It stops there again.
    state[REG_RIP] += length;
  }
  struct sigaction before_;
};

bool CpuHasTiles() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d >> 24 & 1) != 0;
}

// Whether the code that is shipped is tested, or what was compiled over the emulation.
class AmxTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (!FindKernels("avx512").ok()) GTEST_SKIP() << "this CPU has no AVX-512 with VNNI";
    if (!GetParam()) return;
    if (CpuHasTiles()) GTEST_SKIP() << "this CPU has AMX; kernels_test.cc tests it where it may";
    instructions_.emplace();
  }
  const KernelTable& table_ = GetParam() ? AmxKernels() : EmulatedAmxKernels();
  const KernelTable& scalar_ = ScalarKernels();

 private:
  std::optional<EmulatedInstructions> instructions_;
};
INSTANTIATE_TEST_SUITE_P(Code, AmxTest, testing::Bool(), [](const auto& instance) {
  return instance.param ? "shipped" : "over_emulation";
});

// y of both tables, whose rows are ldy apart; what lies between them stays.
void ExpectSameProduct(const KernelTable& table, const KernelTable& scalar, const Quantized& x,
                       const Weights& weights, int ldy, unsigned seed, const std::string& what) {
  const int m = static_cast<int>(x.rows.size());
  const Guarded<std::uint8_t> a(
      std::vector<std::uint8_t>(x.bytes.begin(), x.bytes.begin() + std::ptrdiff_t{m} * x.lda));
  const Guarded<RowScale> rows(x.rows);
  const GuardedWeights w(weights);
  const std::size_t size = m == 0 ? 0 : static_cast<std::size_t>(m - 1) * ldy + w.view.n_padded;
  const std::vector<float> before = RandomFloats(size, seed);
  for (const bool accumulate : {false, true}) {
    const Guarded<float> y(before);
    std::vector<float> expected = before;
    const ReadableMemory parts[] = {a.readable(), w.q.readable()};
    WatchTiles(parts, 2);
    table.gemm_u8s8(a.data(), m, x.lda, rows.data(), w.view, y.data(), ldy, accumulate);
    scalar.gemm_u8s8(x.bytes.data(), m, x.lda, x.rows.data(), weights.view, expected.data(), ldy,
                     accumulate);
    ASSERT_STREQ(TileFault(), nullptr) << what;
    ASSERT_NO_FATAL_FAILURE(ExpectSameBits(y.values(), expected, what));
  }
}

TEST_P(AmxTest, ProductIsThatOfTheScalarTable) {
  unsigned seed = 1;
  const auto compare = [&](int m, int n, int k) {
    ++seed;
    const Weights w(n, k, seed, seed % 2 == 0);
    const Quantized x(scalar_, RandomFloats(static_cast<std::size_t>(m) * k, seed), m, k);
    ExpectSameProduct(
        table_, scalar_, x, w, w.view.n_padded + static_cast<int>(seed % 3) * 5, seed,
        "m " + std::to_string(m) + " n " + std::to_string(n) + " k " + std::to_string(k));
  };
  const int ks[] = {1, 4, 36, 60, 63, 64, 65, 100, 128, 132, 288};
  const int ns[] = {1, 16, 17, 36, 48, 63, 80, 112};
  for (int m = 0; m <= 70; ++m) {
    for (const int n : ns) {
      compare(m, n, ks[seed % 11]);
      if (HasFatalFailure()) return;
    }
  }
  for (const int k : ks) {
    for (const int m : {8, 15, 16, 17, 33, 48}) {
      for (const int n : {16, 48, 80}) {
        compare(m, n, k);
        if (HasFatalFailure()) return;
      }
    }
  }
  // More rows than go over the weights at once.
  for (const int m : {95, 96, 97, 111, 112, 113, 127, 128, 129, 209, 225}) {
    compare(m, 48, 68);
    if (HasFatalFailure()) return;
  }
}

// What turns sums into outputs cuts its factors in pieces of 16 bits; these are the largest there
// are.
TEST_P(AmxTest, ProductHoldsAtTheLargestDepthAndTheLargestValues) {
  for (const int k : {64, kMaxGemmDepth}) {
    for (const int q : {-128, 127}) {
      for (const int zero : {-256, -1, 0, 255, 256}) {
        Weights w(16, k, 5, true);
        for (auto& v : w.q) v = static_cast<std::int8_t>(q);
        for (auto& v : w.zero) v = zero;
        for (auto& v : w.correction) v = k * (q - zero);
        const int m = 9;
        Quantized x(scalar_, RandomFloats(static_cast<std::size_t>(m) * k, 7), m, k);
        for (int i = 0; i < m; ++i) {
          const auto row = x.bytes.begin() + std::ptrdiff_t{i} * x.lda;
          const int value = i == 0 ? 0 : i == 1 ? 1 : 255;
          std::fill(row, row + k, static_cast<std::uint8_t>(value));
          x.rows[i].sum = k * value;
          x.rows[i].zero = i % 2 == 0 ? 255 : i / 2;
        }
        ExpectSameProduct(
            table_, scalar_, x, w, 16, 3,
            "k " + std::to_string(k) + " q " + std::to_string(q) + " zero " + std::to_string(zero));
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_P(AmxTest, ProductRunsOnTiles) {
  const Weights w(80, 100, 1, false);
  const auto products = [&](int m) {
    const Quantized x(scalar_, RandomFloats(static_cast<std::size_t>(m) * 100, 2), m, 100);
    ExpectSameProduct(table_, scalar_, x, w, 80, 3, "m " + std::to_string(m));
    return TileProducts();
  };
  // Five panels of two steps, for each 16 rows.
  EXPECT_EQ(products(7), 0);
  EXPECT_EQ(products(8), 10);
  EXPECT_EQ(products(16), 10);
  EXPECT_EQ(products(17), 20);
  EXPECT_EQ(products(48), 30);
  EXPECT_EQ(products(96), 60);
}

TEST_P(AmxTest, AttentionOverFramesIsThatOfTheScalarTable) {
  for (const int d : {1, 4, 6, 36, 52, 64}) {
    for (const int frames : {1, 7, 16, 17, 48, 50, 65, 115}) {
      const Head head(frames, d);
      for (int m = 0; m <= frames; m += m < 20 || m > 44 ? 1 : 7) {
        const GuardedWeights keys(head.keys), values(head.values);
        const Guarded<float> query(std::vector<float>(
            head.x.begin(), head.x.begin() + (m == 0 ? 0 : (m - 1) * 3 * d + d)));
        const Guarded<char> scratch(static_cast<std::size_t>(AttendScratchBytes(frames, d)), 64);
        const Guarded<float> out(
            std::vector<float>(m == 0 ? 0 : static_cast<std::size_t>(m - 1) * (d + 3) + d, 7.0f));
        const ReadableMemory parts[] = {scratch.readable(), keys.q.readable(), values.q.readable()};
        WatchTiles(parts, 3);
        table_.attend_frames(query.data(), m, 3 * d, keys.view, values.view, scratch.data(),
                             out.data(), d + 3);
        const std::string what = std::to_string(m) + " of " + std::to_string(frames) + " frames, " +
                                 std::to_string(d) + " dimensions";
        ASSERT_STREQ(TileFault(), nullptr) << what;
        EXPECT_EQ(TileProducts() > 0, m >= 8) << what;
        std::vector<float> expected = head.Attend(scalar_, m);
        expected.resize(out.values().size());
        ASSERT_NO_FATAL_FAILURE(ExpectSameBits(out.values(), expected, what));
      }
    }
  }
}

TEST_P(AmxTest, PeakLoopMultipliesWhatItSays) {
  if (!GetParam()) return;
  WatchTiles(nullptr, 0);
  const std::int64_t operations = AmxPeak().multiply_integers(5);
  EXPECT_STREQ(TileFault(), nullptr);
  EXPECT_EQ(operations, TileProducts() * 2 * 16 * 16 * 64);
}

// The emulation sees what it is there to see.
TEST(EmulatedTilesTest, EveryMisuseIsNoted) {
  if (!FindKernels("avx512").ok()) GTEST_SKIP() << "this CPU has no AVX-512 with VNNI";
  struct alignas(64) Memory {
    char bytes[4096] = {};
  } memory;
  const ReadableMemory half = {memory.bytes, 2048};
  int count = 0;
  const TileMisuse* misuses = TileMisuses(&count);
  ASSERT_GT(count, 10);
  for (int i = 0; i < count; ++i) {
    WatchTiles(&half, 1);
    EXPECT_STREQ(TileFault(), nullptr);
    misuses[i].commit(memory.bytes);
    EXPECT_STREQ(TileFault(), misuses[i].fault) << i;
  }
}

}  // namespace
}  // namespace lethe
