#pragma once

// What every implementation of the store demands of what it is given, and how it says no.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "store/applications.h"
#include "store/consents.h"
#include "store/keyword_libraries.h"
#include "store/tasks.h"
#include "store/usage.h"
#include "store/vocabularies.h"

namespace lethe {

Status CheckApplicationName(std::string_view name);
Status CheckQuota(const Quota& quota);
Status CheckVocabulary(std::string_view name, std::string_view description,
                       const std::vector<WeightedWord>& words);
Status CheckKeywordLibrary(std::string_view name, const std::vector<std::string>& words);
Status CheckNewTask(const NewTask& task);
Status CheckHolder(const TaskHolder& holder);
Status CheckOutcome(const TaskOutcome& outcome);
Status CheckCallbackNote(const CallbackNote& note);
Status CheckFinishedCalls(std::span<const FinishedCall> calls);
Status CheckUsageQuery(const UsageQuery& query);
Status CheckCallQuery(const CallQuery& query);
Status CheckLimit(int limit);
Status CheckSubject(std::string_view subject);
Status CheckNewConsent(const NewConsent& consent, WallTime now);

Status NoSuchApplication();
Status NoSuchAccount();
Status NoSuchKey();
Status NoSuchVocabulary();
Status NoSuchKeywordLibrary();
Status NoSuchTask();
Status NameIsTaken(std::string_view what);
Status TooMany(std::string_view what, std::size_t limit);
Status ApplicationIsDisabled(AppId id);
Status NotRunningUnderLease();
Status NoCallbackPending();

/// A random number for a task.
TaskId NewTaskId();

}  // namespace lethe
