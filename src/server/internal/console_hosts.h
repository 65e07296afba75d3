#pragma once

// Under which names browsers reach the console.
//
// A page of somebody else's can let its own name lead to this machine (DNS rebinding): the browser
// then takes it and the console for one origin. What it cannot do is to be called otherwise than by
// that name, which Host has.

#include <set>
#include <string>
#include <string_view>

namespace lethe::server_internal {

/// The name of a Host header in small letters: without its port, and an address of IPv6 without its
/// brackets.
std::string HostName(std::string_view host);

/// The port of a Host header; empty where it has none, or none that is a number.
std::string_view HostPort(std::string_view host);

/// Whether the console answers a browser that reached it under that name. Addresses and "localhost"
/// cannot be made to lead elsewhere; other names have to be among `named`. Where none are named,
/// only callers of this machine are held to it: how others reach it, nobody has said.
bool IsConsoleHost(const std::set<std::string>& named, std::string_view host,
                   std::string_view peer);

}  // namespace lethe::server_internal
