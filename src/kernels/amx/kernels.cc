// The AVX-512 table with integer products on AMX tiles.

#include "kernels/kernels.h"

#include "kernels/amx/product.h"
#include "kernels/amx/tiles.h"
#include "kernels/avx512/integer.h"
#include "kernels/avx512/shorts.h"
#include "kernels/avx512/vector.h"
#include "kernels/avx512vbmi/signs.h"
#include "kernels/internal/float_kernels.h"

namespace lethe {

const KernelTable& AmxKernels() {
  using namespace kernels_internal;
  static constexpr KernelTable table{"amx",
                                     QuantizeRows,
                                     TileGemmU8S8<AmxTiles>,
                                     QuantizeShorts<Avx512Vector>,
                                     VnniGemmS16,
                                     VbmiGemmU8U1,
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
                                     TileAttendFrames<AmxTiles>,
                                     ToHalf<Avx512Vector>,
                                     Attend<Avx512Vector>,
                                     ArgmaxLogSumExp<Avx512Vector>,
                                     LstmCell<Avx512Vector>};
  return table;
}

}  // namespace lethe
