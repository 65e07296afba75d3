#include "model/internal/onnx_graph.h"

#include <cstring>
#include <limits>

namespace lethe {
namespace {

constexpr int kMaxDepth = 16;

Status Damaged(std::string_view name, const std::string& what) {
  return DataLoss("the ONNX file's constant " + std::string(name) + " " + what);
}

}  // namespace

Result<OnnxGraph> OnnxGraph::Parse(std::span<const std::byte> bytes) {
  OnnxGraph graph;
  graph.model_ = std::make_unique<onnx::ModelProto>();
  if (bytes.empty() || bytes.size() > std::numeric_limits<int>::max() ||
      !graph.model_->ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
      !graph.model_->has_graph()) {
    return DataLoss("this is no ONNX model, or it is cut off");
  }
  RETURN_IF_ERROR(graph.Visit(graph.model_->graph(), 0));
  return graph;
}

Status OnnxGraph::Visit(const onnx::GraphProto& graph, int depth) {
  if (depth > kMaxDepth) return DataLoss("the ONNX file nests its graphs too deeply");
  for (const onnx::TensorProto& tensor : graph.initializer()) {
    constants_.emplace(tensor.name(), &tensor);
  }
  for (const onnx::NodeProto& node : graph.node()) {
    nodes_.emplace(node.name(), &node);
    for (const onnx::AttributeProto& attribute : node.attribute()) {
      if (node.op_type() == "Constant" && attribute.name() == "value" && node.output_size() == 1) {
        constants_.emplace(node.output(0), &attribute.t());
      }
      if (attribute.has_g()) RETURN_IF_ERROR(Visit(attribute.g(), depth + 1));
    }
  }
  return OkStatus();
}

const onnx::NodeProto* OnnxGraph::FindNode(std::string_view name) const {
  const auto found = nodes_.find(std::string(name));
  return found == nodes_.end() ? nullptr : found->second;
}

Result<std::string> OnnxGraph::ConstantEndingIn(std::string_view prefix,
                                                std::string_view suffix) const {
  std::string match;
  for (const auto& [name, tensor] : constants_) {
    if (!name.starts_with(prefix) || !name.ends_with(suffix)) continue;
    if (!match.empty()) return Damaged(suffix, "is there twice");
    match = name;
  }
  if (match.empty()) return Damaged(suffix, "is missing");
  return match;
}

Result<const onnx::TensorProto*> OnnxGraph::Find(std::string_view name, int type,
                                                 const std::vector<std::int64_t>& shape) const {
  const auto found = constants_.find(std::string(name));
  if (found == constants_.end()) return Damaged(name, "is missing");
  const onnx::TensorProto* tensor = found->second;
  if (tensor->data_type() != type) return Damaged(name, "has another type");
  if (!std::equal(shape.begin(), shape.end(), tensor->dims().begin(), tensor->dims().end())) {
    return Damaged(name, "has another shape");
  }
  return tensor;
}

Result<std::vector<std::int64_t>> OnnxGraph::Shape(std::string_view name) const {
  const auto found = constants_.find(std::string(name));
  if (found == constants_.end()) return Damaged(name, "is missing");
  return std::vector<std::int64_t>(found->second->dims().begin(), found->second->dims().end());
}

namespace {

std::size_t Count(const std::vector<std::int64_t>& shape) {
  std::size_t count = 1;
  for (std::int64_t n : shape) count *= static_cast<std::size_t>(n);
  return count;
}

// A tensor keeps its elements as raw little-endian bytes or in the field for its type.
template <class T, class Field>
Result<std::vector<T>> Elements(const onnx::TensorProto& tensor, const Field& field,
                                std::string_view name, std::size_t count) {
  if (tensor.has_raw_data()) {
    if (tensor.raw_data().size() != count * sizeof(T)) return Damaged(name, "has another size");
    std::vector<T> values(count);
    if (count > 0) std::memcpy(values.data(), tensor.raw_data().data(), count * sizeof(T));
    return values;
  }
  if (static_cast<std::size_t>(field.size()) != count) return Damaged(name, "has another size");
  std::vector<T> values;
  values.reserve(count);
  for (auto v : field) values.push_back(static_cast<T>(v));
  return values;
}

}  // namespace

Result<std::vector<float>> OnnxGraph::Floats(std::string_view name,
                                             const std::vector<std::int64_t>& shape) const {
  ASSIGN_OR_RETURN(const auto* tensor, Find(name, onnx::TensorProto::FLOAT, shape));
  return Elements<float>(*tensor, tensor->float_data(), name, Count(shape));
}

Result<std::vector<std::uint8_t>> OnnxGraph::Uint8s(std::string_view name,
                                                    const std::vector<std::int64_t>& shape) const {
  ASSIGN_OR_RETURN(const auto* tensor, Find(name, onnx::TensorProto::UINT8, shape));
  return Elements<std::uint8_t>(*tensor, tensor->int32_data(), name, Count(shape));
}

Result<std::vector<std::int8_t>> OnnxGraph::Int8s(std::string_view name,
                                                  const std::vector<std::int64_t>& shape) const {
  ASSIGN_OR_RETURN(const auto* tensor, Find(name, onnx::TensorProto::INT8, shape));
  return Elements<std::int8_t>(*tensor, tensor->int32_data(), name, Count(shape));
}

}  // namespace lethe
