#pragma once

// For tests: a Moonshine model as transformers saves it (config.json, tokenizer.json,
// model.safetensors), made up, written to a folder of the test's own.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/status.h"
#include "kernels/dispatch.h"
#include "model/moonshine/moonshine.h"
#include "tensor/safetensors.h"

namespace lethe::huggingface {

namespace fs = std::filesystem;
using Shape = std::vector<std::int64_t>;

struct Tensor {
  Shape shape;
  std::vector<float> values;
};

// The three files of a directory, before they are written.
struct HuggingFaceModel {
  std::map<std::string, nlohmann::json> config;
  std::map<std::string, Tensor> tensors;
  std::map<std::string, nlohmann::json> tokenizer;
};

inline std::uint16_t ToBfloat16(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

// For values whose half is a normal number or zero; smaller ones become zero.
inline std::uint16_t ToHalf(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = bits + 0xFFF + ((bits >> 13) & 1);
  const int exponent = static_cast<int>((rounded >> 23) & 255) - 112;
  const std::uint32_t sign = (bits >> 16) & 0x8000;
  if (exponent <= 0) return static_cast<std::uint16_t>(sign);
  return static_cast<std::uint16_t>(sign | (static_cast<std::uint32_t>(exponent) << 10) |
                                    ((rounded >> 13) & 0x3FF));
}

inline std::vector<std::byte> Weights(const HuggingFaceModel& model, DataType type) {
  SafetensorsWriter writer;
  for (const auto& [name, tensor] : model.tensors) {
    if (type == DataType::kF32) {
      writer.Add(name, type, tensor.shape, tensor.values);
      continue;
    }
    std::vector<std::uint16_t> halves;
    halves.reserve(tensor.values.size());
    for (const float v : tensor.values) {
      halves.push_back(type == DataType::kF16 ? ToHalf(v) : ToBfloat16(v));
    }
    writer.Add(name, type, tensor.shape, halves);
  }
  return writer.Serialize();
}

inline void WriteBytes(const fs::path& path, std::span<const std::byte> bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

inline void WriteText(const fs::path& path, const std::string& text) {
  WriteBytes(path, std::as_bytes(std::span(text)));
}

inline void WriteModel(const fs::path& directory, const HuggingFaceModel& model, DataType type) {
  fs::create_directories(directory);
  WriteText(directory / "config.json", nlohmann::json(model.config).dump());
  WriteText(directory / "tokenizer.json", nlohmann::json(model.tokenizer).dump());
  WriteBytes(directory / "model.safetensors", Weights(model, type));
}

// Every tensor of a Moonshine model of this configuration, by its transformers name.
inline std::map<std::string, Shape> TensorShapes(const nlohmann::json& config) {
  const std::int64_t h = config["hidden_size"], inner = config["intermediate_size"];
  std::map<std::string, Shape> shapes = {
      {"model.encoder.conv1.weight", {h, 1, 127}},
      {"model.encoder.groupnorm.weight", {h}},
      {"model.encoder.groupnorm.bias", {h}},
      {"model.encoder.conv2.weight", {2 * h, h, 7}},
      {"model.encoder.conv2.bias", {2 * h}},
      {"model.encoder.conv3.weight", {h, 2 * h, 3}},
      {"model.encoder.conv3.bias", {h}},
      {"model.encoder.layer_norm.weight", {h}},
      {"model.decoder.embed_tokens.weight", {config["vocab_size"].get<std::int64_t>(), h}},
      {"model.decoder.norm.weight", {h}}};
  for (const std::string side : {"encoder", "decoder"}) {
    const int layers = config[side + "_num_hidden_layers"];
    const std::int64_t wide = side == "decoder" ? 2 * inner : inner;
    for (int i = 0; i < layers; ++i) {
      const std::string layer = "model." + side + ".layers." + std::to_string(i) + ".";
      shapes[layer + "input_layernorm.weight"] = {h};
      shapes[layer + "post_attention_layernorm.weight"] = {h};
      std::vector<std::string> attentions = {"self_attn"};
      if (side == "decoder") {
        shapes[layer + "final_layernorm.weight"] = {h};
        attentions.emplace_back("encoder_attn");
      }
      for (const std::string& attention : attentions) {
        for (const char* part : {".q_proj", ".k_proj", ".v_proj", ".o_proj"}) {
          shapes[layer + attention + part + ".weight"] = {h, h};
        }
      }
      shapes[layer + "mlp.fc1.weight"] = {wide, h};
      shapes[layer + "mlp.fc1.bias"] = {wide};
      shapes[layer + "mlp.fc2.weight"] = {h, inner};
      shapes[layer + "mlp.fc2.bias"] = {h};
    }
  }
  return shapes;
}

inline HuggingFaceModel SmallModel() {
  HuggingFaceModel model;
  model.config = {{"model_type", "moonshine"},
                  {"hidden_size", 32},
                  {"intermediate_size", 64},
                  {"encoder_num_hidden_layers", 1},
                  {"decoder_num_hidden_layers", 2},
                  {"encoder_num_attention_heads", 2},
                  {"decoder_num_attention_heads", 2},
                  {"vocab_size", 20},
                  {"bos_token_id", 1},
                  {"eos_token_id", 2},
                  {"max_position_embeddings", 16},
                  {"partial_rotary_factor", 0.9},
                  {"rope_theta", 10000.0}};
  std::uint32_t random = 1;
  for (const auto& [name, shape] : TensorShapes(model.config)) {
    Tensor tensor{.shape = shape, .values = {}};
    std::int64_t count = 1;
    for (const std::int64_t n : shape) count *= n;
    for (std::int64_t i = 0; i < count; ++i) {
      random = random * 1664525U + 1013904223U;
      tensor.values.push_back(static_cast<float>(static_cast<int>(random >> 20) - 2048) / 4096.0f);
    }
    model.tensors[name] = std::move(tensor);
  }
  nlohmann::json vocabulary = {{"<unk>", 0}, {"<s>", 1}, {"</s>", 2}, {"<0x0A>", 3}};
  for (int i = 4; i < 20; ++i) vocabulary["\xE2\x96\x81" + std::to_string(i)] = i;
  model.tokenizer = {{"model", {{"type", "BPE"}, {"vocab", vocabulary}}},
                     {"added_tokens", nlohmann::json::array()}};
  return model;
}

/// A folder for each test, and what is loaded out of it.
class FolderTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(directory_);
    fs::create_directories(directory_);
  }
  void TearDown() override { fs::remove_all(directory_); }

  // Loads what came out of an import.
  Result<std::shared_ptr<const SpeechModel>> Load(const std::vector<std::byte>& file) {
    const std::string path = directory_ / "imported.safetensors";
    WriteBytes(path, file);
    // Which frames are most alike changes with the least of their values.
    return LoadMoonshine(path, *AvailableKernels().back(), Frames::kAll);
  }

  const fs::path directory_ =
      fs::path(testing::TempDir()) / ("lethe_import_" + std::to_string(getpid()));
};

}  // namespace lethe::huggingface
