#include <algorithm>

#include "store/internal/checks.h"
#include "store/memory/internal/records.h"

namespace lethe {
namespace {

class MemoryApplications : public Applications {
 public:
  explicit MemoryApplications(MemoryRecords& records) : records_(records) {}

  Result<Application> Create(const NewApplication& wanted) override {
    RETURN_IF_ERROR(CheckApplicationName(wanted.name));
    const std::lock_guard lock(records_.mutex);
    if (wanted.uin && std::none_of(records_.applications.begin(), records_.applications.end(),
                                   [&](const auto& a) { return a.second.uin == *wanted.uin; })) {
      return NoSuchAccount();
    }
    if (IsTaken(wanted.name)) return NameIsTaken("an application");
    if (records_.applications.size() >= kMaxApplications) {
      return TooMany("applications", kMaxApplications);
    }
    Application application{.id = records_.next_app_id++,
                            .uin = wanted.uin ? *wanted.uin : records_.next_uin++,
                            .name = wanted.name,
                            .created = records_.clock.Now()};
    records_.applications.emplace(application.id, application);
    return application;
  }

  Result<Application> Find(AppId id) override {
    const std::lock_guard lock(records_.mutex);
    const Application* application = records_.FindApplication(id);
    if (application == nullptr) return NoSuchApplication();
    return *application;
  }

  Result<Application> FindByName(std::string_view name) override {
    const std::lock_guard lock(records_.mutex);
    for (const auto& [id, application] : records_.applications) {
      if (application.name == name) return application;
    }
    return NoSuchApplication();
  }

  Result<std::vector<Application>> List() override {
    const std::lock_guard lock(records_.mutex);
    std::vector<Application> all;
    for (const auto& [id, application] : records_.applications) all.push_back(application);
    return all;
  }

  Status Rename(AppId id, std::string_view name) override {
    RETURN_IF_ERROR(CheckApplicationName(name));
    const std::lock_guard lock(records_.mutex);
    Application* application = records_.FindApplication(id);
    if (application == nullptr) return NoSuchApplication();
    if (application->name != name && IsTaken(name)) return NameIsTaken("an application");
    application->name = name;
    return OkStatus();
  }

  Status SetEnabled(AppId id, bool enabled) override {
    const std::lock_guard lock(records_.mutex);
    Application* application = records_.FindApplication(id);
    if (application == nullptr) return NoSuchApplication();
    application->enabled = enabled;
    return OkStatus();
  }

  Status SetQuota(AppId id, Interface interface, const Quota& quota) override {
    RETURN_IF_ERROR(CheckQuota(quota));
    const std::lock_guard lock(records_.mutex);
    Application* application = records_.FindApplication(id);
    if (application == nullptr) return NoSuchApplication();
    if (quota == Quota{}) {
      application->quotas.erase(interface);
    } else {
      application->quotas[interface] = quota;
    }
    return OkStatus();
  }

  Status Remove(AppId id) override {
    const std::lock_guard lock(records_.mutex);
    if (records_.applications.erase(id) == 0) return NoSuchApplication();
    std::erase_if(records_.keys, [id](const MemoryKey& k) { return k.key.app_id == id; });
    std::erase_if(records_.vocabularies, [id](const Vocabulary& v) { return v.app_id == id; });
    std::erase_if(records_.keyword_libraries,
                  [id](const KeywordLibrary& l) { return l.app_id == id; });
    std::erase_if(records_.tasks, [id](const Task& t) { return t.app_id == id; });
    return OkStatus();
  }

 private:
  bool IsTaken(std::string_view name) const {
    return std::any_of(records_.applications.begin(), records_.applications.end(),
                       [name](const auto& a) { return a.second.name == name; });
  }

  MemoryRecords& records_;
};

}  // namespace

std::unique_ptr<Applications> MakeMemoryApplications(MemoryRecords& records) {
  return std::make_unique<MemoryApplications>(records);
}

}  // namespace lethe
