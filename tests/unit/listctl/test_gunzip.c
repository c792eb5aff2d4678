#include "listctl/gunzip.h"

#include <string.h>

#include "tests/support/unit.h"

/* `printf 'email\na@example.org\n' | gzip -n` */
static const unsigned char packed[] = {
	0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff, 0x4b, 0xcd, 0x4d, 0xcc, 0xcc, 0xe1,
	0x4a, 0x74, 0x48, 0xad, 0x48, 0xcc, 0x2d, 0xc8, 0x49, 0xd5, 0xcb, 0x2f, 0x4a, 0xe7, 0x02, 0x00,
};
static const unsigned char trailer[] = { 0, 0, 0, 0, 20, 0, 0, 0 };

/* The member above with the check sum of its text, which the test works out so that no octet of it is mere trust. */
static size_t member(char *out)
{
	uint32_t sum = 0xffffffff;
	const char *text = "email\na@example.org\n";
	for (; *text != '\0'; text++) {
		sum ^= (unsigned char)*text;
		for (int bit = 0; bit < 8; bit++)
			sum = (sum >> 1) ^ ((sum & 1) != 0 ? 0xedb88320 : 0);
	}
	sum = ~sum;
	memcpy(out, packed, sizeof(packed));
	memcpy(out + sizeof(packed), trailer, sizeof(trailer));
	for (size_t i = 0; i < 4; i++)
		out[sizeof(packed) + i] = (char)(sum >> (8 * i) & 0xff);
	return sizeof(packed) + sizeof(trailer);
}

static enum err unpack(struct view packed_text, size_t step, size_t room_size, struct buf *out, bool *ret_whole,
		       struct buf *why)
{
	char room[64];
	enum err err = ERR_OK;
	struct gunzip *gunzip = gunzip_new();
	while (err == ERR_OK && packed_text.len > 0) {
		struct view piece = view_head(packed_text, step);
		packed_text = view_skip(packed_text, step);
		size_t got = 1;
		while (err == ERR_OK && got > 0) {
			err = gunzip_step(gunzip, &piece, room, room_size, &got, why);
			if (err == ERR_OK)
				buf_add(out, view_from(room, got));
		}
	}
	*ret_whole = gunzip_is_whole(gunzip);
	gunzip_free(gunzip);
	return err;
}

START_TEST(members_in_pieces_of_any_size)
	{
		char two[256];
		size_t len = member(two);
		len += member(two + len);
		memset(two + len, 0, 20);
		for (size_t step = 1; step < 60; step += 7) {
			for (size_t room = 1; room <= 64; room *= 4) {
				AUTO_BUF out = buf_with_ceiling(1024);
				AUTO_BUF why = buf_with_ceiling(1024);
				bool whole;
				ck_assert_msg(unpack(view_from(two, len + 20), step, room, &out, &whole, &why) ==
						  ERR_OK,
					      "%s", buf_text(&why));
				ck_assert(whole);
				ck_view_eq(buf_view(&out), "email\na@example.org\nemail\na@example.org\n");
			}
		}
	}
END_TEST

START_TEST(what_is_cut_off_is_not_whole)
	{
		char one[128];
		size_t len = member(one);
		for (size_t cut = 0; cut < len; cut++) {
			AUTO_BUF out = buf_with_ceiling(1024);
			AUTO_BUF why = buf_with_ceiling(1024);
			bool whole;
			ck_assert(unpack(view_from(one, cut), 16, 64, &out, &whole, &why) == ERR_OK);
			ck_assert_msg(!whole, "cut at %zu", cut);
		}
	}
END_TEST

START_TEST(damage_is_seen)
	{
		for (size_t at = 10; at < sizeof(packed) + 8; at++) {
			char one[128];
			size_t len = member(one);
			one[at] = (char)(one[at] ^ 0x5a);
			AUTO_BUF out = buf_with_ceiling(1 << 20);
			AUTO_BUF why = buf_with_ceiling(1024);
			bool whole;
			enum err err = unpack(view_from(one, len), 16, 64, &out, &whole, &why);
			ck_assert_msg(err == ERR_INVALID || !whole, "octet %zu", at);
			ck_assert((err == ERR_INVALID) == (why.len > 0));
		}
		char behind[128];
		size_t len = member(behind);
		memcpy(behind + len, "junk", 4);
		AUTO_BUF out = buf_with_ceiling(1024);
		AUTO_BUF why = buf_with_ceiling(1024);
		bool whole;
		ck_assert(unpack(view_from(behind, len + 4), 16, 64, &out, &whole, &why) == ERR_INVALID);
	}
END_TEST

START_TEST(magic)
	{
		ck_assert(gunzip_is_magic(VIEW_LIT("\x1f\x8b\x08")) && !gunzip_is_magic(VIEW_LIT("\x1f")));
		ck_assert(!gunzip_is_magic(VIEW_LIT("email")));
	}
END_TEST

Suite *test_suite(void)
{
	const TTest *const tests[] = { members_in_pieces_of_any_size, what_is_cut_off_is_not_whole, damage_is_seen,
				       magic };
	return suite_of("gunzip", tests, ARRAY_LEN(tests));
}
