#include "audio/internal/confinement.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <memory>
#include <string>

#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lethe::audio_internal {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
constexpr bool kSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

// The user without rights, by Linux's own number.
constexpr unsigned kNobody = 65'534;

// Root would keep its rights over files and processes that no filter knows of. Fails where root has
// no such right itself, e.g. in a container; the filter holds there too.
void LeaveRoot() {
  if (geteuid() != 0) return;
  // Not by the C library, which would look for other threads to do the same.
  if (syscall(SYS_setgroups, 0, nullptr) != 0) return;
  if (syscall(SYS_setresgid, kNobody, kNobody, kNobody) != 0) return;
  static_cast<void>(syscall(SYS_setresuid, kNobody, kNobody, kNobody));
}

bool Limit(__rlimit_resource resource, rlim_t soft, rlim_t hard) {
  const rlimit limit{.rlim_cur = soft, .rlim_max = hard};
  return setrlimit(resource, &limit) == 0;
}

bool SetLimits(const ConfinementLimits& limits) {
  // Sanitizers reserve terabytes for what they know about each byte.
  const rlim_t memory = kSanitized ? RLIM_INFINITY : limits.max_memory_bytes;
  const rlim_t cpu = limits.max_cpu_seconds;
  return Limit(RLIMIT_AS, memory, memory) &&
         // SIGXCPU first, which says what it was.
         Limit(RLIMIT_CPU, cpu, cpu + 1) && Limit(RLIMIT_CORE, 0, 0) && Limit(RLIMIT_FSIZE, 0, 0) &&
         Limit(RLIMIT_NPROC, 0, 0) && Limit(RLIMIT_NOFILE, 0, 0);
}

// A list of calls, by name: not every architecture has each of them.
class CallFilter {
 public:
  CallFilter() : context_(seccomp_init(SCMP_ACT_KILL_PROCESS)) {
    if (context_ == nullptr) error_ = ENOMEM;
  }
  ~CallFilter() { seccomp_release(context_); }
  CallFilter(const CallFilter&) = delete;
  CallFilter& operator=(const CallFilter&) = delete;

  template <class... Conditions>
  void Allow(const char* name, Conditions... conditions) {
    Add(SCMP_ACT_ALLOW, name, conditions...);
  }
  void Refuse(const char* name) { Add(SCMP_ACT_ERRNO(EPERM), name); }

  // Puts it into force. Returns 0 or an errno.
  int Load() {
    if (error_ != 0) return error_;
    // There is one thread; a second one, of whatever library, would have the filter too. Those of
    // the sanitizers are left alone.
    if (!kSanitized) seccomp_attr_set(context_, SCMP_FLTATR_CTL_TSYNC, 1);
    return -seccomp_load(context_);
  }

 private:
  template <class... Conditions>
  void Add(uint32_t action, const char* name, Conditions... conditions) {
    if (error_ != 0) return;
    const int call = seccomp_syscall_resolve_name(name);
    if (call < 0) return;
    const std::array<scmp_arg_cmp, sizeof...(conditions)> list = {conditions...};
    error_ = -seccomp_rule_add_array(context_, action, call, list.size(), list.data());
  }

  const scmp_filter_ctx context_;
  int error_ = 0;
};

// Decoding makes seven calls, as strace shows for all formats that the tests know: read, write,
// brk, mmap, munmap, futex, exit_group. The others are what the C library may come to for the same
// ends.
int InstallFilter() {
  CallFilter filter;
  const auto argument = [](unsigned int which, scmp_compare how, scmp_datum_t a, scmp_datum_t b) {
    return scmp_arg_cmp{.arg = which, .op = how, .datum_a = a, .datum_b = b};
  };
  const scmp_arg_cmp the_socket = argument(0, SCMP_CMP_EQ, 0, 0);
  filter.Allow("read", the_socket);
  filter.Allow("write", the_socket);
  const scmp_arg_cmp not_executable = argument(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
  filter.Allow("mmap", not_executable);
  filter.Allow("mprotect", not_executable);
  for (const char* name :
       {"munmap", "mremap", "madvise", "brk", "futex", "clock_gettime", "gettimeofday", "getrandom",
        "rt_sigreturn", "restart_syscall", "exit", "exit_group"}) {
    filter.Allow(name);
  }
  // abort() signals itself; nobody else may be signalled.
  filter.Allow("rt_sigprocmask");
  filter.Allow("getpid");
  filter.Allow("gettid");
  filter.Allow("tgkill", argument(0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(getpid()), 0));
  // Looking around, which libraries do on the way and can do without.
  for (const char* name : {"open", "openat", "fstat", "newfstatat", "lseek", "ioctl", "sysinfo",
                           "sched_getaffinity"}) {
    filter.Refuse(name);
  }
  if (kSanitized) {
    for (const char* name :
         {"sigaltstack", "rt_sigaction", "nanosleep", "clock_nanosleep", "sched_yield"}) {
      filter.Allow(name);
    }
  }
  return filter.Load();
}

// linux/landlock.h of Debian 12 is older than the kernels it runs on.
struct LandlockRules {
  uint64_t files;
  uint64_t network;  // from version 4 on
  uint64_t scopes;   // from version 6 on
};

long LandlockCreate(const LandlockRules* rules, size_t size, unsigned flags) {
  return syscall(444, rules, size, flags);
}

}  // namespace

int GiveUpFiles() {
  constexpr unsigned kAskVersion = 1;
  const auto abi = static_cast<int>(LandlockCreate(nullptr, 0, kAskVersion));
  if (abi < 1) return 0;
  // Version 1 knows 13 rights over files; later ones added REFER, TRUNCATE and IOCTL_DEV, then
  // binding and connecting, then abstract sockets and signals.
  const int num_file_rights = 13 + (abi >= 2 ? 1 : 0) + (abi >= 3 ? 1 : 0) + (abi >= 5 ? 1 : 0);
  const LandlockRules rules{.files = (uint64_t{1} << num_file_rights) - 1,
                            .network = abi >= 4 ? 3U : 0U,
                            .scopes = abi >= 6 ? 3U : 0U};
  const size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
  const auto fd = static_cast<int>(LandlockCreate(&rules, size, 0));
  if (fd < 0) return 0;
  const long restricted = syscall(446, fd, 0);
  close(fd);
  return restricted == 0 ? abi : 0;
}

Result<MediaConfinement> ConfineThisProcess(const ConfinementLimits& limits) {
  LeaveRoot();
  // After LeaveRoot(): changing the user undoes both.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0 ||
      prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return FailedPrecondition("the kernel refuses to take privileges away");
  }
  MediaConfinement confinement;
  confinement.landlock_abi = GiveUpFiles();
  if (!SetLimits(limits)) return FailedPrecondition("the kernel refuses limits");
  // A sanitizer's report of a crash would need rights; the signal says enough.
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    std::signal(signal, SIG_DFL);
  }
  const int error = InstallFilter();
  confinement.seccomp = error == 0;
  if (error != 0 && !limits.allow_unconfined) {
    return FailedPrecondition("the kernel refuses a filter of system calls (seccomp), errno " +
                              std::to_string(error));
  }
  return confinement;
}

}  // namespace lethe::audio_internal
