// The weight file: what is written is read back in place and aligned, and a header that lies about
// anything is refused before anything is viewed. Method: files built in memory.

#include "tensor/safetensors.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tensor/quantized_linear.h"

namespace lethe {
namespace {

std::vector<std::byte> FileWithHeader(const std::string& header, std::size_t data = 64) {
  std::vector<std::byte> file(8 + header.size() + data);
  const std::uint64_t length = header.size();
  std::memcpy(file.data(), &length, 8);
  std::memcpy(file.data() + 8, header.data(), header.size());
  return file;
}

TEST(SafetensorsTest, WrittenTensorsAreReadBackAlignedAndWithTheirMetadata) {
  SafetensorsWriter writer;
  writer.SetMetadata("lethe.family", "test");
  writer.Add("a", DataType::kF32, {3}, std::vector<float>{1, 2, 3});
  writer.Add("b", DataType::kI8, {2, 2}, std::vector<std::int8_t>{1, -2, 3, -4});
  const std::vector<std::byte> bytes = writer.Serialize();
  const auto file = SafetensorsFile::Parse(bytes);
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_EQ(file->Metadata("lethe.family"), "test");
  EXPECT_EQ(file->Metadata("absent"), "");
  const auto a = file->Floats("a", {3});
  ASSERT_TRUE(a.ok());
  EXPECT_THAT(std::vector<float>(a->begin(), a->end()), testing::ElementsAre(1, 2, 3));
  const auto b = file->Int8s("b", {2, 2});
  ASSERT_TRUE(b.ok());
  EXPECT_EQ((*b)[3], -4);
  for (const char* name : {"a", "b"}) EXPECT_EQ(file->tensors().find(name)->second.offset % 64, 0);
}

TEST(SafetensorsTest, ALoadedFileIsACopyAndSaysWhyItIsNot) {
  const std::string path = testing::TempDir() + "lethe_loaded_" + std::to_string(::getpid());
  SafetensorsWriter writer;
  writer.Add("x", DataType::kF32, {3}, std::vector<float>{1, 2, 3});
  const std::vector<std::byte> bytes = writer.Serialize();
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  const auto file = SafetensorsFile::Load(path);
  ASSERT_TRUE(file.ok()) << file.status().message();
  std::ofstream(path, std::ios::binary | std::ios::trunc) << "something else";
  const auto x = file->Floats("x", {3});
  ASSERT_TRUE(x.ok()) << x.status().message();
  EXPECT_THAT(std::vector<float>(x->begin(), x->end()), testing::ElementsAre(1, 2, 3));
  const Status damaged = SafetensorsFile::Load(path).status();
  EXPECT_EQ(damaged.code(), StatusCode::kDataLoss);
  EXPECT_THAT(damaged.message(), testing::HasSubstr(path));
  std::filesystem::remove(path);
  EXPECT_EQ(SafetensorsFile::Load(path).status().code(), StatusCode::kNotFound);
}

TEST(SafetensorsTest, ATensorOfAnotherShapeOrTypeOrNameIsRefusedByName) {
  SafetensorsWriter writer;
  writer.Add("a", DataType::kF32, {3}, std::vector<float>{1, 2, 3});
  const std::vector<std::byte> bytes = writer.Serialize();
  const auto file = SafetensorsFile::Parse(bytes);
  ASSERT_TRUE(file.ok());
  for (const Status& status : {file->Floats("a", {4}).status(), file->Int32s("a", {3}).status(),
                               file->Floats("c", {3}).status()}) {
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
    EXPECT_THAT(status.message(), testing::HasSubstr("tensor "));
  }
}

TEST(SafetensorsTest, HeadersThatLieAreRefused) {
  const std::string bad[] = {
      "",
      "[]",
      "{",
      R"({"a":5})",
      R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,15]}})",
      R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[60,76]}})",
      R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[16,0]}})",
      R"({"a":{"dtype":"F99","shape":[4],"data_offsets":[0,16]}})",
      R"({"a":{"dtype":"F32","shape":[-4],"data_offsets":[0,16]}})",
      R"({"a":{"dtype":"F32","shape":[4.5],"data_offsets":[0,16]}})",
      R"({"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,16]}})",
      R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0]}})",
      R"({"__metadata__":{"k":1}})",
  };
  for (const std::string& header : bad) {
    const std::vector<std::byte> bytes = FileWithHeader(header);
    const auto file = SafetensorsFile::Parse(bytes);
    EXPECT_FALSE(file.ok()) << header;
  }
}

TEST(SafetensorsTest, EveryTruncationIsRefusedOrLeavesNoTensorOutside) {
  SafetensorsWriter writer;
  writer.Add("a", DataType::kF32, {3}, std::vector<float>{1, 2, 3});
  const std::vector<std::byte> bytes = writer.Serialize();
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_FALSE(SafetensorsFile::Parse(std::span(bytes).first(n)).ok()) << n;
  }
}

TEST(QuantizedLinearTest, PackedAndStackedWeightsUnpackToWhatTheyWere) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  const int n = 21, k = 30;
  std::vector<float> w(n * k);
  for (float& v : w) v = normal(random);
  LinearToPack linear = QuantizePerOutput(w, n, k);
  linear.zero[3] = -7;
  const LinearToPack both = StackOutputs(linear, linear);
  SafetensorsWriter writer;
  AddLinear("x", both, &writer);
  const std::vector<std::byte> bytes = writer.Serialize();
  const auto file = SafetensorsFile::Parse(bytes);
  ASSERT_TRUE(file.ok()) << file.status().message();
  const auto view = ViewLinear(*file, "x", 2 * n, k, false);
  ASSERT_TRUE(view.ok()) << view.status().message();
  const std::vector<float> unpacked = UnpackLinear(view->weights);
  for (int i = 0; i < 2 * n; ++i) {
    // What is behind the last input does not count.
    int sum = k * (i % n == 3 ? 7 : 0);
    for (int j = 0; j < k; ++j) sum += linear.q[(i % n) * k + j];
    EXPECT_EQ(view->weights.correction[i], sum);
    for (int j = 0; j < k; ++j) {
      const float expected = w[(i % n) * k + j] + (i % n == 3 ? 7 * linear.scale[3] : 0.0f);
      EXPECT_NEAR(unpacked[i * k + j], expected, linear.scale[i % n] * 0.51f);
    }
  }
  EXPECT_FALSE(ViewLinear(*file, "x", 2 * n, k, true).ok());
  EXPECT_FALSE(ViewLinear(*file, "x", 2 * n + 16, k, false).ok());
}

}  // namespace
}  // namespace lethe
