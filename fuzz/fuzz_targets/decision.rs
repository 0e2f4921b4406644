//! libFuzzer's door to [`lane_fuzz::decision`].
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lane_fuzz::decision(bytes));
