#include "store/memory_store.h"

#include "store/memory/internal/records.h"

namespace lethe {
namespace {

class MemoryStore : public Store {
 public:
  explicit MemoryStore(const Clock& clock)
      : records_(clock),
        applications_(MakeMemoryApplications(records_)),
        keys_(MakeMemoryKeys(records_)),
        vocabularies_(MakeMemoryVocabularies(records_)),
        keyword_libraries_(MakeMemoryKeywordLibraries(records_)),
        tasks_(MakeMemoryTasks(records_)),
        usage_(MakeMemoryUsage(records_)) {}

  Applications& applications() override { return *applications_; }
  Keys& keys() override { return *keys_; }
  Vocabularies& vocabularies() override { return *vocabularies_; }
  KeywordLibraries& keyword_libraries() override { return *keyword_libraries_; }
  Tasks& tasks() override { return *tasks_; }
  Usage& usage() override { return *usage_; }

 private:
  MemoryRecords records_;
  const std::unique_ptr<Applications> applications_;
  const std::unique_ptr<Keys> keys_;
  const std::unique_ptr<Vocabularies> vocabularies_;
  const std::unique_ptr<KeywordLibraries> keyword_libraries_;
  const std::unique_ptr<Tasks> tasks_;
  const std::unique_ptr<Usage> usage_;
};

}  // namespace

std::unique_ptr<Store> MakeMemoryStore(const Clock& clock) {
  return std::make_unique<MemoryStore>(clock);
}

}  // namespace lethe
