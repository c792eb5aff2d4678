#include "mail/attachment.h"

#include <string.h>

#include "base/limits.h"
#include "tests/support/unit.h"

static const struct {
	const char *label, *name, *content, *type, *why; /* type NULL: refused */
} rows[] = {
	{ "PNG", "a.png", "\x89PNG\r\n\x1a\nx", "image/png", "" },
	{ "ending in capitals", "A.JPEG", "\xff\xd8\xff\xe0", "image/jpeg", "" },
	{ "another GIF", "a.gif", "GIF87a", "image/gif", "" },
	{ "mark behind the start", "a.webp", "RIFF1234WEBPx", "image/webp", "" },
	{ "several dots", "my.report.v2.pdf", "%PDF-1.7", "application/pdf", "" },
	{ "text", "\u00fc.txt", "gr\u00fc\u00dfe", "text/plain; charset=utf-8", "" },
	{ "calendar", "a.ics", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nMETHOD:REQUEST\r\n", "text/calendar; charset=utf-8",
	  "" },
	{ "invitation", "a.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nmethod:Request\r\nBEGIN:VEVENT\r\n",
	  "text/calendar; charset=utf-8; method=REQUEST", "" },
	{ "cancelled, LF alone", "a.ics",
	  "\xef\xbb\xbf"
	  "BEGIN:VCALENDAR\nMETHOD: CANCEL\nEND:VCALENDAR\n",
	  "text/calendar; charset=utf-8; method=CANCEL", "" },
	{ "method of our own", "a.ics", "BEGIN:VCALENDAR\nMETHOD:X;y=z\nEND:VCALENDAR\n",
	  "text/calendar; charset=utf-8", "" },
	{ "Word", "a.docx", "PK\x03\x04", "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	  "" },
	{ "Excel", "a.xlsx", "PK\x03\x04", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "" },
	{ "archive", "a.zip", "PK\x03\x04", "application/zip", "" },
	{ "table", "a.csv",
	  "\xef\xbb\xbf"
	  "a;b\r\n",
	  "text/csv; charset=utf-8", "" },
	{ "sound", "a.mp3", "\xff\xfa", "audio/mpeg", "" },
	{ "film", "a.mp4",
	  "\1\1\1\x18"
	  "ftypisom",
	  "video/mp4", "" },
	{ "drawing", "a.SVG", "<svg/>", NULL, "save it as png" },
	{ "PNG that is none", "a.png", "GIF89a", NULL, "it is no png" },
	{ "text in Latin-1", "a.csv", "caf\xe9", NULL, "it is no csv in UTF-8" },
	{ "calendar that is none", "a.ics", "hello", NULL, "it is no ics" },
	{ "program by name", "a.pdf.EXE", "%PDF-", NULL, "it is a program" },
	{ "script", "a.js", "x", NULL, "it is a program" },
	{ "program by content", "a.pdf", "MZ\x90", NULL, "it is a program" },
	{ "program in a text's clothes", "a.txt", "#!/bin/sh", NULL, "it is a program" },
	{ "page", "a.html", "<p>", NULL, "can hold one" },
	{ "unknown", "a.xyz", "x", NULL, "ending is not known; known are .png" },
	{ "no ending", "README", "x", NULL, "ending is not known" },
	{ "empty", "a.txt", "", NULL, "it is empty" },
	{ "path", "../a.txt", "x", NULL, "no dot in front" },
	{ "folder", "x/a.txt", "x", NULL, "it is a path" },
	{ "other system's folder", "x\\a.txt", "x", NULL, "it is a path" },
	{ "hidden", ".a.txt", "x", NULL, "no dot in front" },
	{ "control", "a\r\n.txt", "x", NULL, "without controls" },
	{ "turned name", "report\u202efdp.txt", "x", NULL, "turns the direction" },
	{ "isolated name", "a\u2066b.txt", "x", NULL, "turns the direction" },
	{ "right to left by itself", "\u05d0\u200f.txt", "x", "text/plain; charset=utf-8", "" },
	{ "pictures of a folder", "thumbs.DB", "x", NULL, "the system or an editor" },
	{ "editor's copy", "a.txt~", "x", NULL, "the system or an editor" },
	{ "editor's scratch", ".a.txt.swp", "x", NULL, "the system or an editor" },
	{ "office's lock", "~$a.docx", "PK\x03\x04", NULL, "the system or an editor" },
	{ "desktop", ".DS_Store", "x", NULL, "the system or an editor" },
	{ "no UTF-8", "\xe9.txt", "x", NULL, "is UTF-8" },
};

START_TEST(types)
	{
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			AUTO_BUF why = buf_with_ceiling(LIMIT_WHY);
			const char *type = NULL;
			enum err err = attachment_check(view_of(rows[i].name), view_of(rows[i].content), &type, &why);
			ck_row(rows[i].label, (err == ERR_OK) == (rows[i].type != NULL));
			ck_assert_msg(strstr(buf_text(&why), rows[i].why) != NULL, "%s: %s", rows[i].label,
				      buf_text(&why));
			if (err == ERR_OK)
				ck_assert_str_eq(type, rows[i].type);
		}
	}
END_TEST

START_TEST(parts)
	{
		static const struct {
			const char *name, *id, *expected;
		} names[] = {
			{ "a b.txt", "", "Content-Disposition: attachment;\r\n filename=\"a b.txt\"\r\n" },
			{ "a.png", "1@x",
			  "Content-ID: <1@x>\r\nContent-Disposition: inline;\r\n filename=\"a.png\"\r\n" },
			{ "\"\u00fc\".txt", "", "attachment;\r\n filename*=utf-8''%22%C3%BC%22.txt\r\n" },
			{ "\u65b0\u95fb\u65b0\u95fb\u65b0\u95fb\u65b0\u95fb.txt", "",
			  "attachment;\r\n filename*0*=utf-8''%E6%96%B0%E9%97%BB%E6%96%B0%E9%97%BB%E6;\r\n "
			  "filename*1*=%96%B0%E9%97%BB%E6%96%B0%E9%97%BB.txt\r\n" },
		};
		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			struct attachment it = { view_of(names[i].name), VIEW_LIT("text/x"), view_of(names[i].id),
						 VIEW_LIT("hello") };
			AUTO_BUF out = buf_with_ceiling(LIMIT_WHY);
			ck_assert(attachment_write(&it, &out) == ERR_OK);
			ck_assert_msg(strstr(buf_text(&out), names[i].expected) != NULL, "got %s", buf_text(&out));
			ck_assert(view_ends(buf_view(&out), VIEW_LIT("\r\n\r\naGVsbG8=\r\n")));
		}
	}
END_TEST

START_TEST(ids)
	{
		AUTO_BUF one = buf_with_ceiling(LIMIT_WHY);
		AUTO_BUF other = buf_with_ceiling(LIMIT_WHY);
		ck_assert(attachment_write_id(1, VIEW_LIT("a"), VIEW_LIT("x.test"), &one) == ERR_OK);
		ck_assert(attachment_write_id(1, VIEW_LIT("b"), VIEW_LIT("x.test"), &other) == ERR_OK);
		ck_assert(!view_eq(buf_view(&one), buf_view(&other)) && view_ends(buf_view(&one), VIEW_LIT("@x.test")));
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { types, parts, ids };
	return suite_of("attachment", tests, ARRAY_LEN(tests));
}
