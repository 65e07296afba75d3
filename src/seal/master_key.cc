#include "seal/master_key.h"

#include <array>
#include <cstddef>
#include <cstring>
#include <optional>

#include "base/encoding.h"
#include "base/hmac.h"
#include "base/key_file.h"

namespace lethe {

MasterKey MasterKey::Random() { return MasterKey(SealingKey::Random()); }

Result<MasterKey> MasterKey::Load(const std::string& path, bool may_create) {
  std::array<std::byte, SealingKey::kSize> bytes;
  RETURN_IF_ERROR(LoadKeyFile(path, "master key", may_create, bytes));
  SealingKey key(bytes);
  ::explicit_bzero(bytes.data(), bytes.size());
  return MasterKey(std::move(key));
}

std::string MasterKey::Seal(const Secret& secret, std::string_view belongs_to) const {
  return Base64Encode(key_.Seal(secret.Reveal(), belongs_to));
}

Result<Secret> MasterKey::Open(std::string_view sealed, std::string_view belongs_to) const {
  const std::optional<std::string> bytes = Base64Decode(sealed);
  auto plain = bytes ? key_.Open(*bytes, belongs_to) : DataLoss("no base64");
  if (!plain.ok()) return DataLoss("a stored secret does not open with the master key");
  Secret secret(*plain);  // a copy, for the original is wiped here
  WipeSecret(*plain);
  return secret;
}

}  // namespace lethe
