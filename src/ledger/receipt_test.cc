// Goal: a receipt survives being written and read, says in words what it says in bytes, and is
// about the id whose opening it has. Method: receipts of a real ledger; every character changed;
// JSON in wrong forms.

#include "ledger/receipt.h"

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger/item_reference.h"
#include "tests/support/test_ledger.h"

namespace lethe {
namespace {

using nlohmann::json;

class ReceiptTest : public testing::Test {
 protected:
  ReceiptTest() {
    EXPECT_THAT(test_.Open(), IsOk());
    const ReferenceKey key = *ReferenceKey::Load(test_ / "reference.key", /*may_create=*/true);
    const ItemReference item = key.Refer(DataClass::kResult, RandomItemSalt(), "task 17");
    for (int i = 0; i < 5; ++i) test_.Add(Created());
    Leaf created = Created(DataClass::kResult);
    created.reference = item.reference;
    test_.Add(created);
    test_.Add(Erased(5, created, ErasureCause::kConsentWithdrawn));
    receipt_ = *test_.ledger->Prove(6);
    receipt_.opening = item.opening;
    text_ = receipt_.Json();
  }

  TestLedger test_;
  Receipt receipt_;
  std::string text_;
};

TEST_F(ReceiptTest, ComesBackFromItsText) {
  const auto read = Receipt::Parse(text_);
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->leaf, receipt_.leaf);
  EXPECT_EQ(read->number, 6U);
  EXPECT_EQ(read->proof, receipt_.proof);
  EXPECT_EQ(read->head.note(), receipt_.head.note());
  EXPECT_EQ(read->opening, receipt_.opening);
  EXPECT_EQ(read->Json(), text_);
  EXPECT_FALSE(VerifyReceipt(*read, test_.key()));
}

TEST_F(ReceiptTest, SaysInWordsWhatItSaysInBytes) {
  const json says = json::parse(text_)["says"];
  EXPECT_EQ(says["kind"], "erased");
  EXPECT_EQ(says["class"], "result");
  EXPECT_EQ(says["cause"], "consent_withdrawn");
  EXPECT_EQ(says["creation"], 5);
  for (const char* field : {"kind", "cause", "items", "time", "region"}) {
    json changed = json::parse(text_);
    changed["says"][field] = "erased";
    if (changed == json::parse(text_)) changed["says"][field] = "created";
    EXPECT_THAT(Receipt::Parse(changed.dump()), HasCode(StatusCode::kInvalidArgument)) << field;
  }
}

TEST_F(ReceiptTest, IsAboutTheIdWhoseOpeningItHas) {
  EXPECT_TRUE(receipt_.IsAbout("task 17"));
  EXPECT_FALSE(receipt_.IsAbout("task 71"));
  receipt_.opening.reset();
  EXPECT_FALSE(receipt_.IsAbout("task 17"));
  EXPECT_EQ(Receipt::Parse(receipt_.Json())->opening, std::nullopt);
}

TEST_F(ReceiptTest, NoCharacterCanBeChangedUnnoticed) {
  for (std::size_t i = 0; i < text_.size(); ++i) {
    std::string changed = text_;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    const auto read = Receipt::Parse(changed);
    if (!read.ok() || VerifyReceipt(*read, test_.key())) continue;
    // Then it says the same, but for blanks and for the opening, which proves itself or does not.
    Receipt same = *read;
    if (!same.IsAbout("task 17")) same.opening = receipt_.opening;
    EXPECT_EQ(same.Json(), text_) << changed.substr(i, 20);
  }
}

TEST_F(ReceiptTest, WhatIsNoReceiptIsRefused) {
  const auto refused = [](const std::string& text) {
    EXPECT_THAT(Receipt::Parse(text), HasCode(StatusCode::kInvalidArgument)) << text;
  };
  const auto with = [&](const char* field, const json& value) {
    json changed = json::parse(text_);
    changed[field] = value;
    return changed.dump();
  };
  const auto without = [&](const char* field) {
    json changed = json::parse(text_);
    changed.erase(field);
    return changed.dump();
  };
  for (const char* text : {"", "{", "[]", "null", "{}", "\"leaf\""}) refused(text);
  for (const char* field : {"format", "says", "leaf", "number", "proof", "head"}) {
    refused(without(field));
    refused(with(field, nullptr));
    refused(with(field, json::array({1})));
    refused(with(field, "AAAA"));
  }
  refused(with("number", -1));
  refused(with("number", 1.5));
  refused(with("proof", json(std::vector<std::string>(65, std::string(44, 'A')))));
  refused(with("opening", "short"));
  refused(std::string(kMaxReceiptBytes + 1, ' '));
  refused(std::string(kMaxReceiptBytes / 2, '['));
}

}  // namespace
}  // namespace lethe
