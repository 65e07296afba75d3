#include "model/importer.h"
#include "model/internal/onnx_graph.h"
#include "tensor/safetensors.h"

namespace lethe {
namespace {

using Shape = std::vector<std::int64_t>;

// [rows, columns] as [columns, rows], its rows padded to `width` with zeros.
std::vector<float> Transposed(const std::vector<float>& in, int rows, int columns, int width) {
  std::vector<float> out(static_cast<std::size_t>(columns) * width);
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < columns; ++j) {
      out[static_cast<std::size_t>(j) * width + i] = in[static_cast<std::size_t>(i) * columns + j];
    }
  }
  return out;
}

// A convolution's [outputs, channels, 3] as [3 * channels, outputs], row = tap * channels +
// channel.
std::vector<float> TapMajor(const std::vector<float>& in, int outputs, int channels) {
  std::vector<float> out(in.size());
  for (int o = 0; o < outputs; ++o) {
    for (int c = 0; c < channels; ++c) {
      for (int t = 0; t < 3; ++t) {
        out[(static_cast<std::size_t>(t) * channels + c) * outputs + o] =
            in[(static_cast<std::size_t>(o) * channels + c) * 3 + t];
      }
    }
  }
  return out;
}

}  // namespace

Result<std::vector<std::byte>> ImportSileroOnnx(std::span<const std::byte> model) {
  ASSIGN_OR_RETURN(const OnnxGraph graph, OnnxGraph::Parse(model));
  // One If on the sample rate: its then-branch is the 16 kHz model, the else-branch the 8 kHz one.
  const std::string branch = "If_0_then_branch";
  const auto floats = [&](std::string_view suffix,
                          const Shape& shape) -> Result<std::vector<float>> {
    ASSIGN_OR_RETURN(const std::string name, graph.ConstantEndingIn(branch, suffix));
    return graph.Floats(name, shape);
  };
  SafetensorsWriter writer;
  writer.SetMetadata("lethe.format", "1");
  writer.SetMetadata("lethe.family", "silero-vad");
  writer.SetMetadata("lethe.config", R"({"sample_rate":16000,"window":512,"context":64})");
  ASSIGN_OR_RETURN(const auto basis, floats("stft.forward_basis_buffer", {258, 1, 256}));
  writer.Add("stft.basis", DataType::kF32, {256, 272}, Transposed(basis, 258, 256, 272));
  const int channels[] = {129, 128, 64, 64, 128};
  for (int i = 0; i < 4; ++i) {
    const std::string from = "encoder." + std::to_string(i) + ".reparam_conv.";
    const std::string to = "encoder." + std::to_string(i);
    const int inputs = channels[i], outputs = channels[i + 1];
    ASSIGN_OR_RETURN(const auto weight, floats(from + "weight", {outputs, inputs, 3}));
    ASSIGN_OR_RETURN(const auto bias, floats(from + "bias", {outputs}));
    writer.Add(to + ".weight", DataType::kF32, {3 * inputs, outputs},
               TapMajor(weight, outputs, inputs));
    writer.Add(to + ".bias", DataType::kF32, {outputs}, bias);
  }
  for (const char* side : {"ih", "hh"}) {
    ASSIGN_OR_RETURN(const auto weight,
                     floats(std::string("decoder.rnn.weight_") + side, {512, 128}));
    writer.Add(std::string("lstm.weight_") + side, DataType::kF32, {128, 512},
               Transposed(weight, 512, 128, 512));
  }
  ASSIGN_OR_RETURN(auto bias, floats("decoder.rnn.bias_ih", {512}));
  ASSIGN_OR_RETURN(const auto hidden_bias, floats("decoder.rnn.bias_hh", {512}));
  for (std::size_t i = 0; i < bias.size(); ++i) bias[i] += hidden_bias[i];
  writer.Add("lstm.bias", DataType::kF32, {512}, bias);
  ASSIGN_OR_RETURN(const auto output, floats("decoder.decoder.2.weight", {1, 128, 1}));
  ASSIGN_OR_RETURN(const auto output_bias, floats("decoder.decoder.2.bias", {1}));
  writer.Add("output.weight", DataType::kF32, {128}, output);
  writer.Add("output.bias", DataType::kF32, {1}, output_bias);
  return writer.Serialize();
}

}  // namespace lethe
