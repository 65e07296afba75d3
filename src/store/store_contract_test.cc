// Goal: every store keeps what the headers of the repositories promise about applications, keys and
// word lists (tasks and usage: tasks_contract_test.cc, usage_contract_test.cc). Method: every test
// runs against the memory, the SQLite and the MariaDB store through the interface alone, with a
// clock that stands; limits are met exactly and exceeded by one.

#include "tests/support/store_contract.h"

#include <limits>
#include <set>

#include "tests/support/store_contract.h"

namespace lethe {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

INSTANTIATE_TEST_SUITE_P(Stores, StoreContractTest, testing::ValuesIn(StoreKinds()),
                         [](const auto& about) { return about.param; });

namespace {

TEST_P(StoreContractTest, ApplicationsAreNumberedAndFoundAgain) {
  Applications& applications = store_->applications();
  EXPECT_THAT(*applications.List(), IsEmpty());
  const Application first = MakeApplication("first");
  EXPECT_EQ(first.id, kFirstAppId);
  EXPECT_EQ(first.uin, kFirstUin);
  EXPECT_EQ(first.created, kNoon);
  EXPECT_TRUE(first.enabled);
  const Application second = MakeApplication("\xe7\xac\xac\xe4\xba\x8c");
  EXPECT_NE(second.uin, first.uin);
  const auto third = applications.Create({.name = "third", .uin = first.uin});
  ASSERT_THAT(third, IsOk());
  EXPECT_EQ(third->uin, first.uin);
  EXPECT_THAT(*applications.List(), ElementsAre(first, second, *third));
  EXPECT_EQ(*applications.Find(second.id), second);
  EXPECT_EQ(*applications.FindByName("third"), *third);
  EXPECT_THAT(applications.Find(1), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(applications.Find(std::numeric_limits<AppId>::max()), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(applications.FindByName("fourth"), HasCode(StatusCode::kNotFound));
}

TEST_P(StoreContractTest, WhatAnApplicationMaySpendAndItsAccountOwesIsKept) {
  Applications& applications = store_->applications();
  const Application one = MakeApplication("one"), other = MakeApplication("other");
  EXPECT_EQ(one.monthly_limit, std::nullopt);
  EXPECT_EQ(one.overdue_since, std::nullopt);
  for (const std::int64_t limit : {std::int64_t{0}, std::numeric_limits<std::int64_t>::max()}) {
    ASSERT_THAT(applications.SetMonthlyLimit(one.id, limit), IsOk());
    EXPECT_EQ(applications.Find(one.id)->monthly_limit, limit);
  }
  EXPECT_EQ(applications.Find(other.id)->monthly_limit, std::nullopt);
  ASSERT_THAT(applications.SetMonthlyLimit(one.id, std::nullopt), IsOk());
  EXPECT_EQ(applications.Find(one.id)->monthly_limit, std::nullopt);
  EXPECT_THAT(applications.SetMonthlyLimit(one.id, -1), HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(applications.SetMonthlyLimit(5, 1), HasCode(StatusCode::kNotFound));

  ASSERT_THAT(applications.SetOverdue(one.uin, kNoon), IsOk());
  // What its account owes, one that is made later owes too.
  const auto later = applications.Create({.name = "later", .uin = one.uin});
  ASSERT_THAT(later, IsOk());
  EXPECT_EQ(later->overdue_since, kNoon);
  EXPECT_EQ(applications.Find(one.id)->overdue_since, kNoon);
  EXPECT_EQ(applications.Find(other.id)->overdue_since, std::nullopt);
  ASSERT_THAT(applications.SetOverdue(one.uin, std::nullopt), IsOk());
  EXPECT_EQ(applications.Find(later->id)->overdue_since, std::nullopt);
  EXPECT_THAT(applications.SetOverdue(5, kNoon), HasCode(StatusCode::kNotFound));
}

TEST_P(StoreContractTest, ApplicationNamesAreCheckedAndUnique) {
  Applications& applications = store_->applications();
  const Application one = MakeApplication(std::string(kMaxApplicationName, 'x'));
  const Application two = MakeApplication("two");
  for (const std::string& name : {std::string(), std::string(kMaxApplicationName + 1, 'x'),
                                  std::string("a\nb"), std::string("\xff"), std::string("\0", 1)}) {
    EXPECT_THAT(applications.Create({.name = name}), HasCode(StatusCode::kInvalidArgument));
    EXPECT_THAT(applications.Rename(one.id, name), HasCode(StatusCode::kInvalidArgument));
  }
  EXPECT_THAT(applications.Create({.name = "two"}), HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(applications.Create({.name = "three", .uin = 5}), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(applications.Rename(one.id, "two"), HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(applications.Rename(two.id, "two"), IsOk());
  EXPECT_THAT(applications.Rename(one.id, "uno'; DROP TABLE applications; --"), IsOk());
  EXPECT_EQ(applications.Find(one.id)->name, "uno'; DROP TABLE applications; --");
  EXPECT_THAT(applications.Rename(1, "x"), HasCode(StatusCode::kNotFound));
}

TEST_P(StoreContractTest, QuotasOverrideAndEnd) {
  Applications& applications = store_->applications();
  const Application one = MakeApplication("one");
  const Quota rate{.calls_per_second = 7}, both{.calls_per_second = 0, .concurrency = kMaxQuota};
  EXPECT_THAT(applications.SetQuota(one.id, Interface::kSentence, both), IsOk());
  EXPECT_THAT(applications.SetQuota(one.id, Interface::kSentence, rate), IsOk());
  EXPECT_THAT(applications.SetQuota(one.id, Interface::kOpenAi, both), IsOk());
  const std::map<Interface, Quota> expected{{Interface::kSentence, rate},
                                            {Interface::kOpenAi, both}};
  EXPECT_EQ(applications.Find(one.id)->quotas, expected);
  EXPECT_EQ(applications.List()->front().quotas, expected);
  EXPECT_THAT(applications.SetQuota(one.id, Interface::kSentence, {}), IsOk());
  EXPECT_THAT(applications.Find(one.id)->quotas, SizeIs(1));
  EXPECT_THAT(applications.SetQuota(one.id, Interface::kFlash, {.concurrency = -1}),
              HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(applications.SetQuota(one.id, Interface::kFlash, {.concurrency = kMaxQuota + 1}),
              HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(applications.SetQuota(1, Interface::kFlash, rate), HasCode(StatusCode::kNotFound));
}

TEST_P(StoreContractTest, RemovedApplicationTakesEverythingButItsNumberAndUsage) {
  const Application gone = MakeApplication("gone"), stays = MakeApplication("stays");
  const NewKey lost = *store_->keys().Create(gone.id, KeyKind::kPair);
  const NewKey kept = *store_->keys().Create(stays.id, KeyKind::kPair);
  const Vocabulary words = *store_->vocabularies().Create(gone.id, {.name = "words"});
  const Task task = *store_->tasks().Create({.app_id = gone.id, .request = "{}"});
  ASSERT_THAT(store_->keyword_libraries().Create(gone.id, "names", {"anna"}), IsOk());
  ASSERT_THAT(store_->applications().SetQuota(gone.id, Interface::kFlash, {.concurrency = 1}),
              IsOk());
  const FinishedCall call{.app_id = gone.id, .succeeded = true, .start = kNoon, .end = kNoon};
  ASSERT_THAT(store_->usage().Record({&call, 1}), IsOk());

  EXPECT_THAT(store_->applications().Remove(gone.id), IsOk());
  EXPECT_THAT(store_->applications().Remove(gone.id), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(*store_->applications().List(), ElementsAre(stays));
  EXPECT_THAT(*store_->keys().List(), ElementsAre(kept.key));
  EXPECT_THAT(store_->keys().FindPair(lost.key.id), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(store_->vocabularies().Find(gone.id, words.id), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(store_->keyword_libraries().List(gone.id), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(store_->tasks().Find(gone.id, task.id), HasCode(StatusCode::kNotFound));
  EXPECT_EQ(*store_->tasks().Count(), TaskCounts{});
  const auto today = std::chrono::floor<std::chrono::days>(kNoon);
  EXPECT_THAT(*store_->usage().ByDay({.app_id = gone.id, .first = today, .last = today}),
              SizeIs(1));
  EXPECT_GT(MakeApplication("gone").id, stays.id);
}

TEST_P(StoreContractTest, KeyPairsLookAsClientsExpectAndAreFoundByTheirId) {
  const Application one = MakeApplication("one");
  const NewKey made = *store_->keys().Create(one.id, KeyKind::kPair);
  EXPECT_THAT(made.key.id, MatchesRegex("AKID[A-Za-z0-9]{32}"));
  const std::string secret(made.secret.Reveal());
  EXPECT_THAT(secret, MatchesRegex("[A-Za-z0-9]{32}"));
  EXPECT_EQ(made.key.last4, secret.substr(28));
  EXPECT_EQ(made.key.created, kNoon);
  const auto owner = store_->keys().FindPair(made.key.id);
  ASSERT_THAT(owner, IsOk());
  EXPECT_EQ(owner->application, one);
  EXPECT_EQ(owner->key_id, made.key.id);
  EXPECT_TRUE(owner->secret.Reveal() == secret);
  for (const std::string& wrong : {std::string(), std::string("AKID"), secret, made.key.id + "x"}) {
    EXPECT_THAT(store_->keys().FindPair(wrong), HasCode(StatusCode::kNotFound));
  }
}

TEST_P(StoreContractTest, BearerKeysAreFoundByTheirSecretOnly) {
  const Application one = MakeApplication("one");
  const NewKey made = *store_->keys().Create(one.id, KeyKind::kBearer);
  const std::string secret(made.secret.Reveal());
  EXPECT_THAT(made.key.id, MatchesRegex("bearer-[A-Za-z0-9]{12}"));
  EXPECT_THAT(secret, MatchesRegex("lethe-sk-[A-Za-z0-9]{40}"));
  const auto owner = store_->keys().FindBearer(secret);
  ASSERT_THAT(owner, IsOk());
  EXPECT_EQ(owner->application, one);
  EXPECT_EQ(owner->key_id, made.key.id);
  EXPECT_TRUE(owner->secret.empty());
  // The id opens nothing, nor does the key where a pair is expected, nor a pair's id here.
  const NewKey pair = *store_->keys().Create(one.id, KeyKind::kPair);
  EXPECT_THAT(store_->keys().FindBearer(made.key.id), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(store_->keys().FindBearer(pair.key.id), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(store_->keys().FindPair(made.key.id), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(store_->keys().FindPair(secret), HasCode(StatusCode::kNotFound));
}

TEST_P(StoreContractTest, DisabledKeyIsNotFoundAndDisabledApplicationRefused) {
  const Application one = MakeApplication("one");
  Keys& keys = store_->keys();
  const NewKey pair = *keys.Create(one.id, KeyKind::kPair);
  const NewKey bearer = *keys.Create(one.id, KeyKind::kBearer);
  const auto found = [&] {
    const auto by_pair = keys.FindPair(pair.key.id);
    const auto by_bearer = keys.FindBearer(bearer.secret.Reveal());
    return std::pair(by_pair.status().code(), by_bearer.status().code());
  };
  EXPECT_THAT(keys.SetEnabled(pair.key.id, false), IsOk());
  EXPECT_EQ(found(), std::pair(StatusCode::kNotFound, StatusCode::kOk));
  EXPECT_FALSE(keys.List(one.id)->front().enabled);
  EXPECT_THAT(keys.SetEnabled(pair.key.id, true), IsOk());
  EXPECT_THAT(keys.SetEnabled(bearer.key.id, false), IsOk());
  EXPECT_EQ(found(), std::pair(StatusCode::kOk, StatusCode::kNotFound));
  EXPECT_THAT(keys.SetEnabled(bearer.key.id, true), IsOk());
  EXPECT_THAT(store_->applications().SetEnabled(one.id, false), IsOk());
  EXPECT_EQ(found(), std::pair(StatusCode::kPermissionDenied, StatusCode::kPermissionDenied));
  EXPECT_THAT(store_->applications().SetEnabled(one.id, true), IsOk());
  EXPECT_EQ(found(), std::pair(StatusCode::kOk, StatusCode::kOk));
  EXPECT_THAT(keys.Remove(pair.key.id), IsOk());
  EXPECT_EQ(found(), std::pair(StatusCode::kNotFound, StatusCode::kOk));
  EXPECT_THAT(keys.Remove(pair.key.id), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(keys.SetEnabled(pair.key.id, true), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(store_->applications().SetEnabled(1, true), HasCode(StatusCode::kNotFound));
}

TEST_P(StoreContractTest, KeysAreListedByApplicationAndCounted) {
  const Application one = MakeApplication("one"), two = MakeApplication("two");
  Keys& keys = store_->keys();
  const Key other = keys.Create(two.id, KeyKind::kBearer)->key;
  std::vector<Key> made;
  for (std::size_t i = 0; i < kMaxKeysPerApplication; ++i) {
    made.push_back(keys.Create(one.id, i % 2 == 0 ? KeyKind::kPair : KeyKind::kBearer)->key);
  }
  EXPECT_THAT(keys.Create(one.id, KeyKind::kPair), HasCode(StatusCode::kResourceExhausted));
  EXPECT_EQ(*keys.List(one.id), made);
  EXPECT_THAT(*keys.List(two.id), ElementsAre(other));
  EXPECT_THAT(*keys.List(), SizeIs(kMaxKeysPerApplication + 1));
  EXPECT_THAT(keys.List(1), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(keys.Create(1, KeyKind::kPair), HasCode(StatusCode::kNotFound));
}

TEST_P(StoreContractTest, ConsolePasswordIsComparedAndReplaced) {
  Keys& keys = store_->keys();
  EXPECT_THAT(keys.CheckConsolePassword("anything at all"),
              HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(keys.SetConsolePassword(Secret("elevenchars")),
              HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(keys.SetConsolePassword(Secret(std::string(kMaxConsolePassword + 1, 'x'))),
              HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(keys.SetConsolePassword(Secret("a good password")), IsOk());
  EXPECT_TRUE(*keys.CheckConsolePassword("a good password"));
  EXPECT_FALSE(*keys.CheckConsolePassword("a good passwore"));
  EXPECT_FALSE(*keys.CheckConsolePassword(""));
  EXPECT_FALSE(*keys.CheckConsolePassword(std::string(1 << 20, 'x')));
  EXPECT_THAT(keys.SetConsolePassword(Secret("another password")), IsOk());
  EXPECT_FALSE(*keys.CheckConsolePassword("a good password"));
  EXPECT_TRUE(*keys.CheckConsolePassword("another password"));
}

TEST_P(StoreContractTest, VocabulariesAreStoredChangedAndRemoved) {
  const Application one = MakeApplication("one");
  Vocabularies& vocabularies = store_->vocabularies();
  const NewVocabulary wanted{
      .name = "names",
      .description = "two\nlines",
      .words = {{"\xe8\x85\xbe\xe8\xae\xaf", 10}, {"a b|c", 100}, {"-1 x", -1}}};
  const Vocabulary made = *vocabularies.Create(one.id, wanted);
  EXPECT_THAT(made.id, MatchesRegex("[0-9a-f]{32}"));
  EXPECT_EQ(made.words, wanted.words);
  EXPECT_EQ(made.description, wanted.description);
  EXPECT_EQ(*vocabularies.Find(one.id, made.id), made);

  clock_.Advance(Millis(1500));
  Vocabulary changed = *vocabularies.Update(one.id, made.id, {.words = {{{"new", 1}}}});
  EXPECT_EQ(changed.name, "names");
  EXPECT_THAT(changed.words, ElementsAre(WeightedWord{"new", 1}));
  EXPECT_EQ(changed.created, kNoon);
  EXPECT_EQ(changed.updated, kNoon + Millis(1500));
  changed = *vocabularies.Update(one.id, made.id, {.name = "x", .description = ""});
  EXPECT_THAT(changed.words, SizeIs(1));
  EXPECT_THAT(*vocabularies.List(one.id), ElementsAre(changed));
  EXPECT_THAT(vocabularies.Remove(one.id, made.id), IsOk());
  EXPECT_THAT(vocabularies.Remove(one.id, made.id), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(*vocabularies.List(one.id), IsEmpty());
}

TEST_P(StoreContractTest, VocabularyLimitsHoldToTheLastOne) {
  const Application one = MakeApplication("one"), two = MakeApplication("two");
  Vocabularies& vocabularies = store_->vocabularies();
  const std::vector<WeightedWord> most(kMaxVocabularyWords, {"word", 5});
  std::vector<WeightedWord> more = most;
  more.push_back({"word", 5});
  const Vocabulary full = *vocabularies.Create(one.id, {.name = "full", .words = most});
  EXPECT_EQ(full.words.size(), kMaxVocabularyWords);
  EXPECT_THAT(vocabularies.Create(one.id, {.name = "more", .words = more}),
              HasCode(StatusCode::kResourceExhausted));
  EXPECT_THAT(vocabularies.Update(one.id, full.id, {.words = more}),
              HasCode(StatusCode::kResourceExhausted));
  for (std::size_t i = 1; i < kMaxVocabularies; ++i) {
    EXPECT_THAT(vocabularies.Create(one.id, {.name = "same name"}), IsOk());
  }
  EXPECT_THAT(vocabularies.Create(one.id, {.name = "n"}), HasCode(StatusCode::kResourceExhausted));
  EXPECT_THAT(vocabularies.Create(two.id, {.name = "n"}), IsOk());
  EXPECT_THAT(vocabularies.Create(1, {.name = "n"}), HasCode(StatusCode::kNotFound));
  for (const std::string& word : {std::string(), std::string("a\nb"), std::string("\xff"),
                                  std::string(kMaxVocabularyWord + 1, 'x')}) {
    EXPECT_THAT(vocabularies.Update(one.id, full.id, {.words = {{{word, 1}}}}),
                HasCode(StatusCode::kInvalidArgument));
  }
  EXPECT_EQ(*vocabularies.Find(one.id, full.id), full);
}

TEST_P(StoreContractTest, AtMostOneVocabularyIsTheDefault) {
  const Application one = MakeApplication("one"), two = MakeApplication("two");
  Vocabularies& vocabularies = store_->vocabularies();
  const std::string a = vocabularies.Create(one.id, {.name = "a"})->id;
  const std::string b = vocabularies.Create(one.id, {.name = "b"})->id;
  const std::string other = vocabularies.Create(two.id, {.name = "other"})->id;
  EXPECT_EQ(*vocabularies.FindDefault(one.id), std::nullopt);
  for (const std::string& id : {a, b}) {
    EXPECT_THAT(vocabularies.SetDefault(one.id, id, true), IsOk());
    EXPECT_EQ((*vocabularies.FindDefault(one.id))->id, id);
  }
  EXPECT_THAT(vocabularies.SetDefault(two.id, other, true), IsOk());
  EXPECT_FALSE(vocabularies.Find(one.id, a)->is_default);
  EXPECT_TRUE(vocabularies.Find(one.id, b)->is_default);
  // To end what it is not changes nothing.
  EXPECT_THAT(vocabularies.SetDefault(one.id, a, false), IsOk());
  EXPECT_EQ((*vocabularies.FindDefault(one.id))->id, b);
  EXPECT_THAT(vocabularies.SetDefault(one.id, b, false), IsOk());
  EXPECT_EQ(*vocabularies.FindDefault(one.id), std::nullopt);
  EXPECT_EQ((*vocabularies.FindDefault(two.id))->id, other);
  EXPECT_THAT(vocabularies.SetDefault(one.id, other, true), HasCode(StatusCode::kNotFound));
}

TEST_P(StoreContractTest, KeywordLibrariesAreStoredChangedAndLimited) {
  const Application one = MakeApplication("one");
  KeywordLibraries& libraries = store_->keyword_libraries();
  const std::vector<std::string> most(kMaxKeywords, "word");
  std::vector<std::string> more = most;
  more.emplace_back("word");
  const KeywordLibrary made = *libraries.Create(one.id, "names", most);
  EXPECT_THAT(made.id, MatchesRegex("[0-9a-f]{32}"));
  EXPECT_EQ(*libraries.Find(one.id, made.id), made);
  EXPECT_THAT(libraries.Create(one.id, "more", more), HasCode(StatusCode::kResourceExhausted));
  EXPECT_THAT(libraries.Create(one.id, "names", {}), HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(libraries.Create(one.id, "", {}), HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(libraries.Create(one.id, "x", {"a\nb"}), HasCode(StatusCode::kInvalidArgument));
  for (std::size_t i = 1; i < kMaxKeywordLibraries; ++i) {
    EXPECT_THAT(libraries.Create(one.id, "library-" + std::to_string(i), {}), IsOk());
  }
  EXPECT_THAT(libraries.Create(one.id, "n" + std::string("ew"), {}),
              HasCode(StatusCode::kResourceExhausted));
  clock_.Advance(Millis(7));
  const KeywordLibrary changed = *libraries.Update(one.id, made.id, "names", {"anna", "bob"});
  EXPECT_THAT(changed.words, ElementsAre("anna", "bob"));
  EXPECT_EQ(changed.updated, kNoon + Millis(7));
  EXPECT_THAT(libraries.Update(one.id, made.id, "library-1", {}),
              HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(libraries.Update(one.id, made.id, "names", more),
              HasCode(StatusCode::kResourceExhausted));
  EXPECT_EQ(libraries.List(one.id)->front(), changed);
  EXPECT_THAT(libraries.Remove(one.id, made.id), IsOk());
  EXPECT_THAT(*libraries.List(one.id), SizeIs(kMaxKeywordLibraries - 1));
  EXPECT_THAT(libraries.Create(1, "x", {}), HasCode(StatusCode::kNotFound));
}

TEST_P(StoreContractTest, WordListsOfAnotherApplicationAreNotFound) {
  const Application mine = MakeApplication("mine"), other = MakeApplication("other");
  Vocabularies& vocabularies = store_->vocabularies();
  KeywordLibraries& libraries = store_->keyword_libraries();
  const std::string words = vocabularies.Create(mine.id, {.name = "words"})->id;
  const std::string library = libraries.Create(mine.id, "names", {})->id;
  EXPECT_THAT(libraries.Create(other.id, "names", {}), IsOk());
  for (const std::string& id : {words, library, std::string(32, '0'), std::string()}) {
    EXPECT_THAT(vocabularies.Find(other.id, id), HasCode(StatusCode::kNotFound));
    EXPECT_THAT(vocabularies.Update(other.id, id, {.name = "x"}), HasCode(StatusCode::kNotFound));
    EXPECT_THAT(vocabularies.SetDefault(other.id, id, true), HasCode(StatusCode::kNotFound));
    EXPECT_THAT(vocabularies.Remove(other.id, id), HasCode(StatusCode::kNotFound));
    EXPECT_THAT(libraries.Find(other.id, id), HasCode(StatusCode::kNotFound));
    EXPECT_THAT(libraries.Update(other.id, id, "x", {}), HasCode(StatusCode::kNotFound));
    EXPECT_THAT(libraries.Remove(other.id, id), HasCode(StatusCode::kNotFound));
  }
  EXPECT_THAT(*vocabularies.List(other.id), IsEmpty());
  EXPECT_EQ(vocabularies.Find(mine.id, words)->name, "words");
}

}  // namespace
}  // namespace lethe
