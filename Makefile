# SPDX-License-Identifier: BSD-2-Clause
# Segue. `make help` lists what there is; V=1 shows the commands; SAN=1 builds with sanitizers.
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

SAN ?= 0
V ?= 0
B := $(if $(filter 1,$(SAN)),build/san,build)
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-8s %s\n' '$(1)' '$(2)')

SEGUE_VERSION := 0.1.0
PREFIX ?= /usr/local
DESTDIR ?=
LIBDIR ?= $(PREFIX)/lib
OBJECT_DIR ?= $(LIBDIR)/segue
MANDIR ?= $(PREFIX)/share/man

CC := gcc
CLANG := clang
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
WARN := -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes -Wstrict-prototypes
CFLAGS := -std=c17 -O2 -g $(WARN) -D_GNU_SOURCE -Iinclude -fno-omit-frame-pointer $(EXTRA_CFLAGS)
LDFLAGS := $(EXTRA_LDFLAGS)
LDLIBS_RELAY := -lbpf -lelf -lmnl
ifeq ($(SAN),1)
CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDFLAGS += -fsanitize=address,undefined
endif

all: # filled by the fragments below
.PHONY: all

BPF_OBJECTS :=
PROGRAMS :=
LIBRARIES :=
# Test programs and scripts that `make check` runs: each prints TAP.
TESTS :=
TEST_PROGRAMS :=

include bpf/build.mk
include relay/build.mk
include controller/build.mk
include $(sort $(wildcard tools/*/build.mk))
include package/build.mk
include $(sort $(wildcard tests/*/build.mk))

all: $(BPF_OBJECTS) $(LIBRARIES) $(PROGRAMS)
	@:

$(B)/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(shell find $(B) -name 'package-root*' -prune -o -type f -name '*.d' -print 2>/dev/null)

# ---- set-up: apt packages by purpose, from packages.txt ---------------------------------------
setup-build setup-check setup-demo setup-run setup-bench setup-kernels setup-deb setup-package: setup-%:
	@./tests/lib/setup $*
.PHONY: setup-build setup-check setup-demo setup-run setup-bench setup-kernels setup-deb setup-package

# As many compilers as processors, where nobody said -j.
JOBS = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))

# ---- the commands of the README ------------------------------------------------------------------
build: setup-build
	$(Q)$(MAKE) --no-print-directory $(JOBS) all
.PHONY: build

# Everything, once plain and once under sanitizers; ends with "N passed, N failed, N skipped".
check: setup-check
	@echo 'check: builds everything, plain and with sanitizers, then runs every test (minutes)'
	$(Q)$(MAKE) --no-print-directory $(JOBS) all check-programs
	$(Q)$(MAKE) --no-print-directory $(JOBS) SAN=1 all check-programs
	$(Q)./tests/run $(TESTS)
.PHONY: check

check-programs: $(TEST_PROGRAMS)
	@:
.PHONY: check-programs

# MODE=generic: without XDP in the driver, as where a NIC has none.
MODE ?= native
demo: setup-demo
	@echo 'demo: builds, then a call moves from one network to another and back (20 s)'
	$(Q)$(MAKE) --no-print-directory $(JOBS) all demo-programs
	$(Q)./tests/demo/run $(MODE)
.PHONY: demo

demo-programs: $(DEMO_PROGRAMS)
	@:
.PHONY: demo-programs

# segued on this machine's own NIC, in the foreground; its files are in build/run.
run: setup-run
	$(Q)$(MAKE) --no-print-directory $(JOBS) all
	$(Q)./controller/run
.PHONY: run

# PARTS="sip lookup": only these, see tests/bench/run.
PARTS ?=
bench: setup-bench
	@echo 'bench: builds, then measures relay, handover and signalling beside their peers (6 minutes)'
	$(Q)$(MAKE) --no-print-directory $(JOBS) all bench-programs
	$(Q)./tests/bench/run $(PARTS)
.PHONY: bench

bench-programs: $(BENCH_PROGRAMS)
	@:
.PHONY: bench-programs

check-kernels: setup-kernels
	@echo 'check-kernels: builds, then runs the kernel tests on other kernels in qemu (minutes)'
	$(Q)$(MAKE) --no-print-directory $(JOBS) all check-programs
	$(Q)./tests/kernels/run
.PHONY: check-kernels

lint: setup-check
	$(Q)./tests/lib/lint
.PHONY: lint

clean:
	$(Q)rm -rf build
.PHONY: clean

help:
	@echo 'sudo make demo           a call moves between two networks and back (under a minute)'
	@echo 'sudo make run            the SIP controller on this machine, for phones to register with'
	@echo 'sudo make check          all tests'
	@echo 'sudo make bench          cost and rate beside the limit and the peers'
	@echo 'sudo make check-kernels  the kernel tests on Debian'"'"'s 6.1 and 6.12 in qemu'
	@echo 'make all                 build only (build/)      make lint      formatting and static checks'
	@echo 'make install             PREFIX=/usr/local DESTDIR= OBJECT_DIR= SYSCONFDIR=/etc'
	@echo 'make deb                 a Debian package, in build/deb'
	@echo 'sudo make check-package  installs that package in a Debian of its own, runs it, and removes it'
.PHONY: help
