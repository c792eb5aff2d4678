# verpost. `make demo` shows it at work, `make check` tests it; `make help` lists the rest.
#
# SAN=1 builds everything with AddressSanitizer and UBSan under build/asan (this is what `make check` runs).

MAKEFLAGS += --no-builtin-rules
SHELL = /bin/bash
VERSION = 0.1.0
PREFIX ?= /usr/local
DESTDIR ?=
CC = gcc
FUZZ_CC = clang-14

FLAVOUR = $(if $(SAN),asan,plain)
BUILD = build/$(FLAVOUR)

# `make V=1` shows the commands.
QUIET = $(if $(V),,@)

# ---- compiler -------------------------------------------------------------------------------------------------------

# The usual, and nothing beyond the standard.
WARNINGS = -Wall -Wextra -Wpedantic
# A length that changes its value or sign is how parsers break.
WARNINGS += -Wconversion -Wsign-conversion
# One name, one thing; whatever is not static is declared in a header; const stays const.
WARNINGS += -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wcast-qual
# Formats are literals; no misspelt macro; no stack of unknown size.
WARNINGS += -Wformat=2 -Wundef -Wvla
# Every state is handled on purpose.
WARNINGS += -Wswitch-enum -Wimplicit-fallthrough
# A warning that may stay is a warning that nobody reads.
WARNINGS += -Werror
comma = ,
SANITIZERS = $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
PACKAGES = libpq libssl libcrypto libevent libgsasl gmime-3.0 jansson inih libidn2 smartcols md4c-html md4c libxml-2.0 libpsl libunbound libseccomp zlib
# Third-party headers are system headers: their warnings are not ours to mend.
PACKAGE_CFLAGS := $(subst -I,-isystem ,$(shell pkg-config --cflags $(PACKAGES) 2>/dev/null))
PACKAGE_LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lcsv -lunistring

CPPFLAGS = -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -DVERPOST_VERSION='"$(VERSION)"' -Ilib -I. $(PACKAGE_CFLAGS)
CFLAGS = -std=c17 $(OPTIMIZE) -g -pthread -fstack-protector-strong $(WARNINGS) $(SANITIZERS)
OPTIMIZE = -O2
# Half the time of a build under the sanitizers went into making unit tests fast that run once.
$(BUILD)/tests/unit/%.o: OPTIMIZE = -O0
LDFLAGS = -pthread $(SANITIZERS)

# ---- the rooms (ARCHITECTURE.md; scripts/check-includes holds them to the include rule) --------------------------------

ROOMS = store net smtp mail base
PROGRAMS = sender bounced listctl
ROOM_LIBS = $(ROOMS:%=$(BUILD)/lib%.a)
# A static pattern rule puts its stem in place of a %, so the rules below call these instead.
objects_in = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1)/*.c))
modules_in = $(filter-out $(BUILD)/$(1)/main.o,$(call objects_in,$(1)))
room_objects = $(patsubst %.c,$(BUILD)/%.o,$(wildcard lib/$(1)/*.c))
PROGRAM_FILES = $(PROGRAMS:%=$(BUILD)/bin/%)

UNIT_TESTS = $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/*/test_*.c))
SUPPORT_FILES = $(patsubst tests/support/%/main.c,$(BUILD)/bin/%,$(wildcard tests/support/*/main.c))
PRELOADS = $(patsubst tests/support/preload/%.c,$(BUILD)/bin/%.so,$(wildcard tests/support/preload/*.c))
BENCH_FILES = $(patsubst tests/bench/%.c,$(BUILD)/bin/bench_%,$(wildcard tests/bench/*.c))
FUZZ_FILES = $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
MAN_PAGES = $(patsubst man/%.scd,build/man/%,$(wildcard man/*.scd)) build/man/verpost.conf.5 build/man/listctl.1

.DEFAULT_GOAL = all
# A half-written file is not taken for a finished one the next time.
.DELETE_ON_ERROR:
.PHONY: all demo check bench fuzz fuzz-programs install deps clean help programs tests man format test-support bench-programs

all: programs man ## build the programs and their manual pages

programs: $(PROGRAM_FILES)
tests: $(UNIT_TESTS)
test-support: $(SUPPORT_FILES) $(PRELOADS)
bench-programs: $(BENCH_FILES)
man: $(MAN_PAGES)

# Two demos at once build one after the other.
demo: ## from a fresh clone to a campaign sent, bounces received and the report shown
	@mkdir -p build
	@flock build/demo.lock scripts/deps
	@flock build/demo.lock $(MAKE) --no-print-directory -j$$(nproc) programs test-support
	@scripts/demo

check: ## all tests under the sanitizers
	@scripts/check

bench: ## messages a second beside the limit of this machine (BENCH='--only daily': other parts, scripts/bench --help)
	@scripts/deps --verify bench
	@$(MAKE) --no-print-directory programs test-support bench-programs
	@scripts/bench $(BENCH)

fuzz-programs: $(FUZZ_FILES)

fuzz: ## every fuzz target for FUZZ_SECONDS (default 600) each
	@scripts/deps --verify fuzz
	@$(MAKE) --no-print-directory fuzz-programs
	@scripts/fuzz $${FUZZ_SECONDS:-600}

deps: ## install the Debian packages that are missing
	@scripts/deps

clean: ## remove what was built, and end a demo that was left up
	@[ ! -L build/demo ] || scripts/demo stop
	rm -rf build

format: ## lay the C files out as .clang-format says
	clang-format-14 -i $$(git ls-files '*.c' '*.h')

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

DOC = $(DESTDIR)$(PREFIX)/share/doc/verpost
MAN = $(DESTDIR)$(PREFIX)/share/man
UNITS = $(DESTDIR)$(PREFIX)/lib/systemd/system
SYSUSERS = $(DESTDIR)$(PREFIX)/lib/sysusers.d

install: all ## programs, manual pages, services and an example configuration under PREFIX
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin $(DOC) $(UNITS) $(SYSUSERS)
	install -m 755 $(BUILD)/bin/sender $(DESTDIR)$(PREFIX)/sbin/verpost-sender
	install -m 755 $(BUILD)/bin/bounced $(DESTDIR)$(PREFIX)/sbin/verpost-bounced
	install -m 755 $(BUILD)/bin/listctl $(DESTDIR)$(PREFIX)/bin/listctl
	install -m 644 README.md ARCHITECTURE.md LICENSE examples/verpost.conf $(DOC)
	install -m 644 examples/verpost.sysusers $(SYSUSERS)/verpost.conf
	for unit in $(notdir $(wildcard examples/*.service examples/*.socket)); do \
	  sed 's#/usr/local/#$(PREFIX)/#' examples/$$unit >$(UNITS)/$$unit && chmod 644 $(UNITS)/$$unit || exit 1; \
	done
	for page in $(MAN_PAGES); do \
	  install -D -m 644 $$page $(MAN)/man$${page##*.}/$${page##*/} || exit 1; \
	done
	for page in sender bounced; do \
	  ln -sf $$page.8 $(MAN)/man8/verpost-$$page.8 || exit 1; \
	done

# ---- rules ------------------------------------------------------------------------------------------------------------

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC    $@")
	$(QUIET)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

# The migrations travel inside the library, so that listctl needs no files beside it.
$(BUILD)/gen/migrations.c: scripts/embed-migrations $(wildcard schema/*.sql)
	@mkdir -p $(@D)
	$(QUIET)scripts/embed-migrations schema > $@

$(BUILD)/gen/migrations.o: $(BUILD)/gen/migrations.c
	$(if $(V),,@echo "  CC    $@")
	$(QUIET)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

.SECONDEXPANSION:
$(ROOM_LIBS): $(BUILD)/lib%.a: $$(call room_objects,%) $$(if $$(filter store,$$*),$(BUILD)/gen/migrations.o)
	@rm -f $@
	$(QUIET)ar rcs $@ $^

$(PROGRAM_FILES): $(BUILD)/bin/%: $$(call objects_in,$$*) $(ROOM_LIBS)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  LINK  $@")
	$(QUIET)$(CC) $(LDFLAGS) $^ $(PACKAGE_LIBS) -o $@

# A unit test file exports Suite *test_suite(void); what stands beside it in tests/unit is linked nowhere else. A test of a
# program's own module links that program's objects without its main.
program_of = $(filter $(PROGRAMS),$(notdir $(patsubst %/,%,$(dir $(1)))))
$(UNIT_TESTS): $(BUILD)/tests/%: $(BUILD)/tests/%.o $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/support/*.c)) \
    $$(if $$(call program_of,$$*),$$(call modules_in,$$(call program_of,$$*))) $(ROOM_LIBS)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  LINK  $@")
	$(QUIET)$(CC) $(LDFLAGS) $^ $(PACKAGE_LIBS) $(shell pkg-config --libs check 2>/dev/null) -o $@

$(SUPPORT_FILES): $(BUILD)/bin/%: $$(call objects_in,tests/support/$$*) $(ROOM_LIBS)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  LINK  $@")
	$(QUIET)$(CC) $(LDFLAGS) $^ $(PACKAGE_LIBS) -o $@

# Loaded before AddressSanitizer, and so without it. RTLD_NEXT is GNU's.
$(PRELOADS): $(BUILD)/bin/%.so: tests/support/preload/%.c
	@mkdir -p $(@D)
	$(if $(V),,@echo "  LINK  $@")
	$(QUIET)$(CC) $(CPPFLAGS) -D_GNU_SOURCE $(filter-out $(SANITIZERS),$(CFLAGS)) -fPIC -shared $< -o $@

$(BENCH_FILES): $(BUILD)/bin/bench_%: $(BUILD)/tests/bench/%.o $(ROOM_LIBS)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  LINK  $@")
	$(QUIET)$(CC) $(LDFLAGS) $^ $(PACKAGE_LIBS) -o $@

# Fuzz targets: clang's libFuzzer over the pure rooms, which are compiled once, apart from the rest. A target of a program's module
# names that program's files in FUZZ_MORE.
FUZZ_FLAGS = -std=c17 -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_ROOM = $(patsubst %.c,build/fuzz/obj/%.o,$(wildcard lib/base/*.c lib/mail/*.c lib/smtp/*.c))
FUZZ_MORE_fuzz_sheet = $(patsubst %,build/fuzz/obj/listctl/%.o,sheet attribute_header json_walk csv_guard output_text column_names known_exports standing field_types field_date json_text)
FUZZ_MORE_fuzz_jsonpath = $(patsubst %,build/fuzz/obj/listctl/%.o,jsonpath jsonpath_look jsonpath_remedy jsonpath_token)
FUZZ_MORE_fuzz_csv = $(patsubst %,build/fuzz/obj/listctl/%.o,csv_import line_cutter columns columns_wishes columns_row columns_state columns_object attribute_header column_names known_exports standing field_types field_date json_text json_walk encoding csv_guard output_text)
FUZZ_MORE_fuzz_columns = $(patsubst %,build/fuzz/obj/listctl/%.o,columns columns_wishes columns_row columns_state columns_object attribute_header column_names known_exports standing field_types field_date json_text json_walk csv_guard output_text)
FUZZ_MORE_fuzz_people_file = $(patsubst %,build/fuzz/obj/listctl/%.o,people_file attribute_header field_types field_date output_text input gunzip progress sniff address_lines first_rows json_array json_cells json_lines json_text json_walk csv_import line_cutter column_names encoding csv_guard)
FUZZ_MORE_fuzz_mbox = build/fuzz/obj/listctl/mbox.o
FUZZ_MORE_fuzz_record = $(patsubst %,build/fuzz/obj/bounced/%.o,record insight gate)
FUZZ_MORE_fuzz_insight = $(patsubst %,build/fuzz/obj/bounced/%.o,insight_wire insight)
FUZZ_MORE_fuzz_journal = $(patsubst %,build/fuzz/obj/sender/%.o,journal journal_file journal_record checksum uuid)
FUZZ_MORE_fuzz_proxy_header = $(patsubst %,build/fuzz/obj/lib/net/%.o,proxy_header endpoint)

build/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(if $(V),,@echo "  FUZZ  $@")
	$(QUIET)$(FUZZ_CC) $(CPPFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c $< -o $@

$(FUZZ_FILES): build/fuzz/%: build/fuzz/obj/tests/fuzz/%.o $$(FUZZ_MORE_%) $(FUZZ_ROOM)
	$(if $(V),,@echo "  LINK  $@")
	$(QUIET)$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer $^ $(PACKAGE_LIBS) -o $@

build/man/%: man/%.scd
	@mkdir -p $(@D)
	$(if $(V),,@echo "  MAN   $@")
	$(QUIET)scdoc < $< > $@

# verpost.conf(5): a hand-written frame around the rows that the program itself prints.
build/man/verpost.conf.5: man/verpost.conf.5.head man/verpost.conf.5.tail $(BUILD)/bin/listctl
	@mkdir -p $(@D)
	$(if $(V),,@echo "  MAN   $@")
	$(QUIET)(cat man/verpost.conf.5.head; $(BUILD)/bin/listctl --settings; cat man/verpost.conf.5.tail) | scdoc > $@

# listctl(1): likewise, around the verbs' own rows.
build/man/listctl.1: man/listctl.1.head man/listctl.1.tail $(BUILD)/bin/listctl
	@mkdir -p $(@D)
	$(if $(V),,@echo "  MAN   $@")
	$(QUIET)(cat man/listctl.1.head; $(BUILD)/bin/listctl --manual; cat man/listctl.1.tail) | scdoc > $@

-include $(shell find $(BUILD) build/fuzz/obj -name '*.d' 2>/dev/null)
