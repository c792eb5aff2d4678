#define _GNU_SOURCE /* the flags of clone() */
#include "bounced/confine.h"

#include <assert.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/sandbox.h"

#define NAMESPACES                                                                                                     \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

/* clang-format off */

#define ALLOW(call) { .name = (call), .verdict = SANDBOX_ALLOWED }
#define REFUSE(call) { .name = (call), .verdict = SANDBOX_REFUSED }
#define ABSENT(call) { .name = (call), .verdict = SANDBOX_UNKNOWN }
#define ALLOW_IF(call, number, bits, wanted) \
	{ .name = (call), .verdict = SANDBOX_ALLOWED, .argument = (number), .mask = (bits), .value = (wanted) }

/* Memory that can be executed is not to be had. */
static const struct sandbox_call computing[] = {
	ALLOW_IF("mmap", 3, PROT_EXEC, 0),
	ALLOW_IF("mmap2", 3, PROT_EXEC, 0),
	ALLOW_IF("mprotect", 3, PROT_EXEC, 0),
	ALLOW("brk"), ALLOW("munmap"), ALLOW("mremap"), ALLOW("madvise"),
	ALLOW("read"), ALLOW("write"), ALLOW("futex"),
	ALLOW("clock_gettime"), ALLOW("clock_gettime64"), ALLOW("gettimeofday"), ALLOW("time"),
	ALLOW("getrandom"), ALLOW("rt_sigreturn"), ALLOW("sigreturn"), ALLOW("restart_syscall"),
	ALLOW("exit"), ALLOW("exit_group"),
};

/* What libraries try and do without. */
static const struct sandbox_call trying[] = {
	REFUSE("open"), REFUSE("openat"), REFUSE("openat2"),
	REFUSE("stat"), REFUSE("fstat"), REFUSE("newfstatat"),
	REFUSE("statx"), REFUSE("access"), REFUSE("faccessat"),
	REFUSE("readlink"), REFUSE("readlinkat"), REFUSE("ioctl"),
	REFUSE("fcntl"), REFUSE("lseek"), REFUSE("sysinfo"),
	REFUSE("sched_getaffinity"), REFUSE("prlimit64"),
};

static const struct sandbox_call bearing[] = {
	ALLOW_IF("clone", 1, NAMESPACES, 0),
	ABSENT("clone3"), /* its flags cannot be looked at */
	ALLOW("fork"), ALLOW("vfork"), ALLOW("set_robust_list"), ALLOW("rseq"),
	ALLOW("set_tid_address"), ALLOW("wait4"), ALLOW("waitpid"), ALLOW("kill"),
	ALLOW("getpid"), ALLOW("getppid"), ALLOW("gettid"),
	ALLOW("recvmsg"), ALLOW("sendmsg"), ALLOW("close"), ALLOW("close_range"),
	ALLOW("dup2"), ALLOW("dup3"), ALLOW("rt_sigprocmask"), ALLOW("rt_sigaction"),
	ALLOW("prctl"), ALLOW("seccomp"),
};

/* The main process. A thread may be begun, a process not. */
static const struct sandbox_call serving[] = {
	ALLOW_IF("clone", 1, NAMESPACES | CLONE_THREAD, CLONE_THREAD),
	ABSENT("clone3"),
	ALLOW("set_robust_list"), ALLOW("rseq"), ALLOW("set_tid_address"), ALLOW("membarrier"),
	ALLOW("sched_yield"), ALLOW("sched_getaffinity"),
	ALLOW("getpid"), ALLOW("getppid"), ALLOW("gettid"),
	/* Libraries that look up names are loaded when one is looked up. */
	ALLOW("mmap"), ALLOW("mmap2"), ALLOW("mprotect"),
	ALLOW_IF("socket", 1, ~0ULL, AF_UNIX),
	ALLOW_IF("socket", 1, ~0ULL, AF_INET),
	ALLOW_IF("socket", 1, ~0ULL, AF_INET6),
	ALLOW_IF("socket", 1, ~0ULL, AF_NETLINK),
	ALLOW_IF("socketpair", 1, ~0ULL, AF_UNIX),
	ALLOW("bind"), ALLOW("connect"), ALLOW("accept"), ALLOW("accept4"),
	ALLOW("getsockname"), ALLOW("getpeername"), ALLOW("getsockopt"), ALLOW("setsockopt"),
	ALLOW("shutdown"), ALLOW("sendto"), ALLOW("recvfrom"), ALLOW("sendmsg"),
	ALLOW("recvmsg"), ALLOW("sendmmsg"), ALLOW("recvmmsg"), ALLOW("send"), ALLOW("recv"),
	ALLOW("readv"), ALLOW("writev"), ALLOW("pread64"), ALLOW("lseek"), ALLOW("close"),
	ALLOW("dup"), ALLOW("dup2"), ALLOW("dup3"), ALLOW("fcntl"), ALLOW("fcntl64"),
	ALLOW("poll"), ALLOW("ppoll"), ALLOW("select"), ALLOW("pselect6"),
	ALLOW("epoll_create1"), ALLOW("epoll_ctl"), ALLOW("epoll_wait"), ALLOW("epoll_pwait"),
	ALLOW("epoll_pwait2"), ALLOW("eventfd2"), ALLOW("timerfd_create"), ALLOW("timerfd_settime"),
	ALLOW("clock_getres"), ALLOW("clock_nanosleep"), ALLOW("nanosleep"),
	ALLOW_IF("open", 2, O_ACCMODE | O_CREAT, O_RDONLY),
	ALLOW_IF("openat", 3, O_ACCMODE | O_CREAT, O_RDONLY),
	ABSENT("openat2"),
	ALLOW("stat"), ALLOW("fstat"), ALLOW("lstat"), ALLOW("newfstatat"), ALLOW("statx"),
	ALLOW("stat64"), ALLOW("fstat64"), ALLOW("fstatat64"), ALLOW("access"),
	ALLOW("faccessat"), ALLOW("faccessat2"), ALLOW("readlink"), ALLOW("readlinkat"),
	ALLOW("memfd_create"), /* rules on their way to the nurseries */
	ALLOW("getdents64"), ALLOW("getcwd"), ALLOW("statfs"), ALLOW("fstatfs"),
	ALLOW_IF("ioctl", 2, ~0ULL, 0x541b /* FIONREAD, of the resolver */),
	ALLOW("rt_sigaction"), ALLOW("rt_sigprocmask"), ALLOW("sigaltstack"),
	ALLOW("getuid"), ALLOW("geteuid"), ALLOW("getgid"), ALLOW("getegid"), ALLOW("getgroups"),
	ALLOW("getresuid"), ALLOW("getresgid"), ALLOW("uname"), ALLOW("sysinfo"),
	ALLOW("getrlimit"), ALLOW("getrusage"),
	ALLOW_IF("prlimit64", 3, ~0ULL, 0),
};

/* What AddressSanitizer needs for a report, and its leak checker at the end: only in programs built with it. */
static const struct sandbox_call sanitizing[] = {
#ifdef __SANITIZE_ADDRESS__
	ALLOW("sigaltstack"), ALLOW("rt_sigaction"), ALLOW("rt_sigprocmask"), ALLOW("sched_yield"),
	ALLOW("getpid"), ALLOW("gettid"), ALLOW("tgkill"), ALLOW("getrlimit"), ALLOW("uname"),
#else
	ALLOW("exit"), /* as always: a table is not empty */
#endif
};

static const struct sandbox_call leak_checking[] = {
#ifdef __SANITIZE_ADDRESS__
	ALLOW("clone"), ALLOW("ptrace"), ALLOW("wait4"), ALLOW("prctl"), ALLOW("kill"),
	ALLOW("getdents"), ALLOW("process_vm_readv"), ALLOW("tgkill"), ALLOW("prlimit64"),
#else
	ALLOW("exit"), /* as always: a table is not empty */
#endif
};

#define TABLE(rows) { rows, ARRAY_LEN(rows) }

static const struct role_row {
	struct sandbox_calls calls[4];
	enum sandbox_verdict others;
} roles[] = {
	[CONFINE_MAIN] = { { TABLE(computing), TABLE(serving), TABLE(sanitizing), TABLE(leak_checking) }, SANDBOX_REFUSED },
	[CONFINE_NURSERY] = { { TABLE(computing), TABLE(trying), TABLE(bearing), TABLE(sanitizing) }, SANDBOX_KILLED },
	[CONFINE_PARSER] = { { TABLE(computing), TABLE(trying), TABLE(sanitizing) }, SANDBOX_KILLED },
};
static_assert(ARRAY_LEN(roles) == CONFINE_ROLE_COUNT, "one row a role");

/* clang-format on */

enum confine_mode confine_mode(const struct settings *settings)
{
	static const char *const names[] = {
		[CONFINE_OFF] = "off",
		[CONFINE_PREFER] = "prefer",
		[CONFINE_REQUIRE] = "require",
	};
	enum confine_mode mode = CONFINE_OFF;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(settings->bounced_sandbox, names[i]) == 0)
			mode = (enum confine_mode)i;
	}
	return mode;
}

/* A parser is in its nursery's Landlock domain already. */
static enum err confine_files(enum confine_role role, const char *const *paths, size_t count)
{
	return role == CONFINE_PARSER ? ERR_OK : sandbox_files(paths, count);
}

enum err confine(enum confine_role role, enum confine_mode mode, const char *const *paths, size_t count,
		 struct confinement *ret_confinement, struct buf *why)
{
	struct confinement got = { 0 };
	if (mode == CONFINE_OFF) {
		*ret_confinement = got;
		return ERR_OK;
	}
	enum err err = confine_files(role, paths, count);
	got.files = err == ERR_OK;
	if (err == ERR_OK || err == ERR_UNAVAILABLE) {
		err = sandbox_calls(roles[role].calls, ARRAY_LEN(roles[role].calls), roles[role].others);
		got.calls = err == ERR_OK;
	}
	if (err != ERR_OK && err != ERR_UNAVAILABLE)
		return err;
	if (mode == CONFINE_REQUIRE && (!got.files || !got.calls)) {
		buf_addf(why, "this kernel has no %s, which bounced.sandbox = require demands",
			 got.files ? "seccomp filters"
				   : "Landlock (it may be switched off: see lsm= in its command line)");
		return ERR_UNAVAILABLE;
	}
	*ret_confinement = got;
	return ERR_OK;
}
