# kind: one non-recursive Makefile; everything it writes is below build/.
# `make help` lists the targets. SANITIZE=address,undefined, CC=clang-14, WERROR=1 make variants.

MODULES  := base model reconciler drivers cli sim
PACKAGES := yaml-0.1 jansson libcurl libuv libarchive libcrypto libgit2
TEST_PACKAGES := cmocka libmicrohttpd gnutls

comma    := ,
Q        := $(if $(V),,@)
VARIANT  := $(or $(VARIANT),$(if $(SANITIZE),$(subst $(comma),-,$(SANITIZE)),release))
BUILD    := build/$(VARIANT)
PREFIX   ?= /usr/local
VERSION  := $(shell cat VERSION)

SOURCES      := $(foreach dir,$(MODULES),$(wildcard $(dir)/*.c))
CC_SOURCES   := $(foreach dir,$(MODULES),$(wildcard $(dir)/*.cc))
TEST_SOURCES := $(filter %_test.c,$(SOURCES))
FUZZ_SOURCES := $(filter %_fuzz.c,$(SOURCES))
BENCH_SOURCES := $(filter %_bench.c,$(SOURCES))
FAKE_MAIN    := drivers/fake_engine_main.c
FAKE_SOURCES := $(filter drivers/fake%.c sim/%.c,$(filter-out %_test.c $(FAKE_MAIN),$(SOURCES)))
MAIN_SOURCES := cli/main.c
LIB_SOURCES  := $(filter-out %_test.c %_fuzz.c %_bench.c $(FAKE_SOURCES) $(FAKE_MAIN) $(MAIN_SOURCES) base/test.c base/fuzz_main.c,$(SOURCES))

# The status page is put into the program as it is, file by file.
PAGE_FILES   := $(wildcard cli/page/page.*)
PACKAGES     += libmicrohttpd

IMAGE_TESTS  := $(wildcard images/*/*_test.c)
TEST_LIBS     = $(shell pkg-config --libs $(TEST_PACKAGES))
CLANG_FORMAT ?= $(or $(shell command -v clang-format-14),clang-format)
FORMAT_FILES  = $(wildcard $(foreach dir,$(MODULES) images/* e2e/*,$(dir)/*.[ch] $(dir)/*.cc))

TESTS := $(TEST_SOURCES:%.c=$(BUILD)/%)
FUZZ  := $(FUZZ_SOURCES:%.c=$(BUILD)/%)
BENCH := $(BENCH_SOURCES:%.c=$(BUILD)/%)

# The C++ compiler is the C compiler's sister, unless it is given.
ifeq ($(origin CXX),default)
CXX := $(if $(findstring clang,$(CC)),$(subst clang,clang++,$(CC)),g++)
endif

BOTH_WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wvla -Wundef -Wformat=2 \
	-Wwrite-strings -Wcast-qual -Wswitch-enum -Wno-missing-field-initializers \
	$(if $(findstring clang,$(CC)),,-Wlogical-op -Wduplicated-cond) $(if $(WERROR),-Werror)
WARNINGS := $(BOTH_WARNINGS) -Wstrict-prototypes -Wmissing-prototypes
OPTIMIZE ?= $(if $(SANITIZE),-O1 -fno-omit-frame-pointer,-O2)
HARDEN   := $(if $(SANITIZE),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2) -fPIE -fstack-protector-strong
DEP_CFLAGS = $(shell pkg-config --cflags $(PACKAGES))
# libstdc++ is loaded in any case: libarchive's own libraries need it.
DEP_LIBS   = $(shell pkg-config --libs $(PACKAGES)) -lm -lstdc++
BOTH_FLAGS = -D_GNU_SOURCE -DKIND_VERSION='"$(VERSION)"' -I. -include base/banned.h -MMD -MP \
	-g $(OPTIMIZE) $(HARDEN) $(DEP_CFLAGS) $(SANITIZE:%=-fsanitize=%) $(CFLAGS)
ALL_CFLAGS = -std=c17 $(WARNINGS) $(BOTH_FLAGS)
# No exceptions: what runs out of memory ends the program, as in C. clang's check of calls by
# pointer wants a run-time library that only its C++ driver links.
ALL_CXXFLAGS = -std=c++17 -fno-exceptions -fno-rtti $(BOTH_WARNINGS) $(BOTH_FLAGS) \
	$(if $(SANITIZE),$(if $(findstring clang,$(CXX)),-fno-sanitize=function))
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE:%=-fsanitize=%) $(LDFLAGS)

.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

all: build/kind ## build the program at build/kind

build/kind: $(BUILD)/kind FORCE
	$(Q)ln -sfn $(VARIANT)/kind $@

# Objects are rebuilt when compiler or flags change.
$(BUILD)/flags: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)echo '$(CC) $(CXX) $(subst ','\'',$(ALL_CFLAGS)) $(ALL_LDFLAGS)' | cmp -s - $@ || \
		echo '$(CC) $(CXX) $(subst ','\'',$(ALL_CFLAGS)) $(ALL_LDFLAGS)' > $@

packages-present:
	@pkg-config --exists $(PACKAGES) tomlplusplus || { echo "Missing build packages: run 'make deps' as root." >&2; \
		pkg-config --print-errors $(PACKAGES) tomlplusplus >&2; exit 1; }

$(BUILD)/%.o: %.c $(BUILD)/flags | packages-present
	$(if $(V),,@echo '  CC    $<')
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/%.o: %.cc $(BUILD)/flags | packages-present
	$(if $(V),,@echo '  CXX   $<')
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) $(ALL_CXXFLAGS) -c -o $@ $<

$(PAGE_FILES:%=$(BUILD)/%.o): $(BUILD)/%.o: % $(BUILD)/flags
	$(if $(V),,@echo '  EMBED $<')
	$(Q)mkdir -p $(@D)
	$(Q)ld -r -b binary -z noexecstack -o $@ $<
	$(Q)objcopy --rename-section .data=.rodata,alloc,load,readonly,data,contents $@

$(BUILD)/libkind.a: $(LIB_SOURCES:%.c=$(BUILD)/%.o) $(CC_SOURCES:%.cc=$(BUILD)/%.o) $(PAGE_FILES:%=$(BUILD)/%.o)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/libfake.a: $(FAKE_SOURCES:%.c=$(BUILD)/%.o) $(BUILD)/base/test.o
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/kind: $(MAIN_SOURCES:%.c=$(BUILD)/%.o) $(BUILD)/libkind.a
	$(if $(V),,@echo '  LD    $@')
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(DEP_LIBS)

$(BUILD)/fake-engine: $(FAKE_MAIN:%.c=$(BUILD)/%.o) $(BUILD)/libfake.a $(BUILD)/libkind.a
	$(if $(V),,@echo '  LD    $@')
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(DEP_LIBS) $(TEST_LIBS)

$(BUILD)/%_test: $(BUILD)/%_test.o $(BUILD)/libfake.a $(BUILD)/libkind.a
	$(if $(V),,@echo '  LD    $@')
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(DEP_LIBS) $(TEST_LIBS)

$(BUILD)/%_bench: $(BUILD)/%_bench.o $(BUILD)/libfake.a $(BUILD)/libkind.a
	$(if $(V),,@echo '  LD    $@')
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(DEP_LIBS) $(TEST_LIBS)

# A fuzz target with a main that replays corpus folders; `make fuzz` uses libFuzzer instead.
$(BUILD)/%_fuzz: $(BUILD)/%_fuzz.o $(BUILD)/base/fuzz_main.o $(BUILD)/libkind.a
	$(if $(V),,@echo '  LD    $@')
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(DEP_LIBS)

# Programs inside images have tests that include what they test.
$(BUILD)/images/%_test: images/%_test.c FORCE
	$(if $(V),,@echo '  LD    $@')
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE -g -O1 $(WARNINGS) $(SANITIZE:%=-fsanitize=%) -o $@ $< -lcmocka -ljansson -lcurl -lresolv

fake-engine: $(BUILD)/fake-engine ## build the engine in memory that tests talk to

deps: ## install every build and test package from Debian (as root)
	e2e/deps

build-tests: $(if $(filter release,$(VARIANT)),build/kind) $(BUILD)/kind $(BUILD)/fake-engine $(TESTS) $(FUZZ) $(BENCH) $(IMAGE_TESTS:%.c=$(BUILD)/%)

check: build-tests ## run unit, golden, fuzz replay and fake-engine tests; LONG=1 plays the simulators at length
	LONG=$(LONG) KIND_SAMPLE=$(if $(SANITIZE),5) e2e/check $(BUILD)

sim: sim-lives sim-walks sim-crashes ## run the simulators at length; SEEDS=n lives, and a tenth of that walks

sim-lives: $(BUILD)/reconciler/sim_test
	SEEDS=$(or $(SEEDS),45000) $<

sim-walks: $(BUILD)/sim/walk_test
	SEEDS=$(if $(SEEDS),$$(($(SEEDS) / 10)),2000) $<

sim-crashes: $(BUILD)/sim/crash_test
	POINTS=all $<

lint: ## check layers, format, shell scripts and static analysis
	e2e/lint

fuzz: ## fuzz each parser for SECONDS (30) with libFuzzer
	e2e/fuzz $(or $(SECONDS),30)

node-image: ## make base and node image from Debian packages, into the engine
	DOCKER_HOST=$$(e2e/engine start) images/build node

demo: ## from nothing to a Ready cluster
	e2e/demo

test: ## run all of the tests, from nothing
	e2e/test

bench: $(BUILD)/kind $(BUILD)/fake-engine $(BENCH) ## measure side by side: no-op apply, memory, create to Ready
	e2e/bench $(BUILD)

coverage: ## branch coverage of the deciding files
	e2e/coverage

format: ## rewrite all C files in house format
	$(CLANG_FORMAT) -i $(FORMAT_FILES)

COMPLETIONS = $(addprefix $(DESTDIR)$(PREFIX)/share/,bash-completion/completions/kind \
	zsh/site-functions/_kind fish/vendor_completions.d/kind.fish)
SCHEMAS     = $(DESTDIR)$(PREFIX)/share/kind/schema
UNIT        = $(DESTDIR)$(PREFIX)/lib/systemd/system/kind-watch.service

install: $(BUILD)/kind ## install to DESTDIR/PREFIX
	install -D -m 0755 $(BUILD)/kind $(DESTDIR)$(PREFIX)/bin/kind
	install -d $(DESTDIR)$(PREFIX)/share/man/man1 $(SCHEMAS) $(dir $(COMPLETIONS))
	install -m 0644 docs/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 0644 docs/schema/*.json $(SCHEMAS)
	install -d $(dir $(UNIT))
	sed 's|@bindir@|$(PREFIX)/bin|' systemd/kind-watch.service.in > $(UNIT) && chmod 0644 $(UNIT)
	$(BUILD)/kind completion bash > $(word 1,$(COMPLETIONS))
	$(BUILD)/kind completion zsh > $(word 2,$(COMPLETIONS))
	$(BUILD)/kind completion fish > $(word 3,$(COMPLETIONS))

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/kind $(COMPLETIONS) $(UNIT)
	cd docs/man && for page in *.1; do rm -f "$(DESTDIR)$(PREFIX)/share/man/man1/$$page"; done
	rm -f $(patsubst docs/schema/%,$(SCHEMAS)/%,$(wildcard docs/schema/*.json))
	rmdir $(SCHEMAS) $(dir $(SCHEMAS)) 2>/dev/null || true

clean: ## remove build/
	rm -rf build

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

-include $(SOURCES:%.c=$(BUILD)/%.d) $(CC_SOURCES:%.cc=$(BUILD)/%.d)
.PHONY: all FORCE packages-present help deps build-tests check sim sim-lives sim-walks sim-crashes lint fuzz node-image demo test \
	bench coverage format install uninstall clean fake-engine
FORCE:
