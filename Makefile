# Builds Wirebed, its tests and its benchmarks.
# SPDX-License-Identifier: MIT
#
#   make                   the program, ./wirebed, and build/release/libwirebed-stack.a
#   make VARIANT=debug     the same in build/debug/: poisoned packets, tiny slabs
#   make help              everything else
#
# Objects live in BUILD/VARIANT/, one tree of them per variant. A source file is
# found by its folder; a new folder inside stack/ or sim/ needs no change here.
# A change of compiler or flags rebuilds what it must (the file `flags`).

VARIANT ?= release
BUILD   ?= build
OUT     := $(BUILD)/$(VARIANT)
PREFIX  ?= /usr/local

ifeq ($(origin CC),default)
CC := gcc
endif
AR         ?= ar
PKG_CONFIG ?= pkg-config
CLANG      ?= clang
MAKEFLAGS  += --no-builtin-rules --no-print-directory
# All processors, unless told otherwise; what checks say comes in one piece.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS  += --jobs=$(shell nproc) \
              $(if $(filter test check,$(MAKECMDGOALS)),--output-sync=target)
endif
ifneq ($(filter clean,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif

# V=1 shows whole commands.
ifeq ($(V),)
Q   := @
say  = @echo '  $(1) $@'
endif

# --- Flags ------------------------------------------------------------------

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
            -Wmissing-prototypes -Wconversion -Wno-sign-conversion -Wvla
ALL_CPPFLAGS := -I. -D_GNU_SOURCE $(CPPFLAGS)
ALL_CFLAGS   := -std=c17 $(WARNINGS) -ffp-contract=off

FLAGS_release  := -O2 -g
FLAGS_debug    := -Og -g -DWIREBED_DEBUG
# The sanitizers' own code makes gcc warn of conversions that are not there.
FLAGS_asan     := -O1 -g -DWIREBED_DEBUG -fno-omit-frame-pointer \
                  -fsanitize=address,undefined -fno-sanitize-recover=all \
                  -Wno-conversion
FLAGS_coverage := -O0 -g -DWIREBED_DEBUG --coverage
ifeq ($(FLAGS_$(VARIANT)),)
$(error VARIANT is release, debug, asan or coverage, not "$(VARIANT)")
endif
ALL_CFLAGS  += $(FLAGS_$(VARIANT)) $(CFLAGS)
ALL_LDFLAGS := $(filter -fsanitize% --coverage,$(FLAGS_$(VARIANT))) $(LDFLAGS)

# Debian's CUnit comes without a .pc file.
PACKAGES  := libpcap lua5.4 yaml-0.1 jansson libxxhash
PKG_FLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES))
PKG_LIBS  := $(shell $(PKG_CONFIG) --libs $(PACKAGES)) -lm

# --- Sources ----------------------------------------------------------------

# What may depend on what: each layer on those to its right (tests/check_layers.sh).
LAYERS     ?= cli lua sim stack
SRC_stack  := $(wildcard stack/*.c stack/*/*.c stack/*/*/*.c)
SRC_sim    := $(wildcard sim/*.c sim/*/*.c sim/*/*/*.c)
SRC_lua    := $(wildcard lua/*.c lua/*/*.c)
SRC_cli    := $(wildcard cli/*.c)
SRC_bench  := $(wildcard bench/*.c)
SRC_work   := $(wildcard bench/workload/*.c)
# make unit TESTS="packet timer" builds and runs these suites alone;
# LAYERS="sim stack" leaves the layers above out, and SRC_stack="stack/timer.c"
# even the rest of a layer; SRC_help are the fixtures that suites share.
TESTS      ?=
SRC_help   := $(filter-out tests/unit/main.c tests/unit/test_%,\
                $(wildcard tests/unit/*.c))
SRC_unit   := tests/unit/main.c \
              $(if $(TESTS),$(TESTS:%=tests/unit/test_%.c),\
                $(wildcard tests/unit/test_*.c))
FUZZERS    := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

object   = $(1:%.c=$(OUT)/%.o)
library  = $(OUT)/libwirebed-$(1).a
MAIN    := $(OUT)/cli/main.o
# In link order; the command line's main file belongs to the program alone.
LIBRARIES := $(foreach l,$(LAYERS),$(if $(SRC_$(l)),$(call library,$(l))))
SOURCES   := $(SRC_stack) $(SRC_sim) $(SRC_lua) $(SRC_cli) $(SRC_bench) \
             $(SRC_work) $(SRC_unit) $(SRC_help)

# --- The program and the library --------------------------------------------

.PHONY: all
all: $(call library,stack)

ifneq ($(SRC_cli),)
all: $(OUT)/wirebed
$(OUT)/wirebed: $(MAIN) $(LIBRARIES)
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

# The release build is the program that people run.
ifeq ($(BUILD)/$(VARIANT),build/release)
all: wirebed
wirebed: $(OUT)/wirebed
	$(Q)cp $< $@
endif
endif

define archive
$(call library,$(1)): $(filter-out $(MAIN),$(call object,$(SRC_$(1))))
	@rm -f $$@
	$$(call say,AR)
	$(Q)$(AR) rcsD $$@ $$^
endef
$(foreach l,stack sim lua cli help,$(eval $(call archive,$(l))))

$(OUT)/%.o: %.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(PKG_FLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The modules are inside this object (.incbin), which the compiler does not tell.
$(OUT)/lua/modules.o $(BUILD)/fuzz/lua/modules.o: $(wildcard lua/modules/*.lua)

# Rewritten only when it changes, so that objects depend on how they were made.
FLAGS_NOW := $(shell $(CC) --version | head -n 1) \
             $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS)
$(OUT)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(FLAGS_NOW)' | cmp -s - $@ || echo '$(FLAGS_NOW)' >$@
.PHONY: FORCE
FORCE:

-include $(patsubst %.c,$(OUT)/%.d,$(SOURCES))

# --- Tests ------------------------------------------------------------------

UNIT := $(OUT)/unit$(if $(TESTS),-some)

.PHONY: unit
unit: $(UNIT)
	@for suite in $(SRC_unit:tests/unit/test_%.c=%); do \
	    case $$suite in */*) continue ;; esac; \
	    grep -q "X($$suite)" tests/unit/main.c || { \
	        echo "tests/unit/main.c has no row for $$suite" >&2; exit 1; }; \
	done
	$(UNIT) $(TESTS)

# tests/unit/malloc_fixture.c makes allocations fail.
UNIT_LDFLAGS := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc,-u,__wrap_malloc

# Linked anew when the choice of suites changes.
$(OUT)/unit-some: FORCE
$(UNIT): $(call object,$(SRC_unit)) $(if $(SRC_help),$(call library,help)) \
         $(LIBRARIES)
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) $(UNIT_LDFLAGS) -o $@ $(filter-out FORCE,$^) \
	    -lcunit $(PKG_LIBS)

# Every scenario asserts its own outcome.
.PHONY: test scenarios
test: unit
ifneq ($(and $(SRC_cli),$(wildcard scenarios/*.*)),)
test: scenarios
endif
scenarios: $(OUT)/wirebed
	tests/run_scenarios.sh $< $(OUT)/pcap-out

# Exit statuses and what is said of mistakes.
ifneq ($(SRC_cli),)
.PHONY: cli
test: cli
cli: $(OUT)/wirebed
	tests/check_cli.sh $<
endif

# The project's own packetdrill scripts.
ifneq ($(and $(SRC_cli),$(wildcard tests/conformance/*/*.pkt)),)
.PHONY: conformance
test: conformance
conformance: $(OUT)/wirebed
	$< packetdrill --quiet tests/conformance
endif

# What docs/stack.md tells an embedding program to do.
.PHONY: embed
test: embed
embed: $(OUT)/embed
	$(OUT)/embed
$(OUT)/embed: docs/embed.c $(call library,stack)
	$(call say,LD)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^

# --- Checks -----------------------------------------------------------------

CHECKS := format layers globals static asan
ifneq ($(and $(SRC_cli),$(wildcard scenarios/*.*)),)
CHECKS += captures determinism docs
endif
.PHONY: check $(CHECKS:%=check-%)
check: $(CHECKS:%=check-%)

check-layers:
	tests/check_layers.sh

check-globals: $(foreach l,stack sim lua,$(if $(SRC_$(l)),$(call library,$(l))))
	tests/check_globals.sh $^

check-format:
	tests/check_format.sh

check-static:
	BUILD=$(BUILD) tests/check_static.sh

check-asan:
	$(MAKE) VARIANT=asan test

check-captures: $(OUT)/wirebed
	@mkdir -p $(OUT)/check
	tests/run_scenarios.sh $< $(OUT)/check/captures
	tests/check_captures.sh $(OUT)/check/captures
	tests/check_analysis.sh $(OUT)/check/captures $(ANALYSED)

# Scenarios whose flows are compared with what tshark says of them.
ANALYSED := lossy-download bottleneck zero-window link-flap syn-lost half-close \
            path-mtu

# The reference of scenario files is made from the tables that check them.
check-docs: $(OUT)/wirebed
	@mkdir -p $(OUT)/check
	$< check --reference >$(OUT)/check/scenario-reference.md
	cmp $(OUT)/check/scenario-reference.md docs/scenario-reference.md

.PHONY: reference
reference: $(OUT)/wirebed
	$< check --reference >docs/scenario-reference.md

# Compiler and optimisation must not show in the results.
check-determinism: $(OUT)/wirebed
	$(MAKE) VARIANT=debug $(BUILD)/debug/wirebed
	$(MAKE) CC=$(CLANG) BUILD=$(BUILD)/clang $(BUILD)/clang/release/wirebed
	@mkdir -p $(OUT)/check
	tests/check_determinism.sh $(OUT)/check/determinism $< \
	    $(BUILD)/debug/wirebed $(BUILD)/clang/release/wirebed

# clang's analyzer takes too long for make check; only what changed is looked at
# again.
TIDY_CHECKS := -*,clang-analyzer-*,bugprone-*,misc-redundant-expression,$\
-bugprone-easily-swappable-parameters,-bugprone-narrowing-conversions,$\
-bugprone-implicit-widening-of-multiplication-result,$\
-bugprone-not-null-terminated-result,-bugprone-macro-parentheses,$\
-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling
.PHONY: tidy
tidy: $(patsubst %.c,$(OUT)/%.tidy,\
        $(SRC_stack) $(SRC_sim) $(SRC_lua) $(SRC_cli))
$(OUT)/%.tidy: %.c $(OUT)/%.o
	$(call say,TIDY)
	$(Q)clang-tidy --quiet --warnings-as-errors='*' \
	    --checks='$(TIDY_CHECKS)' $< -- -std=c17 $(ALL_CPPFLAGS) $(PKG_FLAGS) \
	    2>$@.log || { cat $@.log; exit 1; }
	@touch $@

.PHONY: format
format:
	git ls-files -z '*.c' '*.h' | xargs -0 clang-format -i

# --- Fuzzing ----------------------------------------------------------------

# Every tests/fuzz/fuzz_NAME.c is one libFuzzer target over the whole tree but
# the command line. A corpus grows in BUILD/fuzz/NAME and survives.
FUZZ_SECONDS ?= 60
FUZZ_OUT     := $(BUILD)/fuzz
FUZZ_FLAGS   := -O1 -g -DWIREBED_DEBUG -fno-omit-frame-pointer \
                -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
.PHONY: fuzz fuzz-quick
fuzz: $(FUZZERS:%=run-%)
fuzz-quick:
	$(MAKE) fuzz FUZZ_SECONDS=10

fuzz_object = $(1:%.c=$(FUZZ_OUT)/%.o)
FUZZ_OBJECTS := $(call fuzz_object,$(SRC_stack) $(SRC_sim) $(SRC_lua))

.PHONY: $(FUZZERS:%=run-%)
$(FUZZERS:%=run-%): run-%: $(FUZZ_OUT)/%
	@mkdir -p $(FUZZ_OUT)/corpus/$*
	$< -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 \
	    -print_final_stats=1 -verbosity=0 \
	    -artifact_prefix=$(FUZZ_OUT)/ $(FUZZ_OUT)/corpus/$*

$(FUZZ_OUT)/libwirebed.a: $(FUZZ_OBJECTS)
	@rm -f $@
	$(call say,AR)
	$(Q)$(AR) rcsD $@ $^

$(FUZZERS:%=$(FUZZ_OUT)/%): $(FUZZ_OUT)/%: $(FUZZ_OUT)/tests/fuzz/%.o \
                            $(FUZZ_OUT)/libwirebed.a
	$(call say,LD)
	$(Q)$(CLANG) -fsanitize=fuzzer,address,undefined -o $@ $^ $(PKG_LIBS)

$(FUZZ_OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CLANG) $(ALL_CPPFLAGS) $(PKG_FLAGS) -std=c17 $(WARNINGS) \
	    -ffp-contract=off $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<

-include $(patsubst %.o,%.d,$(FUZZ_OBJECTS)) \
         $(FUZZERS:%=$(FUZZ_OUT)/tests/fuzz/%.d)

# --- Against this machine's kernel ------------------------------------------

# In namespaces of their own; skipped, with the reason, where there are none.
# INTEROP="tests/interop/cases/ping.sh": only these.
PEER := $(OUT)/tests/interop/peer
.PHONY: interop
interop: $(OUT)/wirebed $(PEER)
	tests/interop/run.sh $(OUT)/wirebed $(PEER) $(INTEROP)
.PHONY: bench-bridge
bench-bridge: $(OUT)/wirebed $(PEER)
	tests/interop/bench.sh $(OUT)/wirebed $(PEER)
$(PEER): tests/interop/peer.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $<

# --- Benchmarks -------------------------------------------------------------

# Workloads are whole simulations (bench/workload/workload.h); the others measure
# one operation each. BENCH="packet": only operations that have it in their name.
# WORKLOADS="W1 hosts:500": only these.
BENCH        ?=
WORKLOADS    ?=
BENCH_MICRO  := $(OUT)/wirebed-bench
BENCH_WORK   := $(OUT)/wirebed-workloads
.PHONY: bench bench-quick bench-growth bench-check bench-baseline
bench: $(BENCH_MICRO) $(BENCH_WORK)
ifeq ($(BENCH),)
	$(BENCH_WORK) -o bench/results.json $(WORKLOADS)
endif
ifeq ($(WORKLOADS),)
	$(BENCH_MICRO) $(if $(BENCH),'$(BENCH)')
endif
bench-quick: $(BENCH_MICRO) $(BENCH_WORK)
	$(BENCH_WORK) -q -o bench/results.json
	$(BENCH_MICRO) -q
bench-growth: $(BENCH_WORK)
	$(BENCH_WORK) -g
bench-check: $(BENCH_WORK)
	CC=$(CC) bench/check.sh $< bench/baseline.txt
bench-baseline: $(BENCH_WORK)
	CC=$(CC) bench/check.sh $< bench/baseline.txt --renew

$(BENCH_MICRO): $(call object,$(SRC_bench)) $(LIBRARIES)
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)
$(BENCH_WORK): $(call object,$(SRC_work)) $(LIBRARIES)
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

# --- Installing, cleaning, helping ------------------------------------------

INCLUDES := $(filter-out stack/internal.h,$(wildcard stack/*.h stack/wire/*.h))
DESTBASE  = $(DESTDIR)$(PREFIX)
.PHONY: install
install: all
	install -D -m 644 -t $(DESTBASE)/lib $(call library,stack)
	for header in $(INCLUDES); do \
	    install -D -m 644 $$header $(DESTBASE)/include/wirebed/$$header \
	        || exit; \
	done
ifneq ($(SRC_cli),)
	install -D -m 755 $(OUT)/wirebed $(DESTBASE)/bin/wirebed
endif
ifneq ($(wildcard docs/wirebed.1),)
	install -D -m 644 -t $(DESTBASE)/share/man/man1 docs/wirebed.1
endif

.PHONY: clean
clean:
	rm -rf $(BUILD)
	rm -f wirebed

.PHONY: help
help:
	@echo 'make                 the program and the library (VARIANT=release)'
	@echo 'make unit            the unit tests (TESTS="packet timer": only these)'
	@echo 'make test            all tests: unit, scenarios, conformance scripts, cli'
	@echo 'make check           $(CHECKS)'
	@echo 'make reference       docs/scenario-reference.md from the tables'
	@echo 'make tidy            clang-tidy, slower than the static part of check'
	@echo 'make interop         against this machine'"'"'s kernel, in namespaces'
	@echo 'make fuzz            each fuzzer for FUZZ_SECONDS (60); fuzz-quick: 10'
	@echo 'make bench           workloads, operations (WORKLOADS="W1", BENCH="packet");'
	@echo '                     bench-quick, bench-growth: cost against size,'
	@echo '                     bench-check: instructions against bench/baseline.txt'
	@echo 'make install         program, man page, library (PREFIX, DESTDIR)'
	@echo 'make format          clang-format over everything'
	@echo 'make clean'
	@echo
	@echo 'VARIANT=release|debug|asan|coverage   CC=gcc|clang   BUILD=build   V=1'

.DEFAULT_GOAL := all
