#include "ledger/item_reference.h"

#include <algorithm>
#include <span>

#include <sodium.h>

#include "base/check.h"
#include "base/hmac.h"
#include "base/key_file.h"
#include "base/random.h"

namespace lethe {
namespace {

constexpr std::size_t kKeySize = 32;
// Of one length each, as are class, salt and opening: nothing can be read as something else.
constexpr std::string_view kOpening = "lethe item opening v1",
                           kReference = "lethe item reference v1";

std::string_view AsText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

MerkleHash Commit(const MerkleHash& opening, DataClass data_class, std::string_view id) {
  return Sha256({std::as_bytes(std::span(kReference)), opening,
                 std::as_bytes(std::span(&data_class, 1)), std::as_bytes(std::span(id))});
}

}  // namespace

ItemSalt RandomItemSalt() {
  ItemSalt salt;
  FillRandom(salt);
  return salt;
}

void ReferenceKey::Free::operator()(unsigned char* bytes) const { sodium_free(bytes); }

Result<ReferenceKey> ReferenceKey::Load(const std::string& path, bool may_create) {
  LETHE_CHECK(sodium_init() >= 0);
  std::unique_ptr<unsigned char, Free> bytes(static_cast<unsigned char*>(sodium_malloc(kKeySize)));
  LETHE_CHECK(bytes != nullptr);
  RETURN_IF_ERROR(LoadKeyFile(path, "reference key of the ledger", may_create,
                              std::as_writable_bytes(std::span(bytes.get(), kKeySize))));
  return ReferenceKey(std::move(bytes));
}

ItemReference ReferenceKey::Refer(DataClass data_class, const ItemSalt& salt,
                                  std::string_view id) const {
  std::string text(kOpening);
  text += static_cast<char>(data_class);
  text += AsText(salt);
  text += id;
  const std::string hash =
      HmacSha256({reinterpret_cast<const char*>(bytes_.get()), kKeySize}, text);
  WipeSecret(text);
  ItemReference made;
  std::transform(hash.begin(), hash.end(), made.opening.begin(),
                 [](char c) { return static_cast<std::byte>(c); });
  made.reference = Commit(made.opening, data_class, id);
  return made;
}

bool OpensReference(const MerkleHash& reference, const MerkleHash& opening, DataClass data_class,
                    std::string_view id) {
  return Commit(opening, data_class, id) == reference;
}

}  // namespace lethe
