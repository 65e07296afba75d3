// Files that appear whole or not at all, hashes, commands, and the shape of error messages.

#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/file.h"
#include "base/finite.h"
#include "base/large_pages.h"
#include "base/mapped_file.h"
#include "base/random_access_file.h"
#include "base/sha256.h"
#include "base/status.h"
#include "base/subprocess.h"
#include "base/trim.h"

namespace lethe {
namespace {

std::string FreshDirectory() {
  std::string path = testing::TempDir() + "lethe_base_" + std::to_string(::getpid());
  std::filesystem::remove_all(path);
  std::filesystem::create_directory(path);
  return path;
}

TEST(AtomicFileTest, FileAppearsWithCommitAndNothingIsLeftWithoutIt) {
  const std::string directory = FreshDirectory();
  {
    auto writer = AtomicFileWriter::Create(directory + "/a");
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(writer->Write("half").ok());
    EXPECT_FALSE(std::filesystem::exists(directory + "/a"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory));
  {
    auto writer = AtomicFileWriter::Create(directory + "/a");
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(writer->Write("whole").ok());
    ASSERT_TRUE(writer->Commit().ok());
  }
  const auto text = ReadFile(directory + "/a", 100);
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(*text, "whole");
  EXPECT_EQ(ReadFile(directory + "/a", 4).status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(ReadFile(directory + "/b", 4).status().code(), StatusCode::kNotFound);
  const auto mapped = MappedFile::Open(directory + "/a");
  ASSERT_TRUE(mapped.ok());
  EXPECT_EQ(mapped->bytes().size(), 5u);
  EXPECT_EQ(MappedFile::Open(directory).status().code(), StatusCode::kInvalidArgument);
  std::filesystem::remove_all(directory);
}

TEST(AtomicFileTest, EverybodyMayReadWhomTheUmaskLetsOrItsOwnerAlone) {
  const std::string directory = FreshDirectory();
  const mode_t before = ::umask(027);
  for (const auto& [readers, mode] : {std::pair(AtomicFileWriter::Readers::kEverybody, 0640U),
                                      {AtomicFileWriter::Readers::kOwner, 0600U}}) {
    auto writer = AtomicFileWriter::Create(directory + "/a", readers);
    ASSERT_TRUE(writer.ok() && writer->Commit().ok());
    struct stat found = {};
    ASSERT_EQ(::stat((directory + "/a").c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, mode);
  }
  EXPECT_EQ(::umask(before), 027U);
  std::filesystem::remove_all(directory);
}

TEST(LargePagesTest, MemoryIsZeroAtFirstAndGoesWhereTheObjectGoes) {
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{2} << 20, (std::size_t{4} << 20) + 7}) {
    LargePages memory(size);
    ASSERT_EQ(memory.bytes().size(), size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.bytes().data()) % (2 << 20), 0u);
    EXPECT_EQ(memory.bytes().front(), std::byte{0});
    memory.bytes().back() = std::byte{7};
    LargePages other;
    other = std::move(memory);
    EXPECT_EQ(other.bytes().back(), std::byte{7});
  }
  EXPECT_TRUE(LargePages(0).bytes().empty());
  EXPECT_TRUE(LargePages(SIZE_MAX - 5).bytes().empty());
}

TEST(Sha256Test, GivesTheDigestsOfTheStandard) {
  EXPECT_EQ(Sha256Hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex(std::as_bytes(std::span("abc", 3))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256Test, HashesPartsOneBehindTheOther) {
  const auto part = [](std::string_view text) { return std::as_bytes(std::span(text)); };
  const Sha256Digest whole = Sha256({part("abc")});
  EXPECT_EQ(HexEncode(whole), Sha256Hex(part("abc")));
  EXPECT_EQ(Sha256({part("a"), part(""), part("bc")}), whole);
  EXPECT_EQ(HexEncode(Sha256({})), Sha256Hex({}));
}

TEST(RandomAccessFileTest, ReadsWhatWasWrittenAndOneAtATimeLocks) {
  const std::string directory = FreshDirectory(), path = directory + "/file";
  using Mode = RandomAccessFile::Mode;
  EXPECT_EQ(RandomAccessFile::Open(path, Mode::kWrite).status().code(), StatusCode::kNotFound);
  auto file = RandomAccessFile::Open(path, Mode::kWriteCreate);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(file->Write(3, std::as_bytes(std::span("abc", 3))).ok());
  ASSERT_TRUE(file->Sync().ok());
  std::array<std::byte, 5> bytes;
  EXPECT_EQ(*file->Read(4, bytes), 2U);
  EXPECT_EQ(bytes[1], std::byte{'c'});
  EXPECT_EQ(file->ReadFully(2, bytes).code(), StatusCode::kDataLoss);
  ASSERT_TRUE(file->Truncate(4).ok());
  EXPECT_EQ(*file->Size(), 4U);
  auto other = RandomAccessFile::Open(path, Mode::kRead);
  ASSERT_TRUE(other.ok());
  EXPECT_FALSE(other->Write(0, bytes).ok());
  EXPECT_TRUE(*file->TryLock());
  EXPECT_FALSE(*other->TryLock());
  *file = RandomAccessFile();
  EXPECT_TRUE(*other->TryLock());
  std::filesystem::remove_all(directory);
}

TEST(SubprocessTest, OutputAndExitCodeComeBackAndAMissingProgramIsSaid) {
  const auto result = RunCommand({"sh", "-c", "pwd; echo oops >&2; exit 3"}, "/", {});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->exit_code, 3);
  EXPECT_EQ(result->output, "/\noops\n");
  EXPECT_EQ(RunCommand({"no-such-program-here"}, "/", {}).status().code(), StatusCode::kNotFound);
}

TEST(TrimTest, WhatIsRoundATextGoesAndWhatIsWithinStays) {
  EXPECT_EQ(Trim(" \r\n\ta \n b\t "), "a \n b");
  EXPECT_EQ(Trim(" \t\r\n"), "");
  EXPECT_EQ(Trim(""), "");
  EXPECT_EQ(Trim(" \ta\r\n", IsBlank), "a\r\n");
}

TEST(FiniteTest, OneThatIsNoNumberIsFoundWhereverItIs) {
  const float largest = std::numeric_limits<float>::max();
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(AllFinite({}));
  for (const std::size_t size : {1, 15, 16, 17, 40}) {
    std::vector<float> values(size, largest);
    values[0] = -std::numeric_limits<float>::denorm_min();
    EXPECT_TRUE(AllFinite(values)) << size;
    for (std::size_t i = 0; i < size; ++i) {
      for (const float bad : {infinity, -infinity, nan, -nan}) {
        const float good = std::exchange(values[i], bad);
        EXPECT_FALSE(AllFinite(values)) << bad << " at " << i << " of " << size;
        values[i] = good;
      }
    }
  }
}

TEST(StatusTest, ContextComesBeforeTheMessageAndTheCodeStays) {
  const Status status = ErrnoStatus(ENOSPC, "cannot write x").WithContext("a.txt");
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), testing::StartsWith("a.txt: cannot write x: "));
}

}  // namespace
}  // namespace lethe
