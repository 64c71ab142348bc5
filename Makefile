# SPDX-License-Identifier: Apache-2.0
# vczfs
#
#   make            build/vczfs and build/vczfs-encoderd
#   make deps       install the Debian packages that building needs; make deps-test: those of the tests, too
#   make demo       mount a store made for the purpose, read it with plink and plink2
#   make check      every test, in tiers: check-unit, check-fuzz, check-tsan, check-e2e, check-drills
#   make lint       what can be told from the text: faults, which file needs which, how it is set; make deps-lint: the tools
#   make check-world  against bio2zarr, vcztools, biofuse and other programs from outside Debian
#   make check-arm64  unit tests of an arm64 build, under qemu
#   make soak       the drills, as long as it takes: an hour or so
#   make fuzz       libFuzzer on everything that parses, FUZZ_SECONDS each
#   make bench      ratios measured in one run; BEFORE=DIR: and against the vczfs and vczfs-encoderd that lie there
#   make install    into $(DESTDIR)$(prefix); make uninstall takes it away again
#
# V=1 shows the commands. SAN=address,undefined or SAN=thread builds with sanitizers, into a directory of its own.

prefix      ?= /usr/local
bindir      ?= $(prefix)/bin
libexecdir  ?= $(prefix)/libexec
mandir      ?= $(prefix)/share/man
completiondir ?= $(prefix)/share/bash-completion/completions
unitdir     ?= $(prefix)/lib/systemd/system
examplesdir ?= $(prefix)/share/doc/vczfs
# Under somebody's home nothing else is theirs to write to. mount(8) looks for helpers in /sbin alone.
at_home     := $(and $(HOME),$(filter-out /,$(HOME)),$(filter $(HOME)/%,$(prefix)/))
sysconfdir  ?= $(if $(at_home),$(prefix)/etc,/etc)
helperdir   ?= $(if $(at_home),$(prefix)/sbin,/sbin)

V     ?=
quiet  = $(if $(V),,@echo '  $(1) $(patsubst $(BUILD)/%,%,$@)';)
SAN   ?=
comma := ,
BUILD ?= build$(if $(SAN),/$(subst $(comma),-,$(SAN)))

CC       ?= cc
OPT      ?= -O2 -g
WARN     := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wconversion -Wstrict-prototypes -Wvla
HARDEN   := -fstack-protector-strong -fPIE $(if $(SAN),,-D_FORTIFY_SOURCE=2)
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
CPPFLAGS += -D_GNU_SOURCE -I. -DVCZFS_LIBEXECDIR='"$(libexecdir)"'
CFLAGS   ?= $(OPT)
CFLAGS   += -std=c17 $(WARN) $(HARDEN) $(SANFLAGS) -fno-common -pthread -MMD -MP
LDFLAGS  += -pie -Wl,-z,relro,-z,now -pthread $(SANFLAGS)

# msgpack-c has had three names.
MSGPACK     := $(or $(shell for p in msgpack msgpack-c msgpackc; do pkg-config --exists $$p 2>/dev/null && echo $$p && break; done),msgpack)
PKG_COMMON  := libevent libevent_pthreads $(MSGPACK)
PKG_FRONT   := fuse3
PKG_ENCODER := libseccomp libzstd blosc jansson zlib libdeflate liblz4 sqlite3
pkg = $(shell pkg-config $(1) $(2) 2>/dev/null)

# What is said of the formats is for both programs.
DECLARED    := $(wildcard encoderd/format/declared/*.c)
COMMON_SRC  := $(wildcard common/*.c proto/*.c) $(DECLARED)
FRONT_SRC   := $(wildcard fused/*.c fused/*/*.c)
ENCODER_SRC := $(filter-out $(DECLARED),$(wildcard encoderd/*.c encoderd/*/*.c encoderd/*/*/*.c))
TOOLS       := $(patsubst tests/tools/%.c,$(BUILD)/tools/%,$(wildcard tests/tools/*.c))
FUZZ        := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
UNIT        := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
COMMON_OBJ  := $(call obj,$(COMMON_SRC))
FRONT_OBJ   := $(call obj,$(FRONT_SRC))
ENCODER_OBJ := $(call obj,$(ENCODER_SRC))
# Everything but the two mains: what unit tests, tools and fuzzers link.
FRONT_LIB   := $(filter-out $(BUILD)/obj/fused/main.o,$(FRONT_OBJ))
ENCODER_LIB := $(filter-out $(BUILD)/obj/encoderd/main.o,$(ENCODER_OBJ))

LIBS_FRONT   = $(call pkg,--libs,$(PKG_COMMON) $(PKG_FRONT))
LIBS_ENCODER = $(call pkg,--libs,$(PKG_COMMON) $(PKG_ENCODER)) -lm
LIBS_ALL     = $(call pkg,--libs,$(PKG_COMMON) $(PKG_FRONT) $(PKG_ENCODER)) -lm

DEPS_BUILD := gcc make pkg-config libfuse3-dev fuse3 libevent-dev libmsgpack-dev libzstd-dev \
              libblosc-dev libjansson-dev zlib1g-dev libdeflate-dev liblz4-dev libseccomp-dev libsqlite3-dev
DEPS_FUZZ  := clang libclang-rt-14-dev python3 zstd
DEPS_LINT  := clang clang-format clang-tidy cppcheck shellcheck pyflakes3 mandoc python3 git libcmocka-dev
DEPS_ARM64 := gcc-aarch64-linux-gnu qemu-user
DEPS_TEST  := mount libcmocka-dev python3 python3-pytest python3-pytest-xdist plink1.9 plink2 bcftools fio zstd tar attr \
              procps util-linux sqlite3 bolt-lmm systemd stress-ng mandoc man-db strace

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all tools unit fuzzers replayers deps deps-test deps-demo deps-fuzz deps-bench deps-world vectors demo check \
        check-world check-arm64 deps-arm64 check-unit check-e2e check-drills check-tsan check-fuzz corpus bench fuzz soak install uninstall clean \
        deps-lint lint arrows failure tags layout texts tidy cppcheck shellcheck pyflakes mandoc compilers

all: $(BUILD)/vczfs $(BUILD)/vczfs-encoderd

$(BUILD)/vczfs: $(BUILD)/obj/fused/main.o $(BUILD)/front.a $(BUILD)/common.a
	$(call quiet,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_FRONT)

$(BUILD)/vczfs-encoderd: $(BUILD)/obj/encoderd/main.o $(BUILD)/encoder.a $(BUILD)/common.a
	$(call quiet,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_ENCODER)

$(BUILD)/common.a: $(COMMON_OBJ)
$(BUILD)/front.a: $(FRONT_LIB)
$(BUILD)/encoder.a: $(ENCODER_LIB)
$(BUILD)/%.a:
	@rm -f $@
	$(call quiet,AR)$(AR) rcs $@ $^

$(BUILD)/obj/%.o: %.c | $(BUILD)/libraries
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(CPPFLAGS) $(call pkg,--cflags,$(PKG_COMMON) $(PKG_FRONT) $(PKG_ENCODER)) $(CFLAGS) -c -o $@ $<

# Says at once, and once, which libraries are missing.
$(BUILD)/libraries: Makefile
	@mkdir -p $(@D)
	@missing=; for p in $(PKG_COMMON) $(PKG_FRONT) $(PKG_ENCODER); do \
	    pkg-config --exists $$p 2>/dev/null || missing="$$missing $$p"; \
	done; \
	if [ -n "$$missing" ]; then \
	    command -v pkg-config >/dev/null || echo 'pkg-config is not installed.' >&2; \
	    echo "vczfs is built with libraries that pkg-config does not find:$$missing" >&2; \
	    echo "On Debian and Ubuntu 'make deps' installs them." >&2; exit 1; \
	fi
	@touch $@

tools: $(TOOLS)
unit: $(UNIT)
fuzzers: $(FUZZ:%=$(BUILD)/fuzz/%)
replayers: $(FUZZ:%=$(BUILD)/replay/%)

$(BUILD)/tools/%: $(BUILD)/obj/tests/tools/%.o $(BUILD)/encoder.a $(BUILD)/front.a $(BUILD)/common.a
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_ALL)

$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/encoder.a $(BUILD)/front.a $(BUILD)/common.a
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_ALL) $(call pkg,--libs,cmocka)

# It says itself what a cell needs.
$(BUILD)/unit/test_sched_waits: LDFLAGS += -Wl,--wrap=encode_need,--wrap=cell_need_clear
# It says itself how long a chunk takes, and what the store waited for.
$(BUILD)/unit/test_ahead: LDFLAGS += -Wl,--wrap=chunk_warm,--wrap=store_counts

# A target is linked to libFuzzer (with clang: see fuzz), or to replay.c (with anything).
$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/encoder.a $(BUILD)/front.a $(BUILD)/common.a
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS_ALL)

$(BUILD)/replay/%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/obj/tests/fuzz/replay.o \
                   $(BUILD)/encoder.a $(BUILD)/front.a $(BUILD)/common.a
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_ALL)

# Where the encoder will be is part of the program: `make install prefix=/usr` after `make` has it right, too.
.PHONY: force
$(BUILD)/libexecdir: force
	@mkdir -p $(@D)
	@echo '$(libexecdir)' | cmp -s - $@ || echo '$(libexecdir)' >$@
$(BUILD)/obj/fused/encoder/encoder_start.o $(BUILD)/obj/fused/cli/option_table.o: $(BUILD)/libexecdir

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# ---- Setting up ------------------------------------------------------------------------------

deps: NEEDED = $(DEPS_BUILD)
deps-test: NEEDED = $(DEPS_BUILD) $(DEPS_TEST)
deps-demo: NEEDED = $(DEPS_BUILD) plink1.9 plink2
deps-arm64: NEEDED = $(DEPS_BUILD) $(DEPS_ARM64)
deps-lint: NEEDED = $(DEPS_BUILD) $(DEPS_LINT)
deps-fuzz: NEEDED = $(DEPS_BUILD) $(DEPS_FUZZ)
deps-bench: NEEDED = $(DEPS_BUILD) python3 plink1.9 plink2 strace valgrind

deps-world: NEEDED = $(DEPS_BUILD) $(DEPS_TEST) python3-venv debootstrap ca-certificates git

deps deps-test deps-arm64 deps-lint deps-demo deps-fuzz deps-bench deps-world:
	@installed=$$(dpkg-query -W -f='$${db:Status-Status}, $${Package}, $${Provides},\n' | sed -n 's/^installed//p'); \
	missing=; for p in $(NEEDED); do \
	    echo "$$installed" | grep -q ", $$p[ ,]" || missing="$$missing $$p"; \
	done; \
	if [ -n "$$missing" ]; then \
	    echo "installing:$$missing"; \
	    [ "$$(id -u)" = 0 ] && run= || run=sudo; \
	    $$run apt-get update -qq && \
	    $$run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi

vectors: build/vectors/cases.tsv
build/vectors/cases.tsv: tests/data/vectors.tar.zst
	@mkdir -p $(@D)
	tar --zstd -xf $< -C $(@D) --no-same-owner
	@touch $@

# ---- Trying and testing ----------------------------------------------------------------------

TEST_ENV = VCZFS_BUILD=$(BUILD) VCZFS_VECTORS=build/vectors
# Tests that start threads: what the thread sanitizer is for.
TSAN_TESTS := sched ahead chunk_need sched_waits block_cache parallel bed phase_cache zarr_pipeline zarr_spill store_ranges

demo: deps-demo
	@$(MAKE) --no-print-directory -s -j$$(nproc) all tools
	@tests/tools/demo.sh $(BUILD)

lint: arrows failure tags texts layout tidy cppcheck shellcheck pyflakes mandoc

# Whether a tool is there; if not, the line that says that nothing was looked at.
there = command -v $(1) >/dev/null || { echo '$@: $(1) is not installed (make deps-lint): not looked at'; exit 0; }
# Where git lists nothing, a name that no tool can open: to look at nothing is a failure.
files = $$(git -c safe.directory='*' ls-files $(1) | grep . || echo nothing-that-git-lists)

# How a failure is tested: one way, over the tree.
failure:
	@/usr/bin/python3 tests/tools/failure.py

# Does each struct's tag stand for one thing?
tags:
	@/usr/bin/python3 tests/tools/tags.py

# Which file needs which: tests/tools/arrows.py says what is held to.
arrows: all
	@/usr/bin/python3 tests/tools/arrows.py $(BUILD)

# Licence lines, and the width of lines.
texts:
	@/usr/bin/python3 tests/tools/texts.py

layout:
	@$(call there,clang-format); clang-format --dry-run -Werror $(call files,'*.[ch]')

# .clang-tidy says which checks, and why these.
tidy:
	@mkdir -p $(BUILD)
	@$(call there,clang-tidy); printf '%s\n' $(call files,'*.c' ':!tests/toy') | xargs -P "$$(nproc)" -n 8 sh -c \
	    'clang-tidy --quiet "$$@" -- -D_GNU_SOURCE -I. -DVCZFS_LIBEXECDIR=\"\" -std=c17 \
	        $(call pkg,--cflags,$(PKG_COMMON) $(PKG_FRONT) $(PKG_ENCODER))' sh 2>$(BUILD)/tidy.log || \
	    { cat $(BUILD)/tidy.log; exit 1; }

# It knows neither the attribute cleanup (memleak) nor statements in expressions (the other two).
cppcheck:
	@$(call there,cppcheck); cppcheck --quiet -j "$$(nproc)" --error-exitcode=1 --inline-suppr --std=c11 \
	    --enable=warning,performance,portability --suppress=memleak --suppress=internalAstError --suppress=cppcheckError \
	    --include=$$(echo '#include <sys/queue.h>' | $(CC) -E -M -xc - | tr ' ' '\n' | grep 'sys/queue.h') \
	    -D_GNU_SOURCE -D__x86_64__ -D__BYTE_ORDER__=1234 -D__ORDER_LITTLE_ENDIAN__=1234 -I. common proto fused encoderd

shellcheck:
	@$(call there,shellcheck); shellcheck $(call files,'*.sh' .ci/run fused/mount.vczfs)

pyflakes:
	@$(call there,pyflakes3); pyflakes3 $(call files,'*.py')

mandoc:
	@$(call there,mandoc); mandoc -T lint -W warning man/*.[1-8]

# No warning of gcc's, nor of clang's, in whatever of these is there.
compilers:
	@$(call there,clang); $(MAKE) -s -j$$(nproc) BUILD=build/clang CC=clang OPT='-O2 -g -Werror' all tools unit
	@$(call there,gcc); $(MAKE) -s -j$$(nproc) CC=gcc OPT='-O2 -g -Werror' all tools unit

# A make of its own for each tier: what a tier needs may only have been installed by deps-test.
check: deps-test
	$(MAKE) -j$$(nproc) all tools unit vectors
	$(MAKE) -j$$(nproc) SAN=address,undefined all tools unit replayers
	$(MAKE) -j$$(nproc) SAN=thread $(patsubst %,build/thread/unit/test_%,$(TSAN_TESTS))
	$(MAKE) check-unit
	$(MAKE) SAN=address,undefined check-unit check-fuzz
	$(MAKE) SAN=thread check-tsan
	$(MAKE) check-e2e
	$(MAKE) SAN=address,undefined check-e2e
	$(MAKE) check-drills
	$(MAKE) SAN=address,undefined check-drills

units = $(TEST_ENV) tests/tools/units.sh '$@$(if $(SAN), ($(SAN)))'

check-unit: all tools unit vectors $(if $(SAN),,arrows)
	@$(units) $(UNIT)

# Whatever SAN says: without the sanitizer it would look at nothing.
check-tsan: vectors
	@$(MAKE) -s -j$$(nproc) SAN=thread $(patsubst %,build/thread/unit/test_%,$(TSAN_TESTS))
	@VCZFS_BUILD=build VCZFS_VECTORS=build/vectors tests/tools/units.sh '$@' \
	    $(patsubst %,build/thread/unit/test_%,$(TSAN_TESTS))

# What is skipped is named at the end with its reason, and the ten slowest tests.
PYTEST := /usr/bin/python3 -m pytest -q -p no:cacheprovider -rs --durations=10
# Tests wait for deadlines and for processes to end: twice as many as processors keep these busy.
SIDE_BY_SIDE := -n $$(($$(nproc) * 2)) --dist
DRILLS := $(wildcard tests/e2e/test_drill_*.py)
# These measure time and memory, and so have the machine to themselves; sanitizers leave nothing to measure.
MEASURING := $(if $(SAN),,$(patsubst %,tests/e2e/test_drill_%.py,crash log memory overload))

check-e2e: all tools vectors
	@echo "== $@$(if $(SAN), ($(SAN)))"
	@$(TEST_ENV) $(PYTEST) $(SIDE_BY_SIDE) loadfile $(DRILLS:%=--ignore=%) tests/e2e

check-drills: all tools vectors
	@echo "== $@$(if $(SAN), ($(SAN)))"
	@$(TEST_ENV) $(PYTEST) $(SIDE_BY_SIDE) load $(filter-out $(MEASURING),$(DRILLS))
	@$(if $(MEASURING),$(TEST_ENV) $(PYTEST) $(MEASURING))

# Programs from PyPI and the Go module proxy, in WORLD; bare Debians, too.
WORLD ?= build/world
world = $(TEST_ENV) VCZFS_WORLD=$(abspath $(WORLD)) $(PYTEST) tests/world

check-world: deps-world
	$(MAKE) -j$$(nproc) all tools vectors
	@echo "== $@"
	@tests/world/setup.sh $(WORLD)
	@$(world)

# Decoding and encoding, threads, and the messages; none that needs long, or that tries what qemu lacks (seccomp).
ARM64_TESTS := bed bgen bgen_calls bgen_row calls cpu crc32c extract narrow parallel plan plink proto row_map sched \
               select_parts vcz zarr_blosc1 zarr_chunk zarr_constant zarr_meta zarr_vectors zstd_zeros

check-arm64: vectors
	@echo "== $@"
	@$(TEST_ENV) tests/tools/arm64.sh build/arm64 $(filter %-dev,$(DEPS_BUILD)) libcmocka-dev -- $(ARM64_TESTS)

soak: deps-world
	$(MAKE) -j$$(nproc) all tools vectors
	$(TEST_ENV) VCZFS_SOAK=1 $(PYTEST) $(DRILLS)
	@tests/world/setup.sh $(WORLD)
	@VCZFS_SOAK=1 $(world)

# Made from the vectors, or by hand.
seeds = $$(ls -d build/corpus/$(1) tests/fuzz/corpus/$(1) 2>/dev/null)

# Seeds, and every input that ever failed.
check-fuzz: replayers corpus
	@for target in $(FUZZ); do \
	    $(TEST_ENV) $(BUILD)/replay/$$target $(call seeds,$$target) \
	        $$(ls -d tests/fuzz/regressions/$$target 2>/dev/null) || exit 1; \
	done
	@VCZFS_SEEDS_ARE_VALID=1 $(BUILD)/replay/proto build/corpus/proto

corpus: vectors
	@/usr/bin/python3 tests/fuzz/make_corpus.py build/vectors build/corpus

# What fails is kept in tests/fuzz/regressions and belongs into the next commit.
FUZZ_SECONDS ?= 60
FUZZ_SAN     := fuzzer-no-link,address,undefined
fuzz: deps-fuzz corpus
	@CPPFLAGS=-D__SANITIZE_ADDRESS__ $(MAKE) -s -j$$(nproc) CC=clang SAN=$(FUZZ_SAN) fuzzers
	@for target in $(FUZZ); do \
	    mkdir -p tests/fuzz/regressions/$$target build/found/$$target; \
	    echo "== $$target"; \
	    $(TEST_ENV) build/$(subst $(comma),-,$(FUZZ_SAN))/fuzz/$$target -max_total_time=$(FUZZ_SECONDS) \
	        -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
	        $$(ls tests/fuzz/$$target.dict 2>/dev/null | sed s/^/-dict=/) \
	        -artifact_prefix=tests/fuzz/regressions/$$target/ \
	        build/found/$$target $(call seeds,$$target) || exit 1; \
	    rmdir --ignore-fail-on-non-empty tests/fuzz/regressions/$$target; \
	done

bench: deps-bench
	@$(MAKE) --no-print-directory -s -j$$(nproc) all tools
	@VCZFS_BUILD=$(BUILD) /usr/bin/python3 tests/bench/bench.py $(BENCH_ARGS)
	@VCZFS_BUILD=$(BUILD) /usr/bin/python3 tests/bench/distance.py $(BEFORE:%=--before %) $(DISTANCE_ARGS)
	@$(if $(BEFORE),VCZFS_BUILD=$(BUILD) /usr/bin/python3 tests/bench/pairs.py --before $(BEFORE) $(PAIRS_ARGS))

# ---- Installing ------------------------------------------------------------------------------

UNITS := vczfs@.service vczfs-encoderd@.service vczfs-encoderd@.socket
MANUALS := man1/vczfs.1 man7/vczfs-protocol.7 man8/vczfs-encoderd.8
with_places = sed -e 's|@bindir@|$(bindir)|g' -e 's|@libexecdir@|$(libexecdir)|g' -e 's|@sysconfdir@|$(sysconfdir)|g'
helper_note = mount.vczfs is in $(helperdir), where mount(8) does not look: that takes root, and a prefix like /usr/local
installed = $(addprefix $(DESTDIR),$(bindir)/vczfs $(libexecdir)/vczfs-encoderd $(MANUALS:%=$(mandir)/%) \
    $(completiondir)/vczfs $(UNITS:%=$(unitdir)/%) $(examplesdir)/example.conf $(helperdir)/mount.vczfs $(helperdir)/mount.fuse.vczfs)

install: all
	install -d $(sort $(dir $(installed))) $(DESTDIR)$(sysconfdir)/vczfs
	install -m 755 $(BUILD)/vczfs $(DESTDIR)$(bindir)/vczfs
	install -m 755 $(BUILD)/vczfs-encoderd $(DESTDIR)$(libexecdir)/vczfs-encoderd
	for page in $(MANUALS); do \
	    $(with_places) man/$${page#*/} >$(DESTDIR)$(mandir)/$$page && \
	    chmod 644 $(DESTDIR)$(mandir)/$$page || exit 1; \
	done
	$(BUILD)/vczfs --completion >$(DESTDIR)$(completiondir)/vczfs
	chmod 644 $(DESTDIR)$(completiondir)/vczfs
	install -m 644 fused/systemd/example.conf $(DESTDIR)$(examplesdir)/example.conf
	for unit in $(UNITS); do \
	    $(with_places) fused/systemd/$$unit >$(DESTDIR)$(unitdir)/$$unit && \
	    chmod 644 $(DESTDIR)$(unitdir)/$$unit || exit 1; \
	done
	$(with_places) fused/mount.vczfs >$(DESTDIR)$(helperdir)/mount.vczfs
	chmod 755 $(DESTDIR)$(helperdir)/mount.vczfs
	ln -sf mount.vczfs $(DESTDIR)$(helperdir)/mount.fuse.vczfs
	@$(if $(at_home),echo '$(helper_note)',:)

# Configuration that somebody wrote stays.
uninstall:
	@test -e $(DESTDIR)$(bindir)/vczfs || \
	    echo 'there is no $(DESTDIR)$(bindir)/vczfs: uninstall takes the prefix=, and the DESTDIR=, that install was given'
	rm -f $(installed)
	rmdir --ignore-fail-on-non-empty $(DESTDIR)$(examplesdir) $(DESTDIR)$(sysconfdir)/vczfs 2>/dev/null || :

clean:
	rm -rf build
