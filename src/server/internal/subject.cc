#include "server/internal/subject.h"

#include <set>

#include <boost/beast/core/string.hpp>

#include "server/internal/signature.h"

namespace lethe::server_internal {

Result<std::string> SubjectName(const HttpRequest& request) {
  std::set<std::string> names;
  for (const auto& [header, value] : request.headers) {
    if (boost::beast::iequals(header, "x-lethe-subject")) names.insert(value);
  }
  for (const auto& [name, value] : SplitQuery(request.query)) {
    if (name != kSubjectParameter) continue;
    if (value.find('+') != std::string::npos) {
      return InvalidArgument(
          "lethe_subject has a plus sign: write %20 for a blank, %2B for a plus");
    }
    names.insert(FindValue(ParseQuery(name + "=" + value, false), kSubjectParameter).value_or(""));
  }
  if (names.size() > 1) return InvalidArgument("a call is about one person; it names several");
  if (names.empty()) return std::string();
  if (names.begin()->empty()) return InvalidArgument("X-Lethe-Subject or lethe_subject is empty");
  return *names.begin();
}

Subject FindSubject(FaceContext& context, AppId app_id, const Result<std::string>& name) {
  if (!name.ok()) return {.pseudonym = {}, .status = name.status()};
  auto pseudonym = context.store.consents().Pseudonym(app_id, *name);
  if (!pseudonym.ok()) return {.pseudonym = {}, .status = pseudonym.status()};
  return {.pseudonym = *std::move(pseudonym), .status = OkStatus()};
}

}  // namespace lethe::server_internal
