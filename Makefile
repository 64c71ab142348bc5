# vczfs: one Makefile, no recursion.
#
#   make            build/vczfs and build/vczfs-encoderd
#   make deps       install the Debian packages that are missing
#   make demo       mount a store made for the purpose, read it with plink and plink2
#   make check      every test; ends on the runners' own summaries
#   make bench      ratios measured in one run
#   make install    into $(DESTDIR)$(prefix)
#
# SAN=address,undefined or SAN=thread builds with sanitizers, into a directory of its own.

prefix     ?= /usr/local
bindir     ?= $(prefix)/bin
libexecdir ?= $(prefix)/libexec
mandir     ?= $(prefix)/share/man

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

PKG_COMMON  := libevent libevent_pthreads msgpack
PKG_FRONT   := fuse3
PKG_ENCODER := libzstd blosc jansson zlib libdeflate liblz4
pkg = $(shell pkg-config $(1) $(2) 2>/dev/null)

COMMON_SRC  := $(wildcard common/*.c proto/*.c)
FRONT_SRC   := $(wildcard fused/*.c)
ENCODER_SRC := $(wildcard encoderd/*.c encoderd/*/*.c)
TOOLS       := $(patsubst tests/tools/%.c,$(BUILD)/tools/%,$(wildcard tests/tools/*.c))
UNIT        := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
COMMON_OBJ  := $(call obj,$(COMMON_SRC))
FRONT_OBJ   := $(call obj,$(FRONT_SRC))
ENCODER_OBJ := $(call obj,$(ENCODER_SRC))
# Everything but the two mains: what unit tests, tools and fuzzers link.
FRONT_LIB   := $(filter-out $(BUILD)/obj/fused/main.o,$(FRONT_OBJ))
ENCODER_LIB := $(filter-out $(BUILD)/obj/encoderd/main.o,$(ENCODER_OBJ))

LIBS_FRONT   = $(call pkg,--libs,$(PKG_COMMON) $(PKG_FRONT))
LIBS_ENCODER = $(call pkg,--libs,$(PKG_COMMON) $(PKG_ENCODER))
LIBS_ALL     = $(call pkg,--libs,$(PKG_COMMON) $(PKG_FRONT) $(PKG_ENCODER))

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all deps demo check check-unit check-e2e check-asan check-tsan bench fuzz install clean tools

all: $(BUILD)/vczfs $(BUILD)/vczfs-encoderd

$(BUILD)/vczfs: $(FRONT_OBJ) $(COMMON_OBJ)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_FRONT)

$(BUILD)/vczfs-encoderd: $(ENCODER_OBJ) $(COMMON_OBJ)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_ENCODER)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(call pkg,--cflags,$(PKG_COMMON) $(PKG_FRONT) $(PKG_ENCODER)) $(CFLAGS) -c -o $@ $<

tools: $(TOOLS)

$(BUILD)/tools/%: $(BUILD)/obj/tests/tools/%.o $(ENCODER_LIB) $(COMMON_OBJ)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_ALL)

$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(ENCODER_LIB) $(FRONT_LIB) $(COMMON_OBJ)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_ALL) $(call pkg,--libs,cmocka)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
