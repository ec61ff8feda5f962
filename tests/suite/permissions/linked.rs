//! Which operations of AWS a program can call, by what its linker kept.
//!
//! Every operation of an SDK is functions of its own, and the linker drops those
//! that nothing reaches from `main`. What is left in the table of symbols is
//! what can be called, by us or by a library, whichever way it is written. The
//! symbols must be there, so this is for the dev profile; the file must be ELF.

use std::{collections::BTreeSet, fs::File, os::unix::fs::FileExt as _, path::Path};

/// A section that lists symbols (System V ABI, "Sections": `SHT_SYMTAB`).
const SYMBOLS: u32 = 2;
/// Bytes of a section's header in a file of 64 bits.
const HEADER: u64 = 64;

/// The operations, as IAM spells actions; services are called as their crates.
pub(super) fn operations(program: &Path) -> BTreeSet<String> {
    let names = names(program);
    let symbols = names.split(|byte| *byte == 0);
    let found: BTreeSet<String> = symbols
        .filter_map(|symbol| operation(std::str::from_utf8(symbol).ok()?))
        .collect();
    assert!(
        !found.is_empty(),
        "{} names no operation of AWS: a profile without symbols cannot be looked into",
        program.display()
    );
    found
}

/// The operation whose sending is this symbol. Names are preceded by their
/// lengths in both ways in which Rust mangles paths.
fn operation(symbol: &str) -> Option<String> {
    let (_, path) = symbol.split_once("aws_sdk_")?;
    let (service, path) = path.split_once("9operation")?;
    let digits = path.find(|c: char| !c.is_ascii_digit())?;
    let (length, path) = path.split_at(digits);
    let (name, inside) = path.split_at_checked(length.parse().ok()?)?;
    let is_sending = inside.contains("orchestrate");
    is_sending.then(|| format!("{service}:{}", action(name)))
}

/// `describe_jobs` as `DescribeJobs`.
fn action(name: &str) -> String {
    let capitalised = name.split('_').map(|word| {
        let (first, rest) = word.split_at(1.min(word.len()));
        first.to_ascii_uppercase() + rest
    });
    capitalised.collect()
}

/// The names of a file's symbols, each ended by a zero.
fn names(program: &Path) -> Vec<u8> {
    let file = File::open(program).expect("the program is there");
    let first = number(&file, 0x28, 8);
    let count = number(&file, 0x3c, 2);
    let header = |index: u64| first + index * HEADER;
    let symbols = (0..count)
        .map(header)
        .find(|at| number(&file, at + 4, 4) == u64::from(SYMBOLS))
        .expect("the program has symbols: it is built in the dev profile");
    let names = header(number(&file, symbols + 0x28, 4));
    let (at, size) = (
        number(&file, names + 0x18, 8),
        number(&file, names + 0x20, 8),
    );
    let mut bytes = vec![0; usize::try_from(size).expect("it fits in memory")];
    file.read_exact_at(&mut bytes, at).expect("an ELF file");
    bytes
}

/// A little-endian number of a file.
fn number(file: &File, at: u64, size: usize) -> u64 {
    let mut bytes = [0; 8];
    let read = file.read_exact_at(&mut bytes[..size], at);
    read.expect("an ELF file of 64 bits");
    u64::from_le_bytes(bytes)
}

#[test]
fn an_operation_is_known_by_the_symbol_of_its_sending() {
    let of = |symbol| operation(symbol);
    let legacy = "_ZN11aws_sdk_drs9operation13describe_jobs12DescribeJobs\
                  27orchestrate_with_stop_point17h0123456789abcdefE";
    assert_eq!(of(legacy).as_deref(), Some("drs:DescribeJobs"));
    let v0 = "_RNCNvMs_NtNtCs1_16aws_sdk_dynamodb9operation5queryNtB4_5Query11orchestrate0B8_";
    assert_eq!(of(v0).as_deref(), Some("dynamodb:Query"));
    let error = "_ZN11aws_sdk_sts9operation11assume_role15AssumeRoleError9unhandled17h0E";
    assert_eq!(of(error), None, "a type of its own is no call");
    assert_eq!(of("_ZN3std2io5stdio6_print17h0E"), None);
}
