// A Hugging Face directory into our model file: what is wrong with one is said clearly, and what is
// right gives the same model.
//
// Method: small made-up models, spoiled one thing at a time. A whole model goes the way back and
// forth in import_round_trip_test.cc.

#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/importer.h"
#include "model/internal/test_huggingface.h"
#include "tensor/safetensors.h"

namespace lethe {
namespace {

using namespace huggingface;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ImportHuggingFaceTest : public FolderTest {
 protected:
  // What importing says about a model; "" when it says nothing against it.
  std::string Complaint(const HuggingFaceModel& model) {
    WriteModel(directory_, model, DataType::kF32);
    return ComplaintOfWhatIsThere(StatusCode::kDataLoss);
  }

  std::string ComplaintOfWhatIsThere(StatusCode code) {
    const auto imported = ImportHuggingFace(directory_);
    if (imported.ok()) return "";
    EXPECT_EQ(imported.status().code(), code) << imported.status().message();
    EXPECT_THAT(imported.status().message(), Not(HasSubstr("\n")));
    return imported.status().message();
  }
};

TEST_F(ImportHuggingFaceTest, SmallModelBecomesOneThatLoadsAndAlwaysTheSame) {
  for (const DataType type : {DataType::kF32, DataType::kF16, DataType::kBF16}) {
    WriteModel(directory_, SmallModel(), type);
    const auto first = ImportHuggingFace(directory_);
    ASSERT_TRUE(first.ok()) << first.status().message();
    const auto second = ImportHuggingFace(directory_);
    ASSERT_TRUE(second.ok());
    EXPECT_EQ(*first, *second);
    const auto model = Load(*first);
    ASSERT_TRUE(model.ok()) << model.status().message();
    EXPECT_EQ((*model)->traits().vocabulary, 20);
    EXPECT_EQ((*model)->traits().end_token, 2);
    const int tokens[] = {1, 7, 3, 8, 2};
    EXPECT_EQ((*model)->tokenizer().Decode(tokens), " 7\n 8");
  }
}

TEST_F(ImportHuggingFaceTest, MissingFilesAreNamed) {
  for (const char* name : {"config.json", "model.safetensors", "tokenizer.json"}) {
    WriteModel(directory_, SmallModel(), DataType::kF32);
    fs::remove(directory_ / name);
    EXPECT_THAT(ComplaintOfWhatIsThere(StatusCode::kNotFound), HasSubstr(name));
  }
}

TEST_F(ImportHuggingFaceTest, FilesThatAreSomethingElseAreNamed) {
  for (const char* name : {"config.json", "model.safetensors", "tokenizer.json"}) {
    for (const char* text : {"", "hello", "[]", "version https://git-lfs.github.com/spec/v1"}) {
      WriteModel(directory_, SmallModel(), DataType::kF32);
      WriteText(directory_ / name, text);
      EXPECT_THAT(ComplaintOfWhatIsThere(StatusCode::kDataLoss), HasSubstr(name)) << text;
    }
  }
}

TEST_F(ImportHuggingFaceTest, OtherKindsOfModelsAreRefusedByTheirKind) {
  HuggingFaceModel model = SmallModel();
  for (const nlohmann::json& type : {nlohmann::json("whisper"), nlohmann::json(7)}) {
    model.config["model_type"] = type;
    WriteModel(directory_, model, DataType::kF32);
    EXPECT_THAT(ComplaintOfWhatIsThere(StatusCode::kUnimplemented),
                AllOf(HasSubstr("Moonshine"), HasSubstr(type.dump())));
  }
  model.config.erase("model_type");
  WriteModel(directory_, model, DataType::kF32);
  EXPECT_THAT(ComplaintOfWhatIsThere(StatusCode::kUnimplemented), HasSubstr("missing"));
}

// The last values of each row are what a model of ours could not be loaded with.
TEST_F(ImportHuggingFaceTest, ConfigurationsThatMakeNoSenseAreRefused) {
  const std::pair<const char*, std::vector<nlohmann::json>> settings[] = {
      {"hidden_size", {nullptr, "32", 0, -32, 1 << 30, 32.5, 40}},
      {"intermediate_size", {nullptr, 0, 1 << 30, 48, 70}},
      {"encoder_num_hidden_layers", {nullptr, 0, 1000}},
      {"decoder_num_hidden_layers", {nullptr, 0, 1000}},
      {"encoder_num_attention_heads", {0, 3, 1000}},
      {"decoder_num_attention_heads", {0, 4}},
      {"vocab_size", {0, -1, 1 << 30}},
      {"bos_token_id", {-1, 20}},
      {"eos_token_id", {-1, 20}},
      {"max_position_embeddings", {0, 1 << 30}},
      {"partial_rotary_factor", {0, -1, 2, 0.01}},
      {"rope_theta", {0, -1}}};
  for (const auto& [name, values] : settings) {
    for (const nlohmann::json& value : values) {
      HuggingFaceModel model = SmallModel();
      model.config[name] = value;
      // Shapes that fit, where they can, so that nothing but the setting is wrong.
      if (value.is_number_integer() && value.get<int>() > 0 && value.get<int>() < 100 &&
          (name == std::string("hidden_size") || name == std::string("intermediate_size"))) {
        for (const auto& [tensor, shape] : TensorShapes(model.config)) {
          std::int64_t count = 1;
          for (const std::int64_t n : shape) count *= n;
          model.tensors[tensor] = {shape, std::vector<float>(static_cast<std::size_t>(count))};
        }
      }
      EXPECT_THAT(Complaint(model), HasSubstr("config.json")) << name << " = " << value;
    }
  }
}

TEST_F(ImportHuggingFaceTest, VariantsThatWeDoNotComputeAreRefused) {
  const std::pair<const char*, nlohmann::json> settings[] = {
      {"attention_bias", true},
      {"encoder_hidden_act", "relu"},
      {"decoder_hidden_act", "gelu"},
      {"rope_scaling", {{"rope_type", "yarn"}, {"factor", 2.0}}},
      {"rope_parameters", {{"rope_type", "yarn"}, {"rope_theta", 10000.0}}}};
  for (const auto& [name, value] : settings) {
    HuggingFaceModel model = SmallModel();
    model.config[name] = value;
    WriteModel(directory_, model, DataType::kF32);
    EXPECT_THAT(ComplaintOfWhatIsThere(StatusCode::kUnimplemented), HasSubstr("config.json"))
        << name;
  }
  HuggingFaceModel usual = SmallModel();
  usual.config["attention_bias"] = false;
  usual.config["encoder_hidden_act"] = "gelu";
  usual.config["decoder_hidden_act"] = "silu";
  usual.config["rope_scaling"] = nullptr;
  EXPECT_EQ(Complaint(usual), "");
}

TEST_F(ImportHuggingFaceTest, RotaryPositionsAreReadWhereverTransformersWritesThem) {
  HuggingFaceModel model = SmallModel();
  model.config["partial_rotary_factor"] = 0.5;
  model.config["rope_theta"] = 500.0;
  WriteModel(directory_, model, DataType::kF32);
  const auto old_way = ImportHuggingFace(directory_);
  ASSERT_TRUE(old_way.ok());

  model.config.erase("partial_rotary_factor");
  model.config.erase("rope_theta");
  WriteModel(directory_, model, DataType::kF32);
  const auto defaults = ImportHuggingFace(directory_);
  ASSERT_TRUE(defaults.ok());
  EXPECT_NE(*defaults, *old_way);

  model.config["rope_parameters"] = {
      {"rope_type", "default"}, {"rope_theta", 500.0}, {"partial_rotary_factor", 0.5}};
  WriteModel(directory_, model, DataType::kF32);
  const auto new_way = ImportHuggingFace(directory_);
  ASSERT_TRUE(new_way.ok());
  EXPECT_EQ(*new_way, *old_way);
}

TEST_F(ImportHuggingFaceTest, EveryTensorIsMissedWhenItIsNotThere) {
  const HuggingFaceModel whole = SmallModel();
  for (const auto& [name, tensor] : whole.tensors) {
    HuggingFaceModel model = whole;
    model.tensors.erase(name);
    EXPECT_THAT(Complaint(model), HasSubstr(name));
  }
}

TEST_F(ImportHuggingFaceTest, EveryTensorOfAnotherShapeIsNamed) {
  const HuggingFaceModel whole = SmallModel();
  for (const auto& [name, tensor] : whole.tensors) {
    HuggingFaceModel model = whole;
    Tensor& other = model.tensors[name];
    other.shape.insert(other.shape.begin(), 1);
    EXPECT_THAT(Complaint(model), AllOf(HasSubstr(name), HasSubstr("shape")));
  }
}

TEST_F(ImportHuggingFaceTest, WeightsThatAreNoNumbersAreRefused) {
  const HuggingFaceModel whole = SmallModel();
  for (const auto& [name, tensor] : whole.tensors) {
    HuggingFaceModel model = whole;
    model.tensors[name].values.back() = std::nanf("");
    EXPECT_THAT(Complaint(model), HasSubstr(name));
  }
  for (const float bad : {HUGE_VALF, -HUGE_VALF}) {
    HuggingFaceModel model = whole;
    model.tensors["model.decoder.norm.weight"].values.front() = bad;
    EXPECT_THAT(Complaint(model), HasSubstr("model.decoder.norm.weight")) << bad;
  }
}

TEST_F(ImportHuggingFaceTest, WeightsOfAnotherTypeAreRefused) {
  HuggingFaceModel model = SmallModel();
  WriteModel(directory_, model, DataType::kF32);
  const std::string name = "model.decoder.norm.weight";
  model.tensors.erase(name);
  SafetensorsWriter writer;
  for (const auto& [other, tensor] : model.tensors) {
    writer.Add(other, DataType::kF32, tensor.shape, tensor.values);
  }
  writer.Add(name, DataType::kI32, {32}, std::vector<std::int32_t>(32, 1));
  WriteBytes(directory_ / "model.safetensors", writer.Serialize());
  EXPECT_THAT(ComplaintOfWhatIsThere(StatusCode::kDataLoss), HasSubstr(name));
}

TEST_F(ImportHuggingFaceTest, HeadersThatLieAboutSizesAreRefused) {
  const HuggingFaceModel model = SmallModel();
  WriteModel(directory_, model, DataType::kF32);
  const std::vector<std::byte> whole = Weights(model, DataType::kF32);
  std::uint64_t length = 0;
  std::memcpy(&length, whole.data(), sizeof(length));
  const std::string header(reinterpret_cast<const char*>(whole.data()) + sizeof(length), length);

  const auto complaint = [&](std::vector<std::byte> file) {
    WriteBytes(directory_ / "model.safetensors", file);
    return ComplaintOfWhatIsThere(StatusCode::kDataLoss);
  };
  const auto with_length = [&](std::uint64_t claimed) {
    std::vector<std::byte> file = whole;
    std::memcpy(file.data(), &claimed, sizeof(claimed));
    return file;
  };
  for (const std::uint64_t claimed : {std::uint64_t{0}, length - 1, whole.size() + 0UL,
                                      std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    EXPECT_THAT(complaint(with_length(claimed)), HasSubstr("model.safetensors")) << claimed;
  }
  // Cut off in the header and in the data.
  for (const std::size_t size : {std::size_t{4}, std::size_t{100}, whole.size() / 2}) {
    EXPECT_THAT(complaint({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}),
                HasSubstr("model.safetensors"))
        << size;
  }
  const auto with_header = [&](const nlohmann::json& changed) {
    const std::string text = changed.dump();
    std::vector<std::byte> file(sizeof(length) + text.size());
    const std::uint64_t size = text.size();
    std::memcpy(file.data(), &size, sizeof(size));
    std::memcpy(file.data() + sizeof(size), text.data(), text.size());
    file.insert(file.end(), whole.begin() + static_cast<std::ptrdiff_t>(sizeof(length) + length),
                whole.end());
    return file;
  };
  const nlohmann::json truth = nlohmann::json::parse(header);
  ASSERT_EQ(complaint(with_header(truth)), "");
  const std::string name = "model.encoder.conv2.weight";
  const std::uint64_t begin = truth[name]["data_offsets"][0];
  const std::uint64_t end = truth[name]["data_offsets"][1];
  const std::pair<const char*, nlohmann::json> lies[] = {
      {"data_offsets", {begin, end + 4}},
      {"data_offsets", {begin, end - 4}},
      {"data_offsets", {end, begin}},
      {"data_offsets", {begin + (std::uint64_t{1} << 40), end + (std::uint64_t{1} << 40)}},
      {"data_offsets", {-4, 4}},
      {"shape", {64, 32, 8}},
      {"shape", {std::uint64_t{1} << 62, 4, 8}},
      {"shape", {-64, 32, 7}},
      {"dtype", "F64"},
      {"dtype", "F16"}};
  for (const auto& [key, value] : lies) {
    nlohmann::json changed = truth;
    changed[name][key] = value;
    EXPECT_THAT(complaint(with_header(changed)),
                AllOf(HasSubstr("model.safetensors"), HasSubstr(name)))
        << key << " " << value;
  }
}

TEST_F(ImportHuggingFaceTest, VocabularyBeyondTheModelIsRefused) {
  HuggingFaceModel model = SmallModel();
  model.tokenizer["model"]["vocab"]["more"] = 20;
  EXPECT_THAT(Complaint(model), HasSubstr("tokenizer.json"));
}

}  // namespace
}  // namespace lethe
