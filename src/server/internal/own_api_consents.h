#pragma once

// /lethe/v1/consent: consents given, withdrawn, listed and required (docs/consent.md).

#include <string>

#include "server/faces.h"
#include "server/http.h"
#include "server/internal/own_api_caller.h"
#include "service/eraser.h"

namespace lethe::server_internal {

/// Both block on the store.
HttpResponse ShowConsents(FaceContext& context, const OwnApiCaller& caller,
                          const HttpRequest& request);
HttpResponse ChangeConsents(FaceContext& context, Eraser& eraser, const OwnApiCaller& caller,
                            const std::string& body);

}  // namespace lethe::server_internal
