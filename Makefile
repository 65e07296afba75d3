# Everything by name; `make` alone lists the names.
SHELL := /bin/bash
.DEFAULT_GOAL := help

LETHE := build/lethe
MODELS := moonshine-tiny-en silero-vad

help: ## list what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## install the Debian packages that are missing
	@scripts/setup.sh

program: setup ## compile build/lethe
	@[ -f build/build.ninja ] || cmake --preset release
	@cmake --build --preset release --target lethe

build: program ## compile its tests too
	@cmake --build --preset release

models: program ## fetch the models that are not installed
	@for model in $(MODELS); do $(LETHE) models pull $$model || exit 1; done

run: models ## start the service, transcribe a recording through it, and stay up
	@scripts/run_service.sh $(LETHE)

sample: models ## transcribe recordings of Debian's test data by command and show the words
	@scripts/run_sample.sh $(LETHE)

clients: setup ## install and fetch what the tests use: MariaDB, official clients, an S3 server, Prometheus, a browser
	@scripts/setup.sh scripts/packages-test.txt
	@scripts/prometheus.sh
	@for folder in tests/clients tests/s3 tests/console; do \
		[ $$folder/node_modules/.package-lock.json -nt $$folder/package-lock.json ] || \
			npm ci --ignore-scripts --silent --prefix $$folder || exit 1; \
	done

test: build models clients ## run every test
	@LETHE_TEST_REQUIRE_MODELS=1 ctest --preset release -j $$(nproc)

pictures: models clients ## make the pictures of the console anew, docs/pictures/
	@python3 tests/console/pictures.py $(LETHE)

endurance: models ## ten minutes of nothing give no words; an hour needs little memory
	@python3 tests/endurance.py $(LETHE)

bench: models ## measure speed and throughput beside ONNX Runtime and sherpa-onnx
	@cd bench && npm ci --silent
	@node bench/speed.mjs $(LETHE)
	@echo
	@node bench/throughput.mjs $(LETHE)

load: models ## measure what the service adds to a call, and ten minutes of full load; MINUTES=10
	@scripts/setup.sh scripts/packages-dev.txt
	@python3 bench/service.py $(LETHE) --minutes $(or $(MINUTES),10)

word-times: models ## measure the times of words against pocketsphinx's alignment
	@scripts/setup.sh scripts/packages-word-times.txt
	@python3 bench/word_times.py $(LETHE)

soak: models ## live streams at 80 % load with clients that hang up, memory over time; MINUTES=30
	@python3 bench/soak.py $(LETHE) --minutes $(or $(MINUTES),30)

format: ## rewrite the sources as the formatter wants them
	@scripts/setup.sh scripts/packages-dev.txt
	@git ls-files --cached --others --exclude-standard '*.h' '*.cc' | \
		while read -r file; do [ ! -e "$$file" ] || echo "$$file"; done | xargs clang-format -i

lint: setup ## check format, layers and clang-tidy's findings; CHANGED=1: only of changed sources
	@scripts/setup.sh scripts/packages-dev.txt
	@[ -f build/build.ninja ] || cmake --preset release
	@scripts/lint.sh build $(if $(CHANGED),--changed)

asan: models clients ## run every test under the address and undefined-behaviour sanitizers
	@cmake --preset asan && cmake --build --preset asan
	@LETHE_TEST_REQUIRE_MODELS=1 ctest --preset asan -j $$(nproc)

tsan: models clients ## run every test under the thread sanitizer
	@cmake --preset tsan && cmake --build --preset tsan
	@LETHE_TEST_REQUIRE_MODELS=1 ctest --preset tsan -j $$(nproc)

conformance: build ## run a WebSocket suite that is not ours, from Debian's sources of jetty9
	@scripts/setup.sh scripts/packages-conformance.txt
	@cmake --build --preset release --target websocket_echo
	@python3 tests/conformance/run.py build/tests/websocket_echo build/conformance

deb: program ## make the Debian package, build/package/lethe_*.deb
	@scripts/setup.sh scripts/packages-package.txt
	@mkdir -p build/package
	@DEB_RULES_REQUIRES_ROOT=no debian/rules binary >build/package/log 2>&1 || \
		{ tail -n 40 build/package/log >&2; exit 1; }
	@ls build/package/lethe_*.deb

deb-test: deb models ## try the package on a bare Debian 12: install, transcribe, upgrade, purge; as root
	@LETHE_DEB_VERSION=$$($(LETHE) version | awk '{print $$NF}')+next1 \
		DEB_RULES_REQUIRES_ROOT=no debian/rules binary >build/package/log 2>&1
	@version=$$($(LETHE) version | awk '{print $$NF}'); cd build/package && \
		python3 ../../tests/package/run.py ../lethe lethe_$${version}_amd64.deb lethe_$$version+next1_amd64.deb

alerts: models clients ## make the fault of each alert, and see it fire in Debian's Prometheus
	@LETHE_TEST_ALERTS=1 LETHE_TEST_REQUIRE_MODELS=1 \
		python3 -B tests/program/alerts_test.py $(LETHE) -v AlertsTest

fuzz: setup ## run each fuzzer; SECONDS_EACH=300
	@scripts/setup.sh scripts/packages-dev.txt
	@cmake --preset fuzz && cmake --build --preset fuzz
	@scripts/fuzz.sh build/fuzz $(or $(SECONDS_EACH),300)

clean: ## remove everything built or fetched for building (not the installed models)
	@rm -rf build debian/.debhelper debian/lethe debian/files debian/*.substvars debian/debhelper-build-stamp bench/node_modules tests/clients/node_modules tests/s3/node_modules tests/console/node_modules tests/prometheus

.PHONY: help setup program build models clients run sample test pictures endurance bench load word-times soak format lint asan tsan conformance fuzz deb deb-test alerts clean
