#include "model/moonshine/internal/weights.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "model/internal/reduced_convolution.h"

namespace lethe::moonshine {
namespace {

// Bounds on what a model of this family may ask for, so that a damaged file cannot ask for the
// moon.
Status CheckConfig(const Config& c) {
  const bool sane =
      c.hidden >= 16 && c.hidden <= 1024 && c.hidden % 16 == 0 && c.encoder_layers >= 1 &&
      c.encoder_layers <= 64 && c.decoder_layers >= 1 && c.decoder_layers <= 64 && c.heads >= 1 &&
      c.heads <= 64 && c.head_dim * c.heads == c.hidden && c.rotary_dim >= 2 &&
      c.rotary_dim % 2 == 0 && c.rotary_dim <= c.head_dim &&
      c.encoder_intermediate >= 2 * c.hidden && c.encoder_intermediate <= 8192 &&
      c.encoder_intermediate % 16 == 0 && c.decoder_intermediate >= 16 &&
      c.decoder_intermediate <= 4096 && c.decoder_intermediate % 16 == 0 && c.vocabulary >= 4 &&
      c.vocabulary <= 1'000'000 && c.begin >= 0 && c.begin < c.vocabulary && c.end >= 0 &&
      c.end < c.vocabulary && c.max_positions >= 2 && c.max_positions <= 4096;
  return sane ? OkStatus() : DataLoss("damaged model file: its configuration makes no sense");
}

Result<Config> ParseConfig(std::string_view text) {
  const auto json = ParseJson<nlohmann::json>(text);
  if (!json.is_object()) return DataLoss("damaged model file: it has no configuration");
  Config c;
  const std::pair<const char*, int Config::*> fields[] = {
      {"hidden_size", &Config::hidden},
      {"encoder_layers", &Config::encoder_layers},
      {"decoder_layers", &Config::decoder_layers},
      {"heads", &Config::heads},
      {"head_dim", &Config::head_dim},
      {"rotary_dim", &Config::rotary_dim},
      {"encoder_intermediate", &Config::encoder_intermediate},
      {"decoder_intermediate", &Config::decoder_intermediate},
      {"vocab_size", &Config::vocabulary},
      {"bos", &Config::begin},
      {"eos", &Config::end},
      {"max_positions", &Config::max_positions},
  };
  for (const auto& [name, member] : fields) {
    const auto value = json.find(name);
    if (value == json.end() || !value->is_number_unsigned() ||
        value->get<std::uint64_t>() > 10'000'000) {
      return DataLoss("damaged model file: its configuration has no " + std::string(name));
    }
    c.*member = value->get<int>();
  }
  RETURN_IF_ERROR(CheckConfig(c));
  return c;
}

// What rows of weights [n, taps * k] make of the same k inputs at each tap.
AlignedVector<float> Constant(std::span<const float> weights, std::span<const float> inputs,
                              int taps) {
  AlignedVector<float> sums;
  for (std::size_t at = 0; at < weights.size();) {
    double sum = 0;
    for (int tap = 0; tap < taps; ++tap) {
      for (const float input : inputs) sum += double{weights[at++]} * input;
    }
    sums.push_back(static_cast<float>(sum));
  }
  return sums;
}

void ViewReducedNorm(Weights* w) {
  constexpr int kTaps = 7;
  const std::vector<float> whole = UnpackLinear(w->conv2.weights);
  const std::vector<float> reduce = UnpackLinear(w->conv2_reduce.weights);
  const std::vector<float> taps = UnpackLinear(w->conv2_taps.weights);
  const auto hidden = static_cast<std::size_t>(w->config.hidden);
  const auto view = [&](const float* norm, AlignedVector<float>* reduced,
                        AlignedVector<float>* lost) {
    *reduced = Constant(reduce, {norm, hidden}, 1);
    *lost = Constant(whole, {norm, hidden}, kTaps);
    const AlignedVector<float> kept = Constant(taps, *reduced, kTaps);
    for (std::size_t i = 0; i < kept.size(); ++i) (*lost)[i] -= kept[i];
  };
  view(w->group_norm_weight, &w->reduced_norm_weight, &w->lost_norm_weight);
  view(w->group_norm_bias, &w->reduced_norm_bias, &w->lost_norm_bias);
}

}  // namespace

Result<Weights> ViewWeights(const SafetensorsFile& file) {
  if (file.Metadata("lethe.family") != "moonshine") {
    return DataLoss("this model file holds no Moonshine model, but \"" +
                    std::string(file.Metadata("lethe.family")) + "\"");
  }
  Weights w;
  ASSIGN_OR_RETURN(w.config, ParseConfig(file.Metadata("lethe.config")));
  const Config& c = w.config;
  const int h = c.hidden;
  const auto floats = [&file](const std::string& name, const std::vector<std::int64_t>& shape,
                              const float** to) -> Status {
    ASSIGN_OR_RETURN(const std::span<const float> values, file.Floats(name, shape));
    *to = values.data();
    return OkStatus();
  };
  const auto linear = [&file](const std::string& name, int n, int k, bool bias,
                              QuantizedLinear* to) -> Status {
    ASSIGN_OR_RETURN(*to, ViewLinear(file, name, n, k, bias));
    return OkStatus();
  };
  ASSIGN_OR_RETURN(const auto taps, file.Floats("encoder.conv1.weight", {127, h}));
  w.conv1 = ShortMatrix(taps, 127, h, 32767);
  RETURN_IF_ERROR(floats("encoder.groupnorm.weight", {h}, &w.group_norm_weight));
  RETURN_IF_ERROR(floats("encoder.groupnorm.bias", {h}, &w.group_norm_bias));
  RETURN_IF_ERROR(linear("encoder.conv2", 2 * h, 7 * h, true, &w.conv2));
  // Models have it that are large enough, and were imported by a Lethe that knew of it.
  if (file.Has("encoder.conv2.reduce.weight")) {
    RETURN_IF_ERROR(linear("encoder.conv2.reduce", kReducedChannels, h, false, &w.conv2_reduce));
    RETURN_IF_ERROR(linear("encoder.conv2.taps", 2 * h, 7 * kReducedChannels, true, &w.conv2_taps));
    w.no_shift.resize(static_cast<std::size_t>(h));
    ViewReducedNorm(&w);
  }
  RETURN_IF_ERROR(linear("encoder.conv3", h, 3 * 2 * h, true, &w.conv3));
  w.encoder.resize(static_cast<std::size_t>(c.encoder_layers));
  for (std::size_t i = 0; i < w.encoder.size(); ++i) {
    EncoderLayer& layer = w.encoder[i];
    const std::string name = "encoder.layers." + std::to_string(i);
    RETURN_IF_ERROR(floats(name + ".input_layernorm.weight", {h}, &layer.input_norm));
    RETURN_IF_ERROR(floats(name + ".post_attention_layernorm.weight", {h}, &layer.attention_norm));
    RETURN_IF_ERROR(linear(name + ".self_attn.qkv", 3 * h, h, false, &layer.qkv));
    RETURN_IF_ERROR(linear(name + ".self_attn.o_proj", h, h, false, &layer.output));
    RETURN_IF_ERROR(linear(name + ".mlp.fc1", c.encoder_intermediate, h, true, &layer.fc1));
    RETURN_IF_ERROR(linear(name + ".mlp.fc2", h, c.encoder_intermediate, true, &layer.fc2));
  }
  RETURN_IF_ERROR(floats("encoder.layer_norm.weight", {h}, &w.encoder_norm));
  RETURN_IF_ERROR(linear("decoder.embed_tokens", c.vocabulary, h, false, &w.embedding));
  w.decoder.resize(static_cast<std::size_t>(c.decoder_layers));
  for (std::size_t i = 0; i < w.decoder.size(); ++i) {
    DecoderLayer& layer = w.decoder[i];
    const std::string name = "decoder.layers." + std::to_string(i);
    RETURN_IF_ERROR(floats(name + ".input_layernorm.weight", {h}, &layer.input_norm));
    RETURN_IF_ERROR(floats(name + ".post_attention_layernorm.weight", {h}, &layer.attention_norm));
    RETURN_IF_ERROR(floats(name + ".final_layernorm.weight", {h}, &layer.final_norm));
    RETURN_IF_ERROR(linear(name + ".self_attn.qkv", 3 * h, h, false, &layer.qkv));
    RETURN_IF_ERROR(linear(name + ".self_attn.o_proj", h, h, false, &layer.output));
    RETURN_IF_ERROR(linear(name + ".encoder_attn.q_proj", h, h, false, &layer.cross_query));
    RETURN_IF_ERROR(linear(name + ".encoder_attn.kv", 2 * h, h, false, &layer.cross_key_value));
    RETURN_IF_ERROR(linear(name + ".encoder_attn.o_proj", h, h, false, &layer.cross_output));
    RETURN_IF_ERROR(linear(name + ".mlp.fc1", 2 * c.decoder_intermediate, h, true, &layer.fc1));
    RETURN_IF_ERROR(linear(name + ".mlp.fc2", h, c.decoder_intermediate, true, &layer.fc2));
  }
  RETURN_IF_ERROR(floats("decoder.norm.weight", {h}, &w.decoder_norm));
  w.embedding_signs =
      SignMatrix(w.embedding.weights, std::span(w.decoder_norm, static_cast<std::size_t>(h)));
  ASSIGN_OR_RETURN(const auto frequency, file.Floats("rotary.inv_freq", {c.rotary_dim / 2}));
  w.inverse_frequency.assign(frequency.begin(), frequency.end());
  return w;
}

}  // namespace lethe::moonshine
