//! libFuzzer's door to [`lane_fuzz::baggage`].
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lane_fuzz::baggage(bytes));
