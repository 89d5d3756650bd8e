# aipm: see README.md. `make demo` and `make check` work on a bare Debian 12 (they install what is missing when they may).
SHELL := /bin/bash
BUILD ?= build
PREFIX ?= /usr/local
MPICC ?= mpicc
PACKAGES := hdf5-openmpi scalapack-openmpi lapacke openblas yaml-0.1 zlib libzstd jansson

# optimised by default; SANITIZE=1 builds with AddressSanitizer and UndefinedBehaviorSanitizer into build/sanitize
OPTIMISE ?= -O3
WARN := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wno-sign-conversion
ifdef SANITIZE
BUILD := build/sanitize
OPTIMISE := -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
endif
REVISION := $(shell git rev-parse --short HEAD 2>/dev/null)
CFLAGS ?= -g
# the same source gives the same bytes wherever it lies: no path of this machine enters the program
ALL_CFLAGS = -std=gnu11 $(OPTIMISE) -fno-math-errno -ffp-contract=off -ffile-prefix-map=$(CURDIR)=. $(WARN) $(CFLAGS) -Iinclude -Isrc \
             $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null | sed 's/-I/-isystem /g')
LIBS = $(shell pkg-config --libs openblas $(PACKAGES) 2>/dev/null) -lhdf5_hl -lm

ROOMS := base linalg panel parallel nn models measure io ingest study report commands
SOURCES := $(foreach r,$(ROOMS),$(sort $(wildcard src/$(r)/*.c)))
OBJECTS := $(SOURCES:src/%.c=$(BUILD)/obj/%.o)
LIBRARY := $(BUILD)/libaipm.a
PROGRAM := $(BUILD)/aipm

.PHONY: all
all: deps-quiet
	@$(MAKE) --no-print-directory $(PROGRAM)

$(PROGRAM): $(BUILD)/obj/commands/main.o $(LIBRARY)
	$(MPICC) $(OPTIMISE) $(CFLAGS) -o $@ $^ $(LIBS)

$(LIBRARY): $(filter-out %/commands/main.o,$(OBJECTS))
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/obj/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(MPICC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/obj/base/version.o: ALL_CFLAGS += -DAIPM_REVISION='"$(REVISION)"'

-include $(OBJECTS:.o=.d)

# ---- what is needed from the system -----------------------------------------------------------------------------------
.PHONY: deps deps-quiet
deps:
	@.ci/deps.sh
deps-quiet:
	@.ci/deps.sh --quiet

# ---- tests: tests/unit (CUnit, one process), tests/mpi (CUnit under mpirun), tests/cli (shell, the program itself) -----
TEST_UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
TEST_TOOLS := $(patsubst tests/tools/%.c,$(BUILD)/tests/tools/%,$(wildcard tests/tools/*.c))
TEST_MPI := $(patsubst tests/mpi/%.c,$(BUILD)/tests/mpi/%,$(wildcard tests/mpi/test_*.c))
.PHONY: tests check check-long check-sanitize check-cluster check-mutants
tests: $(PROGRAM) $(TEST_UNIT) $(TEST_MPI) $(TEST_TOOLS)
$(BUILD)/tests/%: tests/%.c tests/check.h $(LIBRARY)
	@mkdir -p $(@D)
	$(MPICC) $(ALL_CFLAGS) -Itests -MMD -MP -o $@ $< $(LIBRARY) $(LIBS) $$(pkg-config --cflags --libs cunit)
-include $(TEST_UNIT:=.d) $(TEST_MPI:=.d) $(TEST_TOOLS:=.d)

check: deps-quiet
	@$(MAKE) --no-print-directory tests layers
	@BUILD=$(BUILD) tests/run.sh
check-long: deps-quiet
	@$(MAKE) --no-print-directory tests
	@BUILD=$(BUILD) tests/run.sh long
check-cluster: deps-quiet
	@$(MAKE) --no-print-directory tests
	@BUILD=$(BUILD) timeout -k 60 2400 bash tests/cluster/run.sh
# one line changed at a time: do the tests notice? ONLY="linalg io-csv" tries those alone, JOBS=2 at once
check-mutants: deps-quiet
	@$(MAKE) --no-print-directory tests
	@tests/mutants/run.sh $(ONLY)
check-sanitize: deps-quiet
	@$(MAKE) --no-print-directory SANITIZE=1 tests
	@BUILD=build/sanitize tests/run.sh sanitize

# ---- fuzzers: tests/fuzz/run.sh builds them with clang into build/fuzz, where the library is instrumented as they are ------------------
$(BUILD)/fuzz_%: tests/fuzz/fuzz_%.c $(LIBRARY)
	$(MPICC) $(ALL_CFLAGS) -fsanitize=fuzzer -MMD -MP -o $@ $< $(LIBRARY) $(LIBS)

# ---- benchmarks ----------------------------------------------------------------------------------------------------------
BENCHES := $(patsubst tests/bench/%.c,$(BUILD)/tests/bench/%,$(wildcard tests/bench/bench_*.c))
.PHONY: bench
bench: deps-quiet
	@$(MAKE) --no-print-directory $(PROGRAM) $(BENCHES)
	@BUILD=$(BUILD) tests/bench/run.sh

# ---- the rest ------------------------------------------------------------------------------------------------------------
.PHONY: demo layers format lint sbom reproducible install clean
demo: all
	@BUILD=$(BUILD) jobs/demo.sh
layers: $(LIBRARY)
	@tests/layers.sh $(BUILD)/obj
format:
	clang-format -i $$(git ls-files '*.c' '*.h')
lint:
	clang-format --dry-run -Werror $$(git ls-files '*.c' '*.h')
	cppcheck --quiet --std=c11 --enable=warning,portability --error-exitcode=1 --inline-suppr -Iinclude -Isrc src
sbom: all
	@.ci/sbom.sh $(PROGRAM) $(BUILD)/aipm.spdx
reproducible: deps-quiet
	@bash tests/long/reproducible.sh
install: all
	install -D -m 755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/aipm
	install -d $(DESTDIR)$(PREFIX)/share/aipm
	cp -r jobs slurm $(DESTDIR)$(PREFIX)/share/aipm/
clean:
	rm -rf build
