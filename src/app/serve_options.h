#pragma once

// What `lethe serve` can be told. Every default works as it is.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "app/data_folder.h"
#include "app/option_table.h"
#include "server/http_server.h"

namespace lethe {

struct ServeOptions {
  RecordsOptions records;  // but for the folder, which is no option of the file
  std::string node_name;
  std::int64_t ledger_wait_seconds = 10;
  std::vector<std::string> listen = {"127.0.0.1:8089"};
  std::string tls_certificate, tls_key;
  std::int64_t threads = 0;
  std::int64_t io_threads = 2;
  std::map<std::string, std::string> engines = {{"16k_en", "moonshine-tiny-en"},
                                                {"8k_en", "moonshine-tiny-en"}};
  std::string default_engine = "16k_en";
  std::vector<std::string> canonical_hosts = {"asr.tencentcloudapi.com", "asr.cloud.tencent.com",
                                              "asr.intl.tencentcloudapi.com"};
  std::vector<std::string> console_hosts;
  std::vector<std::string> cors_origins;
  std::int64_t max_connections = 10'000;
  std::int64_t upload_mb = 1'024;
  std::int64_t calls_at_once = 64;
  std::int64_t calls_waiting = 256;
  std::int64_t tasks_at_once = 2;
  std::int64_t task_lease_seconds = 60;
  std::int64_t streams = 4'096;
  std::int64_t decoders = 32;
  std::int64_t max_ahead_seconds = 60;
  std::int64_t grace_seconds = 30;
  std::vector<std::string> outbound_allow;
  std::vector<std::string> outbound_ports = {"80", "443"};
  std::vector<std::string> outbound_regions;
  std::map<std::string, std::string> outbound_hosts;
  std::vector<std::string> request_regions;
  std::string callback_key;
  bool first_keys = true;
  std::string log_format = "text";
  bool allow_unconfined = false;
  std::string prices = "mainland";
  std::string utc_offset = "+08:00";
  std::int64_t overdue_grace_hours = 24;

  void Describe(OptionTable* table);
};

/// Reads "HOST:PORT", "[::1]:PORT" or either behind "tls:".
/// Errors: kInvalidArgument, saying what is wrong
Result<ListenAddress> ParseListenAddress(const std::string& text);

/// Reads names as a browser's Host has them, but for the port, in any case.
/// Errors: kInvalidArgument, with what is none
Result<std::set<std::string>> ParseConsoleHosts(const std::vector<std::string>& names);

}  // namespace lethe
