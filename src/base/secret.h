#pragma once

// A secret in memory: a key, a password.

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "base/hmac.h"

namespace lethe {

/// Text that is wiped when it is no longer needed, is moved and not copied, and cannot be printed
/// by accident. Where it has to be told, Reveal() says so.
///
/// Thread: as a std::string
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) {
    // A short std::string lives in the object itself, and moving it would leave its bytes behind;
    // with this much room it lives elsewhere.
    text_.reserve(std::max<std::size_t>(text.size(), 32));
    text_ = text;
    WipeSecret(text);
  }
  ~Secret() { WipeSecret(text_); }

  Secret(Secret&& other) noexcept = default;
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      WipeSecret(text_);
      text_ = std::move(other.text_);
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  bool empty() const { return text_.empty(); }

  /// Lifetime: until the secret is moved from, assigned to or destroyed
  std::string_view Reveal() const { return text_; }

  /// A second one, where two have to know.
  Secret Clone() const { return Secret(std::string(text_)); }

 private:
  std::string text_;
};

std::ostream& operator<<(std::ostream&, const Secret&) = delete;

}  // namespace lethe
