// The AVX-512 table with what VBMI does faster.

#include "kernels/kernels.h"

#include "kernels/avx512vbmi/signs.h"

namespace lethe {

const KernelTable& Avx512VbmiKernels() {
  static const KernelTable table = [] {
    KernelTable t = Avx512Kernels();
    t.name = "avx512vbmi";
    t.gemm_u8u1 = VbmiGemmU8U1;
    return t;
  }();
  return table;
}

}  // namespace lethe
