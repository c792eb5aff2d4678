#include "listctl/page.h"

#include <stdio.h>
#include <string.h>

/* ---- text ---- */

/* The octets of the UTF-8 character at the front, 0 when there is none. */
static size_t character_size(struct view text, uint32_t *ret_point)
{
	for (size_t size = 1; size <= 4 && size <= text.len; size++) {
		if (!view_is_utf8(view_head(text, size)))
			continue;
		unsigned char first = (unsigned char)text.data[0];
		uint32_t point = size == 1 ? first : first & (0xffu >> (size + 1));
		for (size_t i = 1; i < size; i++)
			point = point << 6 | ((unsigned char)text.data[i] & 0x3fu);
		*ret_point = point;
		return size;
	}
	return 0;
}

/* What XML does not have (section 2.2), controls, and what turns the direction of writing. */
static bool is_unfit(uint32_t point)
{
	return (point < 0x20 && point != '\t' && point != '\n') || (point >= 0x7f && point <= 0x9f) ||
	       (point >= 0x200e && point <= 0x200f) || (point >= 0x202a && point <= 0x202e) ||
	       (point >= 0x2066 && point <= 0x2069) || (point & 0xfffe) == 0xfffe;
}

static struct view escaped(uint32_t point)
{
	switch (point) {
	case '&':
		return VIEW_LIT("&amp;");
	case '<':
		return VIEW_LIT("&lt;");
	case '>':
		return VIEW_LIT("&gt;");
	case '"':
		return VIEW_LIT("&quot;");
	case '\'':
		return VIEW_LIT("&#39;");
	default:
		return is_unfit(point) ? VIEW_LIT("\xef\xbf\xbd") : VIEW_LIT("");
	}
}

void page_add_text(struct buf *out, struct view text)
{
	while (text.len > 0) {
		uint32_t point = 0xffff;
		size_t size = character_size(text, &point);
		struct view instead = escaped(point);
		if (size == 0)
			size = 1;
		buf_add(out, instead.len > 0 ? instead : view_head(text, size));
		text = view_skip(text, size);
	}
}

void page_add_name(struct buf *out, const char *name)
{
	struct view text = view_of(name);
	bool is_share = view_ends(text, VIEW_LIT("_percent"));
	if (is_share)
		text.len -= sizeof("_percent") - 1;
	for (size_t i = 0; i < text.len; i++)
		buf_add_byte(out, text.data[i] == '_' ? ' ' : text.data[i]);
	if (is_share)
		buf_add(out, VIEW_LIT("\xc2\xa0%"));
}

void page_add_number(struct buf *out, int64_t number)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%lld", (long long)number);
	for (int i = 0; i < length; i++) {
		if (i > 0 && digits[i - 1] != '-' && (length - i) % 3 == 0)
			buf_add(out, VIEW_LIT("\xe2\x80\xaf"));
		buf_add_byte(out, digits[i]);
	}
}

/* ---- the frame ---- */

/* Colours are those of WCAG 2.1 AA on their ground: 4.5 to 1 for text, 3 to 1 for what is drawn. */
static const char *const stylesheet[] = {
	":root{color-scheme:light "
	"dark;--ground:#fff;--card:#f5f6f8;--text:#1a1d21;--quiet:#565e69;--line:#d8dce2;--link:#0b57d0;"
	"--good:#1b7f5c;--bad:#c43a2b;--warn:#b06a00;--odd:#7650c0;--calm:#3b6fb5;--plum:#a3347c;--rest:#79828e}\n"
	"@media "
	"(prefers-color-scheme:dark){:root{--ground:#14171b;--card:#1e2227;--text:#e9ecf0;--quiet:#a7b0bc;--line:#"
	"363c45;"
	"--link:#8ab4f8;--good:#45b98a;--bad:#ff7d6e;--warn:#eba53a;--odd:#b898f4;--calm:#77a9ea;--plum:#f07fc0;--rest:"
	"#8d97a4}}\n",
	"*{box-sizing:border-box}\n"
	"html{-webkit-text-size-adjust:100%;text-size-adjust:100%}\n"
	"body{margin:0;background:var(--ground);color:var(--text);font:16px/1.5 system-ui,-apple-system,\"Segoe "
	"UI\",Roboto,"
	"\"Noto Sans\",\"DejaVu Sans\",sans-serif;font-variant-numeric:tabular-nums}\n"
	"main{max-width:76rem;margin:0 auto;padding:2.5rem 1.5rem 4rem}\n"
	"h1{font-size:1.9rem;line-height:1.2;margin:0 0 .25rem;letter-spacing:-.01em;overflow-wrap:anywhere}\n"
	"h2{font-size:1.25rem;line-height:1.3;margin:0 0 .25rem}\n"
	"p{margin:0}\n.kind{color:var(--quiet);font-weight:600;margin-bottom:.25rem}\n"
	".when{color:var(--quiet)}\n.about{color:var(--quiet);max-width:46rem;margin-bottom:1rem}\n",
	"nav{margin-top:1.25rem;padding-bottom:1.25rem;border-bottom:1px solid var(--line)}\n"
	"nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:0;padding:0}\n"
	"nav a{display:inline-block;padding:.25rem 0}\n"
	"a{color:var(--link)}\na:focus-visible,[tabindex]:focus-visible{outline:3px solid "
	"var(--link);outline-offset:2px}\n"
	"section{margin-top:2.75rem}\n"
	"dl{margin:0}\ndd{margin:0;overflow-wrap:anywhere}\ndt{color:var(--quiet);font-size:.875rem}\n"
	".tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(10rem,1fr));gap:.75rem}\n"
	".tiles div{background:var(--card);border-radius:.5rem;padding:.75rem 1rem;min-width:0}\n"
	".tiles dd{font-size:1.375rem;line-height:1.3;font-weight:600}\n"
	".facts{margin-bottom:1rem}\n.facts div{display:grid;grid-template-columns:8rem 1fr;gap:.25rem "
	"1rem;padding:.2rem 0}\n"
	".facts dt{font-size:1rem}\n",
	"figure{margin:0 0 1.25rem}\n"
	"svg{display:block;width:100%;overflow:visible;font-size:13px;font-variant-numeric:tabular-nums}\n"
	"svg text{fill:var(--quiet)}\nsvg .name{fill:var(--text)}\n"
	"svg .grid{stroke:var(--line);stroke-width:1}\nsvg .track{fill:var(--card)}\n"
	".good{fill:var(--good);background:var(--good)}\n.bad{fill:var(--bad);background:var(--bad)}\n"
	".warn{fill:var(--warn);background:var(--warn)}\n.odd{fill:var(--odd);background:var(--odd)}\n"
	".calm{fill:var(--calm);background:var(--calm)}\n.rest{fill:var(--rest);background:var(--rest)}\n"
	".plum{fill:var(--plum);background:var(--plum)}\n.plot{display:flex}\n.plot svg{flex:1 1 0;min-width:0}\n.plot "
	".scale{flex:none;width:64px}\n"
	"figcaption ul{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:0 0 "
	".75rem;padding:0;font-size:.875rem;color:var(--quiet)}\n"
	"figcaption i{display:inline-block;width:.75rem;height:.75rem;border-radius:.2rem;margin-right:.4rem}\n",
	".scroll{overflow-x:auto;background:linear-gradient(var(--ground),var(--ground)) right/2rem 100% no-repeat "
	"local,"
	"linear-gradient(to left,rgba(120,130,145,.35),transparent) right/.75rem 100% no-repeat "
	"scroll}\n.tall{max-height:26rem;overflow-y:auto;border-bottom:1px solid var(--line)}\n"
	".tall thead th{position:sticky;top:0;background:var(--ground);z-index:1}\n"
	"table{border-collapse:collapse;width:100%;font-size:.9375rem}\n"
	"caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}\n"
	"th,td{padding:.45rem .75rem;text-align:left;vertical-align:top;border-bottom:1px solid "
	"var(--line);overflow-wrap:break-word}\n"
	"th{font-weight:500}\nthead "
	"th{color:var(--quiet);font-size:.8125rem;line-height:1.3;font-weight:600;vertical-align:bottom}\n"
	"th:first-child{padding-left:0}\n"
	".number{text-align:right;white-space:nowrap}\n.moment{white-space:nowrap}\n"
	"tbody th{position:sticky;left:0;background:var(--ground);min-width:7.5rem;max-width:16rem}\n"
	".text{min-width:14rem;max-width:30rem;overflow-wrap:anywhere}\n"
	"svg .between{display:inline}\n.more,.none{color:var(--quiet);margin-top:.75rem;font-size:.9375rem}\n"
	"footer{margin-top:3rem;padding-top:1rem;border-top:1px solid "
	"var(--line);color:var(--quiet);font-size:.875rem}\n",
	"@media (max-width:40rem){svg .between{display:none}main{padding:1.5rem 1rem "
	"3rem}h1{font-size:1.5rem}section{margin-top:2.25rem}"
	".tiles{grid-template-columns:1fr 1fr;gap:.5rem}.tiles div{padding:.6rem .75rem}.facts "
	"div{grid-template-columns:6.5rem 1fr}th,td{padding:.45rem .5rem}tbody th{max-width:11rem}}\n"
	"@media "
	"print{:root{--ground:#fff;--card:#f5f6f8;--text:#000;--quiet:#444;--line:#bbb;--link:#000;--good:#1b7f5c;--"
	"bad:#c43a2b;"
	"--warn:#b06a00;--odd:#7650c0;--calm:#3b6fb5;--plum:#a3347c;--rest:#79828e}@page{margin:15mm}body{font-size:10."
	"5pt}main{max-width:none;padding:0}"
	"nav{display:none}section{margin-top:1.5rem}figure,tr,dl "
	"div{break-inside:avoid}.tall{max-height:none;overflow:visible}.tall thead "
	"th{position:static}h2,.about,thead{break-after:avoid}.about{break-inside:avoid}thead th{font-size:inherit}"
	"thead{display:table-header-group}.scroll{overflow:visible}table{font-size:8.5pt}th,td{padding:.2rem .35rem}"
	"tbody th{position:static;min-width:0}.text{min-width:0}"
	"svg rect,figcaption i,.tiles div{-webkit-print-color-adjust:exact;print-color-adjust:exact}}\n",
};

void page_begin(struct buf *out, struct view title)
{
	buf_add(out, VIEW_LIT("<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n"
			      "<meta charset=\"utf-8\"/>\n"
			      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
			      "'unsafe-inline'; base-uri 'none'; form-action 'none'\"/>\n"
			      "<meta name=\"referrer\" content=\"no-referrer\"/>\n"
			      "<meta name=\"robots\" content=\"noindex\"/>\n"
			      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
			      "<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>"));
	page_add_text(out, title);
	buf_add(out, VIEW_LIT("</title>\n<style>\n"));
	for (size_t i = 0; i < ARRAY_LEN(stylesheet); i++)
		buf_add(out, view_of(stylesheet[i]));
	buf_add(out, VIEW_LIT("</style>\n</head>\n<body>\n<main>\n"));
}

void page_end(struct buf *out)
{
	buf_add(out, VIEW_LIT("</main>\n</body>\n</html>\n"));
}
