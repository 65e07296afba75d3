#include "app/serve_options.h"

#include <charconv>

#include <arpa/inet.h>

#include "base/encoding.h"

namespace lethe {

void ServeOptions::Describe(OptionTable* table) {
  table->Add("listen", "Where to listen, ADDRESS:PORT, each; tls:ADDRESS:PORT for TLS", &listen);
  table->Add("store.dsn",
             "Database server for the records, mysql://USER@HOST:PORT/DATABASE (docs/database.md); "
             "empty: a file in the data folder",
             &records.dsn);
  table->Add("store.password_file",
             "File with the database's password; empty: LETHE_STORE_PASSWORD, or none",
             &records.password_file);
  table->Add("store.connections", "Connections to the database at once", 2, 1'000,
             &records.connections);
  table->Add("store.keys",
             "Folder of the keys, the same one for all nodes of a database; empty: \"keys\" in the "
             "data folder",
             &records.keys);
  table->Add(
      "store.objects",
      "Folder of recordings that wait to be transcribed, or bucket, s3://BUCKET?endpoint=URL "
      "(docs/objects.md), the same one for all nodes of a database; empty: \"objects\" in the data "
      "folder, or, with a database server, memory",
      &records.objects);
  table->Add("store.objects_keys",
             "File with the bucket's access key id and secret, a line each; empty: "
             "LETHE_S3_ACCESS_KEY_ID and LETHE_S3_SECRET_ACCESS_KEY",
             &records.objects_keys);
  table->Add("store.ledger",
             "Folder of the ledger of what was created and erased; empty: \"ledger\" in the data "
             "folder",
             &records.ledger);
  table->Add("store.ledger_wait_seconds",
             "How long a node without the ledger waits at its start for the one that has it to "
             "compare the records; 0: it does not",
             0, 3'600, &ledger_wait_seconds);
  table->Add(
      "store.region",
      "The region this node is in; what it stores is bound to it, and it refuses keys, records "
      "and recordings of another; empty: that of the keys, \"default\" at the first start",
      &records.region);
  table->Add("node.name",
             "This node among those that share a database; empty: the machine's name, and a part "
             "that the data folder gives",
             &node_name);
  table->Add("tls.certificate", "PEM file of the certificate and its chain", &tls_certificate);
  table->Add("tls.key", "PEM file of the certificate's key", &tls_key);
  table->Add("engines", "Engines by the names clients use, and the installed model each has",
             &engines);
  table->Add("default_engine", "The engine of calls that name none", &default_engine);
  table->Add("first_keys",
             "Make an application at the first start and show its keys on standard output, once; "
             "false where that is kept as a log: then `lethe apps` and `lethe keys` make them",
             &first_keys);
  table->Add("threads", "Threads that recognise; 0: one for each core", 0, 1024, &threads);
  table->Add("io_threads", "Threads that read and write sockets", 1, 64, &io_threads);
  table->Add("auth.canonical_hosts",
             "Host names over which clients sign though they speak to this one", &canonical_hosts);
  table->Add("console.hosts",
             "Host names by which browsers may reach the console, those of a proxy say, without "
             "ports; none: from this machine localhost and addresses only, from others any",
             &console_hosts);
  table->Add("cors.origins",
             "Origins whose pages may call /v1/ and /asr/flash/ from a browser, such as "
             "https://app.example.org, or *; none: no page of another origin may",
             &cors_origins);
  table->Add(
      "log.format",
      "What is said on standard error: text, for people; json, an object a line, for machines",
      &log_format);
  table->Add("limits.connections", "Connections open at once", 1, 1'000'000, &max_connections);
  table->Add("limits.upload_mb", "Memory for bodies being received, in MB", 16, 1'000'000,
             &upload_mb);
  table->Add("limits.calls_at_once", "Calls being worked on at once", 1, 4'096, &calls_at_once);
  table->Add("limits.calls_waiting", "Calls of one application that may wait", 1, 100'000,
             &calls_waiting);
  table->Add("limits.tasks_at_once", "Recording tasks transcribed at once", 1, 256, &tasks_at_once);
  table->Add("tasks.lease_seconds",
             "Silence after which other nodes take this one's tasks; their clocks have to agree "
             "better than that",
             2, 3'600, &task_lease_seconds);
  table->Add("limits.streams", "Streams open at once, live ones and recordings", 1, 100'000,
             &streams);
  table->Add("limits.decoders", "Compressed recordings decoded at once", 2, 1'000, &decoders);
  table->Add(
      "realtime.max_ahead_seconds",
      "Audio a live caller may have sent that is not yet heard; more ends the call with 4000, or "
      "waits where the interface is OpenAI's",
      3, 3'600, &max_ahead_seconds);
  table->Add("stop.grace_seconds", "How long calls under way may take once it is to stop", 0, 3'600,
             &grace_seconds);
  table->Add("outbound.allow",
             "Private networks that recordings may be fetched from and callbacks sent to: CIDR",
             &outbound_allow);
  table->Add("outbound.ports", "Ports below 1024 that may be reached", &outbound_ports);
  table->Add(
      "outbound.regions",
      "Regions that recordings may be fetched from and callbacks sent to; none: all. Names of "
      "COS, S3 and OSS say where they are, of others outbound.hosts does",
      &outbound_regions);
  table->Add("outbound.hosts",
             "Where hosts are: name = region, with a dot before it for all below a name",
             &outbound_hosts);
  table->Add("auth.regions",
             "Regions that requests may name (X-TC-Region); none: any, for clients name one of the "
             "cloud's without a thought",
             &request_regions);
  table->Add("callbacks.key", "Signs callbacks (X-Lethe-Signature); empty: not signed",
             &callback_key);
  table->Add("metering.prices",
             "What calls cost: mainland, international, free, or a file of prices (TOML, "
             "docs/metering.md)",
             &prices);
  table->Add("metering.utc_offset", "Where days and months of bills begin, as an offset from UTC",
             &utc_offset);
  table->Add("metering.overdue_grace_hours",
             "How long an account that is in arrears (lethe apps billing) is still served", 0,
             8'784, &overdue_grace_hours);
  table->Add("media.allow_unconfined",
             "Decode recordings even where the kernel cannot confine the decoder",
             &allow_unconfined);
}

Result<ListenAddress> ParseListenAddress(const std::string& text) {
  ListenAddress address;
  std::string_view rest = text;
  if (rest.starts_with("tls:")) {
    address.tls = true;
    rest.remove_prefix(4);
  }
  const std::size_t colon = rest.rfind(':');
  const std::string_view port =
      colon == std::string_view::npos ? std::string_view() : rest.substr(colon + 1);
  std::string_view host = rest.substr(0, std::min(colon, rest.size()));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (host.empty() || port.empty() || error != std::errc() || end != port.data() + port.size()) {
    return InvalidArgument("listening needs ADDRESS:PORT, such as 127.0.0.1:8089: " + text);
  }
  address.host = std::string(host);
  in6_addr ignored{};
  const std::string digits = address.host.substr(0, address.host.find('%'));  // without a scope
  if (address.host != "localhost" && ::inet_pton(AF_INET, digits.c_str(), &ignored) != 1 &&
      ::inet_pton(AF_INET6, digits.c_str(), &ignored) != 1) {
    return InvalidArgument(
        "listening needs an address in digits, such as 127.0.0.1, or localhost: " + text);
  }
  return address;
}

Result<std::set<std::string>> ParseConsoleHosts(const std::vector<std::string>& names) {
  std::set<std::string> hosts;
  for (const std::string& name : names) {
    const std::string host = ToLowerAscii(name);
    if (host.empty() ||
        host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-_") != std::string::npos) {
      return InvalidArgument(
          "console.hosts wants names without scheme and port, such as speech.example.org: " + name);
    }
    hosts.insert(host);
  }
  return hosts;
}

}  // namespace lethe
