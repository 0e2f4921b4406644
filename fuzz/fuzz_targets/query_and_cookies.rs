//! libFuzzer's door to [`lane_fuzz::query_and_cookies`].
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lane_fuzz::query_and_cookies(bytes));
