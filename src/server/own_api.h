#pragma once

// Lethe's own interface, /lethe/v1/: what the interfaces of others have no words for.
//
//   POST /lethe/v1/erase       forget now, with receipts (docs/erasure.md)
//   GET  /lethe/v1/retention   how long what is held
//   POST /lethe/v1/retention   hold something shorter
//
// An application's bearer key opens what is the application's; the console's password, sent as
// HTTP Basic with the user "console", opens all.

#include "server/faces.h"
#include "server/router.h"
#include "service/eraser.h"

namespace lethe {

/// Lifetime: the context and the eraser outlive the server
void AddOwnApiRoutes(Router& router, FaceContext& context, Eraser& eraser);

}  // namespace lethe
