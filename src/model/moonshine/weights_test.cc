// Files of earlier versions have the second convolution alone; later ones have it a second time, in
// two products. Goal: both are heard the same, and half a pair is refused.
//
// Method: the installed model, and copies of it that lack tensors.

#include "model/moonshine/internal/weights.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include <gtest/gtest.h>

#include "kernels/dispatch.h"
#include "model/moonshine/moonshine.h"
#include "model/store.h"
#include "tensor/safetensors.h"
#include "tests/golden/signal.h"

namespace lethe {
namespace {

class MoonshineFileTest : public testing::Test {
 protected:
  void SetUp() override {
    installed_ = ModelStore(ModelStore::DefaultDirectory()).Find(kDefaultSpeechModel);
    if (installed_.ok()) {
      const auto file = SafetensorsFile::Open(installed_->path);
      ASSERT_TRUE(file.ok() && file->Has("encoder.conv2.reduce.weight"))
          << "the installed model is an older one; renew it with: lethe models pull";
      return;
    }
    ASSERT_EQ(std::getenv("LETHE_TEST_REQUIRE_MODELS"), nullptr) << installed_.status().message();
    GTEST_SKIP() << "models are not installed";
  }
  void TearDown() override { std::filesystem::remove(path_); }

  // The installed file without the tensors whose names begin so.
  std::string Without(const std::vector<std::string>& beginnings) {
    const auto file = SafetensorsFile::Open(installed_->path);
    EXPECT_TRUE(file.ok());
    SafetensorsWriter writer;
    for (const char* key : {"lethe.family", "lethe.config"}) {
      writer.SetMetadata(key, std::string(file->Metadata(key)));
    }
    for (const auto& [name, info] : file->tensors()) {
      const auto is_left_out = [&name = name](const std::string& beginning) {
        return name.starts_with(beginning);
      };
      if (is_left_out("padding") ||
          std::any_of(beginnings.begin(), beginnings.end(), is_left_out)) {
        continue;
      }
      const auto raw = file->Raw(name);
      EXPECT_TRUE(raw.ok());
      writer.Add(name, info.type, info.shape,
                 std::vector<std::byte>(raw->second.begin(), raw->second.end()));
    }
    const std::vector<std::byte> bytes = writer.Serialize();
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    return path_;
  }

  const std::string path_ =
      (std::filesystem::temp_directory_path() / ("weights." + std::to_string(getpid()))).string();
  Result<InstalledModel> installed_ = NotFound("not looked for");
};

std::vector<float> Stem(const SpeechModel& model, const std::vector<float>& samples) {
  const auto worker = model.NewWorker();
  const auto sequence = model.NewSequence();
  std::vector<float> stem;
  worker->SetProbe([&stem](std::string_view stage, std::span<const float> values, int) {
    if (stage == "encoder.stem") stem.assign(values.begin(), values.end());
  });
  worker->BeginEncode(samples, sequence.get());
  return stem;
}

double Difference(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double squares = 0, error = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    squares += double{a[i]} * a[i];
    error += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
  }
  return std::sqrt(error / squares);
}

TEST_F(MoonshineFileTest, FilesOfEarlierVersionsAreHeardTheSame) {
  const KernelTable& kernels = *AvailableKernels().back();
  const auto model = LoadMoonshine(installed_->path, kernels, Frames::kAll);
  ASSERT_TRUE(model.ok()) << model.status().message();
  const auto earlier = LoadMoonshine(Without({"encoder.conv2.reduce.", "encoder.conv2.taps."}),
                                     kernels, Frames::kAll);
  ASSERT_TRUE(earlier.ok()) << earlier.status().message();
  std::vector<float> samples;
  for (const std::int16_t v : MakeGoldenSignal()) samples.push_back(static_cast<float>(v) / 32768);
  EXPECT_LT(Difference(Stem(**earlier, samples), Stem(**model, samples)), 0.025) << "signal";
  // The group norm's bias alone.
  const std::vector<float> silence(samples.size());
  EXPECT_LT(Difference(Stem(**earlier, silence), Stem(**model, silence)), 0.003) << "silence";
  for (float& v : samples) v = 0.3f + 0.5f * v;
  EXPECT_LT(Difference(Stem(**earlier, samples), Stem(**model, samples)), 0.025) << "offset";
}

TEST_F(MoonshineFileTest, HalfOfAPairIsRefused) {
  const auto model =
      LoadMoonshine(Without({"encoder.conv2.taps."}), ScalarKernels(), Frames::kMerged);
  EXPECT_EQ(model.status().code(), StatusCode::kDataLoss) << model.status().message();
}

}  // namespace
}  // namespace lethe
