#include "app/scoreboard.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include <nlohmann/json.hpp>

namespace lethe {
namespace {

constexpr std::string_view kTotal = "total";

std::string Row(int name_width, const std::string& name, const SetScore& score, bool oracle) {
  std::array<char, 192> numbers{};
  std::snprintf(numbers.data(), numbers.size(), " %6d %7lld %7.2f %6lld %6lld %6lld %6d %8.3f",
                score.clips, static_cast<long long>(score.errors.words), score.errors.rate() * 100,
                static_cast<long long>(score.errors.insertions),
                static_cast<long long>(score.errors.deletions),
                static_cast<long long>(score.errors.substitutions), score.empty_answers,
                score.rtf());
  std::string row = name;
  row.resize(std::max(row.size(), static_cast<std::size_t>(name_width)), ' ');
  row += numbers.data();
  if (oracle) {
    std::snprintf(numbers.data(), numbers.size(), " %8.2f", score.oracle_rate() * 100);
    row += numbers.data();
  }
  return row + "\n";
}

nlohmann::ordered_json ToJson(const SetScore& score, bool oracle) {
  nlohmann::ordered_json json = {{"clips", score.clips},
                                 {"words", score.errors.words},
                                 {"wer", score.errors.rate()},
                                 {"insertions", score.errors.insertions},
                                 {"deletions", score.errors.deletions},
                                 {"substitutions", score.errors.substitutions},
                                 {"empty_answers", score.empty_answers},
                                 {"audio_seconds", score.audio_seconds},
                                 {"compute_seconds", score.compute_seconds},
                                 {"rtf", score.rtf()}};
  if (oracle) json["oracle_wer"] = score.oracle_rate();
  return json;
}

}  // namespace

double SetScore::oracle_rate() const {
  return WordErrors{.words = errors.words, .substitutions = oracle_errors}.rate();
}

SetScore& SetScore::operator+=(const SetScore& other) {
  clips += other.clips;
  empty_answers += other.empty_answers;
  errors += other.errors;
  oracle_errors += other.oracle_errors;
  audio_seconds += other.audio_seconds;
  compute_seconds += other.compute_seconds;
  return *this;
}

SetScore Scoreboard::Total() const {
  SetScore total;
  for (const auto& [name, score] : sets_) total += score;
  return total;
}

std::string Scoreboard::Table() const {
  std::size_t width = kTotal.size();
  for (const auto& [name, score] : sets_) width = std::max(width, name.size());
  const int name_width = static_cast<int>(width);
  std::string table = "set" + std::string(width - 3, ' ') +
                      "  clips   words   WER %    ins    del    sub  empty      RTF" +
                      (oracle_ ? " oracle %\n" : "\n");
  for (const auto& [name, score] : sets_) table += Row(name_width, name, score, oracle_);
  table += Row(name_width, std::string(kTotal), Total(), oracle_);
  if (robustness_.clips > 0) {
    table += "\nnot scored: " + std::to_string(robustness_.clips) + " clips, " +
             std::to_string(robustness_.refused) + " refused with an error; without speech: " +
             std::to_string(robustness_.without_speech) +
             ", of which gave words: " + std::to_string(robustness_.words_from_nothing) + "\n";
  }
  return table;
}

nlohmann::ordered_json Scoreboard::Json() const {
  nlohmann::ordered_json sets = nlohmann::ordered_json::object();
  for (const auto& [name, score] : sets_) sets[name] = ToJson(score, oracle_);
  return {{"total", ToJson(Total(), oracle_)},
          {"sets", std::move(sets)},
          {"not_scored",
           {{"clips", robustness_.clips},
            {"refused", robustness_.refused},
            {"without_speech", robustness_.without_speech},
            {"words_from_nothing", robustness_.words_from_nothing}}}};
}

std::string ShowAlignment(const std::vector<AlignedWord>& alignment) {
  std::string line;
  for (const AlignedWord& step : alignment) {
    if (!line.empty()) line += ' ';
    line += step.reference == step.hypothesis ? step.reference
                                              : "[" + step.reference + ">" + step.hypothesis + "]";
  }
  return line;
}

}  // namespace lethe
