#pragma once

// The weight file: safetensors, mapped read-only and viewed in place.
//
// A file is eight bytes of header length (little endian), a JSON object that names each tensor's
// type, shape and byte range, and the bytes. Everything in the header is checked against the file
// before anything is viewed, so a view never leaves the file.
//
// Source: the safetensors format description (huggingface/safetensors, README, "Format").
// Differs: our files start every tensor at a multiple of 64 bytes, with filler tensors named
//          "padding.N" where shapes leave a gap; readers elsewhere need not know.

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace lethe {

enum class DataType { kF32, kF16, kBF16, kI8, kU8, kI32, kI64 };

/// Bytes of one element.
int DataTypeSize(DataType type);
std::string_view DataTypeName(DataType type);

struct TensorInfo {
  DataType type = DataType::kF32;
  std::vector<std::int64_t> shape;
  std::size_t offset = 0;  // of its bytes in the file
  std::size_t bytes = 0;
};

/// A validated weight file. Movable; views live as long as the file object that gave them.
class SafetensorsFile {
 public:
  /// Maps the file at `path`.
  /// Errors: kNotFound, kPermissionDenied; kDataLoss for a file that is damaged or no safetensors
  /// file
  static Result<SafetensorsFile> Open(const std::string& path);

  /// Copies the file at `path` into large pages, for what reads it again and again.
  /// Errors: as Open(); kResourceExhausted when there is not so much memory
  static Result<SafetensorsFile> Load(const std::string& path);

  /// Reads from memory that outlives the object.
  static Result<SafetensorsFile> Parse(std::span<const std::byte> bytes);

  const std::map<std::string, TensorInfo, std::less<>>& tensors() const { return tensors_; }
  bool Has(std::string_view name) const { return tensors_.find(name) != tensors_.end(); }

  /// A value of __metadata__, or "" when it is not there.
  std::string_view Metadata(std::string_view key) const;

  /// The elements of a tensor that must have this type and shape.
  /// Errors: kDataLoss, naming the tensor and what is wrong with it
  Result<std::span<const float>> Floats(std::string_view name,
                                        const std::vector<std::int64_t>& shape) const;
  Result<std::span<const std::int8_t>> Int8s(std::string_view name,
                                             const std::vector<std::int64_t>& shape) const;
  Result<std::span<const std::int32_t>> Int32s(std::string_view name,
                                               const std::vector<std::int64_t>& shape) const;
  Result<std::span<const std::uint8_t>> Uint8s(std::string_view name,
                                               const std::vector<std::int64_t>& shape) const;

  /// A tensor's description and bytes, whatever its type.
  Result<std::pair<TensorInfo, std::span<const std::byte>>> Raw(std::string_view name) const;

 private:
  Status ParseHeader();
  template <class T>
  Result<std::span<const T>> View(std::string_view name, DataType type,
                                  const std::vector<std::int64_t>& shape) const;

  std::shared_ptr<const void> mapping_;  // null when the caller owns the bytes
  std::span<const std::byte> bytes_;
  std::map<std::string, TensorInfo, std::less<>> tensors_;
  std::map<std::string, std::string, std::less<>> metadata_;
};

/// Collects tensors and lays them out as our weight files are.
class SafetensorsWriter {
 public:
  void SetMetadata(std::string key, std::string value);
  void Add(std::string name, DataType type, std::vector<std::int64_t> shape,
           std::vector<std::byte> bytes);
  template <class T>
  void Add(std::string name, DataType type, std::vector<std::int64_t> shape,
           const std::vector<T>& values) {
    const std::span<const std::byte> raw = std::as_bytes(std::span<const T>(values));
    Add(std::move(name), type, std::move(shape), std::vector<std::byte>(raw.begin(), raw.end()));
  }

  /// The whole file, the same bytes for the same tensors. The last tensor is 1,024 bytes of
  /// padding, so that kernels may read past any other.
  std::vector<std::byte> Serialize() const;

 private:
  struct Entry {
    std::string name;
    DataType type;
    std::vector<std::int64_t> shape;
    std::vector<std::byte> bytes;
  };
  std::map<std::string, std::string> metadata_;
  std::vector<Entry> entries_;
};

}  // namespace lethe
