#include "store/sql/internal/task_sealer.h"

#include <utility>

#include "base/encoding.h"
#include "store/internal/checks.h"

namespace lethe {
namespace {

// What stands before what is sealed. Texts without it were written before there was sealing; the
// last of them was forgotten a day later.
constexpr std::string_view kSealed = "s1:";

std::string ItemOf(TaskId id) { return "task/" + std::to_string(id); }

Identity IdentityOf(AppId app_id, std::string_view item, std::string_view field) {
  return {.data_class = DataClass::kResult, .tenant = app_id, .id = item, .field = field};
}

}  // namespace

Result<std::string> TaskSealer::Seal(const TaskIdentity& task, std::string_view field,
                                     std::string_view text) const {
  if (text.empty()) return std::string();
  const std::string item = ItemOf(task.id);
  ASSIGN_OR_RETURN(const std::string sealed,
                   sealer_.Seal(IdentityOf(task.app_id, item, field), task.created, text));
  return std::string(kSealed) + Base64Encode(sealed);
}

Status TaskSealer::Open(Task* task) const {
  const std::string item = ItemOf(task->id);
  for (const auto& [field, text] :
       {std::pair("request", &task->request), std::pair("callback_url", &task->callback_url),
        std::pair("callback_outcome", &task->callback_outcome), std::pair("error", &task->error),
        std::pair("result", &task->result)}) {
    if (!text->starts_with(kSealed)) continue;
    const auto sealed = Base64Decode(std::string_view(*text).substr(kSealed.size()));
    if (!sealed) return DataLoss("a stored task cannot be read");
    auto opened = sealer_.Open(IdentityOf(task->app_id, item, field), *sealed);
    if (opened.status().code() == StatusCode::kNotFound) return NoSuchTask();
    if (!opened.ok()) return opened.status();
    *text = *std::move(opened);
  }
  return OkStatus();
}

}  // namespace lethe
