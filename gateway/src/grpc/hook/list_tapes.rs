//! `ListTapes`.

use std::collections::BTreeMap;

use tidegate_core::{
    WaveIx,
    engine::{Change, CommandId},
};
use tidegate_proto::v1;
use tonic::Status;

use crate::{
    driver::{RecordView, View},
    grpc::{argument, convert, services::Services, status},
    ports::hook_store::TapeKey,
};

/// Records that are read at once.
const CHUNK: usize = 256;

pub(super) async fn list(
    services: &Services,
    request: &v1::ListTapesRequest,
) -> Result<v1::ListTapesResponse, Status> {
    let id = argument::execution_id("execution", &request.execution)?;
    let view = services.driver.view(&id).await;
    let view = view.map_err(|error| status::from_driver(error, None))?;
    let tapes = services.hook_store.tapes(&id).await;
    let mut tapes = tapes.map_err(|error| status::from_read(&error))?;
    if !tapes.is_empty() {
        let ends = ends(services, &view).await?;
        tapes.sort_by_key(|tape| ends.place(tape));
    }
    let plan = view.execution.plan();
    let shown = tapes
        .iter()
        .filter_map(|tape| convert::stored_hook::tape_id(tape, plan));
    Ok(v1::ListTapesResponse {
        tapes: shown.collect(),
    })
}

async fn ends(services: &Services, view: &View) -> Result<Ends, Status> {
    let mut ends = Ends::default();
    let mut revision = 0;
    while revision < view.revision {
        let id = view.execution.id();
        let records = services.driver.records(id, revision, CHUNK).await;
        let records = records.map_err(|error| status::from_driver(error, None))?;
        let Some(last) = records.last() else {
            break;
        };
        revision = last.revision;
        for record in &records {
            ends.read(record);
        }
    }
    Ok(ends)
}

/// The order in which attempts of hooks ended.
#[derive(Debug, Default)]
struct Ends {
    running: BTreeMap<WaveIx, CommandId>,
    ended: BTreeMap<CommandId, usize>,
}

impl Ends {
    fn read(&mut self, record: &RecordView) {
        for change in &record.changes {
            if let Change::HookStarted {
                wave,
                phase,
                hook,
                attempt,
            } = *change
            {
                let command = CommandId::Hook {
                    wave,
                    phase,
                    hook,
                    attempt,
                };
                self.running.insert(wave, command);
            } else if let Change::HookEnded { wave, .. } = change
                && let Some(command) = self.running.remove(wave)
            {
                let place = self.ended.len();
                self.ended.entry(command).or_insert(place);
            }
        }
    }

    /// An attempt whose end is not recorded comes last: its tape was stored,
    /// and its answer is still to be heard or never was.
    fn place(&self, tape: &TapeKey) -> (usize, TapeKey) {
        let ended = self.ended.get(&tape.command);
        (ended.copied().unwrap_or(usize::MAX), tape.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tidegate_core::{
        ExecutionId, HookIx,
        engine::{HookEvidence, HookOutcome},
        plan::HookPhase,
    };

    use super::*;
    use crate::grpc::fixtures;

    fn command(wave: u16, attempt: u32) -> CommandId {
        CommandId::Hook {
            wave: WaveIx(wave),
            phase: HookPhase::PostWave,
            hook: HookIx(0),
            attempt,
        }
    }

    fn started(wave: u16, attempt: u32) -> Change {
        Change::HookStarted {
            wave: WaveIx(wave),
            phase: HookPhase::PostWave,
            hook: HookIx(0),
            attempt,
        }
    }

    fn ended(wave: u16) -> Change {
        Change::HookEnded {
            wave: WaveIx(wave),
            outcome: HookOutcome::Proceed,
            message: Arc::from(""),
            evidence: Arc::new(HookEvidence::default()),
        }
    }

    #[test]
    fn tapes_are_in_the_order_in_which_their_attempts_ended() {
        let mut ends = Ends::default();
        let log = vec![started(0, 1), started(1, 1), ended(1), started(1, 2)];
        ends.read(&fixtures::record(1, 2, log));
        ends.read(&fixtures::record(2, 6, vec![ended(0)]));
        let tape = |command| TapeKey {
            execution: ExecutionId::from(fixtures::EXECUTION),
            command,
        };
        let mut tapes = [command(0, 1), command(1, 1), command(1, 2)].map(tape);
        tapes.sort_by_key(|tape| ends.place(tape));
        let expected = [command(1, 1), command(0, 1), command(1, 2)].map(tape);
        assert_eq!(tapes, expected);
    }
}
