#include "tensor/safetensors.h"

#include <array>
#include <cstring>
#include <limits>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/large_pages.h"
#include "base/mapped_file.h"

namespace lethe {
namespace {

// A model of ours has some hundred tensors and needs 30 kB; a header past this is no model.
constexpr std::uint64_t kMaxHeader = 8u << 20;
constexpr std::size_t kAlign = 64;
constexpr std::size_t kSlack = 1024;

struct TypeRow {
  DataType type;
  std::string_view name;
  int size;
};
constexpr std::array<TypeRow, 7> kTypes = {{{DataType::kF32, "F32", 4},
                                            {DataType::kF16, "F16", 2},
                                            {DataType::kBF16, "BF16", 2},
                                            {DataType::kI8, "I8", 1},
                                            {DataType::kU8, "U8", 1},
                                            {DataType::kI32, "I32", 4},
                                            {DataType::kI64, "I64", 8}}};

const TypeRow& Row(DataType type) { return kTypes[static_cast<std::size_t>(type)]; }

std::string ShapeText(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  }
  return text + "]";
}

Status Damaged(const std::string& what) { return DataLoss("damaged model file: " + what); }

}  // namespace

int DataTypeSize(DataType type) { return Row(type).size; }
std::string_view DataTypeName(DataType type) { return Row(type).name; }

Result<SafetensorsFile> SafetensorsFile::Open(const std::string& path) {
  ASSIGN_OR_RETURN(MappedFile mapped, MappedFile::Open(path));
  auto shared = std::make_shared<const MappedFile>(std::move(mapped));
  SafetensorsFile file;
  file.bytes_ = shared->bytes();
  file.mapping_ = std::move(shared);
  if (Status status = file.ParseHeader(); !status.ok()) return status.WithContext(path);
  return file;
}

Result<SafetensorsFile> SafetensorsFile::Load(const std::string& path) {
  ASSIGN_OR_RETURN(const MappedFile mapped, MappedFile::Open(path));
  auto memory = std::make_shared<const LargePages>(mapped.bytes().size());
  if (memory->bytes().size() != mapped.bytes().size()) {
    return ResourceExhausted("no memory for " + path);
  }
  std::copy(mapped.bytes().begin(), mapped.bytes().end(), memory->bytes().begin());
  SafetensorsFile file;
  file.bytes_ = memory->bytes();
  file.mapping_ = std::move(memory);
  if (Status status = file.ParseHeader(); !status.ok()) return status.WithContext(path);
  return file;
}

Result<SafetensorsFile> SafetensorsFile::Parse(std::span<const std::byte> bytes) {
  SafetensorsFile file;
  file.bytes_ = bytes;
  RETURN_IF_ERROR(file.ParseHeader());
  return file;
}

Status SafetensorsFile::ParseHeader() {
  std::uint64_t length = 0;
  if (bytes_.size() < sizeof(length)) return Damaged("it is shorter than its own header");
  std::memcpy(&length, bytes_.data(), sizeof(length));
  if (length > kMaxHeader || length > bytes_.size() - sizeof(length)) {
    return Damaged("its header claims " + std::to_string(length) + " bytes");
  }
  const char* text = reinterpret_cast<const char*>(bytes_.data()) + sizeof(length);
  const std::size_t data_start = sizeof(length) + length;
  const std::size_t data_size = bytes_.size() - data_start;
  // Nesting is bounded: a deeper value than a tensor's shape is refused by the callback.
  bool too_deep = false;
  const auto json = nlohmann::json::parse(
      text, text + length,
      [&too_deep](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
        if (depth > 8) too_deep = true;
        return !too_deep;
      },
      /*allow_exceptions=*/false);
  if (too_deep || !json.is_object()) return Damaged("its header is no JSON object");
  std::uint64_t described = 0;
  for (const auto& [name, value] : json.items()) {
    if (!value.is_object()) return Damaged("tensor " + name + " has no description");
    if (name == "__metadata__") {
      for (const auto& [key, text_value] : value.items()) {
        if (!text_value.is_string()) return Damaged("metadata " + key + " is no text");
        metadata_[key] = text_value.get<std::string>();
      }
      continue;
    }
    const auto type = value.find("dtype");
    const auto shape = value.find("shape");
    const auto range = value.find("data_offsets");
    if (type == value.end() || !type->is_string() || shape == value.end() || !shape->is_array() ||
        range == value.end() || !range->is_array() || range->size() != 2 ||
        !(*range)[0].is_number_unsigned() || !(*range)[1].is_number_unsigned()) {
      return Damaged("tensor " + name + " is not described as the format wants");
    }
    TensorInfo info;
    const TypeRow* row = nullptr;
    for (const TypeRow& candidate : kTypes) {
      if (type->get<std::string>() == candidate.name) row = &candidate;
    }
    if (row == nullptr) return Damaged("tensor " + name + " has a type of its own");
    info.type = row->type;
    std::uint64_t count = 1;
    for (const auto& dimension : *shape) {
      if (!dimension.is_number_unsigned()) return Damaged("tensor " + name + " has no shape");
      const std::uint64_t n = dimension.get<std::uint64_t>();
      if (n > data_size || (n != 0 && count > data_size / n)) {
        return Damaged("tensor " + name + " is larger than the file");
      }
      count *= n;
      info.shape.push_back(static_cast<std::int64_t>(n));
    }
    const std::uint64_t begin = (*range)[0].get<std::uint64_t>();
    const std::uint64_t end = (*range)[1].get<std::uint64_t>();
    if (begin > end || end > data_size || count > data_size / static_cast<unsigned>(row->size) ||
        end - begin != count * static_cast<unsigned>(row->size)) {
      return Damaged("tensor " + name + " does not lie where its shape says");
    }
    info.offset = data_start + begin;
    info.bytes = end - begin;
    described += info.bytes;
    tensors_[name] = std::move(info);
  }
  // The format leaves no gaps: bytes that nobody describes mean a header of a wrong length, and
  // every tensor shifted by it.
  if (described != data_size) {
    return Damaged("its header describes " + std::to_string(described) + " of " +
                   std::to_string(data_size) + " bytes");
  }
  return OkStatus();
}

std::string_view SafetensorsFile::Metadata(std::string_view key) const {
  const auto found = metadata_.find(key);
  return found == metadata_.end() ? std::string_view() : std::string_view(found->second);
}

Result<std::pair<TensorInfo, std::span<const std::byte>>> SafetensorsFile::Raw(
    std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) return Damaged("tensor " + std::string(name) + " is missing");
  const TensorInfo& info = found->second;
  return std::make_pair(info, bytes_.subspan(info.offset, info.bytes));
}

template <class T>
Result<std::span<const T>> SafetensorsFile::View(std::string_view name, DataType type,
                                                 const std::vector<std::int64_t>& shape) const {
  ASSIGN_OR_RETURN(const auto raw, Raw(name));
  const TensorInfo& info = raw.first;
  if (info.type != type || info.shape != shape) {
    return Damaged("tensor " + std::string(name) + " is " + std::string(DataTypeName(info.type)) +
                   " " + ShapeText(info.shape) + ", not " + std::string(DataTypeName(type)) + " " +
                   ShapeText(shape));
  }
  if (reinterpret_cast<std::uintptr_t>(raw.second.data()) % alignof(T) != 0) {
    return Damaged("tensor " + std::string(name) + " is not aligned");
  }
  return std::span<const T>(reinterpret_cast<const T*>(raw.second.data()),
                            raw.second.size() / sizeof(T));
}

Result<std::span<const float>> SafetensorsFile::Floats(
    std::string_view name, const std::vector<std::int64_t>& shape) const {
  return View<float>(name, DataType::kF32, shape);
}
Result<std::span<const std::int8_t>> SafetensorsFile::Int8s(
    std::string_view name, const std::vector<std::int64_t>& shape) const {
  return View<std::int8_t>(name, DataType::kI8, shape);
}
Result<std::span<const std::int32_t>> SafetensorsFile::Int32s(
    std::string_view name, const std::vector<std::int64_t>& shape) const {
  return View<std::int32_t>(name, DataType::kI32, shape);
}
Result<std::span<const std::uint8_t>> SafetensorsFile::Uint8s(
    std::string_view name, const std::vector<std::int64_t>& shape) const {
  return View<std::uint8_t>(name, DataType::kU8, shape);
}

void SafetensorsWriter::SetMetadata(std::string key, std::string value) {
  metadata_[std::move(key)] = std::move(value);
}

void SafetensorsWriter::Add(std::string name, DataType type, std::vector<std::int64_t> shape,
                            std::vector<std::byte> bytes) {
  entries_.push_back({std::move(name), type, std::move(shape), std::move(bytes)});
}

std::vector<std::byte> SafetensorsWriter::Serialize() const {
  nlohmann::ordered_json header;
  header["__metadata__"] = metadata_;
  std::size_t at = 0;
  int fillers = 0;
  const auto describe = [&](const std::string& name, DataType type,
                            const std::vector<std::int64_t>& shape, std::size_t bytes) {
    header[name] = {
        {"dtype", DataTypeName(type)}, {"shape", shape}, {"data_offsets", {at, at + bytes}}};
    at += bytes;
  };
  for (const Entry& entry : entries_) {
    describe(entry.name, entry.type, entry.shape, entry.bytes.size());
    if (const std::size_t gap = (kAlign - at % kAlign) % kAlign; gap > 0) {
      describe("padding." + std::to_string(fillers++), DataType::kU8,
               {static_cast<std::int64_t>(gap)}, gap);
    }
  }
  describe("padding", DataType::kU8, {static_cast<std::int64_t>(kSlack)}, kSlack);

  std::string text = WriteJson(header);
  while ((sizeof(std::uint64_t) + text.size()) % kAlign != 0) text += ' ';
  const std::uint64_t length = text.size();
  std::vector<std::byte> file(sizeof(length) + text.size() + at);
  std::memcpy(file.data(), &length, sizeof(length));
  std::memcpy(file.data() + sizeof(length), text.data(), text.size());
  std::size_t to = sizeof(length) + text.size();
  for (const Entry& entry : entries_) {
    if (!entry.bytes.empty()) std::memcpy(file.data() + to, entry.bytes.data(), entry.bytes.size());
    to += (entry.bytes.size() + kAlign - 1) / kAlign * kAlign;
  }
  return file;
}

}  // namespace lethe
