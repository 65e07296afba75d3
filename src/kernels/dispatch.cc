#include "kernels/dispatch.h"

#include <cstdlib>
#include <cstring>
#include <string_view>

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lethe {
namespace {

struct CpuidLeaf {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

CpuidLeaf Cpuid(unsigned leaf, unsigned subleaf = 0) {
  CpuidLeaf r;
  if (__get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx) == 0) return {};
  return r;
}

// Which register states the operating system saves; Intel SDM vol. 1, 13.3.
std::uint64_t EnabledStates() {
  if ((Cpuid(1).ecx & (1u << 27)) == 0) return 0;  // OSXSAVE
  unsigned low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (std::uint64_t{high} << 32) | low;
}

bool Has(unsigned bits, int bit) { return ((bits >> bit) & 1u) != 0; }

bool HasAvx2() {
  const CpuidLeaf one = Cpuid(1), seven = Cpuid(7);
  return (EnabledStates() & 0x6) == 0x6 && Has(one.ecx, 12) /*fma*/ && Has(one.ecx, 28) /*avx*/ &&
         Has(one.ecx, 29) /*f16c*/ && Has(seven.ebx, 5) /*avx2*/;
}

bool HasAvxVnni() { return HasAvx2() && Has(Cpuid(7, 1).eax, 4); }

bool HasAvx512Vnni() {
  const CpuidLeaf seven = Cpuid(7);
  return HasAvx2() && (EnabledStates() & 0xe6) == 0xe6 && Has(seven.ebx, 16) /*f*/ &&
         Has(seven.ebx, 17) /*dq*/ && Has(seven.ebx, 30) /*bw*/ && Has(seven.ebx, 31) /*vl*/ &&
         Has(seven.ecx, 11) /*vnni*/;
}

bool HasAvx512Vbmi() { return HasAvx512Vnni() && Has(Cpuid(7).ecx, 1); }

// Eight tiles of 16 rows by 64 bytes, as amx/tiles.h has them; Intel SDM vol. 2, CPUID.
bool HasTilesOfOurSize() {
  const CpuidLeaf palette = Cpuid(0x1d, 1);
  return Cpuid(0x1d).eax >= 1 && palette.ebx == (8u << 16 | 64) && (palette.ecx & 0xffff) == 16;
}

// Every CPU with AMX has VBMI, which its table uses.
bool HasAmxInt8() {
  const CpuidLeaf seven = Cpuid(7);
  if (!HasAvx512Vbmi() || !Has(seven.edx, 24) /*amx-tile*/ || !Has(seven.edx, 25) /*amx-int8*/ ||
      (EnabledStates() & 0x60000) != 0x60000 || !HasTilesOfOurSize()) {
    return false;
  }
  // Linux gives a process the 8 KiB of tile state only when asked, for all its threads, those that
  // run already too; Documentation/arch/x86/xstate.rst. If it refuses (an old Linux, a sandbox, a
  // signal stack that is too small) there is no AMX.
  constexpr long kArchReqXcompPerm = 0x1023;
  constexpr long kXtileData = 18;
  return syscall(SYS_arch_prctl, kArchReqXcompPerm, kXtileData) == 0;
}

}  // namespace

const std::vector<const KernelTable*>& AvailableKernels() {
  static const std::vector<const KernelTable*> tables = [] {
    std::vector<const KernelTable*> found{&ScalarKernels()};
    if (HasAvx2()) found.push_back(&Avx2Kernels());
    if (HasAvxVnni()) found.push_back(&AvxVnniKernels());
    if (HasAvx512Vnni()) found.push_back(&Avx512Kernels());
    if (HasAvx512Vbmi()) found.push_back(&Avx512VbmiKernels());
    if (HasAmxInt8()) found.push_back(&AmxKernels());
    return found;
  }();
  return tables;
}

Result<const KernelTable*> FindKernels(std::string_view name) {
  std::string names;
  for (const KernelTable* table : AvailableKernels()) {
    if (name == table->name) return table;
    names += (names.empty() ? "" : ", ") + std::string(table->name);
  }
  return InvalidArgument("this CPU runs the instruction sets " + names + ", not \"" +
                         std::string(name) + "\"");
}

Result<const KernelTable*> ChooseKernels() {
  const char* wanted = std::getenv("LETHE_ISA");
  if (wanted == nullptr || *wanted == '\0') return AvailableKernels().back();
  Result<const KernelTable*> table = FindKernels(wanted);
  if (!table.ok()) return table.status().WithContext("LETHE_ISA");
  return table;
}

const PeakTable& PeakOf(const KernelTable& kernels) {
  for (const PeakTable* peak : {&Avx2Peak(), &AvxVnniPeak(), &Avx512Peak(), &AmxPeak()}) {
    // The table of avx512vbmi multiplies as that of avx512 does.
    if (std::string_view(kernels.name).starts_with(peak->name)) return *peak;
  }
  return ScalarPeak();
}

std::string CpuName() {
  char name[49] = {};
  for (unsigned i = 0; i < 3; ++i) {
    const CpuidLeaf leaf = Cpuid(0x80000002u + i);
    std::memcpy(name + 16 * i, &leaf, 16);
  }
  return name;
}

}  // namespace lethe
