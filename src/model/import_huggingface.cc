#include <bit>
#include <cmath>
#include <cstring>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "model/importer.h"
#include "model/internal/moonshine_file.h"
#include "tensor/quantized_linear.h"

namespace lethe {
namespace {

constexpr std::size_t kMaxJson = 64u << 20;

float FromHalf(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000u) << 16, exponent = (bits >> 10) & 31u;
  const std::uint32_t fraction = bits & 1023u;
  if (exponent == 0) {
    const float tiny = std::ldexp(static_cast<float>(fraction), -24);
    return sign != 0 ? -tiny : tiny;
  }
  const std::uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | (wide << 23) | (fraction << 13));
}

// A directory's weights by their transformers names, as float, shapes checked.
class Source {
 public:
  explicit Source(SafetensorsFile file) : file_(std::move(file)) {}

  Result<std::vector<float>> Floats(const std::string& name,
                                    const std::vector<std::int64_t>& shape) const {
    ASSIGN_OR_RETURN(const auto raw, file_.Raw(name));
    const auto& [info, bytes] = raw;
    if (info.shape != shape) return DataLoss("tensor " + name + " has another shape");
    std::vector<float> values(bytes.size() / static_cast<std::size_t>(DataTypeSize(info.type)));
    if (info.type == DataType::kF32) {
      if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    } else if (info.type == DataType::kF16 || info.type == DataType::kBF16) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        std::uint16_t bits = 0;
        std::memcpy(&bits, bytes.data() + 2 * i, 2);
        values[i] = info.type == DataType::kF16
                        ? FromHalf(bits)
                        : std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
      }
    } else {
      return DataLoss("tensor " + name + " is neither F32 nor F16 nor BF16");
    }
    for (float v : values) {
      if (!std::isfinite(v)) return DataLoss("tensor " + name + " holds what is no number");
    }
    return values;
  }

  Result<LinearToPack> Linear(const std::string& name, int n, int k, bool bias) const {
    ASSIGN_OR_RETURN(const auto weight, Floats(name + ".weight", {n, k}));
    LinearToPack linear = QuantizePerOutput(weight, n, k);
    if (bias) {
      ASSIGN_OR_RETURN(linear.bias, Floats(name + ".bias", {n}));
    }
    return linear;
  }

  // [outputs, channels, width] with input index = tap * channels + channel.
  Result<LinearToPack> Convolution(const std::string& name, int n, int channels, int width) const {
    ASSIGN_OR_RETURN(const auto weight, Floats(name + ".weight", {n, channels, width}));
    std::vector<float> rows(weight.size());
    for (int i = 0; i < n; ++i) {
      for (int c = 0; c < channels; ++c) {
        for (int t = 0; t < width; ++t) {
          rows[(static_cast<std::size_t>(i) * width + t) * channels + c] =
              weight[(static_cast<std::size_t>(i) * channels + c) * width + t];
        }
      }
    }
    LinearToPack linear = QuantizePerOutput(rows, n, channels * width);
    ASSIGN_OR_RETURN(linear.bias, Floats(name + ".bias", {n}));
    return linear;
  }

 private:
  SafetensorsFile file_;
};

struct HuggingFaceConfig {
  MoonshineShape shape;
  double rope_theta = 10000;
};

// transformers knows variants of the architecture that were never published; ours computes none of
// them, and would not notice.
Status CheckVariant(const nlohmann::json& json) {
  const auto is = [&json](const char* key, const nlohmann::json& usual) {
    const auto value = json.find(key);
    return value == json.end() || value->is_null() || *value == usual;
  };
  const auto rope = json.find("rope_parameters");
  const bool plain_rope =
      is("rope_scaling", nullptr) && (rope == json.end() || !rope->is_object() ||
                                      rope->value("rope_type", nlohmann::json()).is_null() ||
                                      rope->value("rope_type", nlohmann::json()) == "default");
  for (const auto& [key, usual] : {std::pair<const char*, nlohmann::json>{"attention_bias", false},
                                   {"encoder_hidden_act", "gelu"},
                                   {"decoder_hidden_act", "silu"}}) {
    if (!is(key, usual)) {
      return Unimplemented(
          "config.json describes a Moonshine model of a kind that is not known "
          "here: " +
          std::string(key) + " is " + WriteJson(json[key]));
    }
  }
  if (plain_rope) return OkStatus();
  return Unimplemented(
      "config.json describes a Moonshine model of a kind that is not known here: "
      "its rotary positions are scaled");
}

Result<HuggingFaceConfig> ReadConfig(const std::string& directory) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(directory + "/config.json", kMaxJson));
  const auto json = ParseJson<nlohmann::json>(text);
  if (!json.is_object()) return DataLoss("config.json is no JSON object");
  const auto type = json.find("model_type");
  if (type == json.end() || *type != "moonshine") {
    return Unimplemented("only Moonshine models can be imported; config.json says model_type is " +
                         (type == json.end() ? "missing" : WriteJson(*type)));
  }
  bool bad = false;
  const auto number = [&](const char* key, int fallback, int least, int most) {
    const auto value = json.find(key);
    if (value == json.end() && fallback >= 0) return fallback;
    if (value == json.end() || !value->is_number_integer() || *value < least || *value > most) {
      bad = true;
      return least;
    }
    return value->get<int>();
  };
  HuggingFaceConfig config;
  MoonshineShape& s = config.shape;
  s.hidden = number("hidden_size", -1, 16, 1024);
  s.encoder_layers = number("encoder_num_hidden_layers", -1, 1, 64);
  s.decoder_layers = number("decoder_num_hidden_layers", -1, 1, 64);
  s.heads = number("encoder_num_attention_heads", 8, 1, 64);
  const int decoder_heads = number("decoder_num_attention_heads", 8, 1, 64);
  s.encoder_intermediate = s.decoder_intermediate = number("intermediate_size", -1, 32, 4096);
  s.vocabulary = number("vocab_size", 32768, 16, 1'000'000);
  s.begin = number("bos_token_id", 1, 0, 1'000'000);
  s.end = number("eos_token_id", 2, 0, 1'000'000);
  s.max_positions = number("max_position_embeddings", 512, 2, 4096);
  // What the loader of our own files holds to as well (moonshine/weights.cc).
  bad = bad || s.hidden % 16 != 0 || s.decoder_intermediate % 16 != 0 ||
        s.decoder_intermediate < 2 * s.hidden || s.begin >= s.vocabulary || s.end >= s.vocabulary;
  if (bad || s.heads != decoder_heads || s.hidden % s.heads != 0) {
    return DataLoss("config.json describes no Moonshine model that makes sense");
  }
  RETURN_IF_ERROR(CheckVariant(json));
  // Since version 5 transformers writes what concerns positions into an object of its own.
  const bool nested = json.contains("rope_parameters") && json["rope_parameters"].is_object();
  const nlohmann::json& rope = nested ? json["rope_parameters"] : json;
  const auto real = [&](const char* key, double fallback) {
    for (const nlohmann::json* place : {&rope, &json}) {
      const auto value = place->find(key);
      if (value != place->end() && value->is_number()) return value->get<double>();
    }
    return fallback;
  };
  const double factor = real("partial_rotary_factor", 0.9);
  config.rope_theta = real("rope_theta", config.rope_theta);
  s.rotary_dim = static_cast<int>(s.hidden / s.heads * factor) / 2 * 2;
  if (!(factor > 0 && factor <= 1 && config.rope_theta > 1) || s.rotary_dim < 2) {
    return DataLoss("config.json has no rotary positions that make sense");
  }
  return config;
}

Status AddNorm(const Source& source, const std::string& from, const std::string& to, int h,
               SafetensorsWriter* writer) {
  ASSIGN_OR_RETURN(const auto weight, source.Floats(from, {h}));
  writer->Add(to, DataType::kF32, {h}, weight);
  return OkStatus();
}

Status AddStacked(const Source& source, const std::string& attention,
                  const std::vector<std::string>& parts, const std::string& to, int h,
                  SafetensorsWriter* writer) {
  ASSIGN_OR_RETURN(LinearToPack all, source.Linear(attention + parts[0], h, h, false));
  for (std::size_t i = 1; i < parts.size(); ++i) {
    ASSIGN_OR_RETURN(const LinearToPack part, source.Linear(attention + parts[i], h, h, false));
    all = StackOutputs(all, part);
  }
  AddLinear(to, all, writer);
  return OkStatus();
}

Status AddLayers(const Source& source, const MoonshineShape& s, SafetensorsWriter* writer) {
  const int h = s.hidden;
  for (const bool decoder : {false, true}) {
    const int layers = decoder ? s.decoder_layers : s.encoder_layers;
    const int wide = decoder ? 2 * s.decoder_intermediate : s.encoder_intermediate;
    const int narrow = decoder ? s.decoder_intermediate : s.encoder_intermediate;
    for (int i = 0; i < layers; ++i) {
      const std::string to =
          (decoder ? "decoder.layers." : "encoder.layers.") + std::to_string(i) + ".";
      const std::string from = "model." + to;
      std::vector<std::string> norms = {"input_layernorm.weight",
                                        "post_attention_layernorm.weight"};
      if (decoder) norms.emplace_back("final_layernorm.weight");
      for (const std::string& norm : norms) {
        RETURN_IF_ERROR(AddNorm(source, from + norm, to + norm, h, writer));
      }
      RETURN_IF_ERROR(AddStacked(source, from + "self_attn.", {"q_proj", "k_proj", "v_proj"},
                                 to + "self_attn.qkv", h, writer));
      RETURN_IF_ERROR(
          AddStacked(source, from + "self_attn.", {"o_proj"}, to + "self_attn.o_proj", h, writer));
      if (decoder) {
        const std::string attention = from + "encoder_attn.", out = to + "encoder_attn.";
        RETURN_IF_ERROR(AddStacked(source, attention, {"q_proj"}, out + "q_proj", h, writer));
        RETURN_IF_ERROR(AddStacked(source, attention, {"k_proj", "v_proj"}, out + "kv", h, writer));
        RETURN_IF_ERROR(AddStacked(source, attention, {"o_proj"}, out + "o_proj", h, writer));
      }
      ASSIGN_OR_RETURN(const LinearToPack fc1, source.Linear(from + "mlp.fc1", wide, h, true));
      AddLinear(to + "mlp.fc1", fc1, writer);
      ASSIGN_OR_RETURN(const LinearToPack fc2, source.Linear(from + "mlp.fc2", h, narrow, true));
      AddLinear(to + "mlp.fc2", fc2, writer);
    }
  }
  return OkStatus();
}

Status AddStem(const Source& source, const MoonshineShape& s, SafetensorsWriter* writer) {
  const int h = s.hidden;
  const std::string encoder = "model.encoder.";
  ASSIGN_OR_RETURN(const auto conv1, source.Floats(encoder + "conv1.weight", {h, 1, 127}));
  MoonshineStem stem;
  std::vector<float>& taps = stem.conv1;
  taps.resize(conv1.size());
  for (int i = 0; i < h; ++i) {
    for (int t = 0; t < 127; ++t) {
      taps[static_cast<std::size_t>(t) * h + i] = conv1[static_cast<std::size_t>(i) * 127 + t];
    }
  }
  ASSIGN_OR_RETURN(stem.norm_weight, source.Floats(encoder + "groupnorm.weight", {h}));
  ASSIGN_OR_RETURN(stem.norm_bias, source.Floats(encoder + "groupnorm.bias", {h}));
  ASSIGN_OR_RETURN(stem.conv2, source.Convolution(encoder + "conv2", 2 * h, h, 7));
  AddMoonshineStem(stem, h, writer);
  RETURN_IF_ERROR(
      AddNorm(source, encoder + "layer_norm.weight", "encoder.layer_norm.weight", h, writer));
  ASSIGN_OR_RETURN(const LinearToPack conv3, source.Convolution(encoder + "conv3", h, 2 * h, 3));
  AddLinear("encoder.conv3", conv3, writer);
  return OkStatus();
}

}  // namespace

Result<std::vector<std::byte>> ImportHuggingFace(const std::string& directory) {
  ASSIGN_OR_RETURN(const HuggingFaceConfig config, ReadConfig(directory));
  const MoonshineShape& s = config.shape;
  ASSIGN_OR_RETURN(SafetensorsFile file, SafetensorsFile::Open(directory + "/model.safetensors"));
  const Source source(std::move(file));
  SafetensorsWriter writer;
  RETURN_IF_ERROR(AddStem(source, s, &writer));
  RETURN_IF_ERROR(AddLayers(source, s, &writer));
  ASSIGN_OR_RETURN(const LinearToPack words,
                   source.Linear("model.decoder.embed_tokens", s.vocabulary, s.hidden, false));
  AddLinear("decoder.embed_tokens", words, &writer);
  RETURN_IF_ERROR(
      AddNorm(source, "model.decoder.norm.weight", "decoder.norm.weight", s.hidden, &writer));
  std::vector<float> frequency;
  for (int i = 0; i < s.rotary_dim; i += 2) {
    frequency.push_back(
        static_cast<float>(std::pow(config.rope_theta, -static_cast<double>(i) / s.rotary_dim)));
  }
  writer.Add("rotary.inv_freq", DataType::kF32, {s.rotary_dim / 2}, frequency);
  ASSIGN_OR_RETURN(const std::string text, ReadFile(directory + "/tokenizer.json", kMaxJson));
  ASSIGN_OR_RETURN(const Tokenizer tokenizer, ParseTokenizerJson(text, s.vocabulary));
  tokenizer.Save(&writer);
  WriteMoonshineMetadata(s, &writer);
  return writer.Serialize();
}

}  // namespace lethe
