#include <algorithm>

#include "store/internal/checks.h"
#include "store/internal/key_material.h"
#include "store/memory/internal/records.h"

namespace lethe {
namespace {

class MemoryKeys : public Keys {
 public:
  explicit MemoryKeys(MemoryRecords& records) : records_(records) {}

  Result<NewKey> Create(AppId app_id, KeyKind kind) override {
    const std::lock_guard lock(records_.mutex);
    if (records_.FindApplication(app_id) == nullptr) return NoSuchApplication();
    const auto count = std::count_if(records_.keys.begin(), records_.keys.end(),
                                     [=](const auto& k) { return k.key.app_id == app_id; });
    if (static_cast<std::size_t>(count) >= kMaxKeysPerApplication) {
      return TooMany("keys of an application", kMaxKeysPerApplication);
    }
    NewKey made = MakeKey(app_id, kind, records_.clock.Now());
    MemoryKey stored{.key = made.key};
    if (kind == KeyKind::kPair) {
      stored.secret = made.secret.Clone();
    } else {
      stored.hash = HashBearer(made.secret.Reveal());
    }
    records_.keys.push_back(std::move(stored));
    return made;
  }

  Result<std::vector<Key>> List(std::optional<AppId> app_id) override {
    const std::lock_guard lock(records_.mutex);
    if (app_id && records_.FindApplication(*app_id) == nullptr) return NoSuchApplication();
    std::vector<Key> keys;
    for (const MemoryKey& stored : records_.keys) {
      if (!app_id || stored.key.app_id == *app_id) keys.push_back(stored.key);
    }
    return keys;
  }

  Status SetEnabled(std::string_view id, bool enabled) override {
    const std::lock_guard lock(records_.mutex);
    for (MemoryKey& stored : records_.keys) {
      if (stored.key.id != id) continue;
      stored.key.enabled = enabled;
      return OkStatus();
    }
    return NoSuchKey();
  }

  Status Remove(std::string_view id) override {
    const std::lock_guard lock(records_.mutex);
    const auto removed =
        std::erase_if(records_.keys, [id](const MemoryKey& stored) { return stored.key.id == id; });
    return removed == 0 ? NoSuchKey() : OkStatus();
  }

  Result<KeyOwner> FindPair(std::string_view secret_id) override {
    return FindOwner([secret_id](const MemoryKey& stored) {
      return stored.key.kind == KeyKind::kPair && stored.key.id == secret_id;
    });
  }

  Result<KeyOwner> FindBearer(std::string_view bearer) override {
    const std::string hash = HashBearer(bearer);
    return FindOwner([&](const MemoryKey& stored) {
      return stored.key.kind == KeyKind::kBearer && stored.hash == hash;
    });
  }

  Status SetConsolePassword(const Secret& password) override {
    RETURN_IF_ERROR(CheckNewPassword(password));
    ASSIGN_OR_RETURN(std::string hash, HashPassword(password));
    const std::lock_guard lock(records_.mutex);
    records_.password_hash = std::move(hash);
    return OkStatus();
  }

  Result<bool> CheckConsolePassword(std::string_view password) override {
    std::string hash;
    {
      const std::lock_guard lock(records_.mutex);
      hash = records_.password_hash;
    }
    if (hash.empty()) return NoConsolePassword();
    return PasswordMatches(hash, password);
  }

 private:
  template <class Matches>
  Result<KeyOwner> FindOwner(Matches matches) {
    const std::lock_guard lock(records_.mutex);
    const auto found = std::find_if(records_.keys.begin(), records_.keys.end(), matches);
    if (found == records_.keys.end() || !found->key.enabled) return NoSuchKey();
    const Application* application = records_.FindApplication(found->key.app_id);
    if (application == nullptr) return NoSuchKey();
    if (!application->enabled) return ApplicationIsDisabled(application->id);
    return KeyOwner{*application, found->key.id, found->secret.Clone()};
  }

  MemoryRecords& records_;
};

}  // namespace

std::unique_ptr<Keys> MakeMemoryKeys(MemoryRecords& records) {
  return std::make_unique<MemoryKeys>(records);
}

}  // namespace lethe
