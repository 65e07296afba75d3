#include "service/transcriber.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <unistd.h>

#include "service/internal/post_process.h"
#include "service/internal/too_short.h"

namespace lethe {
namespace {

// 50 ms. The shortest words last twice as long; what is shorter is a recording that went wrong.
constexpr SampleIndex kLeastSamples = kSampleRate / 20;

constexpr auto kRecordingEndings = std::to_array<std::string_view>(
    {".wav", ".mp3", ".m4a", ".aac", ".flac", ".ogg",  ".oga",  ".opus", ".spx", ".amr",  ".webm",
     ".mkv", ".mp4", ".mov", ".flv", ".wma",  ".asf",  ".3gp",  ".3g2",  ".aif", ".aiff", ".au",
     ".snd", ".gsm", ".sph", ".w64", ".caf",  ".mpga", ".mpeg", ".mpg",  ".mp2", ".m4b",  ".m4v",
     ".mka", ".wmv", ".avi", ".ts",  ".mts",  ".m2ts", ".vob",  ".ac3",  ".eac3"});

bool IsRecording(const std::filesystem::path& path) {
  std::string ending = path.extension();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::find(kRecordingEndings.begin(), kRecordingEndings.end(), ending) !=
         kRecordingEndings.end();
}

// Rewrites what became final, tells it, and keeps it.
void Take(std::vector<Segment> more, const PostProcessor& post, const TranscribeOptions& options,
          std::vector<Segment>* segments) {
  if (!options.post.ChangesNothing()) internal::PostProcess(post, &more);
  for (Segment& segment : more) {
    const auto most = static_cast<std::size_t>(options.alternatives);
    if (segment.alternatives.size() > most) segment.alternatives.resize(most);
  }
  if (options.on_segment) std::for_each(more.begin(), more.end(), options.on_segment);
  segments->insert(segments->end(), std::make_move_iterator(more.begin()),
                   std::make_move_iterator(more.end()));
}

}  // namespace

Result<Transcript> Transcriber::Transcribe(const std::string& path,
                                           const TranscribeOptions& options) {
  const AudioInputOptions input{.raw = options.raw};
  ASSIGN_OR_RETURN(
      std::unique_ptr<AudioSource> source,
      path == "-" ? OpenAudioDescriptor(STDIN_FILENO, input) : OpenAudioFile(path, input));
  return TranscribeSource(std::move(source), path, options);
}

Result<Transcript> Transcriber::TranscribeSource(std::unique_ptr<AudioSource> source,
                                                 const std::string& name,
                                                 const TranscribeOptions& options) {
  ASSIGN_OR_RETURN(const PostProcessor post,
                   PostProcessor::ForLanguage(label_.language, options.post));
  ASSIGN_OR_RETURN(SpeechReader reader, SpeechReader::Open(std::move(source), options.channels));
  const AudioFormat& format = reader.format();
  Transcript transcript{.source = name,
                        .language = label_.language,
                        .model = label_.name,
                        .sample_rate = format.sample_rate,
                        .channels = format.channels,
                        .split = options.channels == ChannelMode::kSplit && format.channels > 1};
  std::optional<Millis> total;
  if (format.declared_seconds) {
    total = Millis(static_cast<std::int64_t>(*format.declared_seconds * 1000));
  }
  // Rewriting makes some of them alike, so there should be spare ones.
  const bool rewritten = options.alternatives > 1 && !options.post.ChangesNothing();
  const int alternatives =
      rewritten ? std::max(options.alternatives, kMaxAlternatives) : options.alternatives;
  std::vector<std::unique_ptr<Stream>> streams;
  for (int i = 0; i < reader.channels(); ++i) {
    auto stream = engine_.Open({.words = options.words,
                                .channel = i,
                                .alternatives = alternatives,
                                .hot_words = options.hot_words,
                                .cancelled = options.cancelled});
    // It is the engine that is full, not the recording that is too long.
    if (stream.status().code() == StatusCode::kResourceExhausted) {
      return Unavailable(stream.status().message());
    }
    if (!stream.ok()) return stream.status();
    streams.push_back(*std::move(stream));
  }
  SampleIndex samples = 0;
  std::vector<std::vector<float>> block;
  while (true) {
    if (options.cancelled && options.cancelled()) return Cancelled("stopped before the end");
    ASSIGN_OR_RETURN(const std::size_t count, reader.Read(block));
    if (count == 0) break;
    samples += static_cast<SampleIndex>(count);
    if (options.max_duration.count() > 0 && SamplesToMillis(samples) > options.max_duration) {
      return ResourceExhausted("is longer than a recording may be here: " +
                               std::to_string(options.max_duration.count() / 1000) + " s");
    }
    for (std::size_t i = 0; i < streams.size(); ++i) {
      RETURN_IF_ERROR(streams[i]->PushSamples(std::span(block[i]).first(count)));
      Take(streams[i]->TakeSegments(), post, options, &transcript.segments);
    }
    if (options.progress) options.progress(SamplesToMillis(samples), total);
  }
  if (samples < kLeastSamples) {
    return InvalidArgument(std::string(kTooShort) + "; record it again: " +
                           std::to_string(SamplesToMillis(samples).count()) + " ms");
  }
  for (const std::unique_ptr<Stream>& stream : streams) {
    ASSIGN_OR_RETURN(std::vector<Segment> rest, stream->Finish());
    Take(std::move(rest), post, options, &transcript.segments);
  }
  std::stable_sort(transcript.segments.begin(), transcript.segments.end(),
                   [](const Segment& a, const Segment& b) {
                     return std::pair(a.start, a.channel) < std::pair(b.start, b.channel);
                   });
  transcript.duration = SamplesToMillis(samples);
  transcript.warning = reader.warning();
  return transcript;
}

Result<std::vector<std::string>> ListRecordings(const std::string& directory) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  std::error_code error;
  fs::recursive_directory_iterator i(directory, error);
  for (; !error && i != fs::recursive_directory_iterator(); i.increment(error)) {
    const bool hidden = i->path().filename().string().starts_with('.');
    std::error_code ignored;
    const bool is_folder = i->is_directory(ignored);
    if (hidden && is_folder) i.disable_recursion_pending();
    if (!hidden && is_folder && access(i->path().c_str(), R_OK | X_OK) != 0) {
      return ErrnoStatus(errno, "holds a folder that cannot be opened: " + i->path().string());
    }
    if (hidden || !i->is_regular_file(ignored) || !IsRecording(i->path())) continue;
    if (files.size() >= kMaxRecordingsInDirectory) {
      return InvalidArgument("holds more than " + std::to_string(kMaxRecordingsInDirectory) +
                             " recordings; name its folders one by one");
    }
    files.push_back(i->path());
  }
  if (error) return ErrnoStatus(error.value(), "cannot be listed");
  if (files.empty()) {
    return InvalidArgument("is a folder without recordings (" +
                           std::string(AcceptedAudioFormats()) + ")");
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace lethe
