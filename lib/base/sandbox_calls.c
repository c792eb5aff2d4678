#include "base/sandbox.h"

#include <assert.h>
#include <errno.h>
#include <seccomp.h>

static const uint32_t actions[] = {
	[SANDBOX_ALLOWED] = SCMP_ACT_ALLOW,
	[SANDBOX_REFUSED] = SCMP_ACT_ERRNO(EPERM),
	[SANDBOX_UNKNOWN] = SCMP_ACT_ERRNO(ENOSYS),
	[SANDBOX_KILLED] = SCMP_ACT_KILL_PROCESS,
};
static_assert(ARRAY_LEN(actions) == SANDBOX_KILLED + 1, "one action a verdict");

static enum err add_row(scmp_filter_ctx filter, const struct sandbox_call *row)
{
	int number = seccomp_syscall_resolve_name(row->name);
	if (number == __NR_SCMP_ERROR)
		return ERR_OK;
	const struct scmp_arg_cmp argument = {
		.arg = row->argument - 1, .op = SCMP_CMP_MASKED_EQ, .datum_a = row->mask, .datum_b = row->value
	};
	int failed = seccomp_rule_add_array(filter, actions[row->verdict], number, row->argument == 0 ? 0 : 1,
					    row->argument == 0 ? NULL : &argument);
	/* EEXIST: two tables say it. EACCES: it is what goes for all others. */
	return failed == 0 || failed == -EEXIST || failed == -EACCES ? ERR_OK : ERR_MEMORY;
}

enum err sandbox_calls(const struct sandbox_calls *tables, size_t count, enum sandbox_verdict others)
{
	scmp_filter_ctx filter = seccomp_init(actions[others]);
	if (filter == NULL)
		return ERR_MEMORY;
	enum err err = ERR_OK;
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < tables[i].count && err == ERR_OK; j++)
			err = add_row(filter, &tables[i].rows[j]);
	}
	if (err == ERR_OK && seccomp_load(filter) != 0)
		err = ERR_UNAVAILABLE;
	seccomp_release(filter);
	return err;
}
