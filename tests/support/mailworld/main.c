/* mailworld: an SMTP peer that stands for the relay and everything behind it, driven by a rule file. See --help. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "net/listener.h"
#include "tests/support/mailworld/world.h"

enum { STATS_US = 200 * CLOCK_US_PER_MS };

struct options {
	const char *listen, *port_file, *rules, *log, *keep, *stats, *reports_to, *hostname, *rewrite;
	uint64_t seed;
};

struct program {
	struct options options;
	struct world world;
	struct listener *listener;
	struct loop_source *terminate, *interrupt, *hangup, *stats_timer;
	struct rules *rules_kept[64]; /* earlier ones: sessions may still point into them */
	size_t rules_kept_count;
};

static const struct option long_options[] = {
	{ "listen", required_argument, NULL, 'l' },
	{ "port-file", required_argument, NULL, 'p' },
	{ "rules", required_argument, NULL, 'r' },
	{ "log", required_argument, NULL, 'o' },
	{ "keep", required_argument, NULL, 'k' },
	{ "stats", required_argument, NULL, 's' },
	{ "reports-to", required_argument, NULL, 't' },
	{ "hostname", required_argument, NULL, 'n' },
	{ "rewrite-from", required_argument, NULL, 'w' },
	{ "seed", required_argument, NULL, 'e' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void print_help(void)
{
	AUTO_BUF names = buf_with_ceiling(LIMIT_WHY);
	shape_list(&names);
	printf("usage: mailworld [--listen ADDRESS:PORT] [OPTION]...\n"
	       "An SMTP server for tests: the relay, and every mail system behind it.\n\n"
	       "  --listen A:P      where (default 127.0.0.1:0: a free port)\n"
	       "  --port-file F     the port is written there when it listens\n"
	       "  --rules F         the rule file; without it everything is accepted\n"
	       "  --log F           a JSON line per accepted recipient, written before its 250:\n"
	       "                    to, from, message_id, time_us, connection, size\n"
	       "  --keep DIR        every accepted message as a file there\n"
	       "  --stats F         counts as JSON, rewritten as they change: connections accepted refused deferred\n"
	       "                    dropped reports_waiting reports_delivered reports_refused reports_retried\n"
	       "                    reports_doubtful\n"
	       "  --reports-to A:P  where reports are sent; tried again until taken or refused with 5xx\n"
	       "  --rewrite-from A  a relay that writes this address into MAIL FROM: reports go there\n"
	       "  --hostname NAME   (default world.example)\n"
	       "  --seed N          of the shares (default 1)\n\n"
	       "%s%s.%s",
	       RULES_HELP, buf_text(&names), RULES_HELP_END);
}

static bool take_option(struct options *options, int letter, const char *value)
{
	const char **texts[] = {
		['l'] = &options->listen,     ['p'] = &options->port_file, ['r'] = &options->rules,
		['o'] = &options->log,        ['k'] = &options->keep,      ['s'] = &options->stats,
		['t'] = &options->reports_to, ['n'] = &options->hostname,  ['w'] = &options->rewrite,
	};
	if (letter == 'e')
		return view_to_u64(view_of(value), UINT32_MAX, &options->seed);
	if (letter < 0 || (size_t)letter >= ARRAY_LEN(texts) || texts[letter] == NULL)
		return false;
	*texts[letter] = value;
	return true;
}

static enum err load_rules(struct program *program, struct buf *why)
{
	enum { RULE_FILE_MAX = 1 << 20 };
	AUTO_BUF text = buf_with_ceiling(RULE_FILE_MAX);
	struct rules *rules;
	const char *path = program->options.rules == NULL ? "(no rules)" : program->options.rules;
	enum err err = program->options.rules == NULL ? ERR_OK : file_read(path, &text, why);
	if (err == ERR_OK)
		err = rules_parse(buf_view(&text), path, program->options.seed, &rules, why);
	if (err != ERR_OK)
		return err;
	if (rules_have_reports(rules) && program->world.postman == NULL) {
		buf_addf(why, "%s has reports: say where they go with --reports-to", path);
		rules_done(rules);
		return ERR_INVALID;
	}
	if (program->world.rules != NULL)
		program->rules_kept[program->rules_kept_count++] = program->world.rules;
	program->world.rules = rules;
	return ERR_OK;
}

static void on_hangup(void *owner)
{
	struct program *program = owner;
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	if (program->rules_kept_count == ARRAY_LEN(program->rules_kept))
		log_event(LOG_ERROR, "rules.kept", "reason=\"read again too often\"");
	else if (load_rules(program, &why) != ERR_OK)
		log_event(LOG_ERROR, "rules.kept", "reason=\"%s\"", buf_text(&why));
}

static void write_stats(struct program *program)
{
	if (program->options.stats == NULL)
		return;
	AUTO_BUF text = buf_with_ceiling(LIMIT_WHY);
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	const struct world_counts *counts = &program->world.counts;
	struct postman_counts posts = { 0 };
	if (program->world.postman != NULL)
		posts = postman_counts(program->world.postman);
	const struct {
		const char *name;
		uint64_t count;
	} rows[] = {
		{ "connections", counts->connections },   { "accepted", counts->accepted },
		{ "refused", counts->refused },           { "deferred", counts->deferred },
		{ "dropped", counts->dropped },           { "reports_waiting", posts.waiting },
		{ "reports_delivered", posts.delivered }, { "reports_refused", posts.refused },
		{ "reports_retried", posts.retried },     { "reports_doubtful", posts.doubtful },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		buf_addf(&text, "%s\"%s\": %llu", i == 0 ? "{" : ", ", rows[i].name, (unsigned long long)rows[i].count);
	buf_addf(&text, "}\n");
	if (file_replace(program->options.stats, buf_view(&text), 0644, &why) != ERR_OK)
		log_event(LOG_ERROR, "stats.failed", "reason=\"%s\"", buf_text(&why));
}

static void on_stats(void *owner)
{
	struct program *program = owner;
	write_stats(program);
	loop_timer_start(program->stats_timer, STATS_US);
}

static void on_stop(void *owner)
{
	struct program *program = owner;
	loop_stop(program->world.loop);
}

static void on_accept(void *owner, struct stream *stream)
{
	struct program *program = owner;
	visit_begin(&program->world, stream);
}

static enum err open_postman(struct program *program, struct buf *why)
{
	struct endpoint to;
	if (program->options.reports_to == NULL)
		return ERR_OK;
	enum err err = endpoint_parse(view_of(program->options.reports_to), &to, why);
	if (err != ERR_OK)
		return err;
	return postman_new(program->world.loop, &to, program->world.hostname, &program->world.postman);
}

static enum err open_log(struct program *program, struct buf *why)
{
	program->world.log_fd = -1;
	if (program->options.log == NULL)
		return ERR_OK;
	program->world.log_fd = open(program->options.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (program->world.log_fd >= 0)
		return ERR_OK;
	buf_addf(why, "cannot write %s: %s", program->options.log, strerror(errno));
	return ERR_IO;
}

static enum err make_folder(const struct program *program, struct buf *why)
{
	if (program->options.keep == NULL || mkdir(program->options.keep, 0755) == 0 || errno == EEXIST)
		return ERR_OK;
	buf_addf(why, "cannot make the folder %s: %s", program->options.keep, strerror(errno));
	return ERR_IO;
}

static enum err watch(struct program *program)
{
	struct loop *loop = program->world.loop;
	enum err err = loop_signal_new(loop, SIGTERM, on_stop, program, &program->terminate);
	if (err == ERR_OK)
		err = loop_signal_new(loop, SIGINT, on_stop, program, &program->interrupt);
	if (err == ERR_OK)
		err = loop_signal_new(loop, SIGHUP, on_hangup, program, &program->hangup);
	if (err == ERR_OK)
		err = loop_timer_new(loop, on_stats, program, &program->stats_timer);
	return err;
}

static enum err announce(const struct program *program, struct buf *why)
{
	AUTO_BUF text = buf_with_ceiling(LIMIT_WHY);
	buf_addf(&text, "%u\n", endpoint_port(listener_endpoint(program->listener, 0)));
	if (program->options.port_file == NULL)
		return printf("%s", buf_text(&text)) < 0 || fflush(stdout) != 0 ? ERR_IO : ERR_OK;
	return file_replace(program->options.port_file, buf_view(&text), 0644, why);
}

static enum err start(struct program *program, struct buf *why)
{
	program->world.hostname = view_of(program->options.hostname);
	program->world.keep_dir = program->options.keep;
	program->world.rewrite = view_of(program->options.rewrite);
	enum err err = loop_new(&program->world.loop);
	if (err == ERR_OK)
		err = open_log(program, why);
	if (err == ERR_OK)
		err = make_folder(program, why);
	if (err == ERR_OK)
		err = open_postman(program, why);
	if (err == ERR_OK)
		err = load_rules(program, why);
	if (err == ERR_OK)
		err = watch(program);
	if (err == ERR_OK)
		err = listener_open(program->world.loop, view_of(program->options.listen), on_accept, program,
				    &program->listener, why);
	return err == ERR_OK ? announce(program, why) : err;
}

/* Sessions that are open end with the process. */
static void stop(struct program *program)
{
	struct loop_source *sources[] = { program->terminate, program->interrupt, program->hangup,
					  program->stats_timer };
	for (size_t i = 0; i < ARRAY_LEN(sources); i++)
		loop_source_done(sources[i]);
	listener_done(program->listener);
	postman_done(program->world.postman);
	for (size_t i = 0; i < program->rules_kept_count; i++)
		rules_done(program->rules_kept[i]);
	rules_done(program->world.rules);
	attempts_done(&program->world.attempts);
}

int main(int argc, char **argv)
{
	static struct program program = {
		.options = { .listen = "127.0.0.1:0", .hostname = "world.example", .seed = 1 },
	};
	int letter;
	while ((letter = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (letter == 'h') {
			print_help();
			return EXIT_SUCCESS;
		}
		if (!take_option(&program.options, letter, optarg))
			return 2;
	}
	log_open("mailworld", LOG_INFO);
	AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
	enum err err = start(&program, &why);
	if (err != ERR_OK) {
		fprintf(stderr, "mailworld: %s\n", why.len > 0 ? buf_text(&why) : err_name(err));
		stop(&program);
		return EXIT_FAILURE;
	}
	on_stats(&program);
	loop_run(program.world.loop);
	write_stats(&program);
	stop(&program);
	return EXIT_SUCCESS;
}
