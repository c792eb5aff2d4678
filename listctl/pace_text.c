#include "listctl/pace_text.h"

#include "base/clock.h"
#include "listctl/schedule.h"

/* As `pace open` takes it: a group or a domain by its name alone. */
static struct view operand_of(struct view key)
{
	static const char group[] = "group:", domain[] = "domain:";
	if (view_starts(key, view_of(group)))
		return view_skip(key, sizeof(group) - 1);
	struct view name = view_skip(key, view_starts(key, view_of(domain)) ? sizeof(domain) - 1 : 0);
	return view_find_byte(name, '.') != VIEW_NONE ? name : key;
}

void pace_text_add_cut(const struct budget_standing *standing, struct buf *out)
{
	if (standing->cut_us == 0)
		return;
	if (standing->closed_until_us > clock_wall_us()) {
		buf_addf(out, "closed until ");
		schedule_write_instant(standing->closed_until_us, out);
	} else if (standing->closed_until_us != 0) {
		buf_addf(out, "closed, and tried now and then");
	} else {
		buf_addf(out, "slowed to %.3g/s", standing->rate);
	}
	if (standing->reason.len > 0)
		buf_addf(out, ": " VIEW_FMT, VIEW_ARG(standing->reason));
	buf_addf(out, "; `listctl pace open " VIEW_FMT "` ends it", VIEW_ARG(operand_of(standing->key)));
}

/* " (10/s, 3 connections)": what a person has set. */
static void add_limits(const struct budget_standing *standing, struct buf *out)
{
	if (standing->limit > 0)
		buf_addf(out, " (%.3g/s%s", standing->limit, standing->slots > 0 ? ", " : ")");
	if (standing->slots > 0)
		buf_addf(out, "%s%lld connections)", standing->limit > 0 ? "" : " (", (long long)standing->slots);
}

static void add_warmup(const struct budget_standing *standing, struct buf *out)
{
	buf_addf(out, "the warm-up");
	if (standing->name.len > 0)
		buf_addf(out, " of " VIEW_FMT, VIEW_ARG(standing->name));
	if (standing->of_day > 0)
		buf_addf(out, " (%lld today)", (long long)standing->of_day);
}

void pace_text_add_wait(const struct budget_wait *wait, struct buf *out)
{
	static const char away[] = "away:";
	const struct budget_standing *standing = &wait->standing;
	if (wait->recipients > 0)
		buf_addf(out, "%lld wait%s for ", (long long)wait->recipients, wait->recipients == 1 ? "s" : "");
	if (view_starts(standing->key, VIEW_LIT("warmup:"))) {
		add_warmup(standing, out);
		buf_addf(out, wait->recipients > 0 ? "" : " is used up");
		return;
	}
	if (view_starts(standing->key, view_of(away))) {
		buf_addf(out, "relay " VIEW_FMT ", which takes nobody now",
			 VIEW_ARG(view_skip(standing->key, sizeof(away) - 1)));
		return;
	}
	buf_add(out, standing->key);
	if (standing->cut_us == 0) {
		add_limits(standing, out);
		return;
	}
	buf_addf(out, wait->recipients > 0 ? ", " : " is ");
	pace_text_add_cut(standing, out);
}
