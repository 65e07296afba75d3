#include "store/objects/internal/s3_transfer.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "base/sigpipe_guard.h"
#include "base/trim.h"

namespace lethe {
namespace {

// All of an answer's headers together; servers send one or two KiB.
constexpr std::size_t kMaxHeaderBytes = 65'536;
constexpr std::size_t kMaxHeaderValue = 1'024;
// A server that knows nothing of Expect gets the body after this.
constexpr long kExpectMillis = 1'000;

std::optional<std::uint64_t> ReadLength(std::string_view text) {
  std::uint64_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  return length;
}

void ReadHeader(std::string_view name, std::string_view value, S3Answer& answer) {
  if (name == "content-length") {
    answer.length = ReadLength(value);
  } else if (name == "etag") {
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    answer.etag = ToLowerAscii(value);
  } else if (name == "x-amz-meta-lethe-size") {
    answer.stored_size = value;
  } else if (name == "x-amz-version-id") {
    answer.version = value;
  } else if (name == "x-amz-bucket-region") {
    if (IsS3Region(value)) answer.region = value;
  } else if (name == "x-amz-server-side-encryption") {
    answer.encryption = value;
  } else if (name == "x-amz-server-side-encryption-customer-algorithm") {
    answer.customer_key = true;
  }
}

class Exchange {
 public:
  Exchange(CURL* easy, const S3Options& options, const S3Request& request)
      : easy_(easy), options_(options), request_(request) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  void AddHeader(const std::string& line) {
    curl_slist* const longer = curl_slist_append(headers_.get(), line.c_str());
    LETHE_CHECK(longer != nullptr);
    (void)headers_.release();  // a part of the longer one now
    headers_.reset(longer);
  }

  S3Outcome Run(const std::string& url) {
    SetConnection();
    SetRequest(url);
    const CURLcode code = curl_easy_perform(easy_);
    if (outcome_.own.ok()) outcome_.transport = Explain(code);
    return std::move(outcome_);
  }

 private:
  template <class T>
  void Set(CURLoption option, T value) {
    LETHE_CHECK(curl_easy_setopt(easy_, option, value) == CURLE_OK);
  }

  void SetConnection() {
    Set(CURLOPT_PROTOCOLS_STR, "http,https");
    Set(CURLOPT_PROXY, "");
    Set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    Set(CURLOPT_FOLLOWLOCATION, 0L);  // a redirect would want another signature
    Set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    Set(CURLOPT_HTTP09_ALLOWED, 0L);
    Set(CURLOPT_SSL_VERIFYPEER, 1L);
    Set(CURLOPT_SSL_VERIFYHOST, 2L);
    Set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!options_.ca_file.empty()) {
      Set(CURLOPT_CAINFO, options_.ca_file.c_str());
      Set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    }
    Set(CURLOPT_NOSIGNAL, 1L);
    Set(CURLOPT_QUICK_EXIT, 1L);
    Set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_time.count()));
    Set(CURLOPT_TIMEOUT_MS, static_cast<long>(options_.total_time.count()));
    Set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(options_.idle_time.count()));
    Set(CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(options_.min_bytes_per_second));
  }

  void SetRequest(const std::string& url) {
    Set(CURLOPT_URL, url.c_str());
    Set(CURLOPT_PATH_AS_IS, 1L);  // it is signed as it is
    Set(CURLOPT_USERAGENT, "Lethe");
    if (request_.method == "PUT") {
      Set(CURLOPT_UPLOAD, 1L);
      Set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.size));
      Set(CURLOPT_READFUNCTION, &OnRead);
      Set(CURLOPT_READDATA, this);
      if (request_.rewind) {
        Set(CURLOPT_SEEKFUNCTION, &OnSeek);
        Set(CURLOPT_SEEKDATA, this);
      }
      AddHeader(request_.rewind ? "Expect:" : "Expect: 100-continue");
      Set(CURLOPT_EXPECT_100_TIMEOUT_MS, kExpectMillis);
    } else if (request_.method == "HEAD") {
      Set(CURLOPT_NOBODY, 1L);
    } else if (request_.method != "GET") {
      Set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
    }
    Set(CURLOPT_HTTPHEADER, headers_.get());
    Set(CURLOPT_HEADERFUNCTION, &OnHeader);
    Set(CURLOPT_HEADERDATA, this);
    Set(CURLOPT_WRITEFUNCTION, &OnBody);
    Set(CURLOPT_WRITEDATA, this);
  }

  static std::size_t OnRead(char* bytes, std::size_t one, std::size_t size, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    exchange.outcome_.body_began = true;
    const std::uint64_t left = exchange.request_.size - exchange.sent_;
    const std::size_t want = std::min<std::uint64_t>(one * size, left);
    auto read = exchange.request_.read(std::span(bytes, want));
    if (!read.ok()) {
      exchange.outcome_.own = read.status();
      return CURL_READFUNC_ABORT;
    }
    exchange.sent_ += *read;
    return *read;
  }

  // Only back to the beginning, for a connection that turned out to be closed.
  static int OnSeek(void* self, curl_off_t offset, int origin) {
    auto& exchange = *static_cast<Exchange*>(self);
    if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_FAIL;
    exchange.request_.rewind();
    exchange.sent_ = 0;
    return CURL_SEEKFUNC_OK;
  }

  static std::size_t OnHeader(char* line, std::size_t /*one*/, std::size_t size, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    exchange.header_bytes_ += size;
    if (exchange.header_bytes_ > kMaxHeaderBytes) return 0;
    const std::string_view text(line, size);
    const std::size_t colon = text.find(':');
    if (text.starts_with("HTTP/")) {
      exchange.outcome_.answer = {};
    } else if (colon != std::string_view::npos) {
      const std::string_view value = Trim(text.substr(colon + 1));
      if (value.size() <= kMaxHeaderValue) {
        ReadHeader(ToLowerAscii(text.substr(0, colon)), value, exchange.outcome_.answer);
      }
    }
    long status = 0;
    curl_easy_getinfo(exchange.easy_, CURLINFO_RESPONSE_CODE, &status);
    exchange.outcome_.answer.status = static_cast<int>(status);
    return size;
  }

  static std::size_t OnBody(char* bytes, std::size_t /*one*/, std::size_t size, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    return exchange.TakeBody({bytes, size}) ? size : 0;
  }

  bool TakeBody(std::string_view bytes) {
    if (!request_.sink || outcome_.answer.status != 200) {
      if (outcome_.answer.body.size() + bytes.size() > request_.max_body) {
        too_long_ = true;
        return false;
      }
      outcome_.answer.body += bytes;
      return true;
    }
    if (!outcome_.body_began) outcome_.own = request_.begin(outcome_.answer);
    outcome_.body_began = true;
    if (outcome_.own.ok()) outcome_.own = request_.sink(bytes);
    return outcome_.own.ok();
  }

  Status Explain(CURLcode code) const {
    switch (code) {
      case CURLE_OK:
        return OkStatus();
      case CURLE_COULDNT_RESOLVE_HOST:
        return Unavailable("no address is known for the endpoint");
      case CURLE_COULDNT_CONNECT:
        return Unavailable("no connection");
      case CURLE_OPERATION_TIMEDOUT:
        return Unavailable("not done in its time, or too slow");
      case CURLE_PEER_FAILED_VERIFICATION:
        return Unavailable("its TLS certificate is not to be trusted; ca=FILE names an authority");
      case CURLE_SSL_CACERT_BADFILE:
        return FailedPrecondition("the file of trusted certificates cannot be read");
      case CURLE_GOT_NOTHING:
      case CURLE_PARTIAL_FILE:
      case CURLE_RECV_ERROR:
      case CURLE_SEND_ERROR:
      case CURLE_SEND_FAIL_REWIND:
        return Unavailable("the connection ended in the middle");
      case CURLE_WRITE_ERROR:
        return Unavailable(too_long_ ? "answers with more than was asked for"
                                     : "answers with endless headers");
      default:
        return Unavailable(curl_easy_strerror(code));
    }
  }

  CURL* const easy_;
  const S3Options& options_;
  const S3Request& request_;
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers_{nullptr,
                                                                       curl_slist_free_all};
  S3Outcome outcome_;
  std::uint64_t sent_ = 0;
  std::size_t header_bytes_ = 0;
  bool too_long_ = false;
};

}  // namespace

S3Transfer::S3Transfer(const S3Options& options, S3Address address)
    : options_(options),
      address_(std::move(address)),
      signer_{.region = options.region,
              .service = "s3",
              .access_key_id = options.access_key_id,
              .secret_access_key = options.secret_access_key.Clone()} {
  static const CURLcode prepared = curl_global_init(CURL_GLOBAL_DEFAULT);
  LETHE_CHECK(prepared == CURLE_OK);
}

S3Transfer::~S3Transfer() = default;

S3Outcome S3Transfer::Send(const S3Request& request) {
  const SigpipeGuard guard;
  const std::string date = AwsDate(SystemClock().Now());
  std::string path = address_.root;
  if (request.of_bucket) {
    // "/bucket", but "/" for one that is in the host's name.
    if (path.size() > 1) path.pop_back();
  } else {
    path += options_.prefix + request.name;
  }
  TextPairs headers = request.headers;
  headers.emplace_back("host", address_.authority);
  headers.emplace_back("x-amz-content-sha256", request.payload_hash);
  headers.emplace_back("x-amz-date", date);
  Handle handle = Take();
  S3Outcome outcome;
  {
    Exchange exchange(handle.get(), options_, request);
    exchange.AddHeader("authorization: " + SignAwsRequest(signer_, date, request.method, path,
                                                          request.query, headers,
                                                          request.payload_hash));
    for (const auto& [name, value] : headers) exchange.AddHeader(name + ": " + value);
    const std::string query = EncodeAwsQuery(request.query);
    outcome =
        exchange.Run(address_.origin + EncodeAwsPath(path) + (query.empty() ? "" : "?" + query));
    curl_easy_reset(handle.get());
  }
  PutBack(std::move(handle));
  return outcome;
}

S3Transfer::Handle S3Transfer::Take() {
  {
    const MutexLock lock(mutex_);
    if (!idle_.empty()) {
      Handle handle = std::move(idle_.back());
      idle_.pop_back();
      return handle;
    }
  }
  Handle handle(curl_easy_init(), curl_easy_cleanup);
  LETHE_CHECK(handle != nullptr);
  return handle;
}

void S3Transfer::PutBack(Handle handle) {
  const MutexLock lock(mutex_);
  if (idle_.size() < options_.idle_connections) idle_.push_back(std::move(handle));
}

}  // namespace lethe
