#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <thread>

#include <sys/stat.h>

#include "app/commands.h"
#include "app/finish.h"
#include "app/inputs.h"
#include "app/output.h"
#include "app/output_names.h"
#include "app/setup.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/mutex.h"
#include "kernels/dispatch.h"
#include "service/transcript_writer.h"

namespace lethe {
namespace {

// Files read at once. They share the engine's workers, so more would only hold more in memory.
constexpr int kFilesAtOnce = 4;

struct Options {
  std::vector<std::string> inputs;
  std::string format = "text";
  std::string model = kDefaultModel;
  std::string language;
  std::string channels = "mix";
  std::string profanity = "keep";
  std::string fillers = "keep";
  std::string punctuation = "keep";
  std::string numbers = "words";
  std::string raw;
  std::string out;
  std::string existing = "refuse";
  std::string hot_words;
  std::vector<std::string> hot_word;
  bool words = false;
  int alternatives = 0;
  bool progress = false;
  int threads = 0;
};

// What can be chosen for the text, by the names on the command line.
const std::map<std::string, ProfanityFilter> kProfanity = {{"keep", ProfanityFilter::kKeep},
                                                           {"drop", ProfanityFilter::kDrop},
                                                           {"mask", ProfanityFilter::kMask}};
const std::map<std::string, FillerFilter> kFillers = {{"keep", FillerFilter::kKeep},
                                                      {"drop", FillerFilter::kDrop},
                                                      {"strict", FillerFilter::kDropStrict}};
const std::map<std::string, PunctuationFilter> kPunctuation = {
    {"keep", PunctuationFilter::kKeep},
    {"end", PunctuationFilter::kDropFinalStop},
    {"none", PunctuationFilter::kDropAll}};
const std::map<std::string, NumberFormat> kNumbers = {{"words", NumberFormat::kAsSpoken},
                                                      {"digits", NumberFormat::kDigits}};

Result<RawPcm> ParseRaw(const std::string& text) {
  RawPcm raw;
  char comma = 0, rest = 0;
  const int fields =
      std::sscanf(text.c_str(), "%d%c%d%c", &raw.sample_rate, &comma, &raw.channels, &rest);
  if ((fields != 1 && (fields != 3 || comma != ',')) || raw.sample_rate < 1 ||
      raw.sample_rate > kMaxAudioSampleRate || raw.channels < 1 ||
      raw.channels > kMaxAudioChannels) {
    return InvalidArgument("takes RATE or RATE,CHANNELS, for example 8000,2: " + text);
  }
  return raw;
}

Status MakeFolder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  return error ? ErrnoStatus(error.value(), "cannot make the folder " + path.string()) : OkStatus();
}

// Hands out finished transcripts in the order of the inputs, to files or to standard output.
class Results {
 public:
  // `outputs` are the files they go to; empty: to standard output.
  Results(TranscriptFormat format, const std::vector<std::string>& files,
          const std::vector<std::string>& outputs)
      : format_(format), files_(files), outputs_(outputs), texts_(files.size()) {}

  void Done(std::size_t index, const Result<Transcript>& result) {
    const MutexLock lock(mutex_);
    if (broken_) return;
    if (!result.ok()) {
      PrintError(files_[index], result.status());
      failed_ = true;
    } else {
      // What was there is written all the same; the exit code says that it is not all.
      if (!result->warning.empty()) {
        PrintError(files_[index] + ": " + result->warning +
                   "; what could be heard was transcribed, get the whole recording for the rest");
        failed_ = true;
      }
      const std::string text = FormatTranscript(*result, format_);
      if (!outputs_.empty()) {
        Write(outputs_[index], text);
      } else {
        texts_[index] = text;
      }
    }
    finished_.push_back(index);
    Flush();
  }

  bool failed() const { return failed_; }
  // Nobody can have what is still to come.
  bool broken() const { return broken_; }

 private:
  void Write(const std::string& path, const std::string& text) {
    const auto write = [&]() -> Status {
      RETURN_IF_ERROR(MakeFolder(std::filesystem::path(path).parent_path()));
      ASSIGN_OR_RETURN(AtomicFileWriter file, AtomicFileWriter::Create(path));
      RETURN_IF_ERROR(file.Write(text));
      return file.Commit();
    };
    if (const Status status = write(); !status.ok()) {
      PrintError(status.message());
      failed_ = true;
    }
  }

  void Flush() REQUIRES(mutex_) {
    while (std::find(finished_.begin(), finished_.end(), next_) != finished_.end()) {
      std::string& text = texts_[next_];
      if (!text.empty()) {
        if (files_.size() > 1 && format_ == TranscriptFormat::kText) {
          text.insert(0, files_[next_] + ":\n");
        }
        if (const Status status = WriteStandardOutput(text); !status.ok()) {
          PrintError(status.message());
          failed_ = broken_ = true;
          return;
        }
      }
      std::string().swap(text);
      ++next_;
    }
  }

  // Constant after construction.
  const TranscriptFormat format_;
  const std::vector<std::string>& files_;
  const std::vector<std::string>& outputs_;
  // Any thread.
  Mutex mutex_;
  std::vector<std::string> texts_ GUARDED_BY(mutex_);
  std::vector<std::size_t> finished_ GUARDED_BY(mutex_);
  std::size_t next_ GUARDED_BY(mutex_) = 0;
  std::atomic<bool> failed_ = false, broken_ = false;
};

std::string ProgressText(const std::string& file, Millis done, std::optional<Millis> total,
                         double elapsed) {
  const double seconds = static_cast<double>(done.count()) / 1000;
  std::string text = std::filesystem::path(file).filename().string() + "  " + ShowDuration(seconds);
  if (total && total->count() > 0 && done.count() > 0) {
    const double all = static_cast<double>(total->count()) / 1000;
    const double left = std::max(0.0, (all - seconds) * elapsed / seconds);
    text += " of " + ShowDuration(all) + ", " +
            std::to_string(static_cast<int>(std::min(100.0, 100 * seconds / all))) + " %, " +
            ShowDuration(left) + " left";
  }
  return text;
}

bool IsJson(TranscriptFormat format) {
  return format == TranscriptFormat::kJson || format == TranscriptFormat::kJsonLine;
}

// What is done about outputs that are there already, before anything is transcribed.
Status MindExisting(const std::string& choice, std::vector<std::string>* files,
                    std::vector<std::string>* outputs) {
  if (choice == "replace") return {};
  std::size_t kept = 0;
  for (std::size_t i = 0; i < files->size(); ++i) {
    std::error_code ignored;
    if (std::filesystem::exists((*outputs)[i], ignored)) {
      if (choice == "skip") continue;
      return FailedPrecondition(
          (*outputs)[i] +
          " is there already, and nothing was transcribed; add --existing replace "
          "to write it anew, or --existing skip for what has no transcript yet");
    }
    std::swap((*files)[kept], (*files)[i]);
    std::swap((*outputs)[kept], (*outputs)[i]);
    ++kept;
  }
  files->resize(kept);
  outputs->resize(kept);
  return {};
}

// Who comes from other programs names a language: the models there are hear one each.
Status CheckLanguage(const std::string& language, const ModelLabel& model) {
  const std::string asked = ToLowerAscii(language);
  if (asked.empty() || model.language == "unknown" || asked == model.language ||
      asked.substr(0, asked.find_first_of("-_")) == model.language ||
      (asked == "english" && model.language == "en")) {
    return OkStatus();
  }
  return InvalidArgument("the model " + model.name + " hears " + model.language +
                         " only; --model takes another, lethe models list shows which there are, "
                         "and what they hear: --language " +
                         language);
}

Result<int> Run(const Options& options) {
  ASSIGN_OR_RETURN(TranscriptFormat format, ParseTranscriptFormat(options.format));
  if (options.alternatives > 0 && !IsJson(format)) {
    return InvalidArgument(
        "only JSON has a place for alternatives; add --format json, or leave out "
        "--alternatives: --format " +
        options.format);
  }
  if (options.words && (format == TranscriptFormat::kText || format == TranscriptFormat::kTsv)) {
    return InvalidArgument(
        "only JSON has a place for words; add --format json, or leave out --words: --format " +
        options.format);
  }
  // Subtitles are cut between words.
  const bool subtitles = format == TranscriptFormat::kSrt || format == TranscriptFormat::kVtt;
  TranscribeOptions how{
      .channels = options.channels == "split" ? ChannelMode::kSplit : ChannelMode::kMix,
      .words = options.words || subtitles,
      .alternatives = options.alternatives,
      .post = {.profanity = kProfanity.at(options.profanity),
               .fillers = kFillers.at(options.fillers),
               .punctuation = kPunctuation.at(options.punctuation),
               .numbers = kNumbers.at(options.numbers)}};
  if (!options.raw.empty()) {
    ASSIGN_OR_RETURN(how.raw, ParseRaw(options.raw));
  }
  if (std::count(options.inputs.begin(), options.inputs.end(), "-") > 1) {
    return InvalidArgument("standard input holds one recording; name - once");
  }
  std::vector<std::string> files, outputs;
  const bool listed = ExpandFolders(options.inputs, &files, &outputs);
  if (files.empty()) return kExitFailed;
  if (!options.out.empty()) {
    outputs = OutputNames(outputs, FileExtension(format));
    for (std::string& output : outputs) output.insert(0, options.out + "/");
    RETURN_IF_ERROR(MindExisting(options.existing, &files, &outputs));
    if (files.empty()) return listed ? kExitOk : kExitFailed;
  } else {
    outputs.clear();
    if (files.size() > 1 && format == TranscriptFormat::kJson) format = TranscriptFormat::kJsonLine;
    if (files.size() > 1 && format != TranscriptFormat::kText && !IsJson(format)) {
      return InvalidArgument(
          "several recordings in one " + options.format +
          " would run into each other; give a folder for a file each: --out DIR");
    }
  }

  ASSIGN_OR_RETURN(const KernelTable* kernels, ChooseKernels());
  ASSIGN_OR_RETURN(const LoadedModels models, LoadModels(options.model, *kernels));
  RETURN_IF_ERROR(CheckLanguage(options.language, models.label));
  ASSIGN_OR_RETURN(how.hot_words,
                   LoadHotWords(options.hot_words, options.hot_word, *models.speech));
  // Better now than after an hour of work, and not before it is known that there will be some.
  if (!options.out.empty()) RETURN_IF_ERROR(MakeFolder(options.out));
  Engine engine(models.speech, models.voice_activity, {.num_threads = options.threads});
  Transcriber transcriber(engine, models.label);
  ProgressLine progress(options.progress || StandardErrorIsTerminal());
  Results results(format, files, outputs);
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i; !results.broken() && (i = next++) < files.size();) {
      TranscribeOptions mine = how;
      mine.cancelled = [&] { return results.broken(); };
      const auto begun = std::chrono::steady_clock::now();
      mine.progress = [&](Millis done, std::optional<Millis> total) {
        if (!progress.Due()) return;
        const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begun;
        progress.Show(ProgressText(files[i], done, total, elapsed.count()));
      };
      results.Done(i, transcriber.Transcribe(files[i], mine));
    }
  };
  std::vector<std::thread> readers;
  const std::size_t count = std::min<std::size_t>(
      files.size(), static_cast<std::size_t>(std::min(kFilesAtOnce, engine.num_threads() + 1)));
  for (std::size_t i = 0; i < count; ++i) readers.emplace_back(work);
  for (std::thread& reader : readers) reader.join();
  progress.Clear();
  return listed && !results.failed() ? kExitOk : kExitFailed;
}

}  // namespace

void AddTranscribeCommand(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("transcribe", "Write down what recordings say");
  command->footer(
      "Examples:\n"
      "  lethe transcribe talk.mp3\n"
      "  lethe transcribe --format srt --out subtitles lectures/\n"
      "  lethe transcribe --channels split --format json call.wav\n"
      "  lethe transcribe --fillers drop --profanity mask --numbers digits meeting.m4a\n"
      "  lethe transcribe --hot-word 'Dashwood|10' --hot-word 'Norland Park' novel.mp3\n"
      "  lethe transcribe --alternatives 3 --format json talk.mp3\n"
      "  arecord -f S16_LE -r 16000 | lethe transcribe --raw 16000 -\n"
      "\n"
      "Hot words are names and terms you expect. Where a recording sounds like one, it is "
      "preferred\n"
      "to what would be written otherwise, and it is written as you spell it. The weight, 1 to "
      "10,\n"
      "says how much (10 when left out); 11 forces a word wherever it fits at all, and so does "
      "100.\n"
      "Up to 1000 of at most 30 characters, a phrase of several words too. In a file each has a "
      "line\n"
      "(phrase|weight); lines that begin with # are skipped. Short words that sound like common "
      "ones\n"
      "(Ron, run) cost errors where nobody says them: give these a weight of 5.\n"
      "\n"
      "Alternatives are what else a segment may have been: a list in each segment, up to N texts "
      "that\n"
      "differ, best first. The first is the segment's own text, which asking does not change; the\n"
      "log-probabilities of one list may be compared, from segment to segment they may not. They "
      "are\n"
      "for those who know more than the model: look for a name in all of them, or choose by what "
      "was\n"
      "asked. N above 1 takes longer, for there is a search behind each answer. Hot words are "
      "put\n"
      "into the first; all are rewritten by --fillers, --numbers and such. What the best choice "
      "would\n"
      "be worth on recordings of yours: lethe eval --alternatives N.\n"
      "\n"
      "Several recordings as JSON on standard output are JSON Lines: an object a line.\n"
      "\n"
      "A file that cannot be transcribed is named on standard error and the others go on; the\n"
      "exit code is then 1.");
  command
      ->add_option("input", options->inputs, "Recordings, folders of them, or - for standard input")
      ->required();
  command->add_option("--format", options->format, "text, json, jsonl, srt, vtt or tsv")
      ->check(CLI::IsMember({"text", "json", "jsonl", "srt", "vtt", "tsv"}))
      ->capture_default_str();
  command->add_flag("--words", options->words, "Give each word its time and confidence (json)");
  command
      ->add_option("--alternatives", options->alternatives,
                   "List up to N texts that each segment may have been, 1 to 4 (json)")
      ->check(CLI::Range(1, kMaxAlternatives))
      ->option_text("N");
  command->add_option("--model", options->model, "Installed speech model")->capture_default_str();
  command->add_option("--language", options->language,
                      "What is spoken; changes nothing, but is an error if the model does not hear "
                      "it: en for those that lethe models pull fetches");
  command->add_option("--threads", options->threads, "Worker threads; 0 means one for each core")
      ->check(CLI::Range(0, kMaxThreads))
      ->capture_default_str();
  command->add_option("--channels", options->channels, "mix them, or split: each by itself")
      ->check(CLI::IsMember({"mix", "split"}))
      ->capture_default_str();
  command
      ->add_option("--profanity", options->profanity,
                   "Swear words: keep, drop, or mask every letter of them: ****")
      ->check(CLI::IsMember({"keep", "drop", "mask"}))
      ->capture_default_str();
  command
      ->add_option("--fillers", options->fillers,
                   "keep them, drop um and uh, or strict: \"you know\", \"I mean\" and such, too")
      ->check(CLI::IsMember({"keep", "drop", "strict"}))
      ->capture_default_str();
  command
      ->add_option("--punctuation", options->punctuation,
                   "keep it, end: no full stop where a segment ends, or none at all")
      ->check(CLI::IsMember({"keep", "end", "none"}))
      ->capture_default_str();
  command
      ->add_option("--numbers", options->numbers,
                   "words as they were said, or digits: \"twenty five percent\" is 25%")
      ->check(CLI::IsMember({"words", "digits"}))
      ->capture_default_str();
  command->add_option("--out", options->out,
                      "Folder for a file per recording; folders in folders are kept");
  command
      ->add_option("--existing", options->existing,
                   "Outputs that are there already: refuse, skip their recordings, or replace them")
      ->check(CLI::IsMember({"refuse", "skip", "replace"}))
      ->capture_default_str();
  command
      ->add_option("--raw", options->raw,
                   "Input is 16-bit samples without a header: RATE or RATE,CHANNELS")
      ->check([](const std::string& text) {
        const auto raw = ParseRaw(text);
        return raw.ok() ? std::string() : raw.status().message();
      });
  command->add_option("--hot-words", options->hot_words,
                      "File of words to expect: PHRASE|WEIGHT, one a line");
  command
      ->add_option("--hot-word", options->hot_word, "A word to expect: PHRASE|WEIGHT; repeatable")
      ->allow_extra_args(false);
  command->add_flag("--progress", options->progress, "Show progress though nobody seems to look");
  Finish(command, exit_code, [options] { return Run(*options); });
}

}  // namespace lethe
