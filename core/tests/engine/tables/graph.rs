//! The graph of a wave's states, drawn from the transitions that are seen
//! when thousands of random executions run, the same ones every time.

use std::collections::BTreeSet;

use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use tidegate_core::engine::{Change, WaveState};

use crate::property::{genes::setting, live, steps::steps};

const EXECUTIONS: u32 = 3_000;

#[test]
fn the_graph_of_wave_states() {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
    let lives = (setting(), any::<bool>(), steps());
    let mut seen = BTreeSet::new();
    for _ in 0..EXECUTIONS {
        let life = lives.new_tree(&mut runner).expect("a life is made");
        let (setting, early, steps) = life.current();
        let world = live(&setting, early, &steps);
        let mut states = vec![WaveState::Waiting; world.execution.waves().len()];
        for (_, change) in &world.journal {
            if let Change::WaveMoved { wave, to, .. } = change {
                seen.insert((states[wave.index()], *to));
                states[wave.index()] = *to;
            }
        }
    }
    let edges = seen
        .iter()
        .map(|(from, to)| format!("    {from:?} --> {to:?}\n"));
    let drawn: String = std::iter::once("stateDiagram-v2\n    [*] --> Waiting\n".to_string())
        .chain(edges)
        .collect();
    insta::with_settings!({omit_expression => true, prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("wave_states", drawn);
    });
}
