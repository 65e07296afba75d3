#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>

#include <netdb.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "app/accounts.h"
#include "app/data_folder.h"
#include "app/doctor.h"
#include "app/output.h"
#include "app/serve_settings.h"
#include "base/guarded_clock.h"
#include "ledger/ledger.h"
#include "server/certificate.h"

namespace lethe {
namespace {

namespace fs = std::filesystem;

// Time enough to renew one, and to be told in vain.
constexpr Millis kCertificateSoon = std::chrono::days(14);
// What a database wants to write before it can forget anything.
constexpr double kDiskFull = 16e6;

std::string Why() { return std::strerror(errno); }  // NOLINT(concurrency-mt-unsafe): one thread

void LookAtClock(DoctorReport* report) {
  timex time{};
  const int state = adjtimex(&time);
  if (state < 0) {
    report->Note("clock", "the kernel does not say whether it is right: " + Why());
  } else if (state == TIME_ERROR || (time.status & STA_UNSYNC) != 0) {
    report->Note("clock",
                 "nobody keeps it right: what is forgotten when depends on it; install chrony or "
                 "systemd-timesyncd");
  } else {
    report->Good("clock", "kept right by the network");
  }
}

// Whether the service believes the machine's clock.
void LookAtSeenTime(const std::string& data, DoctorReport* report) {
  const auto clock = GuardedClock::Open(SystemClock(), data + "/clock");
  if (!clock.ok()) {
    report->Bad("latest time", clock.status().message());
  } else if (const Millis behind = (*clock)->behind(); behind >= GuardedClock::kBehind) {
    report->Note("latest time", "the machine's clock is " +
                                    std::to_string(behind / std::chrono::seconds(1)) +
                                    " s behind the latest time seen, which counts on "
                                    "(docs/operations.md, LetheClockBehind)");
  } else if (const Millis leap = (*clock)->leap(); leap > Millis(0)) {
    report->Bad("latest time", "the machine's clock leapt ahead by " +
                                   std::to_string(leap / std::chrono::seconds(1)) +
                                   " s: what is over by it is destroyed in ten minutes "
                                   "(docs/operations.md, LetheRetentionHeld)");
  } else {
    report->Good("latest time", "the machine's clock is not behind it");
  }
}

// Whether an address could be listened on; an errno if not.
int TryToListen(const ListenAddress& address) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found) !=
      0) {
    return EADDRNOTAVAIL;
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const int yes = 1;
  (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  const int error = bind(fd, found->ai_addr, found->ai_addrlen) == 0 ? 0 : errno;
  close(fd);
  return error;
}

void LookAtPorts(const ServeOptions& options, DoctorReport* report) {
  for (const std::string& text : options.listen) {
    const auto address = ParseListenAddress(text);
    if (!address.ok()) {
      report->Bad("listen", address.status().message());
      continue;
    }
    const int error = TryToListen(*address);
    if (error == 0) {
      report->Good("listen", text + " is free");
    } else if (error == EADDRINUSE) {
      report->Note("listen", text + " is in use: by a service that runs, or by something else");
    } else if (error == EACCES) {
      report->Bad("listen", text +
                                " is not this user's to take: ports below 1024 want "
                                "CAP_NET_BIND_SERVICE (docs/operations.md)");
    } else {
      errno = error;
      report->Bad("listen", text + " cannot be listened on: " + Why());
    }
  }
}

void LookAtCertificate(const ServeOptions& options, DoctorReport* report) {
  const bool tls =
      std::any_of(options.listen.begin(), options.listen.end(),
                  [](const std::string& address) { return address.starts_with("tls:"); });
  if (!tls && options.tls_certificate.empty() && options.tls_key.empty()) return;
  if (options.tls_certificate.empty() || options.tls_key.empty()) {
    report->Bad("certificate", "wants both tls.certificate and tls.key");
    return;
  }
  const auto until = ReadCertificate(options.tls_certificate, options.tls_key);
  if (!until.ok()) {
    report->Bad("certificate", until.status().message());
    return;
  }
  const Millis left = *until - SystemClock().Now();
  const std::string found = options.tls_certificate +
                            (left.count() > 0 ? " holds until " : " has been over since ") +
                            ShowTime(*until);
  if (left.count() <= 0) {
    report->Bad("certificate", found);
  } else if (left < kCertificateSoon) {
    report->Note("certificate", found + "; after a renewal: systemctl reload lethe, or SIGHUP");
  } else {
    report->Good("certificate", found);
  }
}

// How many may be open is asked for by the service, up to what this user may have.
void LookAtOpenFiles(const ServeOptions& options, DoctorReport* report) {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  const std::int64_t most = ConnectionsWithin(files.rlim_max, options);
  if (most < options.max_connections) {
    report->Note("open files", "enough for " + std::to_string(most) + " of " +
                                   std::to_string(options.max_connections) +
                                   " connections (limits.connections); raise LimitNOFILE of the "
                                   "unit, or ulimit -n");
  } else {
    report->Good("open files", "enough for " + std::to_string(most) + " connections");
  }
}

// What others may see of a folder: nothing at all, or, in a folder that had other things in it
// before the service came, what has no rights of its own.
enum class Privacy { kNeeded, kBetter };

// False if the folder is not there.
bool LookAtFolder(std::string_view what, const std::string& path, Privacy privacy,
                  DoctorReport* report) {
  struct stat about {};
  if (stat(path.c_str(), &about) != 0) {
    if (errno == ENOENT) return false;
    report->Bad(what, path + ": " + Why());
    return false;
  }
  if (!S_ISDIR(about.st_mode)) {
    report->Bad(what, path + " is no folder");
  } else if (access(path.c_str(), R_OK | W_OK | X_OK) != 0) {
    report->Bad(what, path + " cannot be read and written by this user: " + Why() +
                          "; of an installed service: lethe-admin doctor");
  } else if ((about.st_mode & 077) != 0) {
    const std::string found = path + " can be looked into by others; chmod 700 " + path;
    privacy == Privacy::kNeeded ? report->Bad(what, found) : report->Note(what, found);
  } else {
    report->Good(what, path + " is this service's alone");
  }
  return true;
}

void LookAtKeyFiles(const std::string& keys, DoctorReport* report) {
  std::error_code error;
  std::string open_to_others, not_ours;
  int count = 0;
  for (auto entry = fs::recursive_directory_iterator(keys, error);
       !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    struct stat about {};
    if (stat(entry->path().c_str(), &about) != 0 || !S_ISREG(about.st_mode)) continue;
    ++count;
    if ((about.st_mode & 077) != 0) open_to_others = entry->path();
    if (about.st_uid != geteuid() && geteuid() != 0) not_ours = entry->path();
  }
  if (error) {
    report->Bad("key files", keys + ": " + error.message());
  } else if (!open_to_others.empty()) {
    report->Bad("key files", "others may read " + open_to_others +
                                 "; chmod 600, and make new keys: " + "lethe keys rotate");
  } else if (!not_ours.empty()) {
    report->Bad("key files", "another user's: " + not_ours);
  } else {
    report->Good("key files", std::to_string(count) + ", for this user only");
  }
}

void LookAtDisk(const std::string& path, DoctorReport* report) {
  struct statvfs disk {};
  if (statvfs(path.c_str(), &disk) != 0 || disk.f_blocks == 0) return;
  const double free = static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize);
  const double all = static_cast<double>(disk.f_blocks) * static_cast<double>(disk.f_frsize);
  const std::string found = ShowBytes(free) + " of " + ShowBytes(all) + " free for the data folder";
  if ((disk.f_flag & ST_RDONLY) != 0) {
    report->Bad("disk", path + " is on a disk that cannot be written to");
  } else if (free < kDiskFull) {
    report->Bad("disk", found + ": nothing can be written; make room");
  } else if (free < all / 10) {
    report->Note("disk", found + ": less than a tenth");
  } else {
    report->Good("disk", found);
  }
}

// Whether each key opens with the master key: an hour's that does not is noticed only by a call.
void LookAtKeys(KeyStore& keys, WallTime now, DoctorReport* report) {
  const auto epochs = keys.Epochs();
  const auto tenants = keys.Tenants();
  if (!epochs.ok() || !tenants.ok()) {
    report->Bad("keys", (epochs.ok() ? tenants.status() : epochs.status()).message());
    return;
  }
  // One that is being destroyed is none.
  const auto is_bad = [](const Status& status) {
    return !status.ok() && status.code() != StatusCode::kNotFound;
  };
  for (const TenantId tenant : *tenants) {
    const Status status = keys.TenantKey(tenant).status();
    if (is_bad(status)) {
      report->Bad("keys", status.message() + "; put it back from the backup of the keys");
    }
  }
  for (const Epoch& epoch : *epochs) {
    const Status status = keys.FindEpochKey(epoch, now).status();
    if (is_bad(status)) {
      report->Bad("keys", status.message() +
                              "; what was stored in its hour is lost (no backup has it), and "
                              "calls of this hour are refused while the file is there");
    }
  }
}

// Opens records and keys as every command does beside a service, and what is signed of the
// ledger. Not for another user: he would leave files behind that the service cannot open.
void LookInto(const RecordsOptions& options, DoctorReport* report) {
  struct stat about {};
  if (stat(options.data.c_str(), &about) != 0) return;
  if (about.st_uid != geteuid()) {
    report->Note("records",
                 "are another user's, and were not opened; of an installed service: "
                 "lethe-admin doctor");
    return;
  }
  const auto opened = OpenDataFolder(options, SystemClock(), false);
  if (!opened.ok()) {
    report->Bad("records", opened.status().message());
    return;
  }
  report->Good("records", opened->records + " can be opened, and so can its keys");
  LookAtKeys(opened->keyring->keys(), opened->clock->Now(), report);
  std::error_code ignored;
  if (!fs::exists(opened->ledger.folder, ignored)) return;
  const auto ledger = Ledger::OpenForReading(opened->ledger.folder);
  if (ledger.status().code() == StatusCode::kNotFound) {
    report->Note("ledger", "nothing was signed yet");
  } else if (!ledger.ok()) {
    report->Bad("ledger", ledger.status().message());
  } else if (!fs::exists(opened->ledger.signing_key_file, ignored)) {
    report->Bad("ledger", "its key is not there, put it back from its backup: " +
                              opened->ledger.signing_key_file);
  } else {
    report->Good("ledger", std::to_string((*ledger)->size()) + " leaves can be read");
  }
}

bool IsMissing(const std::string& path) {
  std::error_code ignored;
  return fs::status(path, ignored).type() == fs::file_type::not_found;
}

void LookAtData(const RecordsOptions& options, DoctorReport* report) {
  const std::string keys = options.keys.empty() ? options.data + "/keys" : options.keys;
  const std::string ledger = options.ledger.empty() ? options.data + "/ledger" : options.ledger;
  if (!LookAtFolder("data folder", options.data, Privacy::kBetter, report)) {
    report->Note("data folder", options.data + " is not there yet; the first start makes it");
    return;
  }
  LookAtDisk(options.data, report);
  LookAtSeenTime(options.data, report);
  const std::string records = options.data + "/records.db";
  std::error_code ignored;
  const bool has_records = options.dsn.empty() && fs::exists(records, ignored);
  if (LookAtFolder("keys", keys, Privacy::kNeeded, report)) {
    LookAtKeyFiles(keys, report);
  } else if (has_records && IsMissing(keys)) {
    report->Bad("keys", keys +
                            " is not there, the records are: name the right folder (store.keys) "
                            "or put it back from its backup; nothing else opens them");
  }
  if (!LookAtFolder("ledger", ledger, Privacy::kBetter, report) && has_records &&
      IsMissing(ledger)) {
    report->Note("ledger", ledger + " is not there; the next start begins another (store.ledger)");
  }
  if (!options.dsn.empty()) return;
  if (!has_records) {
    report->Note("records", "none yet; begin with: lethe apps create NAME");
  } else if (access(records.c_str(), R_OK | W_OK) != 0) {
    report->Bad("records", records + ": " + Why());
  } else {
    LookInto(options, report);
  }
}

void LookAtDatabase(const RecordsOptions& options, DoctorReport* report) {
  if (options.dsn.empty()) return;
  const auto is_new = DatabaseIsNew(options);
  if (!is_new.ok()) {
    report->Bad("database", is_new.status().message());
  } else {
    report->Good("database", std::string("it answers, ") +
                                 (*is_new ? "and has no records yet" : "and has records"));
    if (!*is_new) LookInto(options, report);
  }
}

}  // namespace

void DoctorReport::Add(std::string_view mark, std::string_view what, std::string_view found) {
  constexpr std::size_t kColumn = 16;
  std::string name(what);
  name.resize(std::max(name.size(), kColumn), ' ');
  text_ += std::string(mark) + name + " " + std::string(found) + "\n";
}

void LookAtService(const ServeOptions& options, DoctorReport* report) {
  LookAtClock(report);
  LookAtPorts(options, report);
  LookAtCertificate(options, report);
  LookAtOpenFiles(options, report);
  LookAtData(options.records, report);
  LookAtDatabase(options.records, report);
}

}  // namespace lethe
