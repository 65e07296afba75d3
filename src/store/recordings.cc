#include "store/recordings.h"

#include <charconv>
#include <cstring>
#include <optional>
#include <vector>

#include "base/encoding.h"
#include "base/random.h"
#include "seal/sealed_pieces.h"

namespace lethe {
namespace {

const std::string kFolder = "audio";

// "audio/480009/1728034567890-00112233aabbccdd": hour, moment, and nothing anybody could guess.
std::string NewName(WallTime created) {
  const std::int64_t millis = created.time_since_epoch().count();
  return kFolder + "/" +
         std::to_string(
             std::chrono::floor<std::chrono::hours>(created).time_since_epoch().count()) +
         "/" + std::to_string(millis) + "-" + RandomHex(16);
}

std::optional<WallTime> CreatedAt(std::string_view name) {
  name.remove_prefix(name.rfind('/') + 1);
  std::int64_t millis = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), millis);
  if (error != std::errc() || end == name.data() + name.size() || *end != '-') return std::nullopt;
  return WallTime(Millis(millis));
}

Identity IdentityOf(TenantId tenant, std::string_view id) {
  return {.data_class = DataClass::kAudio, .tenant = tenant, .id = id, .field = "recording"};
}

// What the object store says of itself, in words for whoever cannot do anything about it: which
// bucket or folder it is and where is not theirs to know. What is gone or damaged stays that.
Status WithoutPlace(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk:
    case StatusCode::kNotFound:
    case StatusCode::kDataLoss:
      return status;
    case StatusCode::kPermissionDenied:
      return Unavailable("the object store refuses the service");
    case StatusCode::kResourceExhausted:
      return Unavailable("the object store is full, or too many files are open");
    default:
      return Unavailable("the object store does not answer as it should");
  }
}

// Seals what it is given, piece by piece, into blocks of any size.
class SealingSource {
 public:
  SealingSource(const SealingKey& key, std::string_view audio) : sealer_(key), audio_(audio) {}

  Result<std::size_t> Read(std::span<char> block) {
    if (sealed_.size() == at_ && !done_) {
      const std::size_t size = std::min(audio_.size(), kPlainPiece);
      done_ = audio_.size() == size;
      sealed_ = sealer_.Next(audio_.substr(0, size), done_);
      audio_.remove_prefix(size);
      at_ = 0;
    }
    const std::size_t n = std::min(block.size(), sealed_.size() - at_);
    std::memcpy(block.data(), sealed_.data() + at_, n);
    at_ += n;
    return n;
  }

 private:
  PieceSealer sealer_;
  std::string_view audio_;
  std::string sealed_;
  std::size_t at_ = 0;
  bool done_ = false;
};

// Opens what comes in blocks of any size.
class OpeningSink {
 public:
  OpeningSink(const SealingKey& key, std::uint64_t most) : opener_(key), most_(most) {}

  Status Write(std::string_view bytes) {
    while (!bytes.empty()) {
      // A full piece is the last one only if nothing comes behind it.
      if (sealed_.size() == kSealedPiece) RETURN_IF_ERROR(OpenOne(false));
      const std::size_t n = std::min(bytes.size(), kSealedPiece - sealed_.size());
      sealed_.append(bytes.substr(0, n));
      bytes.remove_prefix(n);
    }
    return OkStatus();
  }

  Result<std::string> Finish() {
    RETURN_IF_ERROR(OpenOne(true));
    return std::move(audio_);
  }

 private:
  Status OpenOne(bool last) {
    ASSIGN_OR_RETURN(const std::string plain, opener_.Next(sealed_, last));
    sealed_.clear();
    if (audio_.size() + plain.size() > most_) {
      return ResourceExhausted("the stored recording is longer than what may be read, in bytes: " +
                               std::to_string(most_));
    }
    audio_ += plain;
    return OkStatus();
  }

  PieceOpener opener_;
  const std::uint64_t most_;
  std::string sealed_, audio_;
};

}  // namespace

Result<StoredRecording> Recordings::Put(TenantId tenant, std::string_view id,
                                        std::string_view audio) {
  const WallTime created = clock_.Now();
  ASSIGN_OR_RETURN(const ItemKey item, sealer_.NewKey(IdentityOf(tenant, id), created));
  StoredRecording stored{.name = NewName(created), .key = Base64Encode(item.header)};
  SealingSource source(item.key, audio);
  RETURN_IF_ERROR(
      WithoutPlace(objects_.Put(stored.name, SealedSize(audio.size()),
                                [&](std::span<char> block) { return source.Read(block); })));
  return stored;
}

Result<std::string> Recordings::Get(TenantId tenant, std::string_view id,
                                    const StoredRecording& stored, std::uint64_t max_bytes) {
  const std::optional<WallTime> created = CreatedAt(stored.name);
  const std::optional<std::string> header = Base64Decode(stored.key);
  if (!created || !header) return DataLoss("this is no stored recording");
  if (clock_.Now() >= *created + kLifetime) return NotFound("the recording's time is over");
  ASSIGN_OR_RETURN(const SealingKey key, sealer_.OpenKey(IdentityOf(tenant, id), *header));
  OpeningSink sink(key, max_bytes);
  Status refused;  // by the sink: what it says is about the recording
  const Status read = objects_.Get(stored.name, [&](std::string_view bytes) {
    refused = sink.Write(bytes);
    return refused;
  });
  RETURN_IF_ERROR(refused);
  RETURN_IF_ERROR(WithoutPlace(read));
  return sink.Finish();
}

Result<int> Recordings::RemoveExpired(int limit) {
  Status first_error = objects_.RemoveAbandoned();
  ASSIGN_OR_RETURN(const std::vector<std::string> names, objects_.List(kFolder, limit));
  const WallTime now = clock_.Now();
  int removed = 0;
  for (const std::string& name : names) {
    const std::optional<WallTime> created = CreatedAt(name);
    // In order: what comes behind is younger.
    if (created && now < *created + kLifetime) break;
    const Status status = objects_.Remove(name);
    if (status.ok()) ++removed;
    if (first_error.ok()) first_error = status;
  }
  if (!first_error.ok()) return first_error;
  return removed;
}

}  // namespace lethe
