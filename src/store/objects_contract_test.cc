// Goal:   objects appear whole or not at all, come back as they went in, and are gone when they are
//         removed, wherever they are kept.
// Method: one suite against a folder and against an S3 server that is not ours.

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "store/directory_objects.h"
#include "store/objects.h"
#include "tests/support/object_bytes.h"
#include "tests/support/s3_server.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_folder.h"

namespace lethe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> ObjectStoreKinds() {
  std::vector<std::string> kinds = {"Directory"};
  if (S3Server::IsInstalled()) kinds.emplace_back("S3Server");
  return kinds;
}

TEST(S3ServerTest, IsInstalledWhereTestsAreRequired) {
  if (S3Server::IsInstalled()) return;
  const std::string missing = "s3rver is missing, nothing was tried with it; see make clients";
  if (std::getenv("LETHE_TEST_REQUIRE_MODELS") != nullptr) FAIL() << missing;
  GTEST_SKIP() << missing;
}

class ObjectsContractTest : public testing::TestWithParam<std::string> {
 protected:
  ObjectsContractTest() {
    if (GetParam() == "Directory") {
      objects_ = *OpenDirectoryObjects(folder_ / "objects");
    } else {
      objects_ = *OpenS3Objects(S3Server::Instance().Options("Test_" + RandomHex(8) + "/x.y"));
    }
  }

  Status Put(const std::string& name, const std::string& bytes, std::uint64_t size) {
    return objects_->Put(name, size, BytesSource(bytes));
  }
  Status Put(const std::string& name, const std::string& bytes) {
    return Put(name, bytes, bytes.size());
  }
  Result<std::string> Get(const std::string& name) { return GetBytes(*objects_, name); }

  const TestFolder folder_;
  std::unique_ptr<ObjectStore> objects_;
};

TEST_P(ObjectsContractTest, AnObjectComesBackAsItWentIn) {
  std::string every_byte;
  for (int c = 0; c < 256; ++c) every_byte += static_cast<char>(c);
  std::string large;
  while (large.size() < 3'000'000) large += every_byte + std::to_string(large.size());
  for (const std::string& bytes : {std::string(), std::string("x"), every_byte, large}) {
    ASSERT_THAT(Put("a/b", bytes), IsOk()) << bytes.size();
    const auto back = Get("a/b");
    ASSERT_THAT(back, IsOk()) << bytes.size();
    EXPECT_TRUE(*back == bytes) << bytes.size();
    ASSERT_THAT(objects_->Remove("a/b"), IsOk());
    EXPECT_THAT(Get("a/b"), HasCode(StatusCode::kNotFound));
    EXPECT_THAT(objects_->Remove("a/b"), IsOk());
  }
}

TEST_P(ObjectsContractTest, ASourceOfAnotherLengthOrAnErrorLeavesNothing) {
  // Short enough to be held, and longer.
  for (const std::size_t size : {std::size_t{2}, std::size_t{2'500'000}}) {
    EXPECT_THAT(Put("a/short", std::string(size - 1, 'x'), size),
                HasCode(StatusCode::kInvalidArgument));
    EXPECT_THAT(Put("a/long", std::string(size + 1, 'x'), size),
                HasCode(StatusCode::kInvalidArgument));
    std::size_t left = size / 2;
    EXPECT_THAT(objects_->Put("a/failed", size,
                              [&](std::span<char> block) -> Result<std::size_t> {
                                if (left == 0) return Cancelled("the source");
                                const std::size_t n = std::min(left, block.size());
                                std::fill_n(block.begin(), n, 'x');
                                left -= n;
                                return n;
                              }),
                HasCode(StatusCode::kCancelled));
    EXPECT_THAT(*objects_->List("a", 10), IsEmpty());
    for (const char* name : {"a/short", "a/long", "a/failed"}) {
      EXPECT_THAT(Get(name), HasCode(StatusCode::kNotFound)) << name;
    }
  }
}

TEST_P(ObjectsContractTest, ANameIsTakenOnce) {
  ASSERT_THAT(Put("a/b", "first"), IsOk());
  EXPECT_THAT(Put("a/b", "other"), HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(Put("a/b", std::string(2'500'000, 'x')), HasCode(StatusCode::kFailedPrecondition));
  EXPECT_EQ(*Get("a/b"), "first");
}

TEST_P(ObjectsContractTest, AnErrorOfTheSinkEndsTheReading) {
  ASSERT_THAT(Put("a/b", "x"), IsOk());
  EXPECT_THAT(objects_->Get("a/b", [](std::string_view) { return Cancelled("enough"); }),
              HasCode(StatusCode::kCancelled));
}

TEST_P(ObjectsContractTest, NamesLeadNowhereElse) {
  for (const char* name :
       {"", "/", "a/", "/a", "a//b", "..", "../x", "a/../b", "a/.part", "A", "a b", "a\n", "é"}) {
    EXPECT_THAT(Put(name, ""), HasCode(StatusCode::kInvalidArgument)) << name;
    EXPECT_THAT(Get(name), HasCode(StatusCode::kInvalidArgument)) << name;
    EXPECT_THAT(objects_->Remove(name), HasCode(StatusCode::kInvalidArgument)) << name;
    EXPECT_THAT(objects_->List(name, 1), HasCode(StatusCode::kInvalidArgument)) << name;
  }
  EXPECT_THAT(Put(std::string(201, 'a'), ""), HasCode(StatusCode::kInvalidArgument));
  const std::string longest = "a/" + std::string(198, 'b');
  EXPECT_THAT(Put(longest, "x"), IsOk());
  EXPECT_EQ(*Get(longest), "x");
}

TEST_P(ObjectsContractTest, AFolderIsListedInOrderUpToALimit) {
  for (const char* name : {"a/3", "a/1", "a/10/x", "ab/1", "b/1", "a/2"}) {
    ASSERT_THAT(Put(name, "x"), IsOk());
  }
  EXPECT_THAT(*objects_->List("a", 10), ElementsAre("a/1", "a/10/x", "a/2", "a/3"));
  EXPECT_THAT(*objects_->List("a", 4), ElementsAre("a/1", "a/10/x", "a/2", "a/3"));
  EXPECT_THAT(*objects_->List("a", 2), ElementsAre("a/1", "a/10/x"));
  EXPECT_THAT(*objects_->List("a/10", 2), ElementsAre("a/10/x"));
  EXPECT_THAT(*objects_->List("a", 0), IsEmpty());
  EXPECT_THAT(*objects_->List("nothing", 5), IsEmpty());
}

TEST_P(ObjectsContractTest, WritersAndRemoversOfOneFolderDoNotDisturbEachOther) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 15; ++i) {
        const std::string name = "a/" + std::to_string(t) + "-" + std::to_string(i);
        EXPECT_THAT(Put(name, "x"), IsOk());
        EXPECT_EQ(*Get(name), "x");
        EXPECT_THAT(objects_->List("a", 100), IsOk());
        EXPECT_THAT(objects_->Remove(name), IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(*objects_->List("a", 10), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Stores, ObjectsContractTest, testing::ValuesIn(ObjectStoreKinds()),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace lethe
