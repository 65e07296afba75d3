// Pairs of like frames share layers of the encoder. Goal: the layers before hear what they would
// hear without, the frames of a pair stay as far apart as they were, and what is decided from all
// of it is nearly the same.
//
// Method: the installed model with and without, stage by stage, on the made-up signal.

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/dispatch.h"
#include "model/moonshine/moonshine.h"
#include "model/store.h"
#include "tests/golden/signal.h"

namespace lethe {
namespace {

using Stages = std::map<std::string, std::vector<float>>;

Stages Encode(const std::string& path, Frames frames) {
  const auto model = LoadMoonshine(path, *AvailableKernels().back(), frames);
  EXPECT_TRUE(model.ok()) << model.status().message();
  std::vector<float> samples;
  for (const std::int16_t v : MakeGoldenSignal()) samples.push_back(static_cast<float>(v) / 32768);
  const auto worker = (*model)->NewWorker();
  const auto sequence = (*model)->NewSequence();
  Stages stages;
  worker->SetProbe([&stages](std::string_view stage, std::span<const float> values, int) {
    stages[std::string(stage)].assign(values.begin(), values.end());
  });
  worker->Encode(samples, sequence.get());
  const DecoderRow row{sequence.get(), (*model)->traits().begin_token, true};
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

TEST(EncoderTest, PairsThatShareLayersChangeLittle) {
  const auto installed = ModelStore(ModelStore::DefaultDirectory()).Find(kDefaultSpeechModel);
  if (!installed.ok()) {
    ASSERT_EQ(std::getenv("LETHE_TEST_REQUIRE_MODELS"), nullptr) << installed.status().message();
    GTEST_SKIP() << "models are not installed";
  }
  Stages all = Encode(installed->path, Frames::kAll);
  Stages merged = Encode(installed->path, Frames::kMerged);
  EXPECT_EQ(merged["encoder.block.0"], all["encoder.block.0"]);
  EXPECT_EQ(merged["encoder.block.1"], all["encoder.block.1"]);
  // The first that shares, with every frame still there.
  const double third = Difference(all["encoder.block.2"], merged["encoder.block.2"]);
  EXPECT_GT(third, 0.001);
  EXPECT_LT(third, 0.07);
  // 0.050 with pairs at wrong places.
  EXPECT_LT(Difference(all["logits"], merged["logits"]), 0.045);
}

}  // namespace
}  // namespace lethe
