#pragma once

// Whom a call is about, as its caller says (docs/consent.md).

#include <string>

#include "base/status.h"
#include "server/faces.h"
#include "server/http.h"
#include "store/applications.h"

namespace lethe::server_internal {

/// Whom a call is about.
struct Subject {
  std::string pseudonym;  // empty: nobody is named
  Status status;          // of finding it
};

/// The name that the header X-Lethe-Subject or the query's lethe_subject gives; empty: there is
/// neither. It is personal data.
/// Errors: kInvalidArgument for what could be read in two ways: several names, an empty one, a plus
///         sign that may be a blank
Result<std::string> SubjectName(const HttpRequest& request);

/// Blocks on the keys. Its status is that of the name, kInvalidArgument for what is no name, or as
/// KeyStore.
Subject FindSubject(FaceContext& context, AppId app_id, const Result<std::string>& name);

}  // namespace lethe::server_internal
