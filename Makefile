# Everything runs with only Go, git and make, offline once modules are downloaded.

GO ?= go

# The modules of the workspace (go.work): the SDK, the generator, and the tests
# that validate with kin-openapi. The command line is in the workspace, too, but
# except for its sandbox it is tested apart: a database is compiled for it. Modules
# that need more (OpenTelemetry, a JSON library to compare with, a database) have a
# workspace of their own.
PACKAGES = ./... ./cmd/basiq/internal/sandbox/... ./gen/... ./internal/contract/...
MODULES_APART = cmd/basiq basiqotel bench
# These use databases, too. test-parts tests them.
MODULES_OF_PARTS = examples/redistore examples/fleetsync internal/sqlstoretest

.PHONY: help golden docs generate test test-modules test-parts test-live check lint update pull diff replay vet vet-platforms race fuzz fuzz-ci mutants mutants-values mutants-runtime vuln bench bench-bulk bench-import bench-gen gen-size

generate: ## regenerate the clients from the pinned specifications
	$(GO) run ./gen generate

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | sort | awk -F '\t' '{ printf "%-14s %s\n", $$1, $$2 }'

docs: ## write the reference to site/: one page per operation, the types, the guides and a search
	$(GO) run ./gen docs

golden: ## rewrite golden files and rendered documents; read the diff before committing
	$(GO) test ./gen -run '^TestDependencies$$' -update
	$(GO) test ./gen/internal/overlay -run '^TestGolden$$' -update
	$(GO) test ./internal/faults -run '^TestDocument$$' -update
	$(GO) test ./examples/quickstart -run '^TestRun$$' -update
	cd basiqotel && $(GO) test . -run '^TestDocument$$' -update

# Compilers, the generator and tests allocate much and keep little: with a larger heap,
# they need a fifth less processor time.
generate test test-modules test-parts vet vet-platforms race fuzz fuzz-ci: export GOGC ?= 400

# All analyzers of go vet run. Without the flag, go test runs some of them, and make vet
# would analyze everything again.
test: ## run go vet, and every test that needs nothing but Go
	$(GO) test -vet=all $(PACKAGES)

test-modules: ## test the modules apart, and build every module without the workspace
	@set -e; for dir in . gen internal/contract; do echo "$$dir, without the workspace"; (cd "$$dir" && GOWORK=off $(GO) build ./... && GOWORK=off $(GO) list -test -deps ./... >/dev/null); done
	@# Until the first release, the SDK that these modules require is this one.
	@set -e; for module in cmd/basiq basiqotel; do echo "$$module, without the workspace"; dir="$$(mktemp -d)"; cp $$module/go.mod $$module/go.sum "$$dir"; \
		$(GO) mod edit -replace "github.com/basiq-sdk/basiq-go=$(CURDIR)" "$$dir/go.mod"; \
		(cd $$module && GOWORK=off $(GO) build -modfile "$$dir/go.mod" -o /dev/null .) || { rm -r "$$dir"; exit 1; }; rm -r "$$dir"; done
	@set -e; for dir in $(MODULES_APART); do echo "$$dir"; (cd "$$dir" && $(GO) test -vet=all $$($(GO) list ./... | grep -v /internal/sandbox$$)); done
	@set -e; for dir in $(MODULES_OF_PARTS); do echo "$$dir, which test-parts tests"; (cd "$$dir" && $(GO) test -vet=all -run '^$$' ./...); done
	@# Its modules are there now: the list of dependencies can be compared.
	$(GO) test -vet=off ./gen -run '^TestDependencies$$' -count=1

# Chromium, nginx, node, curl, Redis and PostgreSQL: whatever is missing is skipped, and named.
test-parts: ## run the tests that use other programs than Go, with the race detector; name what was skipped
	@sh internal/parts.sh ./cmd/basiq/internal/sandbox
	@cd examples/redistore && sh ../../internal/parts.sh .
	@# Node.js runs the client; the race detector does not see it.
	@RACE= sh internal/parts.sh -run '^TestDefaultClientInABrowser$$' ./transport
	@# A database in Go takes minutes to compile for the race detector. These two test what
	@# processes do to each other, in a database.
	@set -e; for dir in examples/fleetsync internal/sqlstoretest; do (cd "$$dir" && RACE= sh ../../internal/parts.sh .); done

# The key is read by the test, never printed. Without BASIQ_CONFORMANCE_WRITE=1 nothing
# is changed; without BASIQ_CONFORMANCE_USER, what belongs to a user is not compared.
test-live: ## compare basiqtest with Basiq's sandbox: BASIQ_API_KEY=… [BASIQ_CONFORMANCE_USER=… BASIQ_CONFORMANCE_WRITE=1]
	@if [ -z "$$BASIQ_API_KEY" ]; then \
		echo "make test-live: set BASIQ_API_KEY to the key of a sandbox application;" >&2; \
		echo "set BASIQ_CONFORMANCE_USER to a user with a connection to compare accounts and transactions, too;" >&2; \
		echo "set BASIQ_CONFORMANCE_WRITE=1 to let the suite create, and delete again, users and webhooks" >&2; exit 1; fi
	$(GO) test ./internal/conformance -run '^TestLive$$' -live -count=1 -v -timeout 30m

check: ## fail when generated files are not up to date, or a linter complains
	$(GO) run ./gen check
	@fmt="$$(gofmt -l .)"; if [ -n "$$fmt" ]; then echo "not formatted: $$fmt"; exit 1; fi
	$(GO) vet $(PACKAGES)
	@if command -v staticcheck >/dev/null; then staticcheck $(PACKAGES); else echo "staticcheck is not installed; skipped"; fi

lint: ## show what in the overlaid specifications makes poor Go
	$(GO) run ./gen lint

update: ## move the pins to upstream's newest commits (or REF=[NAME@]…) and regenerate
	$(GO) run ./gen update $(if $(REF),--to $(REF))

pull: ## fetch missing snapshots and verify those in specs/
	$(GO) run ./gen pull

diff: ## report what changed since FROM (default HEAD): make diff FROM=v0.1.0 FORMAT=markdown
	@$(GO) run ./gen diff $(FROM) $(if $(FORMAT),--format $(FORMAT))

replay: ## run upstream's history, a mirror in MIRROR=[NAME=]DIR, through the generator
	@$(GO) run ./gen replay --mirror $(MIRROR)

vet: ## run go vet
	$(GO) vet $(PACKAGES)

# Type-checking for them is all that one machine can do for the others. go vet reads the
# files that this platform does not have. Those of a browser come first, as it has most of
# what other platforms have, too: its standard library is small.
PLATFORMS = js/wasm,windows/amd64,linux/386,darwin/arm64
vet-platforms: ## type-check for other platforms, and run go vet on the files that this one does not have
	$(GO) run ./internal/platforms $(PLATFORMS) $(PACKAGES)
	GO="$(GO)" sh internal/vet_platforms.sh $(PLATFORMS) $(PACKAGES)

# The SDK, but for packages whose tests call one function after the other, and tests that
# only run other programs or measure memory.
RACE_SDK = $$($(GO) list ./... | grep -Ev '/internal/(repo|conformance|platforms|mutants|files|pages)$$|/transport/value$$') ./internal/contract/fake
# Of the generator, the packages that start goroutines, or run the others (pipeline, model,
# emit, canon) concurrently, domain by domain. What they replay of upstream's history, and
# build for other modules, is the same code many times.
RACE_GEN = ./gen/internal/source ./gen/internal/replay ./gen/internal/track
race: ## run the tests with the race detector
	CGO_ENABLED=1 $(GO) test -race -vet=off -skip '^Test(Upstream|Prose|Init|DefaultClientInABrowser|Memory$$|MemoryIsBounded$$|BombsStaySmall)' $(RACE_SDK) $(RACE_GEN)

FUZZTIME ?= 60s
FUZZJOBS ?= 1
FUZZDIRS ?= .
fuzz: ## run every fuzz target in FUZZDIRS for FUZZTIME, FUZZJOBS packages at a time
	@grep -rlE '^func Fuzz' --include='*_test.go' $(FUZZDIRS) | xargs -n 1 dirname | sort -u | \
		GO="$(GO)" FUZZTIME="$(FUZZTIME)" xargs -P $(FUZZJOBS) -n 1 sh internal/fuzz.sh

# By count, not by time: at the end of its time, go test -fuzz now and then fails without
# a failing input. These read what servers and senders of webhooks wrote; go test runs the
# seeds of all. Only the SDK is instrumented: go test -fuzz would compile the standard
# library again, to look for inputs that reach more of it.
fuzz-ci: export FUZZFLAGS = -gcflags=github.com/basiq-sdk/basiq-go/...=-d=libfuzzer
fuzz-ci: ## run the fuzz targets of responses, webhooks and recordings for 3,000 inputs
	@$(MAKE) --no-print-directory fuzz FUZZTIME=3000x FUZZJOBS=2 FUZZDIRS="transport webhook internal/faults internal/redact"

vuln: ## ask the Go vulnerability database about what is linked; needs the network
	$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0 $(PACKAGES)

mutants: mutants-values mutants-runtime ## change operators one by one, and list the changes that no test sees

MUTANTS = GOMAXPROCS=1 $(GO) run ./internal/mutants -killed 95

mutants-values: ## mutants of values, JSON and webhooks
	@set -e; for dir in transport/value webhook; do $(MUTANTS) $$dir; done
	@# Many conditions of the codec only make it faster (docs/mutants.md).
	@$(MUTANTS) -killed 92 transport/wire

mutants-runtime: ## mutants of tokens, retries, outcomes, pages, paths, sync, jobs and MFA
	@$(MUTANTS) internal/retries
	@$(MUTANTS) -files '^(token|retry|outcome|page|request|budget)' transport
	@$(MUTANTS) -files '^(sync|jobwait|mfa)' .

bench-gen: ## time the generator's stages on the real snapshots
	$(GO) test -run '^$$' -bench . -benchmem ./gen/...

# The newest release: it has encoding/json/v2, which is compared, too. Go downloads it.
BENCH_GO ?= go1.27.4

bench: ## compare with peers: one table (bench/README.md)
	cd bench && GOTOOLCHAIN=$(BENCH_GO) $(GO) test . && GOTOOLCHAIN=$(BENCH_GO) $(GO) run ./table

bench-bulk: ## read 100,000 transactions from a slow server
	cd bench && $(GO) run ./table -runs 1 -bench Bulk -benchtime 1x

bench-import: ## what a program pays for importing the SDK
	cd bench && $(GO) run ./importcost

gen-size: ## what building the generator costs: packages, modules, bytes
	@$(GO) list -deps ./gen | wc -l | xargs echo "packages linked into gen:"
	@$(GO) list -deps -f '{{with .Module}}{{.Path}}{{end}}' ./gen | sort -u | grep -c . | xargs echo "modules linked into gen:"
	@$(GO) build -o bin/gen ./gen && wc -c < bin/gen | xargs echo "bytes of the binary:"
