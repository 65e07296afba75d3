// Goal: a secret leaves nothing behind. Method: the memory of an object that was moved from is
// looked at, also for short texts, which a std::string keeps in itself; what must not compile is
// asked of the compiler.

#include "base/secret.h"

#include <cstring>
#include <type_traits>

#include <gtest/gtest.h>

namespace lethe {
namespace {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};

static_assert(!Printable<Secret>);
static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);

TEST(SecretTest, IsMovedAndClonedAndTold) {
  Secret a("a longer secret than a string keeps in itself");
  Secret b = a.Clone();
  EXPECT_TRUE(a.Reveal() == b.Reveal());
  const Secret c = std::move(a);
  EXPECT_TRUE(c.Reveal() == b.Reveal());
  b = Secret("other");
  EXPECT_TRUE(b.Reveal() == "other");
  EXPECT_TRUE(Secret().empty());
}

TEST(SecretTest, ShortSecretIsNotLeftInTheObjectItWasMovedFrom) {
  alignas(Secret) unsigned char room[sizeof(Secret)];
  auto* moved = new (room) Secret("hunter2");
  const Secret here = std::move(*moved);
  // Without its beginning, which the end of the emptied string would have overwritten.
  EXPECT_EQ(memmem(room, sizeof(room), "nter2", 5), nullptr);
  EXPECT_TRUE(here.Reveal() == "hunter2");
  moved->~Secret();
}

}  // namespace
}  // namespace lethe
