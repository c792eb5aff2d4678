#include "listctl/own_rules.h"

#include <unistd.h>

#include "store/rules_file.h"

const char *own_rules_path(const struct call *call)
{
	if (call->settings != NULL)
		return call->settings->bounce_rules;
	if (access(call->settings_path, F_OK) == 0)
		call_warn(call, "%s is not for you to read; rules that it may name are left out", call->settings_path);
	return "";
}

enum err own_rules_load(struct call *call, const char *path, struct classifier **ret_classifier)
{
	return rules_file_load(path, ret_classifier, call->why);
}
