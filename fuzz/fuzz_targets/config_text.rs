//! libFuzzer's door to [`lane_fuzz::config_text`].
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lane_fuzz::config_text(bytes));
