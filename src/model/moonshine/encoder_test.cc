// Goal: files of earlier versions, which have the second convolution alone, are heard as later
// ones, which have it in two products too, and half of those is refused. Pairs of like frames share
// layers: those before hear what they would hear without, and what is decided of all is nearly the
// same. Frames that become one are those that are most alike.
//
// Method: the installed model, copies of it that lack tensors, and the same with every frame going
// through every layer, stage by stage.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include <gtest/gtest.h>

#include "base/aligned_vector.h"
#include "kernels/dispatch.h"
#include "model/moonshine/internal/frame_merging.h"
#include "model/moonshine/moonshine.h"
#include "model/store.h"
#include "tensor/safetensors.h"
#include "tests/golden/signal.h"

namespace lethe {
namespace {

class EncoderTest : public testing::Test {
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

std::vector<float> Signal() {
  std::vector<float> samples;
  for (const std::int16_t v : MakeGoldenSignal()) samples.push_back(static_cast<float>(v) / 32768);
  return samples;
}

using Stages = std::map<std::string, std::vector<float>>;

// Every stage of the encoder, and the first token's logits.
Stages Hear(const SpeechModel& model, const std::vector<float>& samples) {
  const auto worker = model.NewWorker();
  const auto sequence = model.NewSequence();
  Stages stages;
  worker->SetProbe([&stages](std::string_view stage, std::span<const float> values, int) {
    stages[std::string(stage)].assign(values.begin(), values.end());
  });
  worker->Encode(samples, sequence.get());
  const DecoderRow row{sequence.get(), model.traits().begin_token, true};
  worker->Step({&row, 1});
  const std::span<const float> logits = worker->Logits(0);
  stages["logits"].assign(logits.begin(), logits.end());
  return stages;
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

TEST_F(EncoderTest, FilesOfEarlierVersionsAreHeardTheSame) {
  const KernelTable& kernels = *AvailableKernels().back();
  const auto model = LoadMoonshine(installed_->path, kernels, Frames::kAll);
  ASSERT_TRUE(model.ok()) << model.status().message();
  const auto earlier = LoadMoonshine(Without({"encoder.conv2.reduce.", "encoder.conv2.taps."}),
                                     kernels, Frames::kAll);
  ASSERT_TRUE(earlier.ok()) << earlier.status().message();
  const auto difference = [&](const std::vector<float>& samples) {
    return Difference(Hear(**earlier, samples)["encoder.stem"],
                      Hear(**model, samples)["encoder.stem"]);
  };
  std::vector<float> samples = Signal();
  EXPECT_LT(difference(samples), 0.025) << "signal";
  // The group norm's bias alone.
  EXPECT_LT(difference(std::vector<float>(samples.size())), 0.003) << "silence";
  for (float& v : samples) v = 0.3f + 0.5f * v;
  EXPECT_LT(difference(samples), 0.025) << "offset";
}

TEST_F(EncoderTest, HalfOfAPairIsRefused) {
  const auto model =
      LoadMoonshine(Without({"encoder.conv2.taps."}), ScalarKernels(), Frames::kMerged);
  EXPECT_EQ(model.status().code(), StatusCode::kDataLoss) << model.status().message();
}

TEST_F(EncoderTest, PairsThatShareLayersChangeLittle) {
  const KernelTable& kernels = *AvailableKernels().back();
  const auto apart = LoadMoonshine(installed_->path, kernels, Frames::kAll);
  const auto shared = LoadMoonshine(installed_->path, kernels, Frames::kMerged);
  ASSERT_TRUE(apart.ok() && shared.ok());
  Stages all = Hear(**apart, Signal()), merged = Hear(**shared, Signal());
  EXPECT_EQ(merged["encoder.block.0"], all["encoder.block.0"]);
  EXPECT_EQ(merged["encoder.block.1"], all["encoder.block.1"]);
  // The first that shares, with every frame still there.
  const double third = Difference(all["encoder.block.2"], merged["encoder.block.2"]);
  EXPECT_GT(third, 0.001);
  EXPECT_LT(third, 0.07);
  // Only what is grossly wrong shows in the end: wrong pairs change that by less than right ones.
  EXPECT_LT(Difference(all["logits"], merged["logits"]), 0.1);
}

// Wrong pairs need not change what is heard by more than right ones: they are looked at themselves.
TEST_F(EncoderTest, FramesMergeHalfWayAndBeforeTheLastLayer) {
  const KernelTable& kernels = *AvailableKernels().back();
  const auto model = LoadMoonshine(installed_->path, kernels, Frames::kMerged);
  ASSERT_TRUE(model.ok());
  Stages stages = Hear(**model, Signal());
  constexpr int kHidden = 288;
  const auto frames = [&stages](const std::string& stage) {
    return static_cast<int>(stages[stage].size()) / kHidden;
  };
  struct {
    std::string layer, next;
    int percent;
  } merges[] = {{"2", "3", 40}, {"4", "5", 45}};
  std::vector<std::uint16_t> first(static_cast<std::size_t>(frames("encoder.stem")) + 1);
  std::iota(first.begin(), first.end(), std::uint16_t{0});
  for (const auto& [layer, next, percent] : merges) {
    SCOPED_TRACE(layer);
    const std::vector<float>& before = stages["encoder.block." + layer];
    const std::vector<float>& vectors = stages["encoder.likeness." + layer];
    const int count = frames("encoder.block." + layer);
    ASSERT_EQ(vectors.size(), before.size());
    // What attention found the first time, the frames themselves the second.
    EXPECT_EQ(vectors == before, layer == "4");
    AlignedVector<float> merged(before.begin(), before.end());
    moonshine::MergePairs(
        moonshine::LikePairs(kernels, vectors.data(), count, kHidden, count * percent / 100),
        kHidden, &merged, &first);
    EXPECT_EQ(std::vector<float>(merged.begin(), merged.end()), stages["encoder.merged." + layer]);
    EXPECT_EQ(std::vector<float>(first.begin(), first.end()), stages["encoder.places." + layer]);
    EXPECT_EQ(frames("encoder.block." + next), frames("encoder.merged." + layer));
    EXPECT_LT(frames("encoder.block." + next), count - count / 3);
  }
  EXPECT_EQ(frames("encoder.block.2"), frames("encoder.stem"));
  EXPECT_EQ(frames("encoder.out"), frames("encoder.merged.4"));
}

}  // namespace
}  // namespace lethe
