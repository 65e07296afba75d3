// Goal:   no body and no form makes the arguments of an action crash, recurse without end or take
//         more memory than they are long.
// Method: the first byte says which form; then everything is asked for, as actions do.

#include <cstdint>
#include <string>

#include "base/check.h"
#include "server/internal/api3_arguments.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lethe;
  using namespace lethe::server_internal;
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  ApiResult<ApiArguments> read =
      data[0] % 2 == 0 ? ApiArguments::FromJson(text)
                       : ApiResult<ApiArguments>(ApiArguments::FromFlat(ParseQuery(text, true)));
  auto* arguments = std::get_if<ApiArguments>(&read);
  if (arguments == nullptr) return 0;
  const auto ask = [&](ApiArguments& values) {
    (void)values.Text("A");
    (void)values.Number("B");
    (void)values.Flag("C");
    LETHE_CHECK(values.Texts("D").size() <= size);
    (void)values.Choice("B", 0, 2, 0);
  };
  ask(*arguments);
  for (ApiArguments& inner : arguments->Objects("E")) ask(inner);
  return 0;
}
