#!/usr/bin/env python3
"""Runs the service of a unit file in a Debian folder as systemd would, for want of a systemd.

    unshare --mount unit_run.py ROOT UNIT

What of the unit takes effect: User, EnvironmentFile, ExecStart, UMask, LimitCORE, NoNewPrivileges,
SystemCallFilter with systemd's own groups, RestrictAddressFamilies, MemoryDenyWriteExecute, an empty
set of capabilities, and a file system that is read-only but for the StateDirectory. Mounts are made in
the namespace of this process, and go with it.
"""

import ctypes
import errno
import os
import resource
import shlex
import socket
import subprocess
import sys

import seccomp

PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP = 38, 24
PROT_WRITE, PROT_EXEC, SHM_EXEC = 2, 4, 0o100000


def read_unit(path):
    """The keys of [Service], each with the list of its values."""
    keys, section = {}, ''
    with open(path, encoding='utf-8') as file:
        for line in map(str.strip, file):
            if line.startswith('['):
                section = line
            elif section == '[Service]' and '=' in line and not line.startswith('#'):
                key, value = line.split('=', 1)
                keys.setdefault(key, []).append(value)
    return keys


def calls_of(group):
    """The system calls of one of systemd's groups, of those in it too."""
    if not group.startswith('@'):
        return {group}
    text = subprocess.run(['systemd-analyze', 'syscall-filter', group], check=True,
                          capture_output=True, text=True).stdout
    names = [line.strip() for line in text.splitlines()[1:] if not line.strip().startswith('#')]
    return set().union(*(calls_of(name) for name in names if name))


def allowed_calls(lines):
    allowed = set()
    for line in lines:
        names = set().union(*(calls_of(word) for word in line.lstrip('~').split()))
        allowed = allowed - names if line.startswith('~') else allowed | names
    return allowed


def make_filter(unit):
    """As systemd makes them: three filters in one."""
    refuse = seccomp.ERRNO(errno.EPERM)
    syscalls = seccomp.SyscallFilter(refuse)
    families = {getattr(socket, name) for name in unit['RestrictAddressFamilies'][0].split()}
    for name in sorted(allowed_calls(unit['SystemCallFilter'])):
        try:
            number = seccomp.resolve_syscall(seccomp.Arch(), name)
        except (ValueError, RuntimeError):
            continue
        if number < 0:
            continue  # of another processor
        if name == 'socket':
            for family in families:
                syscalls.add_rule(seccomp.ALLOW, name, seccomp.Arg(0, seccomp.EQ, family))
        elif name in ('mmap', 'mprotect', 'pkey_mprotect'):
            executable = PROT_WRITE | PROT_EXEC if name == 'mmap' else PROT_EXEC
            # Whatever does not have all of these bits.
            for bits in range(executable):
                if bits & executable == bits:
                    syscalls.add_rule(seccomp.ALLOW, name,
                                      seccomp.Arg(2, seccomp.MASKED_EQ, executable, bits))
        elif name == 'shmat':
            syscalls.add_rule(seccomp.ALLOW, name, seccomp.Arg(2, seccomp.MASKED_EQ, SHM_EXEC, 0))
        else:
            syscalls.add_rule(seccomp.ALLOW, name)
    return syscalls


def mount(*arguments):
    subprocess.run(['mount', *arguments], check=True)


def main():
    root, unit = sys.argv[1], read_unit(sys.argv[2])
    environment = {'PATH': '/usr/bin:/bin', 'LANG': 'C.UTF-8'}
    for path in unit['EnvironmentFile']:
        with open(root + path, encoding='utf-8') as file:
            environment.update(line.rstrip('\n').split('=', 1) for line in file
                               if '=' in line and not line.startswith('#'))
    with open(root + '/etc/passwd', encoding='utf-8') as file:
        user = next(line.split(':') for line in file if line.startswith(unit['User'][0] + ':'))
    uid, gid = int(user[2]), int(user[3])
    state = '/var/lib/' + unit['StateDirectory'][0]

    mount('--make-rprivate', '/')
    mount('--bind', root, root)
    mount('-o', 'remount,bind,ro', root)
    mount('--bind', root + state, root + state)
    mount('-o', 'remount,bind,rw', root + state)
    mount('-t', 'proc', 'proc', root + '/proc')
    mount('-t', 'tmpfs', 'tmpfs', root + '/tmp')
    mount('--bind', '/dev', root + '/dev')
    filters = make_filter(unit)

    libc = ctypes.CDLL(None, use_errno=True)
    os.chroot(root)
    os.chdir('/')
    assert unit['CapabilityBoundingSet'] == ['']
    for capability in range(64):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    os.umask(int(unit['UMask'][0], 8))
    resource.setrlimit(resource.RLIMIT_CORE, (int(unit['LimitCORE'][0]),) * 2)
    assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    command = shlex.split(unit['ExecStart'][0])
    filters.load()
    os.execve(command[0], command, environment)


main()
