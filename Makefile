# `make` lists what can be done. It needs GNU make 3.81 or later and a POSIX shell.

SHELL = /bin/sh
# A workspace of a parent folder (go.work) would build other versions than go.mod has, or nothing at all.
export GOWORK = off
.DEFAULT_GOAL = help
.PHONY: help run pimctl test test-aws test-browser test-sftp test-office bench fuzz interleavings mutants vuln validate build archives verify sam-local secrets plan apply drift down print subscribe preflight rotate deploy clean

# The stage that deploy, secrets, plan, apply and the like are for: an entry of samconfig.toml, and of environments in extensions.yaml.
STAGE ?= dev
secrets plan apply drift down print subscribe preflight rotate: export STAGE := $(STAGE)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: ## run the whole system on this machine, at http://localhost:8080
	@test -x .artifacts/pimctl || echo "Building. The first time takes a minute."
	@$(MAKE) --no-print-directory pimctl
	@exec .artifacts/pimctl dev

pimctl: ## build the command line, .artifacts/pimctl
	@go build -o .artifacts/pimctl ./functions/pimctl

test: ## formatting, vet, staticcheck and all tests (RACE=required: fail where the race detector cannot run)
	@RACE=$(RACE) sh .ci/test

test-aws: ## test the AWS adapters against an emulator (the first run installs it into .tools)
	@.ci/emulator go test -count=1 ./shared/queue ./shared/jobs ./shared/ledger ./shared/secrets ./shared/actions/publish ./shared/actions/statemachine \
		./shared/files ./shared/engine ./functions/local

test-browser: ## test the pages in a real browser (as root on Debian it installs one)
	@sh .ci/test-browser

test-sftp: ## test against OpenSSH's SFTP server (as root on Debian it installs one)
	@sh .ci/test-sftp

test-office: ## open a workbook of an export in LibreOffice, where it is installed
	@sh .ci/test-office

bench: ## run the benchmarks
	go test -run '^$$' -bench . -benchmem ./...

fuzz: ## run every fuzz target for some seconds (FUZZTIME=20s)
	@FUZZTIME=$(FUZZTIME) sh .ci/fuzz

interleavings: ## let ten thousand interleavings of events, deletions, lags and crashes end as the PIM (some minutes)
	go test ./shared/engine -run TestTheDestinationEndsAsThePIM -interleavings=10000 -timeout 30m

mutants: ## break the code on purpose and count what the tests notice (half an hour; PACKAGES="shared/queue …")
	@go -C .ci run ./mutants $(PACKAGES)

vuln: ## look the dependencies up in the vulnerability database (needs the network)
	go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...

validate: ## check template.yaml
	@.ci/sam validate --lint

# Static, stripped archives. A bare `sam build` gives correct ones too, only larger.
build: ## build the functions for AWS
	@CGO_ENABLED=0 GOFLAGS="-trimpath -tags=lambda.norpc '-ldflags=-s -w'" .ci/sam build --config-env "$(STAGE)"

archives: ## the functions as archives with checksums, for both processors, in .artifacts/archives
	@go -C .ci run ./archives

verify: ## build, deploy to an AWS emulator, and drive what was deployed over HTTP (the first run installs both into .tools)
	@.ci/verify

sam-local: ## run each function with `sam local invoke` in Docker, against an AWS emulator
	@.ci/sam-local

# A stage that extensions.yaml does not know is refused here: its functions could not start.
deploy: ## deploy to AWS (STAGE=dev, staging or production)
	@go run ./functions/pimctl print https://example.com --stage "$(STAGE)" >/dev/null
	@$(MAKE) --no-print-directory build
	@.ci/sam deploy --config-env "$(STAGE)"

# By the names that template.yaml gives them.
secrets: ## fill the secrets of a deployed stage with what extensions.yaml needs (STAGE=…)
	@SIGNING_SECRET_ID="$(or $(SIGNING_SECRET_ID),pim-functions/$(STAGE)/signing)" \
		CONNECTION_SECRET_ID="$(or $(CONNECTION_SECRET_ID),pim-functions/$(STAGE)/connections)" \
		go run ./functions/pimctl secrets

# $(call senders,COMMAND) is a command of pimctl about those who call a deployment.
define senders
@test -n "$(URL)" || { echo "make $(firstword $(1)): missing URL: pass the output ApiUrl: make $(firstword $(1)) URL=https://… STAGE=$(STAGE)" >&2; exit 2; }
@SIGNING_SECRET_ID="$(or $(SIGNING_SECRET_ID),pim-functions/$(STAGE)/signing)" \
	CONNECTION_SECRET_ID="$(or $(CONNECTION_SECRET_ID),pim-functions/$(STAGE)/connections)" \
	.artifacts/pimctl $(1) "$(URL)" --stage "$(STAGE)" $(FLAGS)
endef

plan: pimctl ## show what the PIM, the Event Platform and Contentful would be told (URL=https://… STAGE=… FLAGS=--prune, --json, …)
	$(call senders,plan)

apply: pimctl ## tell them (URL=https://… STAGE=… and perhaps FLAGS=--yes, --prune, --resume, --send-secrets)
	$(call senders,apply)

drift: pimctl ## fail if they know something else than extensions.yaml declares (URL=https://… STAGE=…)
	$(call senders,drift)

down: pimctl ## take it all back, before a stack is deleted (URL=https://… STAGE=…)
	$(call senders,down)

print: ## print what the PIM must know about us (URL=https://… STAGE=…)
	@test -n "$(URL)" || { echo "make print: missing URL: pass the output ApiUrl: make print URL=https://… STAGE=$(STAGE)" >&2; exit 2; }
	@go run ./functions/pimctl print "$(URL)" --stage "$(STAGE)"

subscribe: pimctl ## apply for the PIM's events alone (URL=https://… STAGE=… and perhaps FLAGS=--print, --resume, --prune)
	$(call senders,subscribe)

preflight: pimctl ## look at a deployment as its senders meet it (URL=https://… STAGE=… and perhaps LINK_SECRET_ID=…)
	$(call senders,preflight)

rotate: pimctl ## replace a secret and refuse no call (NAME=… URL=https://… STAGE=… or FLAGS=--all, --status)
	$(call senders,rotate $(NAME) --url)

clean: ## remove what was built (.tools, the installed tools, stays)
	rm -rf .artifacts .aws-sam
