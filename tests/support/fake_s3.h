#pragma once

// An S3 server for tests that behaves, but for what a test does to it: it keeps objects in memory,
// and each request can be answered otherwise, before its body or behind it.

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/evp.h>

#include "base/check.h"
#include "base/encoding.h"
#include "base/mutex.h"
#include "tests/support/test_server.h"

namespace lethe {

struct FakeS3Request {
  std::string method;  // "PUT"
  std::string path;    // "/bucket/name"
  std::string query;   // "list-type=2&..."
  std::string head;
  std::string body;

  bool Is(std::string_view which) const { return method == which; }
  /// The value of a header whose name is given in small letters; empty: there is none.
  std::string Header(const std::string& name) const {
    const std::string small = ToLowerAscii(head);
    const std::size_t at = small.find("\r\n" + name + ": ");
    if (at == head.npos) return "";
    const std::size_t begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
  std::string Parameter(const std::string& name) const {
    const std::string all = "&" + query + "&";
    const std::size_t at = all.find("&" + name + "=");
    if (at == all.npos) return "";
    const std::size_t begin = at + name.size() + 2;
    return PercentDecode(all.substr(begin, all.find('&', begin) - begin), false);
  }
};

struct FakeS3Reply {
  std::string status = "200 OK";
  std::string headers;  // "Name: value\r\n" each
  std::string body;
  bool has_length = true;       // else `headers` say how the body ends
  std::size_t most = SIZE_MAX;  // of all of it that is sent before the connection ends
  std::size_t reads_first = 0;  // of a body, for fault_before_body
};

inline FakeS3Reply FakeS3Error(std::string status, const std::string& code,
                               const std::string& more = "") {
  return {.status = std::move(status),
          .body = "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code>" + more + "</Error>"};
}

class FakeS3 {
 public:
  struct Object {
    std::string bytes, stored_size, etag, encryption;
  };
  using Honest = std::function<FakeS3Reply()>;
  /// Nothing: as it should be.
  using Fault = std::function<std::optional<FakeS3Reply>(const FakeS3Request&, const Honest&)>;

  explicit FakeS3(SSL_CTX* tls = nullptr)
      : server_([this](TestConnection& connection) { Serve(connection); }, tls) {}

  /// Told before any request comes.
  Fault fault;              // sees whole requests; `honest` does what is asked and says the answer
  Fault fault_before_body;  // of a PUT, before its body is read; no `honest`
  std::string location = "<LocationConstraint/>";
  std::string versioning = "<VersioningConfiguration/>";
  std::size_t page = 1'000;         // keys a page at most
  bool knows_if_none_match = true;  // or ignores it

  std::string Url() const { return server_.Url(""); }
  std::map<std::string, Object> objects() {
    const MutexLock lock(mutex_);
    return objects_;
  }
  void Store(const std::string& path, const std::string& bytes) {
    const MutexLock lock(mutex_);
    objects_[path] = Made(bytes, std::to_string(bytes.size()));
  }
  /// The requests so far, "PUT /bucket/name" each.
  std::vector<std::string> requests() {
    const MutexLock lock(mutex_);
    return requests_;
  }
  int Count(std::string_view begin) {
    const auto all = requests();
    return static_cast<int>(std::count_if(
        all.begin(), all.end(), [&](const std::string& line) { return line.starts_with(begin); }));
  }

 private:
  static Object Made(const std::string& bytes, const std::string& stored_size) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    LETHE_CHECK(EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_md5(), nullptr) == 1);
    return {bytes, stored_size, HexEncode(std::as_bytes(std::span(digest, size))), ""};
  }

  void Serve(TestConnection& connection) {
    std::string text = connection.ReadHead();
    FakeS3Request request;
    const std::size_t end = text.find("\r\n\r\n");
    if (end == text.npos) return;
    request.head = text.substr(0, end + 2);
    const std::size_t blank = text.find(' '), target_end = text.find(' ', blank + 1);
    request.method = text.substr(0, blank);
    request.path = text.substr(blank + 1, target_end - blank - 1);
    const std::size_t mark = std::min(request.path.find('?'), request.path.size());
    if (mark < request.path.size()) request.query = request.path.substr(mark + 1);
    request.path.resize(mark);
    {
      const MutexLock lock(mutex_);
      requests_.push_back(request.method + " " + request.path +
                          (request.query.empty() ? "" : "?" + request.query));
    }
    if (request.Is("PUT")) {
      if (fault_before_body) {
        if (const auto reply = fault_before_body(request, {})) {
          if (reply->reads_first > 0) {
            connection.Send("HTTP/1.1 100 Continue\r\n\r\n");
            connection.ReadBody(text, reply->reads_first);
          }
          Send(connection, request, *reply);
          return;
        }
      }
      if (!request.Header("expect").empty()) connection.Send("HTTP/1.1 100 Continue\r\n\r\n");
    }
    connection.ReadBody(text);
    request.body = text.substr(end + 4);
    if (request.Is("PUT") &&
        std::to_string(request.body.size()) != request.Header("content-length")) {
      return;  // the client went away
    }
    const Honest honest = [&] { return Do(request); };
    std::optional<FakeS3Reply> reply;
    if (fault) reply = fault(request, honest);
    Send(connection, request, reply ? *reply : honest());
  }

  static void Send(TestConnection& connection, const FakeS3Request& request,
                   const FakeS3Reply& reply) {
    std::string text = "HTTP/1.1 " + reply.status + "\r\n" + reply.headers;
    if (reply.has_length && reply.headers.find("Content-Length") == text.npos) {
      text += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
    }
    text += "Connection: close\r\n\r\n";
    if (!request.Is("HEAD")) text += reply.body;
    connection.Send(std::string_view(text).substr(0, reply.most));
  }

  FakeS3Reply Do(const FakeS3Request& request) {
    const MutexLock lock(mutex_);
    if (request.query == "location=") return {.body = location};
    if (request.query == "versioning=") return {.body = versioning};
    if (request.query.find("list-type=2") != std::string::npos) return List(request);
    const auto found = objects_.find(request.path);
    if (request.Is("PUT")) {
      if (knows_if_none_match && !request.Header("if-none-match").empty() &&
          found != objects_.end()) {
        return FakeS3Error("412 Precondition Failed", "PreconditionFailed");
      }
      Object& made = objects_[request.path];
      made = Made(request.body, request.Header("x-amz-meta-lethe-size"));
      return {.headers = "ETag: \"" + made.etag + "\"\r\n"};
    }
    if (request.Is("DELETE")) {
      objects_.erase(request.path);
      return {.status = "204 No Content", .has_length = false};
    }
    if (found == objects_.end()) return FakeS3Error("404 Not Found", "NoSuchKey");
    const Object& object = found->second;
    return {.headers = "ETag: \"" + object.etag +
                       "\"\r\nx-amz-meta-lethe-size: " + object.stored_size + "\r\n" +
                       (object.encryption.empty()
                            ? ""
                            : "x-amz-server-side-encryption: " + object.encryption + "\r\n"),
            .body = object.bytes};
  }

  FakeS3Reply List(const FakeS3Request& request) REQUIRES(mutex_) {
    const std::string root = "/bucket/", prefix = request.Parameter("prefix");
    const std::string after = request.Parameter("continuation-token");
    const std::size_t most = std::min(page, std::stoul(request.Parameter("max-keys")));
    std::string keys, last;
    std::size_t count = 0;
    bool more = false;
    for (const auto& [path, object] : objects_) {
      const std::string key = path.substr(root.size());
      if (!key.starts_with(prefix) || "token of " + key <= after) continue;
      more = count == most;
      if (more) break;
      keys += "<Contents><Key>" + PercentEncode(key) + "</Key></Contents>";
      last = key;
      ++count;
    }
    return {.body = "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>" +
                    std::string(more ? "true" : "false") + "</IsTruncated>" +
                    (more ? "<NextContinuationToken>token of " + last + "</NextContinuationToken>"
                          : "") +
                    keys + "</ListBucketResult>"};
  }

  Mutex mutex_;
  std::map<std::string, Object> objects_ GUARDED_BY(mutex_);  // by path
  std::vector<std::string> requests_ GUARDED_BY(mutex_);
  TestServer server_;  // the last one: its threads use the others
};

}  // namespace lethe
