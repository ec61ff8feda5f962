//! See `tidegate_fuzz::journal_record`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tidegate_fuzz::journal_record::check(bytes));
