//! Asking a hook what a vector asks.

use super::{Expected, Mismatch, Vector};
use crate::{Hook, Host, Limits, Tape};

/// What came of a vector.
#[derive(Clone, Debug)]
pub struct VectorRun {
    /// Whether it holds.
    pub judged: Result<(), Mismatch>,
    /// The attempt. A vector about parameters makes none.
    pub tape: Option<Tape>,
}

impl Vector {
    /// Asks the hook, under these limits. To be called where
    /// [`Host::check`] can be.
    pub async fn run(&self, host: &Host, hook: &Hook, limits: &Limits) -> VectorRun {
        let accepts = host.accepts(hook, limits, &self.context.parameters).await;
        let accepted = self.judge_accepts(&accepts);
        match self.expected {
            Expected::Accepted | Expected::Refused { .. } => VectorRun {
                judged: accepted,
                tape: None,
            },
            Expected::Verdict { .. } | Expected::Failure { .. } => {
                let probes = self.probes();
                let tape = host.check(hook, limits, &self.context, &probes).await;
                let judged = both(accepted, self.judge(&tape.outcome, &probes));
                VectorRun {
                    judged,
                    tape: Some(tape),
                }
            }
        }
    }
}

fn both(one: Result<(), Mismatch>, other: Result<(), Mismatch>) -> Result<(), Mismatch> {
    match (one, other) {
        (Err(mut one), Err(other)) => {
            one.discrepancies.extend(other.discrepancies);
            Err(one)
        }
        (one, other) => one.and(other),
    }
}
