#include "server/internal/flash_parameters.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "server/internal/contract_filters.h"

namespace lethe::server_internal {
namespace {

constexpr std::array<std::string_view, 9> kFormats = {"wav", "pcm", "ogg-opus", "speex", "silk",
                                                      "mp3", "m4a", "aac",      "amr"};
constexpr int kShortestLine = 6, kLongestLine = 40;

// Reads numbers and remembers the first thing that was wrong.
class Reader {
 public:
  explicit Reader(const NamedValues& query) : query_(query) {}

  std::string Text(std::string_view name) const { return FindValue(query_, name).value_or(""); }

  // What a number stands for; the first of them if none is given.
  template <class T>
  T Pick(std::string_view name, std::initializer_list<std::pair<int, T>> meanings) {
    const int value = Number(name, meanings.begin()->first);
    for (const auto& [number, meaning] : meanings) {
      if (number == value) return meaning;
    }
    Refuse(name);
    return meanings.begin()->second;
  }

  int Number(std::string_view name, int standard) {
    const std::string text = Text(name);
    if (text.empty()) return standard;
    int value = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && stop == text.data() + text.size()) return value;
    Refuse(name);
    return standard;
  }

  void Refuse(std::string_view name) {
    if (status_.ok()) {
      status_ = InvalidArgument("the parameter " + std::string(name) +
                                " is missing or has a value that it cannot have");
    }
  }

  const Status& status() const { return status_; }

 private:
  const NamedValues& query_;
  Status status_;
};

}  // namespace

Result<FlashParameters> ReadFlashParameters(const NamedValues& query) {
  Reader reader(query);
  FlashParameters wanted;
  wanted.engine_type = reader.Text("engine_type");
  if (wanted.engine_type.empty()) reader.Refuse("engine_type");
  wanted.voice_format = reader.Text("voice_format");
  if (std::find(kFormats.begin(), kFormats.end(), wanted.voice_format) == kFormats.end()) {
    reader.Refuse("voice_format");
  }
  wanted.hotword_id = reader.Text("hotword_id");
  wanted.hotword_list = reader.Text("hotword_list");
  wanted.profanity = ContractProfanity(reader.Pick<int>("filter_dirty", {{0, 0}, {1, 1}, {2, 2}}));
  wanted.fillers = ContractFillers(reader.Pick<int>("filter_modal", {{0, 0}, {1, 1}, {2, 2}}));
  wanted.punctuation =
      ContractPunctuation(reader.Pick<int>("filter_punc", {{0, 0}, {1, 1}, {2, 2}}));
  wanted.numbers = ContractNumbers(reader.Pick<int>("convert_num_mode", {{1, 1}, {0, 0}, {3, 3}}));
  wanted.words = reader.Pick<FlashWords>("word_info", {{0, FlashWords::kNone},
                                                       {1, FlashWords::kWithoutPunctuation},
                                                       {2, FlashWords::kWithPunctuation},
                                                       {3, FlashWords::kSubtitles}});
  wanted.first_channel_only = reader.Pick<bool>("first_channel_only", {{1, true}, {0, false}});
  wanted.longest_line = reader.Number("sentence_max_length", 0);
  if (wanted.longest_line != 0 &&
      (wanted.longest_line < kShortestLine || wanted.longest_line > kLongestLine)) {
    reader.Refuse("sentence_max_length");
  }
  wanted.pcm_rate = reader.Pick<int>("input_sample_rate", {{0, 0}, {8000, 8000}, {16'000, 16'000}});
  // What follows is understood and changes nothing (docs/compatibility.md).
  reader.Pick<bool>("speaker_diarization", {{0, false}, {1, true}});
  reader.Pick<bool>("reinforce_hotword", {{0, false}, {1, true}});
  RETURN_IF_ERROR(reader.status());
  return wanted;
}

}  // namespace lethe::server_internal
