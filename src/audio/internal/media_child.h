#pragma once

// The child's end of the socket.

#include <functional>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include "audio/internal/cage_protocol.h"
#include "audio/internal/confinement.h"
#include "base/status.h"

namespace lethe::audio_internal {

/// Blocks, and ends the process when the parent is gone or does not keep to the protocol: there is
/// nobody left to tell.
class ChildChannel {
 public:
  void Send(CageMessage type, std::span<const std::byte> body);
  void SendError(const Status& status);
  /// The next message, which must be one of these types. Valid until the next call.
  std::pair<CageMessage, std::span<const std::byte>> Receive(
      std::initializer_list<CageMessage> expected);

  template <class Body>
  Body ReceiveBody(CageMessage type) {
    Body body{};
    if (!FromBytes(Receive({type}).second, &body)) GiveUp();
    return body;
  }

 private:
  [[noreturn]] static void GiveUp();

  std::vector<std::byte> out_ = std::vector<std::byte>(sizeof(CageHeader) + kMaxCageBody);
  std::vector<std::byte> in_ = std::vector<std::byte>(kMaxCageBody);
};

/// What CageSpawner's stem does: divides whenever it is handed a socket, and the new process, a
/// child of who started the stem, does `work` there and ends: quietly, or saying that memory ran
/// out. Needs a process with one thread.
[[noreturn]] void RunStem(const std::function<void(ChildChannel&)>& work);

/// Takes the limits, confines the process and says so. Ends the process when that is not possible.
void ConfineAsAsked(ChildChannel& channel);

}  // namespace lethe::audio_internal
