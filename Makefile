# Each line is what a person could type.
CARGO ?= cargo

.PHONY: demo test test-rust test-fronts lint bench bench-ratios counts fuzz playground mesh npm python go c envoy

demo: ## the permissive scenario: chain, lane table, shares; then the same client twice
	@$(CARGO) build --quiet --release -p lane-cli
	@target/release/lane trace examples/permissive.yaml -n 100
	@echo
	@echo "The same client, asked five times (sticky split by the cookie uid):"
	@for i in 1 2 3 4 5; do target/release/lane route examples/sticky-canary.yaml https://shop.example/ -H 'cookie: uid=7' | head -n 1; done

test: test-rust test-fronts ## everything that must hold, in every language; .ci/install says what it needs
	tests/run all

test-rust: ## the engine, its text formats, the command, the oracle: Rust alone
	$(CARGO) test --workspace --quiet
	tests/no-std.sh

test-fronts: c go envoy npm python ## the other languages and real proxies
	lane-wasm/playground/test.sh
	tests/envoy/test.sh
	examples/mesh/run --check

c: ## the C library: header, vectors, sanitizers, threads, install, proxy, nginx
	lane-ffi/test.sh

go: ## the Go module, with cgo and without
	lane-ffi/go/test.sh

envoy: ## the Envoy module in real Envoys
	lane-ffi/proxies/envoy/test.sh

npm: ## the npm package: Node, browsers, bundlers
	lane-wasm/test.sh

python: ## the Python package: wheel, types, plugin, tables, Spark
	lane-py/test.sh

playground: ## builds the page and serves it on loopback
	lane-wasm/playground/serve.sh

mesh: ## the demo with real Envoys and OpenTelemetry, on loopback
	examples/mesh/run

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --quiet -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --quiet

bench: ## every table, some minutes
	$(CARGO) run --release -p lane-benches --bin bench

bench-ratios: ## the goals of the hot path, one line each
	$(CARGO) run --release -p lane-benches --bin ratios

counts: ## instructions a decision against the record (needs valgrind)
	benches/count.sh

fuzz: ## the fuzz bodies over generated inputs, longer than in `make test`
	$(CARGO) test --release -p lane-fuzz
