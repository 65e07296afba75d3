// Goal: whoever runs the service reads why the object store refuses, once and not for each call;
// what is about an object or its reader is no refusal. Method: a store that fails as it is told.

#include "app/watched_objects.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"

namespace lethe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kDenied = "bucket b at s3.example: HTTP 403 AccessDenied";

class WatchedObjectsTest : public testing::Test {
 protected:
  class Told : public ObjectStore {
   public:
    explicit Told(const Status& status) : status_(status) {}
    Status Put(const std::string&, std::uint64_t, const ObjectSource& source) override {
      std::string bytes(4, '\0');
      RETURN_IF_ERROR(source(bytes).status());
      return status_;
    }
    Status Get(const std::string&, const ObjectSink& sink) override {
      RETURN_IF_ERROR(sink("abcd"));
      return status_;
    }
    Status Remove(const std::string&) override { return status_; }
    Result<std::vector<std::string>> List(const std::string&, int) override {
      if (!status_.ok()) return status_;
      return std::vector<std::string>();
    }

   private:
    const Status& status_;
  };

  Status Get() {
    return objects_.Get("audio/1/secret-name", [](std::string_view) { return OkStatus(); });
  }

  Status status_;
  std::vector<std::string> said_;
  WatchedObjects objects_{std::make_unique<Told>(status_), [this](const LogEvent& event) {
                            said_.push_back(LogLine(event, LogFormat::kText, WallTime()));
                          }};
};

TEST_F(WatchedObjectsTest, WhatItRefusesIsSaidOnceInItsOwnWords) {
  EXPECT_THAT(Get(), IsOk());
  EXPECT_THAT(said_, IsEmpty());
  status_ = PermissionDenied(kDenied);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Get().message(), kDenied);
  EXPECT_THAT(said_, ElementsAre("lethe: the object store does not do what it is asked for; it is "
                                 "tried again (operation get): " +
                                 std::string(kDenied) + "\n"));
}

TEST_F(WatchedObjectsTest, EachOperationIsSaidAndThatItWorksAgain) {
  status_ = Unavailable(kDenied);
  EXPECT_FALSE(objects_.Remove("a").ok());
  EXPECT_FALSE(objects_.List("a", 1).ok());
  EXPECT_EQ(said_.size(), 2U);
  status_ = OkStatus();
  EXPECT_THAT(objects_.Remove("a"), IsOk());
  EXPECT_THAT(objects_.Remove("a"), IsOk());
  ASSERT_EQ(said_.size(), 3U);
  EXPECT_EQ(said_[2],
            "lethe: the object store does again what it is asked for (operation remove)\n");
}

TEST_F(WatchedObjectsTest, ItMayNotFillTheLogByFailingNowAndThen) {
  for (int i = 0; i < 100; ++i) {
    status_ = Unavailable(kDenied);
    EXPECT_FALSE(Get().ok());
    status_ = OkStatus();
    EXPECT_THAT(Get(), IsOk());
  }
  EXPECT_LT(said_.size(), 10U);
}

TEST_F(WatchedObjectsTest, WhatIsNotThereAndWhatItsReaderRefusesAreNoFailures) {
  status_ = NotFound("there is no such object");
  EXPECT_FALSE(Get().ok());
  status_ = OkStatus();
  EXPECT_FALSE(objects_.Get("a", [](std::string_view) { return DataLoss("damaged"); }).ok());
  EXPECT_FALSE(
      objects_
          .Put("a", 4, [](std::span<char>) -> Result<std::size_t> { return Cancelled("enough"); })
          .ok());
  EXPECT_THAT(said_, IsEmpty());
}

}  // namespace
}  // namespace lethe
