#!/bin/sh
# What cargo calls instead of rustc for our own crates (RUSTC_WORKSPACE_WRAPPER): they tell libFuzzer which of their edges
# ran and what they compared; dependencies stay as every other build has them, and are shared with it. Stable flags of
# rustc over LLVM's own.
case " $* " in
*" --crate-name build_script_"*) exec "$@" ;;
esac
coverage=-sanitizer-coverage
exec "$@" -Cpasses=sancov-module -Cllvm-args=$coverage-level=4 -Cllvm-args=$coverage-inline-8bit-counters \
    -Cllvm-args=$coverage-pc-table -Cllvm-args=$coverage-trace-compares
