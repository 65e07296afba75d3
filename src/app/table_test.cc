// Columns stand below each other, words to the left and numbers to the right.

#include "app/table.h"

#include <gtest/gtest.h>

namespace lethe {
namespace {

TEST(TableTest, ColumnsAreAsWideAsTheirWidestCell) {
  Table table(1, {"kernel", "us", "GOP/s"});
  table.Add({"gelu", "1234.5", "7"});
  table.Add({"layer_norm", "", "1.25"});
  EXPECT_EQ(table.Text(),
            "kernel          us  GOP/s\n"
            "gelu        1234.5      7\n"
            "layer_norm           1.25\n");
}

TEST(TableTest, NoLineEndsInSpaces) {
  Table table(2, {"NAME", "WHAT"});
  table.Add({"a", "something long"});
  table.Add({"b", ""});
  EXPECT_EQ(table.Text(), "NAME  WHAT\na     something long\nb\n");
}

}  // namespace
}  // namespace lethe
