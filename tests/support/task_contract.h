#pragma once

// For tests of what store/tasks.h promises: tasks of two applications on two nodes, in every store.

#include "tests/support/store_contract.h"

namespace lethe {

class TaskContractTest : public StoreContractTest {
 protected:
  Task Create(const Application& owner, const std::string& callback = "", bool upload = false) {
    return *tasks_.Create({.app_id = owner.id,
                           .request_id = "request",
                           .engine = "16k_en",
                           .request = R"({"Url":"x"})",
                           .callback_url = callback,
                           .upload_holder = upload ? std::optional(me_) : std::nullopt});
  }
  Task Claim() { return **tasks_.Claim(me_); }

  const TaskHolder me_{.node = "here", .lease = std::chrono::seconds(30)};
  const TaskHolder elsewhere_{.node = "elsewhere", .lease = std::chrono::seconds(30)};

  Tasks& tasks_ = store_->tasks();
  const Application mine_ = MakeApplication("mine"), other_ = MakeApplication("other");
};

}  // namespace lethe
