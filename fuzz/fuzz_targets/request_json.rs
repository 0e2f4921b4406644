//! libFuzzer's door to [`lane_fuzz::request_json`].
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lane_fuzz::request_json(bytes));
