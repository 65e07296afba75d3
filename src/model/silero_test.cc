// A voice activity model is taken for what it is: the transform in its file has to be one.

#include "model/silero/silero.h"

#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "kernels/dispatch.h"
#include "tensor/safetensors.h"
#include "tests/support/test_folder.h"

namespace lethe {
namespace {

constexpr int kSize = 256, kBins = 129, kFilters = 272;

// A transform with Hann's window, the imaginary part with either sign.
std::vector<float> Basis(double sign) {
  std::vector<float> basis(std::size_t{kSize} * kFilters);
  for (int t = 0; t < kSize; ++t) {
    const double window = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * t / kSize);
    for (int k = 0; k < kBins; ++k) {
      const double angle = 2 * std::numbers::pi * k * t / kSize;
      basis[t * kFilters + k] = static_cast<float>(window * std::cos(angle));
      basis[t * kFilters + kBins + k] = static_cast<float>(sign * window * std::sin(angle));
    }
  }
  return basis;
}

Result<std::shared_ptr<const VoiceActivityModel>> Load(const std::vector<float>& basis,
                                                       float weight = 0) {
  SafetensorsWriter writer;
  writer.SetMetadata("lethe.family", "silero-vad");
  writer.Add("stft.basis", DataType::kF32, {kSize, kFilters}, basis);
  const int channels[] = {kBins, 128, 64, 64, 128};
  for (int i = 0; i < 4; ++i) {
    const std::string name = "encoder." + std::to_string(i);
    const int inputs = 3 * channels[i], outputs = channels[i + 1];
    writer.Add(name + ".weight", DataType::kF32, {inputs, outputs},
               std::vector<float>(static_cast<std::size_t>(inputs) * outputs, weight));
    writer.Add(name + ".bias", DataType::kF32, {outputs}, std::vector<float>(outputs));
  }
  for (const char* name : {"lstm.weight_ih", "lstm.weight_hh"}) {
    writer.Add(name, DataType::kF32, {128, 512}, std::vector<float>(std::size_t{128} * 512));
  }
  writer.Add("lstm.bias", DataType::kF32, {512}, std::vector<float>(512));
  writer.Add("output.weight", DataType::kF32, {128}, std::vector<float>(128));
  writer.Add("output.bias", DataType::kF32, {1}, std::vector<float>(1));
  const TestFolder folder;
  ASSIGN_OR_RETURN(AtomicFileWriter file, AtomicFileWriter::Create(folder / "model"));
  RETURN_IF_ERROR(file.Write(writer.Serialize()));
  RETURN_IF_ERROR(file.Commit());
  return LoadSilero(folder / "model", *AvailableKernels().back());
}

TEST(SileroTest, AWindowedFourierTransformIsTakenWithEitherSign) {
  for (const double sign : {1.0, -1.0}) {
    const auto model = Load(Basis(sign));
    ASSERT_TRUE(model.ok()) << model.status().message();
    std::vector<float> probabilities;
    (*model)->NewState()->Push(std::vector<float>(1024, 0.1f), &probabilities);
    EXPECT_EQ(probabilities, std::vector<float>(2, 0.5f));
  }
}

TEST(SileroTest, AnythingElseIsRefusedByName) {
  const float nan = std::nanf("");
  for (const auto& [place, value] : {std::pair(100 * kFilters + 7, 0.3f),
                                     {100 * kFilters + kBins + 7, 0.3f},
                                     {100 * kFilters, 0.1f},
                                     {100 * kFilters + 5, nan}}) {
    std::vector<float> basis = Basis(-1);
    basis[place] = value;
    const auto model = Load(basis);
    ASSERT_FALSE(model.ok()) << place;
    EXPECT_EQ(model.status().code(), StatusCode::kDataLoss);
    EXPECT_NE(model.status().message().find("stft.basis"), std::string::npos)
        << model.status().message();
  }
}

TEST(SileroTest, WeightsAreNumbers) {
  EXPECT_TRUE(Load(Basis(-1), 1e38f).ok());
  for (const float weight : {std::numeric_limits<float>::infinity(), std::nanf("")}) {
    const auto model = Load(Basis(-1), weight);
    EXPECT_EQ(model.status().code(), StatusCode::kDataLoss);
    EXPECT_THAT(model.status().message(), testing::HasSubstr("encoder.0.weight"));
  }
}

}  // namespace
}  // namespace lethe
