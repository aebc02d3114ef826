# Needs Go, make and git, nothing else; a real Kafka needs Java and Maven, see kafka-up.

GO     ?= go
ARGS   ?=
BINARY := bin/lambdakappa

# A Kafka cluster to run on, host:port with commas; by default every run has an embedded broker.
BROKERS   ?=
ON_BROKERS = $(if $(BROKERS),--brokers $(BROKERS))

# Where make kafka-up keeps Kafka's jars and its cluster.
KAFKA := .kafka

# axe-core finds what keeps people out of a page; make test-web keeps it here.
AXE := 4.14.1
WEB := .web

# The revision is built in where git can tell it, whatever GOFLAGS says.
VCS := $(shell git rev-parse HEAD >/dev/null 2>&1 && echo auto || echo false)

# The race detector needs a C compiler: without one (CGO_ENABLED is 0 then) tests run without it.
RACE := $(shell test "$$($(GO) env CGO_ENABLED)" = 1 && echo -race)

# The laptops that the program has to build for, beside this machine.
SYSTEMS := windows/amd64 darwin/arm64 linux/arm64

FUZZTIME ?= 10s

.DEFAULT_GOAL := help
.PHONY: help build demo test test-scenarios test-changes test-workshop test-web test-kit cross test-kafka test-kafka-cluster test-kafka-faults test-kafka-suites kafka-jars kafka-up kafka-down bench bench-all bench-short microbench fuzz fmt lint workshop-kit clean

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
	$(GO) test $(RACE) -timeout 20m ./...

## test-changes: take the marked changes out of copies of the source, build and test these
test-changes:
	$(GO) test -count=1 -timeout 20m ./bench/codesize -args -changes

## test-scenarios: the tests that run whole scenarios with real processes
test-scenarios:
	$(GO) test -count=1 -timeout 20m ./bench -args -scenarios

## test-workshop: every exercise of the workshop, as a learner does it, in a copy of the source
test-workshop:
	$(GO) test -count=1 -timeout 20m -v -run '^TestWorkshop$$' ./bench/workshop -args -workshop

## test-web: the pages in a headless browser, looked at and listened to; needs chromium and npm
test-web: $(WEB)/axe-$(AXE)/node_modules/axe-core/axe.min.js
	LAMBDAKAPPA_TEST_WEB=1 LAMBDAKAPPA_TEST_AXE=$(abspath $<) $(GO) test -count=1 -timeout 15m -p 1 -run Web ./bench/report ./bench/live
$(WEB)/axe-$(AXE)/node_modules/axe-core/axe.min.js:
	npm install --silent --no-save --no-package-lock --prefix $(@D:/node_modules/axe-core=) axe-core@$(AXE)

## test-kafka: the tests of the log and of both sides on a real Apache Kafka; needs Java 17 and Maven. KILLS=full kills a hundred times, SHORT=1 leaves out what the embedded broker has too
test-kafka: test-kafka-cluster test-kafka-faults test-kafka-suites

## test-kafka-cluster: of it, what a cluster is: security, loss of nodes, tiers, other people's clients
test-kafka-cluster: kafka-jars
	LAMBDAKAPPA_TEST_JARS=$(abspath $(KAFKA)/jars) $(GO) test -count=1 -timeout 20m ./bench/cluster

## test-kafka-faults: of it, the driver on it: kills, faults of brokers, a log that forgets
test-kafka-faults: kafka-jars
	LAMBDAKAPPA_TEST_JARS=$(abspath $(KAFKA)/jars) LAMBDAKAPPA_TEST_PROFILE=$(KILLS) $(GO) test -count=1 $(if $(SHORT),-short) -timeout 80m -run 'Kafka|ThroughKills|BrokerFaults|Zombies' ./bench

## test-kafka-suites: of it, the tests of the log and of both sides
test-kafka-suites: build kafka-jars
	@set -e; dir=$$(mktemp -d); \
	trap '$(BINARY) kafka down --dir '$$dir'/cluster; rm -rf '$$dir EXIT; \
	trap 'exit 130' INT; trap 'exit 143' TERM HUP; \
	$(BINARY) kafka up --jars $(KAFKA)/jars --dir $$dir/cluster --port 0 > $$dir/ready; \
	export LAMBDAKAPPA_TEST_BROKERS=$$(sed 's/.*"brokers":"\([^"]*\)".*/\1/' $$dir/ready); \
	echo "testing on $$LAMBDAKAPPA_TEST_BROKERS"; \
	$(GO) test -count=1 $(if $(SHORT),-short) -timeout 30m -p 1 ./internal/eventlog ./lambda ./kappa $(if $(SHORT),,./bench/systemtest)

## test-kit: the workshop's kits for all systems; one of them used in an empty home without network: minutes
test-kit:
	$(GO) test -count=1 -timeout 40m -v -run '^TestKitInARoom$$' ./cmd/workshop-kit -args -kit

## cross: vet and build for windows/amd64, darwin/arm64 and linux/arm64
# Without paths, as kits are built: what is compiled once serves both.
cross:
	@set -e; for system in $(SYSTEMS); do \
		echo "vet and build for $$system"; \
		export GOOS=$${system%/*} GOARCH=$${system#*/} CGO_ENABLED=0; \
		$(GO) vet -trimpath ./...; $(GO) build -trimpath -o /dev/null ./cmd/lambdakappa; \
	done

## kafka-jars: fetch Apache Kafka's jars with Maven
kafka-jars: $(KAFKA)/jars/.complete
$(KAFKA)/jars/.complete: bench/cluster/pom.xml
	rm -rf $(KAFKA)/jars
	mvn -q -B -f $< dependency:copy-dependencies -DoutputDirectory=$(abspath $(KAFKA)/jars)
	touch $@

## kafka-up: start a real Apache Kafka of three nodes on this machine; needs Java 17 and Maven; ARGS="--tiered" for a second tier
kafka-up: build kafka-jars
	$(BINARY) kafka up --jars $(KAFKA)/jars --dir $(KAFKA)/cluster $(ARGS)

## kafka-down: stop it and delete its data
kafka-down: build
	$(BINARY) kafka down --dir $(KAFKA)/cluster

## demo: a live page of both architectures at work, with buttons; ARGS="--rate 500" for a small laptop
demo: build
	$(BINARY) demo $(ARGS)

## bench: run the benchmark, both architectures side by side; ARGS="--scenario settled" for a part
bench: build
	$(BINARY) bench $(ON_BROKERS) $(ARGS)

## bench-all: all scenarios but those that run when they are named, at most fifteen minutes
bench-all: build
	$(BINARY) bench --all $(ON_BROKERS) $(ARGS)

## bench-short: the benchmark's shortest form, to see that all of it works
bench-short: build
	$(BINARY) bench --scenario settled,disturbed,code $(ON_BROKERS) $(ARGS)

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

## workshop-kit: one archive per system in dist/, for laptops without a network: program, source, modules
workshop-kit:
	$(GO) run ./cmd/workshop-kit --out dist $(ARGS)

## clean: remove what was built; results stay
clean:
	rm -rf bin dist
