#pragma once

// How long what is stored of a class is there, of all that may end it.

#include <algorithm>
#include <map>

#include "seal/data_class.h"
#include "store/tasks.h"

namespace lethe {

/// At most, by what an application chose (RetentionPeriods::Find()). Texts go with their tasks,
/// before the longest time of their class is over.
inline Millis HoldingTime(DataClass data_class, const std::map<DataClass, Millis>& chosen) {
  const auto period = chosen.find(data_class);
  const Millis held = period == chosen.end() ? MaxLifetime(data_class) : period->second;
  return data_class == DataClass::kResult ? std::min(held, kTaskLifetime) : held;
}

}  // namespace lethe
