#include <cmath>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "model/importer.h"
#include "model/internal/moonshine_file.h"
#include "model/internal/onnx_graph.h"
#include "model/internal/reduced_convolution.h"
#include "tensor/quantized_linear.h"

namespace lethe {
namespace {

using Shape = std::vector<std::int64_t>;

// The published files are all of eight heads; nothing in the graph but its reshapes says so.
constexpr int kHeads = 8;

// The matrix of a MatMulInteger node: inputs are activations, weights [k, n] u8, and their zero
// points.
Result<LinearToPack> ReadLinear(const OnnxGraph& graph, const std::string& node_name, int n,
                                int k) {
  const onnx::NodeProto* node = graph.FindNode(node_name);
  if (node == nullptr || node->op_type() != "MatMulInteger" || node->input_size() != 4) {
    return DataLoss("the ONNX file has no integer product " + node_name);
  }
  constexpr std::string_view kSuffix = "_quantized";
  std::string_view base = node->input(1);
  if (!base.ends_with(kSuffix))
    return DataLoss("the weights of " + node_name + " are constant no more");
  base.remove_suffix(kSuffix.size());
  ASSIGN_OR_RETURN(const auto q, graph.Uint8s(node->input(1), Shape{k, n}));
  ASSIGN_OR_RETURN(const auto zero, graph.Uint8s(node->input(3), Shape{}));
  ASSIGN_OR_RETURN(const auto scale, graph.Floats(std::string(base) + "_scale", Shape{}));
  LinearToPack linear{.n = n, .k = k, .q = {}, .scale = {}, .zero = {}, .bias = {}};
  linear.q.resize(q.size());
  for (int j = 0; j < k; ++j) {
    for (int i = 0; i < n; ++i) {
      linear.q[static_cast<std::size_t>(i) * k + j] =
          static_cast<std::int8_t>(q[static_cast<std::size_t>(j) * n + i] - 128);
    }
  }
  linear.scale.assign(static_cast<std::size_t>(n), scale[0]);
  linear.zero.assign(static_cast<std::size_t>(n), zero[0] - 128);
  return linear;
}

// A convolution's weights [n, channels, width] s8; input index = tap * channels + channel. Their
// zero point is added after scaling, so it is a whole number of scales.
Result<LinearToPack> ReadConvolution(const OnnxGraph& graph, const std::string& name, int n,
                                     int channels, int width, bool bias) {
  ASSIGN_OR_RETURN(const auto q,
                   graph.Int8s(name + ".weight_quantized", Shape{n, channels, width}));
  ASSIGN_OR_RETURN(const auto scale, graph.Floats(name + ".weight_scale", Shape{1}));
  ASSIGN_OR_RETURN(const auto shift, graph.Floats(name + ".weight_zero_point", Shape{1}));
  const float zero = -std::nearbyint(shift[0] / scale[0]);
  if (!(std::abs(zero) <= 256.0f) || std::abs(shift[0] + zero * scale[0]) > 1e-3f * scale[0]) {
    return DataLoss("the zero point of " + name + " is no whole number of steps");
  }
  LinearToPack linear{.n = n, .k = channels * width, .q = {}, .scale = {}, .zero = {}, .bias = {}};
  linear.q.resize(q.size());
  for (int i = 0; i < n; ++i) {
    for (int c = 0; c < channels; ++c) {
      for (int t = 0; t < width; ++t) {
        linear.q[static_cast<std::size_t>(i) * linear.k + t * channels + c] =
            q[(static_cast<std::size_t>(i) * channels + c) * width + t];
      }
    }
  }
  linear.scale.assign(static_cast<std::size_t>(n), scale[0]);
  linear.zero.assign(static_cast<std::size_t>(n), static_cast<std::int32_t>(zero));
  if (bias) {
    ASSIGN_OR_RETURN(linear.bias, graph.Floats(name + ".bias", Shape{n}));
  }
  return linear;
}

// The constant among a node's two inputs.
Result<std::vector<float>> ConstantInput(const OnnxGraph& graph, const std::string& node_name,
                                         const Shape& shape) {
  const onnx::NodeProto* node = graph.FindNode(node_name);
  for (int i = 0; node != nullptr && i < node->input_size(); ++i) {
    if (graph.HasConstant(node->input(i))) return graph.Floats(node->input(i), shape);
  }
  return DataLoss("the ONNX file has no constant at " + node_name);
}

Result<int> Dimension(const OnnxGraph& graph, std::string_view name, std::size_t index, int most) {
  ASSIGN_OR_RETURN(const Shape shape, graph.Shape(name));
  if (index >= shape.size() || shape[index] < 1 || shape[index] > most) {
    return DataLoss("the ONNX file's constant " + std::string(name) + " has another shape");
  }
  return static_cast<int>(shape[index]);
}

int CountLayers(const OnnxGraph& graph, const std::string& prefix) {
  int layers = 0;
  while (layers < 64 && graph.FindNode(prefix + "layers." + std::to_string(layers) +
                                       "/self_attn/q_proj/MatMul_quant") != nullptr) {
    ++layers;
  }
  return layers;
}

// q, k and v (or k and v) of one attention as one matrix.
Result<LinearToPack> ReadProjections(const OnnxGraph& graph, const std::string& attention, int h,
                                     bool query) {
  ASSIGN_OR_RETURN(const LinearToPack k,
                   ReadLinear(graph, attention + "/k_proj/MatMul_quant", h, h));
  ASSIGN_OR_RETURN(const LinearToPack v,
                   ReadLinear(graph, attention + "/v_proj/MatMul_quant", h, h));
  if (!query) return StackOutputs(k, v);
  ASSIGN_OR_RETURN(const LinearToPack q,
                   ReadLinear(graph, attention + "/q_proj/MatMul_quant", h, h));
  return StackOutputs(StackOutputs(q, k), v);
}

Status AddEncoder(const OnnxGraph& graph, MoonshineShape* shape, SafetensorsWriter* writer) {
  ASSIGN_OR_RETURN(const int h, Dimension(graph, "conv1.weight_quantized", 0, 1024));
  shape->hidden = h;
  shape->heads = kHeads;
  shape->encoder_layers = CountLayers(graph, "/");
  ASSIGN_OR_RETURN(shape->encoder_intermediate, Dimension(graph, "layers.0.mlp.fc1.bias", 0, 8192));
  ASSIGN_OR_RETURN(const int pairs, Dimension(graph, "/rotary_emb/Cast_1_output_0", 1, 512));
  shape->rotary_dim = 2 * pairs;
  ASSIGN_OR_RETURN(const auto frequency,
                   graph.Floats("/rotary_emb/Cast_1_output_0", Shape{1, pairs, 1}));
  writer->Add("rotary.inv_freq", DataType::kF32, {pairs}, frequency);

  ASSIGN_OR_RETURN(const LinearToPack conv1, ReadConvolution(graph, "conv1", h, 1, 127, false));
  MoonshineStem stem;
  std::vector<float>& taps = stem.conv1;
  taps.resize(std::size_t{127} * h);
  for (int i = 0; i < h; ++i) {
    for (int t = 0; t < 127; ++t) {
      taps[static_cast<std::size_t>(t) * h + i] =
          conv1.scale[i] *
          static_cast<float>(conv1.q[static_cast<std::size_t>(i) * 127 + t] - conv1.zero[i]);
    }
  }
  ASSIGN_OR_RETURN(stem.norm_weight, ConstantInput(graph, "/groupnorm/Mul", Shape{h, 1}));
  ASSIGN_OR_RETURN(stem.norm_bias, ConstantInput(graph, "/groupnorm/Add", Shape{h, 1}));
  ASSIGN_OR_RETURN(stem.conv2, ReadConvolution(graph, "conv2", 2 * h, h, 7, true));
  AddMoonshineStem(stem, h, writer);
  ASSIGN_OR_RETURN(const LinearToPack conv3, ReadConvolution(graph, "conv3", h, 2 * h, 3, true));
  AddLinear("encoder.conv3", conv3, writer);

  for (int i = 0; i < shape->encoder_layers; ++i) {
    const std::string from = "layers." + std::to_string(i), to = "encoder." + from;
    for (const char* norm : {".input_layernorm.weight", ".post_attention_layernorm.weight"}) {
      ASSIGN_OR_RETURN(const auto weight, graph.Floats(from + norm, Shape{h}));
      writer->Add(to + norm, DataType::kF32, {h}, weight);
    }
    ASSIGN_OR_RETURN(const LinearToPack qkv,
                     ReadProjections(graph, "/" + from + "/self_attn", h, true));
    AddLinear(to + ".self_attn.qkv", qkv, writer);
    ASSIGN_OR_RETURN(const LinearToPack output,
                     ReadLinear(graph, "/" + from + "/self_attn/dense/MatMul_quant", h, h));
    AddLinear(to + ".self_attn.o_proj", output, writer);
    const int wide = shape->encoder_intermediate;
    ASSIGN_OR_RETURN(LinearToPack fc1,
                     ReadLinear(graph, "/" + from + "/mlp/fc1/MatMul_quant", wide, h));
    ASSIGN_OR_RETURN(fc1.bias, graph.Floats(from + ".mlp.fc1.bias", Shape{wide}));
    AddLinear(to + ".mlp.fc1", fc1, writer);
    ASSIGN_OR_RETURN(LinearToPack fc2,
                     ReadLinear(graph, "/" + from + "/mlp/fc2/MatMul_quant", h, wide));
    ASSIGN_OR_RETURN(fc2.bias, graph.Floats(from + ".mlp.fc2.bias", Shape{h}));
    AddLinear(to + ".mlp.fc2", fc2, writer);
  }
  ASSIGN_OR_RETURN(const auto last, graph.Floats("layer_norm.weight", Shape{h}));
  writer->Add("encoder.layer_norm.weight", DataType::kF32, {h}, last);
  return OkStatus();
}

Status AddDecoder(const OnnxGraph& graph, MoonshineShape* shape, SafetensorsWriter* writer) {
  const int h = shape->hidden;
  const std::string graph_root = "/model/decoder/", root = "model.decoder.", merged = "_merged_0";
  const std::string embed = root + "embed_tokens.weight" + merged;
  shape->decoder_layers = CountLayers(graph, graph_root);
  ASSIGN_OR_RETURN(shape->vocabulary, Dimension(graph, embed + "_quantized", 0, 1'000'000));
  ASSIGN_OR_RETURN(const int both,
                   Dimension(graph, root + "layers.0.mlp.up_proj.bias" + merged, 0, 16384));
  shape->decoder_intermediate = both / 2;
  LinearToPack words{.n = shape->vocabulary, .k = h, .q = {}, .scale = {}, .zero = {}, .bias = {}};
  ASSIGN_OR_RETURN(const auto q, graph.Uint8s(embed + "_quantized", Shape{words.n, h}));
  ASSIGN_OR_RETURN(const auto scale, graph.Floats(embed + "_scale", Shape{}));
  ASSIGN_OR_RETURN(const auto zero, graph.Uint8s(embed + "_zero_point", Shape{}));
  words.q.reserve(q.size());
  for (std::uint8_t v : q) words.q.push_back(static_cast<std::int8_t>(v - 128));
  words.scale.assign(static_cast<std::size_t>(words.n), scale[0]);
  words.zero.assign(static_cast<std::size_t>(words.n), zero[0] - 128);
  AddLinear("decoder.embed_tokens", words, writer);

  for (int i = 0; i < shape->decoder_layers; ++i) {
    const std::string layer = "layers." + std::to_string(i);
    const std::string node = graph_root + layer, from = root + layer, to = "decoder." + layer;
    for (const char* norm : {".input_layernorm.weight", ".post_attention_layernorm.weight",
                             ".final_layernorm.weight"}) {
      ASSIGN_OR_RETURN(const auto weight, graph.Floats(from + norm + merged, Shape{h}));
      writer->Add(to + norm, DataType::kF32, {h}, weight);
    }
    ASSIGN_OR_RETURN(const LinearToPack qkv, ReadProjections(graph, node + "/self_attn", h, true));
    AddLinear(to + ".self_attn.qkv", qkv, writer);
    ASSIGN_OR_RETURN(const LinearToPack kv,
                     ReadProjections(graph, node + "/encoder_attn", h, false));
    AddLinear(to + ".encoder_attn.kv", kv, writer);
    const std::pair<const char*, const char*> square[] = {
        {"/self_attn/dense", ".self_attn.o_proj"},
        {"/encoder_attn/q_proj", ".encoder_attn.q_proj"},
        {"/encoder_attn/dense", ".encoder_attn.o_proj"}};
    for (const auto& [part, name] : square) {
      ASSIGN_OR_RETURN(const LinearToPack linear,
                       ReadLinear(graph, node + part + "/MatMul_quant", h, h));
      AddLinear(to + name, linear, writer);
    }
    ASSIGN_OR_RETURN(LinearToPack up,
                     ReadLinear(graph, node + "/mlp/up_proj/MatMul_quant", both, h));
    ASSIGN_OR_RETURN(up.bias, graph.Floats(from + ".mlp.up_proj.bias" + merged, Shape{both}));
    AddLinear(to + ".mlp.fc1", up, writer);
    ASSIGN_OR_RETURN(LinearToPack down,
                     ReadLinear(graph, node + "/mlp/down_proj/MatMul_quant", h, both / 2));
    ASSIGN_OR_RETURN(down.bias, graph.Floats(from + ".mlp.down_proj.bias" + merged, Shape{h}));
    AddLinear(to + ".mlp.fc2", down, writer);
  }
  ASSIGN_OR_RETURN(const auto last, graph.Floats(root + "norm.weight" + merged, Shape{h}));
  writer->Add("decoder.norm.weight", DataType::kF32, {h}, last);
  return OkStatus();
}

}  // namespace

void AddMoonshineStem(const MoonshineStem& stem, int hidden, SafetensorsWriter* writer) {
  writer->Add("encoder.conv1.weight", DataType::kF32, {127, hidden}, stem.conv1);
  writer->Add("encoder.groupnorm.weight", DataType::kF32, {hidden}, stem.norm_weight);
  writer->Add("encoder.groupnorm.bias", DataType::kF32, {hidden}, stem.norm_bias);
  // It stays whole as well, for programs that know nothing else.
  AddLinear("encoder.conv2", stem.conv2, writer);
  const auto reduced = ReduceConvolution({.hidden = hidden,
                                          .conv1 = stem.conv1,
                                          .norm_weight = stem.norm_weight,
                                          .norm_bias = stem.norm_bias,
                                          .conv2 = TrueWeights(stem.conv2),
                                          .conv2_bias = stem.conv2.bias});
  if (!reduced) return;
  AddLinear("encoder.conv2.reduce", reduced->reduce, writer);
  AddLinear("encoder.conv2.taps", reduced->taps, writer);
}

void WriteMoonshineMetadata(const MoonshineShape& shape, SafetensorsWriter* writer) {
  const nlohmann::ordered_json config = {{"hidden_size", shape.hidden},
                                         {"encoder_layers", shape.encoder_layers},
                                         {"decoder_layers", shape.decoder_layers},
                                         {"heads", shape.heads},
                                         {"head_dim", shape.hidden / shape.heads},
                                         {"rotary_dim", shape.rotary_dim},
                                         {"encoder_intermediate", shape.encoder_intermediate},
                                         {"decoder_intermediate", shape.decoder_intermediate},
                                         {"vocab_size", shape.vocabulary},
                                         {"bos", shape.begin},
                                         {"eos", shape.end},
                                         {"max_positions", shape.max_positions}};
  writer->SetMetadata("lethe.format", "1");
  writer->SetMetadata("lethe.family", "moonshine");
  writer->SetMetadata("lethe.config", WriteJson(config));
}

Result<std::vector<std::byte>> ImportMoonshineOnnx(std::span<const std::byte> encoder,
                                                   std::span<const std::byte> decoder,
                                                   std::string_view llama_tokenizer_js) {
  MoonshineShape shape;
  SafetensorsWriter writer;
  {
    auto graph = OnnxGraph::Parse(encoder);
    if (!graph.ok()) return graph.status().WithContext("encoder");
    if (Status s = AddEncoder(*graph, &shape, &writer); !s.ok()) return s.WithContext("encoder");
  }
  {
    auto graph = OnnxGraph::Parse(decoder);
    if (!graph.ok()) return graph.status().WithContext("decoder");
    if (Status s = AddDecoder(*graph, &shape, &writer); !s.ok()) return s.WithContext("decoder");
  }
  ASSIGN_OR_RETURN(const Tokenizer tokenizer,
                   ParseLlamaTokenizerJs(llama_tokenizer_js, shape.vocabulary));
  tokenizer.Save(&writer);
  WriteMoonshineMetadata(shape, &writer);
  return writer.Serialize();
}

}  // namespace lethe
