// Any bytes as an ONNX file: the importers refuse them, or import something they can write.

#include <cstdint>
#include <span>

#include "model/importer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  (void)lethe::ImportSileroOnnx(bytes);
  (void)lethe::ImportMoonshineOnnx(bytes, bytes, "");
  return 0;
}
