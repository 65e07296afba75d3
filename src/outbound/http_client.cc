#include "outbound/http_client.h"

#include <algorithm>
#include <utility>

#include "outbound/internal/transfer.h"

namespace lethe {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr Millis kTick{100};
constexpr std::string_view kTokenCharacters =
    "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Status StatusOfAnswer(const std::string& host, int status) {
  std::string message = host + ": HTTP " + std::to_string(status);
  if (status >= 500 || status == 408 || status == 429) return Unavailable(std::move(message));
  return NotFound(std::move(message));
}

// "Name: value", unless a line break or an odd name would make it something else.
Result<std::string> HeaderLine(const std::string& name, const std::string& value) {
  const auto is_control = [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  };
  if (name.empty() || name.find_first_not_of(kTokenCharacters) != name.npos) {
    return InvalidArgument("no name of a header: it has a character that such names do not have");
  }
  // libcurl leaves a header without a value out.
  if (value.empty() || std::any_of(value.begin(), value.end(), is_control)) {
    return InvalidArgument("the value of a header is empty or has a control character: " + name);
  }
  return name + ": " + value;
}

}  // namespace

// One of max_concurrent places, held while it lives.
class OutboundClient::Turn {
 public:
  explicit Turn(OutboundClient& client) : client_(client) {
    const MutexLock lock(client_.mutex_);
    ++client_.calls_;
  }
  ~Turn() {
    const MutexLock lock(client_.mutex_);
    --client_.calls_;
    if (running_) --client_.running_;
    // Under the lock: who waits in Stop() may destroy the client as soon as it is free.
    client_.changed_.NotifyAll();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  Status Wait(SteadyClock::time_point deadline, const CancelledFunction& cancelled) {
    MutexLock lock(client_.mutex_);
    while (true) {
      if (client_.stopping_) return Cancelled("the service is stopping");
      if (client_.running_ < client_.options_.max_concurrent) break;
      if (SteadyClock::now() >= deadline) {
        return Unavailable("too many outbound calls are under way: " +
                           std::to_string(client_.options_.max_concurrent));
      }
      client_.changed_.WaitUntil(client_.mutex_, std::min(deadline, SteadyClock::now() + kTick));
      lock.Unlock();
      if (cancelled()) return Cancelled("cancelled");
      lock.Lock();
    }
    running_ = true;
    ++client_.running_;
    return OkStatus();
  }

 private:
  OutboundClient& client_;
  bool running_ = false;
};

OutboundClient::OutboundClient(AddressRules rules, OutboundOptions options)
    : rules_(std::move(rules)), options_(std::move(options)) {
  LETHE_CHECK(options_.max_concurrent > 0);
  PrepareTransfers();
}

OutboundClient::~OutboundClient() { Stop(); }

void OutboundClient::Stop() {
  const MutexLock lock(mutex_);
  stopping_ = true;
  changed_.NotifyAll();
  while (calls_ > 0) changed_.Wait(mutex_);
}

Status OutboundClient::CheckRules(const OutboundUrl& url) const {
  if (!rules_.AllowsPort(url.port)) {
    return PermissionDenied(url.host + ": port may not be reached: " + std::to_string(url.port));
  }
  if (url.literal && !rules_.Allows(*url.literal)) {
    return PermissionDenied(url.host +
                            ": address may not be reached (private, reserved or of this machine)");
  }
  return options_.regions.Check(url.host);
}

Status OutboundClient::CheckUrl(std::string_view url) const {
  ASSIGN_OR_RETURN(const OutboundUrl parsed, ParseOutboundUrl(url));
  return CheckRules(parsed);
}

Status OutboundClient::Fetch(std::string_view url, const FetchLimits& limits,
                             const BodySink& sink) {
  const auto deadline = SteadyClock::now() + limits.total_time;
  ASSIGN_OR_RETURN(OutboundUrl current, ParseOutboundUrl(url));
  RETURN_IF_ERROR(CheckRules(current));
  const CancelledFunction cancelled = [&] {
    return stopping_ || (limits.cancelled && limits.cancelled());
  };
  Turn turn(*this);
  RETURN_IF_ERROR(turn.Wait(deadline, cancelled));
  for (int redirects = 0;; ++redirects) {
    ASSIGN_OR_RETURN(const TransferAnswer answer,
                     Transfer({.url = current,
                               .rules = rules_,
                               .ca_file = options_.ca_file,
                               .deadline = deadline,
                               .connect_time = limits.connect_time,
                               .idle_time = limits.idle_time,
                               .min_bytes_per_second = limits.min_bytes_per_second,
                               .max_bytes = limits.max_bytes,
                               .cancelled = cancelled},
                              sink));
    if (answer.status >= 200 && answer.status < 300) return OkStatus();
    if (!IsRedirect(answer.status)) return StatusOfAnswer(current.host, answer.status);
    if (redirects >= limits.max_redirects) {
      return ResourceExhausted(current.host + ": more redirects than " +
                               std::to_string(limits.max_redirects));
    }
    auto next = ParseRedirect(current, answer.location);
    if (!next.ok()) return next.status().WithContext(current.host + ": redirect");
    if (current.secure && !next->secure && !options_.allow_downgrade) {
      return PermissionDenied(current.host + ": redirects from https to http");
    }
    RETURN_IF_ERROR(CheckRules(*next));
    current = *std::move(next);
  }
}

Result<HttpAnswer> OutboundClient::Post(std::string_view url, const std::string& content_type,
                                        std::string_view body, const HttpHeaders& headers,
                                        const PostLimits& limits) {
  const auto deadline = SteadyClock::now() + limits.total_time;
  ASSIGN_OR_RETURN(const OutboundUrl parsed, ParseOutboundUrl(url));
  RETURN_IF_ERROR(CheckRules(parsed));
  std::vector<std::string> lines;
  ASSIGN_OR_RETURN(lines.emplace_back(), HeaderLine("Content-Type", content_type));
  for (const auto& [name, value] : headers) {
    ASSIGN_OR_RETURN(lines.emplace_back(), HeaderLine(name, value));
  }
  const CancelledFunction cancelled = [&] {
    return stopping_ || (limits.cancelled && limits.cancelled());
  };
  Turn turn(*this);
  RETURN_IF_ERROR(turn.Wait(deadline, cancelled));
  HttpAnswer answer;
  ASSIGN_OR_RETURN(const TransferAnswer transfer,
                   Transfer({.url = parsed,
                             .rules = rules_,
                             .ca_file = options_.ca_file,
                             .post = true,
                             .body = body,
                             .headers = std::move(lines),
                             .deadline = deadline,
                             .connect_time = limits.connect_time,
                             .max_bytes = kMaxAnswerBytes,
                             .any_status = true,
                             .cancelled = cancelled},
                            [&](std::span<const std::byte> bytes) {
                              answer.body.append(reinterpret_cast<const char*>(bytes.data()),
                                                 bytes.size());
                              return OkStatus();
                            }));
  answer.status = transfer.status;
  return answer;
}

}  // namespace lethe
