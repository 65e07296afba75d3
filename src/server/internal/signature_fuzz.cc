// Goal:   nothing in a request makes the verifiers of signatures crash or hang, and no signature is
//         accepted that was not made with the key.
// Method: the bytes are cut at line feeds into method, path, query, two headers and a body; the key
//         is random, so that whatever is accepted is a finding.

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/random.h"
#include "server/internal/signature.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lethe;
  using namespace lethe::server_internal;
  static const std::string key = RandomHex(32);
  static const std::set<std::string> hosts = {"asr.tencentcloudapi.com"};
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const auto next = [&] {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string piece(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return piece;
  };
  HttpRequest request;
  request.method = next();
  request.path = next();
  request.query = next();
  request.headers = {{"host", next()}, {"content-type", next()}, {"x-tc-timestamp", next()}};
  const std::string authorization = next();
  request.body = std::string(rest);
  if (const auto parsed = ParseTc3Authorization(authorization)) {
    LETHE_CHECK(!parsed->secret_id.empty() && !parsed->signature.empty());
    LETHE_CHECK(!VerifyTc3(request, *parsed, key, hosts));
  }
  (void)UtcDate(request.Header("x-tc-timestamp"));
  LETHE_CHECK(!VerifyV1(request, ParseQuery(request.query, true), key, hosts));
  LETHE_CHECK(!VerifyQuery(request, "POST", authorization, key, hosts));
  return 0;
}
