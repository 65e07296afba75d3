#include "kernels/kernels.h"

#include "kernels/avx512/frames.h"
#include "kernels/avx512/integer.h"
#include "kernels/avx512/shorts.h"
#include "kernels/avx512/signs.h"
#include "kernels/avx512/vector.h"
#include "kernels/internal/attend_frames.h"
#include "kernels/internal/float_kernels.h"

namespace lethe {

const KernelTable& Avx512Kernels() {
  using namespace kernels_internal;
  static constexpr KernelTable table{"avx512",
                                     QuantizeRows,
                                     VnniGemmU8S8,
                                     QuantizeShorts<Avx512Vector>,
                                     VnniGemmS16,
                                     VnniGemmU8U1,
                                     VnniRefineLargest,
                                     LayerNorm<Avx512Vector>,
                                     Moments<Avx512Vector>,
                                     NeighbourProducts<Avx512Vector>,
                                     ScaleColumns<Avx512Vector>,
                                     Spectrum<Avx512Vector>,
                                     Relu<Avx512Vector>,
                                     Rotate<Avx512Vector>,
                                     Gelu<Avx512Vector>,
                                     TanhAll<Avx512Vector>,
                                     SiluMultiply<Avx512Vector>,
                                     SoftmaxQuantize<Avx512Vector>,
                                     PackOutputs<Avx512Vector>,
                                     PackInputs<Avx512Vector>,
                                     AttendFrames<Avx512Frames>,
                                     ToHalf<Avx512Vector>,
                                     Attend<Avx512Vector>,
                                     ArgmaxLogSumExp<Avx512Vector>,
                                     LstmCell<Avx512Vector>};
  return table;
}

}  // namespace lethe
