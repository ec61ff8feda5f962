//! What an attempt may use here, as a plan says it.

use tidegate_hooks::Limits;
use tidegate_plan_file::PlanDuration;

use crate::failure::Failure;

/// Limits of one attempt, if not the default.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitArgs {
    /// Time of one attempt, at most 2m [default: 10s].
    #[arg(long, value_name = "TIME")]
    attempt_timeout: Option<PlanDuration>,
    /// Instructions, at most 100000000000 [default: 5000000000].
    #[arg(long, value_name = "N")]
    fuel: Option<u64>,
    /// MiB of memory, at most 256; Python needs 128 [default: 64].
    #[arg(long, value_name = "MIB")]
    memory: Option<usize>,
    /// Probes, at most 2000; never less than two for each server [default: 200].
    #[arg(long, value_name = "N")]
    probes: Option<u32>,
}

impl LimitArgs {
    /// The limits.
    ///
    /// # Errors
    /// One is above what a plan can say.
    pub(super) fn get(self) -> Result<Limits, Failure> {
        let default = Limits::DEFAULT;
        let limits = Limits {
            wall: self
                .attempt_timeout
                .map_or(default.wall, |timeout| timeout.0),
            fuel: self.fuel.unwrap_or(default.fuel),
            memory: self
                .memory
                .map_or(default.memory, |mib| mib.saturating_mul(1 << 20)),
            probes: self.probes.unwrap_or(default.probes),
            ..default
        };
        let clamped = limits.clamped();
        let wrong = [
            ("--attempt-timeout", limits.wall != clamped.wall),
            ("--fuel", limits.fuel != clamped.fuel),
            ("--memory", limits.memory != clamped.memory),
            ("--probes", limits.probes != clamped.probes),
        ];
        match wrong.iter().find(|(_, above)| *above) {
            Some((option, _)) => Err(Failure::Invalid(format!(
                "{option} is above what a hook can be given"
            ))),
            None => Ok(limits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: LimitArgs = LimitArgs {
        attempt_timeout: None,
        fuel: None,
        memory: None,
        probes: None,
    };

    #[test]
    fn without_a_word_they_are_the_default() {
        assert_eq!(NONE.get().unwrap(), Limits::DEFAULT);
    }

    #[test]
    fn what_no_plan_can_give_is_refused() {
        let memory = |mib| LimitArgs {
            memory: Some(mib),
            ..NONE
        };
        assert_eq!(memory(256).get().unwrap().memory, 256 << 20);
        for mib in [257, usize::MAX] {
            let said = memory(mib).get().unwrap_err().to_string();
            assert!(said.contains("--memory"), "{said}");
        }
    }
}
