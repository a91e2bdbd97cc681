# Everything that a developer does has a target here; `make help` lists them.
# At the root of a workspace without a module of its own, `go build ./...` fails: the pattern is `work`.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

MODULES := schemas pkg services
TOOLS   := deploy/tools
BIN     := $(CURDIR)/bin
# Flags of the command that demo, torture or mutants runs, e.g. ARGS="--once --json".
ARGS    ?=

FIRST_BUILD := the first build takes 3 to 4 minutes on 2 cores: Microsoft's Graph SDK has 3,700 files of models, compiled once; later builds take seconds

# The race detector looks at Go's own memory. SQLite, which is C in Go's words, keeps its own where the detector does not look:
# to ask about each access takes most of the time of all tests, and finds nothing. Its driver and all else are looked at.
export RACE := -race -gcflags=modernc.org/sqlite/lib=-race=false

# Hours of all of Rollcall in one process, on a clock of its own: 790 s with the detector, 148 s without. endtoend, demo and crash
# have the same code raced.
UNRACED := services/rollcall/internal/timelapse

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## play the demo: one process, nothing to install (ARGS="--once --json")
	@exec bin/rollcall demo $(ARGS)

.PHONY: build
build: ## build bin/rollcall
	@if [ ! -x bin/rollcall ]; then echo "building bin/rollcall: $(FIRST_BUILD)" >&2; fi
	@go build -o bin/rollcall ./services/rollcall/cmd/rollcall

.PHONY: test
test: ensure-test bin/gofumpt ## all tests, all but one package with the race detector, each module on its own, formatting
	@# Beside the others goes what has its full size only without the race detector, with which SQLite takes many times as long. More
	@# packages at a time than cores: some mostly wait for processes that they have started. `make lint` vets.
	{ go test -vet=off -shuffle=on -timeout 20m ./$(UNRACED) && \
	go test -vet=off -run 'OfACrowd|Random' -timeout 20m ./services/worker/internal/apply; } & unraced=$$! raced=0; \
	go test -vet=off -p 3 $(RACE) -shuffle=on -timeout 20m $$(go list work | grep -v $(UNRACED)) || raced=$$?; \
	wait $$unraced && exit $$raced
	@for module in $(MODULES); do echo "GOWORK=off go build ./... in $$module"; GOWORK=off go -C $$module build ./...; done
	@deploy/tools/check-format "$(BIN)/gofumpt" $(MODULES)

.PHONY: lint
lint: bin/golangci-lint bin/govulncheck bin/gofumpt ## vet, golangci-lint, known vulnerabilities, formatting
	go vet work
	bin/golangci-lint run $(MODULES:%=./%/...)
	deploy/tools/check-vulnerabilities "$(BIN)/govulncheck" $(MODULES)
	@deploy/tools/check-format "$(BIN)/gofumpt" $(MODULES)

.PHONY: mutants
mutants: ## break the rules on purpose, one fault at a time: the tests must find each (ARGS="-run seats")
	go run ./services/internal/mutants $(ARGS)

.PHONY: torture
torture: build ## kill its processes under load and faults, and see that nothing is wrong (ARGS="--minutes 10 --kill --seed 7")
	@bin/rollcall torture $(ARGS)

.PHONY: sbom
sbom: build bin/cyclonedx-gomod ## write bin/rollcall.cdx.json: all modules that bin/rollcall is made of, in CycloneDX
	@deploy/tools/write-sbom "$(BIN)/cyclonedx-gomod" bin/rollcall bin/rollcall.cdx.json

.PHONY: generate
generate: bin/oapi-codegen ## write again what is generated
	go generate work

.PHONY: tidy
tidy: ## go mod tidy in every module, and format
	@for module in $(MODULES) $(TOOLS); do echo "go mod tidy in $$module"; GOWORK=off go -C $$module mod tidy; done
	go work sync
	@$(MAKE) --no-print-directory bin/gofumpt
	bin/gofumpt -w $(MODULES)

.PHONY: ensure-test
ensure-test:
	@deploy/tools/ensure cc node npm postgres chromium

# The tools are pinned by a module outside go.work, so that their dependencies never mix with the product's.
bin/golangci-lint:   PACKAGE := github.com/golangci/golangci-lint/v2/cmd/golangci-lint
bin/govulncheck:     PACKAGE := golang.org/x/vuln/cmd/govulncheck
bin/gofumpt:         PACKAGE := mvdan.cc/gofumpt
bin/cyclonedx-gomod: PACKAGE := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod
bin/oapi-codegen:    PACKAGE := github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen
bin/golangci-lint bin/govulncheck bin/gofumpt bin/cyclonedx-gomod bin/oapi-codegen: $(TOOLS)/go.mod $(TOOLS)/go.sum
	@echo "installing $@$(if $(findstring golangci,$@), (built from source: a few minutes the first time))" >&2
	@GOWORK=off GOBIN=$(BIN) go -C $(TOOLS) install $(PACKAGE)
	@touch $@
