#define _GNU_SOURCE /* memfd_create() */
#include "bounced/nursery.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "bounced/insight.h"
#include "bounced/parser.h"
#include "bounced/ration.h"
#include "mail/converters.h"
#include "net/pair.h"

/* Where a child finds its socket: the place of standard input. Standard error stays what it was. */
enum { OWN_FD = STDIN_FILENO };

struct nursery {
	struct classifier *classifier;
	struct intake *intake;
	struct converters *converters;
	size_t most;
	enum confine_mode confine;
	struct slot {
		pid_t pid; /* 0: none */
		int ended_with;
	} slots[NURSERY_SLOTS];
};

/* ---- being born ---- */

/* Signals are for the parent, who has the whole in hand: a supervisor sends them to every process of a service. */
static void ignore_signals(void)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGPIPE };
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		signal(numbers[i], SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
}

/* Nothing is open but its socket and standard error. */
static bool keep_only(int fd)
{
	if (fd != OWN_FD && dup2(fd, OWN_FD) != OWN_FD)
		return false;
	close(STDOUT_FILENO);
	return syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) == 0;
}

static void confine_or_leave(enum confine_role role, enum confine_mode mode)
{
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct confinement got;
	if (confine(role, mode, NULL, 0, &got, &why) != ERR_OK)
		_exit(EXIT_FAILURE);
}

static noreturn void be_parser(struct nursery *self, int fd, pid_t parent)
{
	/* It ends with its nursery, who alone can end it when it hangs. */
	if (!keep_only(fd) || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(EXIT_FAILURE);
	confine_or_leave(CONFINE_PARSER, self->confine);
	parser_run(OWN_FD, self->intake, self->most);
}

/* ---- orders ---- */

static void reap(struct nursery *self)
{
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
		for (size_t i = 0; i < NURSERY_SLOTS; i++) {
			if (self->slots[i].pid == pid)
				self->slots[i] = (struct slot){ .ended_with = status };
		}
	}
}

/* Only who has not been waited for is killed, so that the number is still its own. */
static int end_slot(struct slot *slot)
{
	int status = slot->ended_with;
	if (slot->pid > 0 && kill(slot->pid, SIGKILL) == 0 && waitpid(slot->pid, &status, 0) != slot->pid)
		status = -1;
	*slot = (struct slot){ .ended_with = -1 };
	return status;
}

static void open_for(struct nursery *self, const struct nursery_order *order, int passed, struct nursery_word *word)
{
	(void)passed;
	self->most = order->most;
	self->confine = order->confine;
	if (rights_drop_all(&order->rights) != ERR_OK || ration(order->most) != ERR_OK)
		_exit(EXIT_FAILURE);
	confine_or_leave(CONFINE_NURSERY, order->confine);
	word->pid = getpid();
}

static enum err read_all(int fd, struct buf *text)
{
	enum { STEP = 16 << 10 };
	for (;;) {
		char *room = buf_room(text, STEP);
		ssize_t count = room == NULL ? -1 : read(fd, room, STEP);
		if (room != NULL && count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return ERR_IO;
		if (count == 0)
			return ERR_OK;
		buf_grown(text, (size_t)count);
	}
}

/* What the main process has found to be sound. */
static enum err take_rules(struct nursery *self, int fd)
{
	AUTO_BUF text = buf_with_ceiling(2 * LIMIT_RULES_FILE);
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	struct classifier *classifier;
	struct intake *intake;
	enum err err = read_all(fd, &text);
	if (err == ERR_OK)
		err = classifier_new_with(buf_view(&text), &classifier, &why);
	if (err != ERR_OK)
		return err;
	err = intake_new(classifier, &intake);
	if (err != ERR_OK) {
		classifier_done(classifier);
		return err;
	}
	intake_done(self->intake);
	classifier_done(self->classifier);
	self->intake = intake;
	self->classifier = classifier;
	return ERR_OK;
}

static void learn_rules(struct nursery *self, const struct nursery_order *order, int passed, struct nursery_word *word)
{
	(void)order;
	word->errno_value = passed > OWN_FD && take_rules(self, passed) == ERR_OK ? 0 : EINVAL;
	word->pid = getpid();
}

static void bear(struct nursery *self, const struct nursery_order *order, int passed, struct nursery_word *word)
{
	struct slot *slot = &self->slots[order->slot % NURSERY_SLOTS];
	pid_t own = getpid();
	word->ended_with = end_slot(slot);
	pid_t pid = fork();
	if (pid == 0)
		be_parser(self, passed, own);
	word->errno_value = pid < 0 ? errno : 0;
	if (pid > 0)
		slot->pid = word->pid = pid;
}

static void bear_twin(struct nursery *self, const struct nursery_order *order, int passed, struct nursery_word *word)
{
	(void)order;
	pid_t pid = fork();
	if (pid == 0) {
		for (size_t i = 0; i < NURSERY_SLOTS; i++)
			self->slots[i] = (struct slot){ .ended_with = -1 };
		if (!keep_only(passed))
			_exit(EXIT_FAILURE);
		word->pid = getpid();
		return;
	}
	word->errno_value = pid < 0 ? errno : 0;
	word->pid = pid < 0 ? 0 : pid;
}

typedef void order_handler(struct nursery *self, const struct nursery_order *order, int passed,
			   struct nursery_word *word);

static order_handler *const handlers[] = {
	[NURSERY_OPEN] = open_for,
	[NURSERY_RULES] = learn_rules,
	[NURSERY_BEAR] = bear,
	[NURSERY_TWIN] = bear_twin,
};
static_assert(ARRAY_LEN(handlers) == NURSERY_VERB_COUNT, "one handler a verb");

/* ---- the process ---- */

static void obey(struct nursery *self, const struct nursery_order *order, int passed)
{
	struct nursery_word word = { .verb = order->verb, .slot = order->slot, .ended_with = -1 };
	reap(self);
	handlers[order->verb](self, order, passed, &word);
	/* In a twin it is closed already, with everything else. */
	if (passed > OWN_FD)
		close(passed);
	if (pair_send(OWN_FD, view_from(&word, sizeof(word)), -1) != ERR_OK)
		_exit(EXIT_SUCCESS);
}

/* What libraries do at their first use, some with files, is done before there are none. */
static void warm_up(struct nursery *self)
{
	static const char message[] =
	    "From: =?iso-8859-2?q?=B1?= <a@b.test>\r\nDate: Sun, 22 Nov 2026 10:00:00 +0100\r\n"
	    "Subject: =?utf-8?b?w6Q=?=\r\nContent-Type: text/plain; charset=koi8-r\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\nwcI=\r\n";
	const struct view word = VIEW_LIT("w");
	const struct inquiry inquiry = { .message = view_of(message), .words = &word, .word_count = 1 };
	struct insight insight;
	if (insight_read(self->intake, &inquiry, &insight) == ERR_OK)
		insight_done(&insight);
}

static noreturn void run(int fd)
{
	struct nursery self = { 0 };
	for (size_t i = 0; i < NURSERY_SLOTS; i++)
		self.slots[i].ended_with = -1;
	if (!keep_only(fd) || classifier_new(&self.classifier) != ERR_OK ||
	    intake_new(self.classifier, &self.intake) != ERR_OK || converters_open(&self.converters) != ERR_OK)
		_exit(EXIT_FAILURE);
	warm_up(&self);
	for (;;) {
		struct nursery_order order;
		size_t len;
		int passed;
		if (pair_receive(OWN_FD, &order, sizeof(order), &len, &passed) != ERR_OK)
			_exit(EXIT_SUCCESS);
		if (len != sizeof(order) || order.verb >= NURSERY_VERB_COUNT)
			_exit(EXIT_FAILURE);
		obey(&self, &order, passed);
	}
}

enum err nursery_fork(int *ret_fd)
{
	int fds[2];
	enum err err = pair_new(SOCK_SEQPACKET, fds);
	if (err != ERR_OK)
		return err;
	pid_t pid = fork();
	if (pid == 0) {
		ignore_signals();
		run(fds[1]);
	}
	int errno_value = errno;
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		errno = errno_value;
		return ERR_IO;
	}
	*ret_fd = fds[0];
	return ERR_OK;
}

enum err nursery_ask(int fd, const struct nursery_order *order, int passed)
{
	return pair_send(fd, view_from(order, sizeof(*order)), passed);
}

static bool write_all(int fd, struct view text)
{
	while (text.len > 0) {
		ssize_t count = write(fd, text.data, text.len);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return false;
		text = view_skip(text, (size_t)count);
	}
	return lseek(fd, 0, SEEK_SET) == 0;
}

enum err nursery_ask_rules(int fd, struct view text)
{
	const struct nursery_order order = { .verb = NURSERY_RULES };
	int file = memfd_create("rules", MFD_CLOEXEC);
	if (file < 0)
		return ERR_IO;
	enum err err = write_all(file, text) ? nursery_ask(fd, &order, file) : ERR_IO;
	close(file);
	return err;
}

bool nursery_hear(struct view packet, struct nursery_word *ret_word)
{
	if (packet.len != sizeof(*ret_word))
		return false;
	memcpy(ret_word, packet.data, sizeof(*ret_word));
	return ret_word->verb < NURSERY_VERB_COUNT && ret_word->slot < NURSERY_SLOTS;
}
