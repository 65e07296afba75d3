// Any bytes as a weight file: refused, or every view stays inside them.

#include <cstdint>
#include <vector>

#include "tensor/quantized_linear.h"
#include "tensor/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* begin = reinterpret_cast<const std::byte*>(data);
  const std::vector<std::byte> bytes(begin, begin + size);
  const auto file = lethe::SafetensorsFile::Parse(bytes);
  if (!file.ok()) return 0;
  unsigned sum = 0;
  for (const auto& [name, info] : file->tensors()) {
    const auto raw = file->Raw(name);
    for (std::byte b : raw->second) sum += static_cast<unsigned>(b);
    if (const auto floats = file->Floats(name, info.shape); floats.ok() && !floats->empty()) {
      sum += (*floats)[0] > 0;
    }
  }
  (void)lethe::ViewLinear(*file, "x", 16, 4, false);
  return static_cast<int>(sum & 0);
}
