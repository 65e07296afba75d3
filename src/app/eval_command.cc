#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>

#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/finish.h"
#include "app/live_player.h"
#include "app/manifest.h"
#include "app/output.h"
#include "app/recording_samples.h"
#include "app/scoreboard.h"
#include "app/setup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mutex.h"
#include "kernels/dispatch.h"
#include "text/normalizer.h"

namespace lethe {
namespace {

constexpr std::size_t kMaxHypotheses = 64u << 20;
// Half an hour: what is longer is left out of live hearing.
constexpr std::size_t kMaxLiveSamples = std::size_t{1800} * kSampleRate;
constexpr std::string_view kNoSpeech = "zxx";

struct Options {
  std::string manifest;
  std::string hypotheses;
  std::string language = "en";
  std::string hot_words;
  std::string count;
  std::string model = kDefaultModel;
  int threads = 0;
  int alternatives = 0;
  double live_pace = 0;  // 0: as recordings
  bool json = false;
  bool errors = false;
};

// What was heard in a clip.
struct Heard {
  std::string text;
  std::vector<std::vector<std::string>> alternatives;  // of each segment, when they are wanted

  void Add(const Segment& segment) {
    text += (text.empty() ? "" : " ") + segment.text;
    if (segment.alternatives.empty()) return;
    std::vector<std::string>& texts = alternatives.emplace_back();
    for (const Alternative& alternative : segment.alternatives) texts.push_back(alternative.text);
  }
};

using Recognize = std::function<Result<Heard>(const ManifestRow&)>;

using Answers = std::map<std::string, Result<Heard>>;

// The errors that the best choice among alternatives leaves.
std::int64_t OracleErrors(const std::vector<std::string>& reference, const Heard& heard) {
  std::vector<std::vector<std::vector<std::string>>> segments;
  for (const std::vector<std::string>& texts : heard.alternatives) {
    std::vector<std::vector<std::string>>& words = segments.emplace_back();
    for (const std::string& text : texts) words.push_back(NormalizeEnglish(text));
  }
  return CountOracleErrors(reference, segments);
}

Recognize FromAnswers(Answers answers) {
  return [answers = std::move(answers)](const ManifestRow& row) -> Result<Heard> {
    const auto found = answers.find(row.id);
    if (found == answers.end()) return NotFound("has no answer in the hypotheses");
    return found->second;
  };
}

// Answers that something else gave: lines of id, tab, text.
Result<Recognize> FromFile(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxHypotheses));
  Answers answers;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t tab = line.find('\t');
    if (tab == std::string::npos) continue;
    answers.insert_or_assign(line.substr(0, tab),
                             Heard{.text = line.substr(tab + 1), .alternatives = {}});
  }
  return FromAnswers(std::move(answers));
}

// What live streams give, spoken at a pace, many at a time.
Result<Recognize> FromLiveStreams(const std::vector<ManifestRow>& rows, Engine& engine,
                                  const LiveOptions& options, double pace, ProgressLine& progress) {
  constexpr int kVoices = 24;
  struct Hearing {
    Mutex mutex;
    Answers answers GUARDED_BY(mutex);
  };
  Hearing hearing;
  LivePlayer player(engine, options, pace);
  std::size_t next = 0;
  // The next recording that can be read begins when another has ended.
  const std::function<void()> add = [&] {
    while (next < rows.size()) {
      const ManifestRow& row = rows[next++];
      Result<std::vector<float>> samples = ReadRecordingSamples(row.file, kMaxLiveSamples);
      {
        // Others are speaking, and their finals are written down meanwhile.
        const MutexLock lock(hearing.mutex);
        hearing.answers.insert_or_assign(row.id,
                                         samples.ok() ? Result<Heard>(Heard()) : samples.status());
      }
      if (!samples.ok()) continue;
      auto spoken = std::make_shared<SharedSamples>(
          std::make_shared<const std::vector<float>>(*std::move(samples)));
      player.Add({.next = [spoken] { return std::exchange(*spoken, nullptr); },
                  .on_event =
                      [&hearing, &row](const StreamEvent& event, double) {
                        if (event.kind != StreamEvent::Kind::kFinal) return;
                        const MutexLock lock(hearing.mutex);
                        hearing.answers.at(row.id)->Add(event.segment);
                      },
                  .on_end = add});
      return;
    }
  };
  for (int i = 0; i < kVoices; ++i) add();
  RETURN_IF_ERROR(player.Play([&] {
    if (progress.Due()) {
      progress.Show(std::to_string(next) + " of " + std::to_string(rows.size()) + " clips");
    }
    return false;
  }));
  progress.Clear();
  const MutexLock lock(hearing.mutex);
  return FromAnswers(std::move(hearing.answers));
}

// Phrases in normal form, to be counted in what was said and in what was recognised.
class PhraseCounter {
 public:
  Status Read(const std::string& file) {
    ASSIGN_OR_RETURN(const std::vector<HotWord> words, ReadHotWords(file));
    for (const HotWord& word : words) phrases_.push_back(NormalizeEnglish(word.phrase));
    return OkStatus();
  }

  void Add(const std::vector<std::string>& reference, const std::vector<std::string>& hypothesis) {
    for (const std::vector<std::string>& phrase : phrases_) {
      const std::int64_t said = Count(phrase, reference);
      said_ += said;
      right_ += std::min(said, Count(phrase, hypothesis));
    }
  }

  std::int64_t said() const { return said_; }
  std::int64_t right() const { return right_; }

 private:
  static std::int64_t Count(const std::vector<std::string>& phrase,
                            const std::vector<std::string>& words) {
    std::int64_t count = 0;
    for (auto at = words.begin(); !phrase.empty(); ++at, ++count) {
      at = std::search(at, words.end(), phrase.begin(), phrase.end());
      if (at == words.end()) break;
    }
    return count;
  }

  std::vector<std::vector<std::string>> phrases_;
  std::int64_t said_ = 0, right_ = 0;
};

Status Run(const Options& options) {
  ASSIGN_OR_RETURN(const std::vector<ManifestRow> rows, ReadManifest(options.manifest));
  std::unique_ptr<Engine> engine;
  std::unique_ptr<Transcriber> transcriber;
  TranscribeOptions how;
  PhraseCounter counter;
  if (!options.count.empty()) RETURN_IF_ERROR(counter.Read(options.count));
  Recognize recognize;
  if (!options.hypotheses.empty()) {
    ASSIGN_OR_RETURN(recognize, FromFile(options.hypotheses));
  } else {
    ASSIGN_OR_RETURN(const KernelTable* kernels, ChooseKernels());
    ASSIGN_OR_RETURN(const LoadedModels models, LoadModels(options.model, *kernels));
    engine = std::make_unique<Engine>(models.speech, models.voice_activity,
                                      EngineOptions{.num_threads = options.threads});
    transcriber = std::make_unique<Transcriber>(*engine, models.label);
    ASSIGN_OR_RETURN(how.hot_words, LoadHotWords(options.hot_words, {}, *models.speech));
  }
  how.alternatives = options.alternatives;
  Scoreboard scores(options.alternatives > 0);
  ProgressLine progress(StandardErrorIsTerminal());
  if (options.live_pace > 0) {
    ASSIGN_OR_RETURN(recognize, FromLiveStreams(rows, *engine,
                                                {.alternatives = options.alternatives,
                                                 .hot_words = how.hot_words,
                                                 .notify = {}},
                                                options.live_pace, progress));
  } else if (transcriber != nullptr) {
    recognize = [&](const ManifestRow& row) -> Result<Heard> {
      ASSIGN_OR_RETURN(const Transcript transcript, transcriber->Transcribe(row.file, how));
      Heard heard;
      for (const Segment& segment : transcript.segments) heard.Add(segment);
      return heard;
    };
  }
  std::string details;
  std::size_t done = 0;
  for (const ManifestRow& row : rows) {
    if (progress.Due()) {
      progress.Show(std::to_string(done) + " of " + std::to_string(rows.size()) + " clips");
    }
    ++done;
    // Who names no language has recordings of one.
    const bool scored =
        (row.language == options.language || row.language.empty()) && !row.transcript.empty();
    if (!scored && !options.hypotheses.empty()) continue;
    const auto begun = std::chrono::steady_clock::now();
    const Result<Heard> heard = recognize(row);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begun;
    if (!heard.ok()) {
      progress.Clear();
      PrintError(row.id, heard.status());
      if (!scored) {
        ++scores.robustness().clips;
        ++scores.robustness().refused;
      }
    }
    if (!scored) {
      if (!heard.ok()) continue;
      ++scores.robustness().clips;
      if (row.language != kNoSpeech) continue;
      ++scores.robustness().without_speech;
      if (!NormalizeEnglish(heard->text).empty()) {
        ++scores.robustness().words_from_nothing;
        details += row.id + ": words where nobody speaks\n";
      }
      continue;
    }
    // A clip that failed counts as one in which nothing was heard.
    const std::vector<std::string> reference = NormalizeEnglish(row.transcript);
    const std::vector<std::string> hypothesis = NormalizeEnglish(heard.ok() ? heard->text : "");
    SetScore clip{.clips = 1,
                  .empty_answers = hypothesis.empty() && !reference.empty() ? 1 : 0,
                  .errors = CountWordErrors(reference, hypothesis),
                  .audio_seconds = row.seconds,
                  .compute_seconds = elapsed.count()};
    // Numbers that segments share are written alike only in the whole text.
    clip.oracle_errors = clip.errors.errors();
    if (heard.ok() && options.alternatives > 0) {
      clip.oracle_errors = std::min(clip.oracle_errors, OracleErrors(reference, *heard));
    }
    if (options.errors && clip.errors.errors() > 0) {
      details += row.id + ": " + ShowAlignment(AlignWords(reference, hypothesis)) + "\n";
    }
    counter.Add(reference, hypothesis);
    scores.Add(row.set, clip);
  }
  progress.Clear();
  if (options.json) {
    nlohmann::ordered_json json = scores.Json();
    if (!options.count.empty()) {
      json["counted"] = {{"said", counter.said()}, {"right", counter.right()}};
    }
    return WriteStandardOutput(WriteJson(json, 2) + "\n");
  }
  std::string text = details + scores.Table();
  if (!options.count.empty()) {
    text += "\ncounted phrases: said " + std::to_string(counter.said()) + " times, right " +
            std::to_string(counter.right()) + " times\n";
  }
  return WriteStandardOutput(text);
}

}  // namespace

void AddEvalCommand(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      program.add_subcommand("eval", "Measure the word error rate on transcribed recordings");
  command->footer(
      "Example:\n"
      "  lethe eval --manifest speech/manifest.tsv --errors\n"
      "\n"
      "The manifest is tab separated and its first line names the columns: id, file (relative to\n"
      "the manifest), language, seconds, source, transcript. Rows of the language with a\n"
      "transcript are scored; the others must end in text or in one error. Before words are\n"
      "compared, case, punctuation, contractions and numbers are made alike on both sides.");
  command->add_option("--manifest", options->manifest, "Table of recordings")->required();
  command->add_option("--language", options->language, "Language to score")->capture_default_str();
  command->add_option("--model", options->model, "Installed speech model")->capture_default_str();
  command->add_option("--threads", options->threads, "Worker threads; 0 means one for each core")
      ->check(CLI::Range(0, kMaxThreads))
      ->capture_default_str();
  command->add_option("--hot-words", options->hot_words,
                      "File of hot words, used for every recording; see: lethe transcribe --help");
  command->add_option("--count", options->count,
                      "File of phrases, as for --hot-words: count how often they were said, and "
                      "how often recognised");
  command->add_option("--hypotheses", options->hypotheses,
                      "Score these answers (lines of id, tab, text) instead of transcribing");
  command
      ->add_option(
          "--alternatives", options->alternatives,
          "Also show the error rate of the best of N alternatives, 1 to 4, chosen for each\n"
          "segment by who knows the transcript (oracle)")
      ->check(CLI::Range(1, kMaxAlternatives))
      ->option_text("N")
      ->excludes("--hypotheses");
  command
      ->add_option("--live", options->live_pace,
                   "Speak the recordings into live streams with partials, at this pace: 1 is the\n"
                   "pace of speech. 24 speak at a time")
      ->check(CLI::Range(0.1, 100.0))
      ->excludes("--hypotheses");
  command->add_flag("--json", options->json, "Print JSON");
  command->add_flag("--errors", options->errors, "Show each clip with errors, word by word");
  Finish(command, exit_code, [options] { return Run(*options); });
}

}  // namespace lethe
