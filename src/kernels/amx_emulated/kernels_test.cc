#include "kernels/amx_emulated/kernels.h"

#include "kernels/amx/product.h"
#include "kernels/amx/tiles.h"
#include "kernels/amx_emulated/instructions.h"
#include "kernels/amx_emulated/tiles.h"

namespace lethe {
namespace {

using T = EmulatedTiles;

constexpr TileMisuse kMisuses[] = {
    {"not configured", [](char*) { T::Zero<0>(); }},
    {"not configured", [](char* memory) { T::Load<0>(memory, 64); }},
    {"not configured",
     [](char* memory) {
       { const TileScope<T> scope(16); }
       T::Load<0>(memory, 64);
     }},
    {"released twice", [](char*) { T::Release(); }},
    {"left configured", [](char*) { T::Configure(TileConfig(16)); }},
    {"configured twice",
     [](char*) {
       const TileScope<T> scope(16);
       T::Configure(TileConfig(16));
     }},
    {"configuration", [](char*) { const TileScope<T> scope(17); }},
    {"configuration", [](char*) { const TileScope<T> scope(0); }},
    {"configuration",
     [](char*) {
       TileConfig config(16);
       config.reserved[3] = 1;
       T::Configure(config);
     }},
    {"row outside memory",
     [](char* memory) {
       const TileScope<T> scope(16);
       T::Load<0>(memory + 1024 + 1, 64);
     }},
    {"row outside memory",
     [](char* memory) {
       const TileScope<T> scope(16);
       T::Load<0>(memory, 192);
     }},
    {"row outside memory",
     [](char* memory) {
       const TileScope<T> scope(16);
       T::Load<0>(memory, -64);
     }},
    {"stored before it was filled",
     [](char* memory) {
       const TileScope<T> scope(16);
       T::Store<0>(memory, 64);
     }},
    {"rows stored over each other",
     [](char* memory) {
       const TileScope<T> scope(16);
       T::Zero<0>();
       T::Store<0>(memory, 60);
     }},
    {"one tile twice",
     [](char*) {
       const TileScope<T> scope(16);
       T::Zero<0>();
       T::Zero<1>();
       T::MultiplyAdd<0, 1, 1>();
     }},
    {"multiplied before it was filled",
     [](char*) {
       const TileScope<T> scope(16);
       T::Zero<0>();
       T::Zero<4>();
       T::MultiplyAdd<0, 4, 6>();
     }},
    {"shapes",
     [](char*) {
       const TileScope<T> scope(9);
       T::Zero<0>();
       T::Zero<5>();
       T::Zero<6>();
       T::MultiplyAdd<0, 5, 6>();
     }},
};

}  // namespace

const KernelTable& EmulatedAmxKernels() {
  static constexpr KernelTable table = [] {
    KernelTable t{};
    t.name = "amx, emulated";
    t.quantize_rows = QuantizeRows;
    t.gemm_u8s8 = TileGemmU8S8<T>;
    t.attend_frames = TileAttendFrames<T>;
    return t;
  }();
  return table;
}

void WatchTiles(const ReadableMemory* parts, int count) {
  T::state.configured = false;
  T::state.fault = nullptr;
  T::state.products = 0;
  T::state.num_readable = 0;
  for (int i = 0; i < count && i < 8; ++i) T::state.readable[T::state.num_readable++] = parts[i];
}

const char* TileFault() {
  T::Check(!T::state.configured, "left configured");
  return T::state.fault;
}

std::int64_t TileProducts() { return T::state.products; }

int EmulateInstruction(const void* code, const std::int64_t* registers) {
  return Emulate(static_cast<const std::uint8_t*>(code), registers);
}

const TileMisuse* TileMisuses(int* count) {
  *count = sizeof(kMisuses) / sizeof(kMisuses[0]);
  return kMisuses;
}

}  // namespace lethe
