#include "store/zones.h"

#include <string.h>

enum statement { FIND_ZONE, NEAR_ZONES, READ_LOCAL };

static const struct db_statement statements[] = {
	/* Only IANA names: PostgreSQL would also take abbreviations and POSIX rules, whose signs surprise. */
	[FIND_ZONE] = { "zones_find", "SELECT name FROM zone_name WHERE lower(name) = lower($1::text)" },
	/* Those that begin alike, first of the same region. */
	[NEAR_ZONES] = { "zones_near",
			 "SELECT string_agg(name, ', ') FROM (SELECT name FROM zone_name,"
			 " regexp_replace($1::text, '^.*/', '') AS city WHERE name !~ '^Etc/' AND city "
			 "<> ''"
			 " AND lower(regexp_replace(name, '^.*/', '')) LIKE"
			 " lower(left(regexp_replace(city, '[^A-Za-z]+', '_', 'g'), 2)) || '%'"
			 " ORDER BY lower(split_part(name, '/', 1)) <> lower(split_part($1::text, '/', 1)),"
			 " abs(length(regexp_replace(name, '^.*/', '')) - length(city)), name LIMIT 4) AS near" },
	/* Every offset in force within 26 hours of the local time is tried, in steps of a quarter of an hour. */
	[READ_LOCAL] = { "zones_read",
			 "WITH local AS (SELECT $1::text::timestamp AS at),"
			 " moments AS (SELECT (at AT TIME ZONE 'UTC') + n * interval '15 minutes' AS moment"
			 " FROM local, generate_series(-104, 104) AS n),"
			 " offsets AS (SELECT DISTINCT (moment AT TIME ZONE $2::text) - (moment AT TIME ZONE 'UTC') AS "
			 "utc_offset"
			 " FROM moments),"
			 " readings AS (SELECT (at - utc_offset) AT TIME ZONE 'UTC' AS instant, utc_offset, at"
			 " FROM local, offsets)"
			 " SELECT instant, extract(epoch FROM utc_offset)::bigint, (instant AT TIME ZONE $2::text) = "
			 "at,"
			 " to_char(instant AT TIME ZONE $2::text, 'YYYY-MM-DD HH24:MI:SS') FROM readings ORDER BY "
			 "instant" },
};

static void copy_text(struct view text, char *ret_text, size_t size)
{
	size_t len = text.len < size ? text.len : size - 1;
	if (len > 0)
		memcpy(ret_text, text.data, len);
	ret_text[len] = '\0';
}

/* "+02:00", "2", "UTC-5" */
static bool is_offset(struct view zone)
{
	static const char *const bases[] = { "UTC", "GMT" };
	for (size_t i = 0; i < ARRAY_LEN(bases); i++) {
		if (zone.len > 3 && view_eq_nocase(view_head(zone, 3), view_of(bases[i])))
			zone = view_skip(zone, 3);
	}
	for (size_t i = 0; i < zone.len; i++) {
		if (strchr("+-:.0123456789", zone.data[i]) == NULL)
			return false;
	}
	return zone.len > 0;
}

static enum err refuse_zone(struct db *db, struct view zone, struct buf *why)
{
	if (is_offset(zone)) {
		buf_addf(why,
			 "\"" VIEW_FMT
			 "\" is an offset, which changes with the season; give the zone's IANA name, such as "
			 "Europe/Berlin or Asia/Jakarta",
			 VIEW_ARG(zone));
		return ERR_NOT_FOUND;
	}
	AUTO_DB_ROWS *rows = NULL;
	const struct db_value values[] = { db_text(zone) };
	enum err err = db_run(db, &statements[NEAR_ZONES], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	struct view near = db_row_count(rows) == 1 ? db_get_text(rows, 0, 0) : (struct view){ 0 };
	buf_addf(why, "there is no time zone \"" VIEW_FMT "\"; ", VIEW_ARG(zone));
	if (near.len > 0)
		buf_addf(why, "near it: " VIEW_FMT, VIEW_ARG(near));
	else
		buf_addf(why, "give an IANA name such as Europe/Berlin or Asia/Jakarta");
	return ERR_NOT_FOUND;
}

static enum err find_zone(struct db *db, struct view zone, char ret_zone[ZONE_NAME_SIZE], struct buf *why)
{
	AUTO_DB_ROWS *rows = NULL;
	const struct db_value values[] = { db_text(zone) };
	enum err err = db_run(db, &statements[FIND_ZONE], values, ARRAY_LEN(values), &rows, why);
	if (err != ERR_OK)
		return err;
	if (db_row_count(rows) == 0)
		return refuse_zone(db, zone, why);
	copy_text(db_get_text(rows, 0, 0), ret_zone, ZONE_NAME_SIZE);
	return ERR_OK;
}

static void take_readings(const struct db_rows *rows, struct zone_readings *ret_readings)
{
	for (size_t i = 0; i < db_row_count(rows); i++)
		ret_readings->exact = ret_readings->exact || db_get_bool(rows, i, 2);
	for (size_t i = 0; i < db_row_count(rows) && ret_readings->count < ZONE_READINGS; i++) {
		if (db_get_bool(rows, i, 2) != ret_readings->exact)
			continue;
		struct zone_reading *reading = &ret_readings->at[ret_readings->count++];
		reading->instant_us = db_get_time(rows, i, 0);
		reading->offset_s = (int)db_get_int(rows, i, 1);
		reading->exact = ret_readings->exact;
		copy_text(db_get_text(rows, i, 3), reading->shows, sizeof(reading->shows));
	}
}

enum err zones_read(struct db *db, struct view local, struct view zone, struct zone_readings *ret_readings,
		    struct buf *why)
{
	struct zone_readings readings = { 0 };
	enum err err = find_zone(db, zone, readings.zone, why);
	if (err != ERR_OK)
		return err;
	AUTO_DB_ROWS *rows = NULL;
	const struct db_value values[] = { db_text(local), db_text(view_of(readings.zone)) };
	err = db_run(db, &statements[READ_LOCAL], values, ARRAY_LEN(values), &rows, NULL);
	if (err == ERR_INVALID) {
		buf_addf(why, "there is no date and time \"" VIEW_FMT "\"; write it as 2026-12-24 18:00",
			 VIEW_ARG(local));
		return err;
	}
	if (err != ERR_OK) {
		buf_addf(why, "cannot read the time zone data of the database server");
		return err;
	}
	take_readings(rows, &readings);
	*ret_readings = readings;
	return ERR_OK;
}
