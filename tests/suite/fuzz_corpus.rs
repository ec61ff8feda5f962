//! Every input that fuzzing has kept is tried in every run of the tests: what
//! was found once stays mended, without instrumentation and without libFuzzer.

use std::{fs, path::Path};

use tidegate_fuzz::{ALL, Check};

#[test]
fn every_input_that_fuzzing_has_kept_holds() {
    for (target, check) in ALL {
        let tried = try_all(target, check);
        assert!(tried >= 8, "the corpus of {target} has {tried} inputs");
    }
}

#[expect(clippy::print_stdout, reason = "names the input that panics")]
fn try_all(target: &str, check: Check) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let inputs = fs::read_dir(folder.join(target)).expect("the target has a corpus");
    let mut tried = 0;
    for input in inputs {
        let path = input.expect("the corpus can be read").path();
        let bytes = fs::read(&path).expect("an input can be read");
        // Named by cargo together with a panic.
        println!("{}", path.display());
        check(&bytes);
        tried += 1;
    }
    tried
}
