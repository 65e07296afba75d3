#include "model/catalogue.h"

namespace lethe {
namespace {

constexpr std::string_view kMoonshinePackage = "@moonshine-ai/moonshine-js@0.1.29";
constexpr std::string_view kVadPackage = "@ricky0123/vad-web@0.0.31";

}  // namespace

const std::vector<CatalogueEntry>& Catalogue() {
  static const std::vector<CatalogueEntry> entries = {
      {"moonshine-tiny-en",
       "moonshine",
       "en",
       "MIT",
       "Moonshine tiny, English, 27 million weights in 8 bits",
       28900416,
       "383255950b84073e1377ece5a4993c214730b4a1a8e80d7c5813ff41d42a9b8b",
       {{kMoonshinePackage, "package/dist/model/tiny/quantized/encoder_model.onnx", 7937661,
         "c6fc4b7bc5af75c0591fd157a1f3829b533d18e9769a888fd95a62e470dd4f4a"},
        {kMoonshinePackage, "package/dist/model/tiny/quantized/decoder_model_merged.onnx", 20243286,
         "eed87831c3a6103534aae7d47a5d485025c659a1323901513961c39fe8a1a367"},
        {"llama-tokenizer-js@1.2.2", "package/llama-tokenizer.js", 676487,
         "34a7b9f7579d40486444590c37cba6564ef40c3dd98ecdfc2f7c886ae72c898d"}},
       {"f868af641fc6fdee26922733feb31167176523e5b5eb7805174912f143c3752e",
        "822319c9f38f07eb9ed4adce3a1597a8a0f007ab35cc7bd9810e3d27f1cde786"}},
      {"silero-vad",
       "silero-vad",
       "any",
       "MIT",
       "Silero voice activity detection, version 5",
       1253312,
       "2e9d90413cc1edfaf50e344eb23d5d3254c115d548178b35199196983887a986",
       {{kVadPackage, "package/dist/silero_vad_v5.onnx", 2327524,
         "2623a2953f6ff3d2c1e61740c6cdb7168133479b267dfef114a4a3cc5bdd788f"}}},
  };
  return entries;
}

const CatalogueEntry* FindInCatalogue(std::string_view name,
                                      const std::vector<CatalogueEntry>& catalogue) {
  for (const CatalogueEntry& entry : catalogue) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

}  // namespace lethe
