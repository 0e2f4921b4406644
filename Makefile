# Each line is what a person could type.
CARGO ?= cargo

.PHONY: demo test lint bench bench-ratios counts fuzz

demo: ## the permissive scenario: chain, lane table, shares; then the same client twice
	@$(CARGO) build --quiet --release -p lane-cli
	@target/release/lane trace examples/permissive.yaml -n 100
	@echo
	@echo "The same client, asked five times (sticky split by the cookie uid):"
	@for i in 1 2 3 4 5; do target/release/lane route examples/sticky-canary.yaml https://shop.example/ -H 'cookie: uid=7' | head -n 1; done

test: ## everything that must hold
	$(CARGO) test --workspace --quiet
	tests/no-std.sh
	tests/run all

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
