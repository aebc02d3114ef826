# Needs Go, make and git, nothing else.

GO     ?= go
ARGS   ?=
BINARY := bin/lambdakappa

# The revision is built in where git can tell it, whatever GOFLAGS says.
VCS := $(shell git rev-parse HEAD >/dev/null 2>&1 && echo auto || echo false)

# The race detector needs a C compiler: without one (CGO_ENABLED is 0 then) tests run without it.
RACE := $(shell test "$$($(GO) env CGO_ENABLED)" = 1 && echo -race)

# The laptops that the program has to build for, beside this machine.
SYSTEMS := windows/amd64 darwin/arm64 linux/arm64

FUZZTIME ?= 10s

.DEFAULT_GOAL := help
.PHONY: help build test test-scenarios test-changes cross bench bench-all bench-short microbench fuzz fmt lint clean

## help: what there is
help:
	@sed -n 's/^## \([a-z-]*\): \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

## build: build bin/lambdakappa
build:
	$(GO) build -buildvcs=$(VCS) -o $(BINARY) ./cmd/lambdakappa

## test: vet and test everything, with the race detector
test:
	@test -n "$(RACE)" || echo "no C compiler: testing without the race detector"
	$(GO) vet ./...
	$(GO) test $(RACE) ./...

## test-changes: take the marked changes out of copies of the source, build and test these
test-changes:
	$(GO) test -count=1 -timeout 20m ./bench/codesize -args -changes

## test-scenarios: the tests that run whole scenarios with real processes
test-scenarios:
	$(GO) test -count=1 -timeout 20m ./bench -args -scenarios

## cross: vet and build for windows/amd64, darwin/arm64 and linux/arm64
cross:
	@set -e; for system in $(SYSTEMS); do \
		echo "vet and build for $$system"; \
		export GOOS=$${system%/*} GOARCH=$${system#*/} CGO_ENABLED=0; \
		$(GO) vet ./...; $(GO) build -o /dev/null ./cmd/lambdakappa; \
	done

## bench: run the benchmark, both architectures side by side; ARGS="--scenario settled" for a part
bench: build
	$(BINARY) bench $(ARGS)

## bench-all: all scenarios, at most fifteen minutes
bench-all: build
	$(BINARY) bench --all $(ARGS)

## bench-short: the benchmark's shortest form, to see that all of it works
bench-short: build
	$(BINARY) bench --scenario settled,disturbed,code $(ARGS)

## microbench: the benchmarks in the code
microbench:
	$(GO) test -run '^$$' -bench . -benchmem ./...

## fuzz: run every fuzz target for FUZZTIME (10s)
fuzz:
	@set -e; for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

## fmt: format the code
fmt:
	$(GO) tool -modfile=tools/go.mod gofumpt -w .

## lint: check format and code
lint:
	@files=$$($(GO) tool -modfile=tools/go.mod gofumpt -l .); \
		test -z "$$files" || { echo "not formatted, run make fmt:"; echo "$$files"; exit 1; }
	$(GO) tool -modfile=tools/go.mod staticcheck ./...

## clean: remove what was built; results stay
clean:
	rm -rf bin
