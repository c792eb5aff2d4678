#define _GNU_SOURCE /* O_TMPFILE */
/* Each row is tried by a child that has been confined as the row says. */
#include "bounced/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/sandbox.h"
#include "tests/support/unit.h"

#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

/* ---- what is tried; 0 or an errno ---- */

static int outcome(long result)
{
	return result < 0 ? errno : 0;
}

static int read_granted(void)
{
	return outcome(open("tests/fixtures/reports/arf-abuse.eml", O_RDONLY));
}

static int read_other(void)
{
	return outcome(open("/etc/hostname", O_RDONLY));
}

static int write_granted(void)
{
	return outcome(open("tests/fixtures/reports/new", O_WRONLY | O_CREAT, 0600));
}

static int write_temporary(void)
{
	return outcome(open("/tmp", O_RDWR | O_TMPFILE, 0600));
}

static int remove_granted(void)
{
	return outcome(unlink("tests/fixtures/reports/none"));
}

static int talk(void)
{
	return outcome(socket(AF_INET, SOCK_STREAM, 0));
}

static int talk_raw(void)
{
	return outcome(socket(AF_PACKET, SOCK_RAW, 0));
}

static int make_pair(void)
{
	int fds[2];
	return outcome(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
}

static int execute(void)
{
	char name[] = "/bin/true", *arguments[] = { name, NULL }, *environment[] = { NULL };
	return outcome(execve(name, arguments, environment));
}

static int bear(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	return outcome(pid);
}

static int signal_parent(void)
{
	return outcome(kill(getppid(), 0));
}

static int compute(void)
{
	void *memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return memory == MAP_FAILED ? errno : 0;
}

static int execute_memory(void)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return memory == MAP_FAILED ? errno : 0;
}

static int trace(void)
{
	return outcome(syscall(SYS_process_vm_writev, getppid(), NULL, 0, NULL, 0, 0));
}

static int mount_something(void)
{
	return outcome(syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL));
}

enum { FINE = 0, DIES = -1 };

struct row {
	const char *label;
	int (*try)(void);
	enum confine_role role;
	int expected; /* FINE, an errno, or DIES: killed by the kernel */
	bool may_when_sanitized;
};

static const struct row rows[] = {
	{ "main reads what it was given", read_granted, CONFINE_MAIN, FINE, false },
	{ "main reads nothing else", read_other, CONFINE_MAIN, EACCES, false },
	{ "main writes nothing, there", write_granted, CONFINE_MAIN, EPERM, false },
	{ "nor elsewhere", write_temporary, CONFINE_MAIN, EPERM, false },
	{ "main removes nothing", remove_granted, CONFINE_MAIN, EPERM, false },
	{ "main connects", talk, CONFINE_MAIN, FINE, false },
	{ "main has no raw sockets", talk_raw, CONFINE_MAIN, EPERM, false },
	{ "main hands over sockets", make_pair, CONFINE_MAIN, FINE, false },
	{ "main executes nothing", execute, CONFINE_MAIN, EPERM, false },
	{ "main bears nothing", bear, CONFINE_MAIN, EPERM, true },
	{ "main signals nobody", signal_parent, CONFINE_MAIN, EPERM, true },
	{ "main mounts nothing", mount_something, CONFINE_MAIN, EPERM, false },
	{ "nursery bears", bear, CONFINE_NURSERY, FINE, false },
	{ "nursery opens nothing", read_granted, CONFINE_NURSERY, EPERM, false },
	{ "nursery has no sockets", talk, CONFINE_NURSERY, DIES, false },
	{ "nursery executes nothing", execute, CONFINE_NURSERY, DIES, false },
	{ "parser computes", compute, CONFINE_PARSER, FINE, false },
	{ "parser executes no memory", execute_memory, CONFINE_PARSER, DIES, false },
	{ "parser opens nothing", read_granted, CONFINE_PARSER, EPERM, false },
	{ "parser makes nothing", write_temporary, CONFINE_PARSER, EPERM, false },
	{ "parser removes nothing", remove_granted, CONFINE_PARSER, DIES, false },
	{ "parser has no sockets", talk, CONFINE_PARSER, DIES, false },
	{ "parser has no pairs", make_pair, CONFINE_PARSER, DIES, false },
	{ "parser executes nothing", execute, CONFINE_PARSER, DIES, false },
	{ "parser bears nothing", bear, CONFINE_PARSER, DIES, false },
	{ "parser signals nobody", signal_parent, CONFINE_PARSER, DIES, false },
	{ "parser reaches into nobody", trace, CONFINE_PARSER, DIES, false },
};

static const char *const granted[] = { "tests/fixtures", "/nowhere" };

/* As a parser is: in its nursery's sandbox, and one of its own. */
static bool confined_as(enum confine_role role, enum confine_mode mode, struct confinement *ret_got)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct confinement nursery;
	if (role == CONFINE_PARSER && confine(CONFINE_NURSERY, mode, NULL, 0, &nursery, &why) != ERR_OK)
		return false;
	size_t count = role == CONFINE_MAIN ? ARRAY_LEN(granted) : 0;
	return confine(role, mode, granted, count, ret_got, &why) == ERR_OK;
}

enum { CANNOT_CONFINE = 250 };

static int status_of(pid_t pid)
{
	int status;
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

START_TEST(what_each_may_do)
	{
		const struct row *row = &rows[_i];
		struct confinement got;
		pid_t pid = fork();
		if (pid == 0)
			_exit(confined_as(row->role, CONFINE_REQUIRE, &got) ? row->try() : CANNOT_CONFINE);
		int status = status_of(pid);
		if (SANITIZED && row->may_when_sanitized)
			return;
		if (row->expected == DIES)
			ck_row(row->label, WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
		else
			ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == row->expected, "%s: status %x",
				      row->label, (unsigned)status);
	}
END_TEST

START_TEST(nothing_is_taken_when_it_is_off)
	{
		pid_t pid = fork();
		struct confinement got;
		if (pid == 0)
			_exit(confined_as(CONFINE_PARSER, CONFINE_OFF, &got) && !got.files && !got.calls && talk() == 0
				  ? 0
				  : 1);
		ck_assert_int_eq(status_of(pid), 0);
	}
END_TEST

/* ---- a kernel that lacks something ---- */

static const struct sandbox_call no_landlock[] = { { "landlock_create_ruleset", SANDBOX_UNKNOWN, 0, 0, 0 } };
static const struct sandbox_call no_filters[] = { { "seccomp", SANDBOX_UNKNOWN, 0, 0, 0 },
						  { "prctl", SANDBOX_UNKNOWN, 1, ~0ULL, 22 /* PR_SET_SECCOMP */ } };

struct kernel_row {
	const char *label;
	struct sandbox_calls lacks;
	enum confine_mode mode;
	bool starts, files, calls;
};

static const struct kernel_row kernel_rows[] = {
	{ "no Landlock, preferred", { no_landlock, 1 }, CONFINE_PREFER, true, false, true },
	{ "no Landlock, required", { no_landlock, 1 }, CONFINE_REQUIRE, false, false, false },
	{ "no filters, preferred", { no_filters, 2 }, CONFINE_PREFER, true, true, false },
	{ "no filters, required", { no_filters, 2 }, CONFINE_REQUIRE, false, false, false },
};

static int start_on(const struct kernel_row *row)
{
	struct confinement got;
	if (sandbox_calls(&row->lacks, 1, SANDBOX_ALLOWED) != ERR_OK)
		return CANNOT_CONFINE;
	bool starts = confined_as(CONFINE_MAIN, row->mode, &got);
	return starts == row->starts && (!starts || (got.files == row->files && got.calls == row->calls)) ? 0 : 1;
}

START_TEST(a_kernel_that_lacks_something)
	{
		const struct kernel_row *row = &kernel_rows[_i];
		pid_t pid = fork();
		if (pid == 0)
			_exit(start_on(row));
		int status = status_of(pid);
		ck_assert_msg(status == 0, "%s: status %x", row->label, (unsigned)status);
	}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("confine");
	TCase *tests = tcase_create("confine");
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, what_each_may_do, 0, (int)ARRAY_LEN(rows));
	tcase_add_loop_test(tests, a_kernel_that_lacks_something, 0, (int)ARRAY_LEN(kernel_rows));
	tcase_add_test(tests, nothing_is_taken_when_it_is_off);
	suite_add_tcase(suite, tests);
	return suite;
}
