// Goal: manifests are read by their column names, and a wrong one is refused with its line.
// Method: small tables in memory.

#include "app/manifest.h"

#include <gmock/gmock.h>

namespace lethe {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(ManifestTest, ColumnsAreFoundByName) {
  const auto rows = ParseManifest(
      "transcript\tfile\tsource\tseconds\tlanguage\tid\textra\n"
      "it's \"so\"\ta/b.wav\towner/name:path/to.wav\t1.50\ten\tone\t-\n",
      "sets");
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  ASSERT_THAT(*rows, SizeIs(1));
  const ManifestRow& row = rows.value()[0];
  EXPECT_EQ(row.id, "one");
  EXPECT_EQ(row.file, "sets/a/b.wav");
  EXPECT_EQ(row.language, "en");
  EXPECT_EQ(row.seconds, 1.5);
  EXPECT_EQ(row.set, "owner/name");
  EXPECT_EQ(row.transcript, "it's \"so\"");
}

TEST(ManifestTest, MissingFieldsAreEmpty) {
  const auto rows = ParseManifest("file\tlanguage\ttranscript\r\n/a.wav\ten\r\n\r\nb.wav", "");
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  ASSERT_THAT(*rows, SizeIs(2));
  EXPECT_EQ(rows.value()[0].file, "/a.wav");
  EXPECT_EQ(rows.value()[0].id, "/a.wav");
  EXPECT_EQ(rows.value()[0].transcript, "");
  EXPECT_EQ(rows.value()[1].language, "");
}

TEST(ManifestTest, WhatIsNoManifestIsRefused) {
  EXPECT_EQ(ParseManifest("", "").status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(ParseManifest("name\tpath\n", "").status().message(), HasSubstr("\"file\""));
  EXPECT_THAT(ParseManifest("file\na.wav\nb.wav\tc\n", "").status().message(), HasSubstr("line 3"));
  EXPECT_THAT(ParseManifest("id\tfile\nx\t\n", "").status().message(), HasSubstr("line 2"));
  EXPECT_EQ(ReadManifest("no/such/file.tsv").status().code(), StatusCode::kNotFound);
}

TEST(ManifestTest, SecondsThatAreNoNumberAreZero) {
  const auto rows = ParseManifest("file\tseconds\na\tnan\nb\t-3\nc\tx\n", "");
  ASSERT_TRUE(rows.ok());
  for (const ManifestRow& row : rows.value()) EXPECT_EQ(row.seconds, 0) << row.file;
}

}  // namespace
}  // namespace lethe
