#pragma once

// What the importers need of an ONNX file: its constants by name, and its nodes.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <onnx/onnx_pb.h>

#include "base/status.h"

namespace lethe {

/// A parsed file. Subgraphs are searched too; when several hold a node of one name, the first
/// counts.
class OnnxGraph {
 public:
  /// Errors: kDataLoss for what is no ONNX file, or nests deeper than 16 graphs
  static Result<OnnxGraph> Parse(std::span<const std::byte> bytes);

  const onnx::NodeProto* FindNode(std::string_view name) const;
  bool HasConstant(std::string_view name) const { return constants_.contains(std::string(name)); }

  /// Name of the only constant whose name ends so. Errors: kDataLoss when there is none or several.
  Result<std::string> ConstantEndingIn(std::string_view prefix, std::string_view suffix) const;

  /// The elements of a constant that must have this type; a scalar has the shape [].
  /// Errors: kDataLoss, naming the constant
  Result<std::vector<float>> Floats(std::string_view name,
                                    const std::vector<std::int64_t>& shape) const;
  Result<std::vector<std::uint8_t>> Uint8s(std::string_view name,
                                           const std::vector<std::int64_t>& shape) const;
  Result<std::vector<std::int8_t>> Int8s(std::string_view name,
                                         const std::vector<std::int64_t>& shape) const;
  Result<std::vector<std::int64_t>> Shape(std::string_view name) const;

 private:
  Status Visit(const onnx::GraphProto& graph, int depth);
  Result<const onnx::TensorProto*> Find(std::string_view name, int type,
                                        const std::vector<std::int64_t>& shape) const;

  std::unique_ptr<onnx::ModelProto> model_;
  std::unordered_map<std::string, const onnx::TensorProto*> constants_;
  std::unordered_map<std::string, const onnx::NodeProto*> nodes_;
};

}  // namespace lethe
