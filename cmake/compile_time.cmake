# What keeps the compiler's time short; docs/decisions.md, "The compiler's time", says why. Beside it there
# is a rule for sources: what a library instantiates at length is called in one of ours (base/json.h).

# Lines and functions, for stacks and profiles, without variables and types: debuggers get the preset
# dev.
target_compile_options(lethe_flags INTERFACE $<$<CONFIG:RelWithDebInfo>:-g1>)

# Read once instead of by every source. A source still includes what it uses: clang-tidy (`make lint`)
# and the sanitizers' presets compile without.
set(LETHE_PRECOMPILED
  <algorithm> <array> <atomic> <charconv> <chrono> <cmath> <condition_variable> <cstddef> <cstdint>
  <cstdlib> <cstring> <deque> <filesystem> <fstream> <functional> <map> <memory> <mutex> <optional>
  <set> <span> <string> <string_view> <thread> <tuple> <unordered_map> <utility> <variant> <vector>
  <nlohmann/json.hpp>)
if(LETHE_SANITIZE OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Sources that are watched otherwise than the rest of their module could not use its headers.
  set(CMAKE_DISABLE_PRECOMPILE_HEADERS ON)
else()
  # GCC 12 takes strings that are put together for overrun (bugs 105329, 105651), and says so once their
  # headers are precompiled. The sanitizers' presets still ask.
  target_compile_options(lethe_flags INTERFACE
    -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread)
endif()

# lethe_precompile(lethe_server <boost/asio/awaitable.hpp>): the headers of all and these, for this
# target. Without any, those of lethe_base, which is the first module.
#
# Sources with an optimisation of their own (SKIP_PRECOMPILE_HEADERS) go without: the headers bring
# theirs with them.
function(lethe_precompile target)
  if(ARGN OR target STREQUAL "lethe_base")
    target_precompile_headers(${target} PRIVATE ${LETHE_PRECOMPILED} ${ARGN})
  else()
    target_precompile_headers(${target} REUSE_FROM lethe_base)
  endif()
endfunction()

# Tests run about once for each time they are compiled: the optimiser stops early. They share the
# headers of base_test, the first.
function(lethe_compile_test target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:RelWithDebInfo>:-O1>)
  if(target STREQUAL "base_test")
    target_precompile_headers(${target} PRIVATE ${LETHE_PRECOMPILED} <gmock/gmock.h>)
  else()
    target_precompile_headers(${target} REUSE_FROM base_test)
  endif()
endfunction()
