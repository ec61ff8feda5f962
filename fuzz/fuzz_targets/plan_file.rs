//! See `tidegate_fuzz::plan_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tidegate_fuzz::plan_file::check(bytes));
