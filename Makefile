# Freizeichen. `make` alone lists what it can do.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# One static binary per machine: cgo is off everywhere but in `go test -race`, which needs it and gcc.
export CGO_ENABLED := 0

# What `make fuzz` spends on each target.
FUZZTIME ?= 10s
# How many seeds test/simulate runs in `make test`; `make check` runs the suite's own small number.
SEEDS ?= 10000

# The suites that want more than Go, or more than a minute: they stand outside `make check`.
BIG := asterisk board presence browser bench hostile
big := $(shell echo '/test/($(BIG))(/|$$)' | tr ' ' '|')
suites := $(patsubst %,./%/...,$(wildcard test/asterisk test/presence test/browser))

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# LANG and LANGUAGE stand in every environment: only what was given to make itself counts.
given = $(if $(filter command,$(origin $1)),$($1))
run: export PBX := $(call given,PBX)
run: export PHONE_LANGUAGE := $(or $(call given,LANGUAGE),$(call given,LANG))
run: export PANEL := $(call given,PANEL)
run: ## Start the phone in the browser: make run [PBX='sip:201:secret@host:port'] [LANG=en] [PANEL=colour320x240]
	@mkdir -p build
	@go build -trimpath -o build/phonesim ./cmd/phonesim
	@exec ./build/phonesim $${PBX:+-pbx "$$PBX"} $${PHONE_LANGUAGE:+-language "$$PHONE_LANGUAGE"} $${PANEL:+-panel "$$PANEL"}

build: ## Build every program for this machine into build/
	@mkdir -p build
	go build -trimpath -o build/ ./cmd/...

check: ## All that is quick, under a minute: gofmt, vet, staticcheck, rules, race tests, builds for every machine
	@bad=$$(gofmt -l cmd device firmware hal sip test 2>/dev/null || true); \
	  if [ -n "$$bad" ]; then echo "gofmt -w these:"; echo "$$bad"; exit 1; fi
	go vet ./...
	go tool staticcheck ./...
	go test ./test/imports
	@packages=$$(go list ./... | grep -vE '$(big)|/test/imports$$'); \
	if command -v gcc >/dev/null || [ -n "$${CI:-}" ]; then echo "go test -race, everything but $(BIG)"; CGO_ENABLED=1 go test -race -timeout 3m $$packages; \
	else echo "gcc is missing: the tests run without the race detector"; go test -timeout 3m $$packages; fi
	@$(MAKE) cross

arm: ## Build the programs of a phone for boards, static: build/arm64, build/armv7, build/armv6
	@for target in arm64/ arm/7 arm/6; do \
	  IFS=/ read -r arch arm <<<"$$target"; dir=build/$$arch$${arm:+v$$arm}; mkdir -p $$dir; \
	  GOOS=linux GOARCH=$$arch GOARM=$$arm go build -trimpath -ldflags '-s -w' -o $$dir/ ./cmd/phoned ./cmd/phonectl ./cmd/switchboard; \
	  for program in $$dir/*; do printf '%-28s %5.1f MB\n' "$$program" "$$(stat -c %s "$$program" | awk '{print $$1/1e6}')"; done; \
	done

cross: ## Build for the boards (arm64, armv7, armv6), for servers (amd64), and phonesim for macOS and Windows
	@for target in linux/arm64/ linux/arm/7 linux/arm/6 linux/amd64/; do \
	  IFS=/ read -r os arch arm <<<"$$target"; \
	  echo "go build ./... for $$os/$$arch$${arm:+v$$arm}"; \
	  GOOS=$$os GOARCH=$$arch GOARM=$$arm go build ./...; \
	done
	@if [ -d cmd/phonesim ]; then for target in darwin/arm64 windows/amd64; do \
	  echo "go build ./cmd/phonesim for $$target"; \
	  GOOS=$${target%/*} GOARCH=$${target#*/} go build -o /dev/null ./cmd/phonesim; \
	done; fi

tools: ## Install Asterisk, Kamailio, Chromium, PostgreSQL, baresip and SIPp for the tests (root on Debian; else say what is missing)
	@go run ./test/tool/install

test: tools check test-arm ## The one test command: check, then the phone against a real Asterisk, Kamailio, browser and kernel, and 10,000 seeds
	CGO_ENABLED=1 go test -race -count=1 -timeout 5m ./test/hostile/...
	go test -count=1 -timeout 15m $(suites)
	go test -count=1 -p 1 -timeout 20m ./test/board/...
	@if [ -d test/simulate ]; then set -x; FREIZEICHEN_SEEDS=$(SEEDS) go test -count=1 -timeout 10m ./test/simulate/...; fi

# A target whose time ends in the middle of an input fails with "context deadline exceeded" (go.dev/issue/75804): no finding.
# Of these three, qemu-user does not know the ioctls: it answers ENOSYS where the kernel says ENOTTY. test/board has the real ones.
unknown := RuntimesPoller|PollEndsForData|NoRawHIDDevice
test-arm: ## Run the unit tests of hardware and phone as 32-bit ARM programs, in qemu-user
	GOARCH=arm GOARM=6 go test -exec "$$(command -v qemu-arm-static || command -v qemu-arm)" -timeout 10m -skip '$(unknown)' ./hal/... ./device/... ./sip/codec

fuzz: ## Run every fuzz target for FUZZTIME (10s)
	@{ grep -roE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' cmd device firmware hal sip test 2>/dev/null || true; } | sort -u | \
	while IFS=: read -r file name; do \
	  dir=./$$(dirname "$$file"); name=$${name#func }; \
	  if out=$$(go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$dir" 2>&1); then echo "$$dir $$name: $$(tail -n 1 <<<"$$out")"; \
	  elif grep -q 'context deadline exceeded' <<<"$$out" && ! grep -q 'Failing input' <<<"$$out"; then \
	    echo "$$dir $$name: its time ended in the middle of an input"; \
	  else echo "$$out"; exit 1; fi; \
	done

bench: tools ## Measure the phone beside baresip: start, INVITE to 180, lift to 200, CPU, memory, allocations
	go run ./test/bench

bench-queue: tools ## Measure one change of a queue to the last of 50, 1,000 and 5,000 phones, by each way; and the switchboard's memory
	go run ./test/bench/queue

bench-hal: tools ## Measure the body: hook to 200, key to panel, bytes of each change of a panel, CPU and memory of a phone at rest and in a call
	go run ./test/bench/hal

vuln: ## Look for known vulnerabilities in what we use
	@out=$$(go tool govulncheck ./... 2>&1) && { echo "$$out"; exit 0; }; \
	if grep -qE 'fetching vulnerabilities|vuln\.go\.dev|dial tcp|no such host' <<<"$$out"; then \
	  echo "govulncheck: the vulnerability database cannot be reached; nothing was checked"; \
	else echo "$$out"; exit 1; fi

rewrite: ## Write the golden files anew; read the difference before you commit it
	@grep -rl --include='*_test.go' 'flag.Bool("rewrite"' cmd device firmware hal sip test | xargs -n1 dirname | sort -u | \
	while read -r dir; do go test -count=1 "./$$dir" -rewrite; done
	@git --no-pager diff --stat

picture: tools ## Take the README's pictures: test/browser/testdata/*.png
	FREIZEICHEN_PICTURE=1 go test -count=1 -run Picture ./test/browser

clean: ## Remove build/
	rm -rf build

.PHONY: help run build check arm cross tools test test-arm fuzz bench bench-queue bench-hal vuln rewrite picture clean
