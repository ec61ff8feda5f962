//! `ListTapes`.

use std::collections::BTreeMap;

use tidegate_core::{
    HookIx, WaveIx,
    engine::{Change, CommandId},
    plan::HookPhase,
};
use tidegate_proto::v1;
use tonic::Status;

use crate::{
    driver::{RecordView, View},
    grpc::{
        argument, convert,
        page_token::{List, not_a_token},
        services::Services,
        status,
    },
    ports::hook_store::TapeKey,
};

/// Records that are read at once.
const CHUNK: usize = 256;

pub(super) async fn list(
    services: &Services,
    request: &v1::ListTapesRequest,
) -> Result<v1::ListTapesResponse, Status> {
    let size = argument::page_size(request.page_size)?;
    let id = argument::execution_id("execution", &request.execution)?;
    let scope = id.as_str().as_bytes();
    let after = List::Tapes.key(scope, &request.page_token)?;
    let after = after.map(|key| Place::read(&key).ok_or_else(not_a_token));
    let after = after.transpose()?;
    let view = services.driver.view(&id).await;
    let view = view.map_err(|error| status::from_driver(error, None))?;
    let tapes = services.hook_store.tapes(&id).await;
    let tapes = tapes.map_err(|error| status::from_read(&error))?;
    if tapes.is_empty() {
        return Ok(v1::ListTapesResponse::default());
    }
    let ends = ends(services, &view).await?;
    let plan = view.execution.plan();
    let shown = tapes.iter().filter_map(|tape| {
        let shown = convert::stored_hook::tape_id(tape, plan)?;
        Some((ends.place(tape), shown))
    });
    let (tapes, last) = page(shown.collect(), after, size);
    Ok(v1::ListTapesResponse {
        tapes,
        next_page_token: last
            .map(|last| List::Tapes.token(scope, &last.written()))
            .unwrap_or_default(),
    })
}

/// One page of all tapes, and its last place if others come after it.
fn page(
    mut all: Vec<(Place, v1::TapeId)>,
    after: Option<Place>,
    size: usize,
) -> (Vec<v1::TapeId>, Option<Place>) {
    all.sort_by_key(|(place, _)| *place);
    let begin = all.partition_point(|(place, _)| Some(*place) <= after);
    let end = all.len().min(begin + size);
    let last = all.get(begin..end).and_then(<[_]>::last);
    let last = last.filter(|_| end < all.len()).map(|(place, _)| *place);
    let tapes = all.drain(begin..end).map(|(_, tape)| tape).collect();
    (tapes, last)
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
    ended: BTreeMap<CommandId, u64>,
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
                let place = self.ended.len() as u64;
                self.ended.entry(command).or_insert(place);
            }
        }
    }

    /// An attempt whose end is not recorded comes last: its tape was stored,
    /// and its answer is still to be heard or never was.
    fn place(&self, tape: &TapeKey) -> Place {
        let ended = self.ended.get(&tape.command).copied();
        Place {
            end: ended.unwrap_or(u64::MAX),
            command: tape.command,
        }
    }
}

/// An attempt's place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// How many attempts ended before it.
    end: u64,
    command: CommandId,
}

impl Place {
    /// As it stands in a token.
    fn written(self) -> String {
        let CommandId::Hook {
            wave,
            phase,
            hook,
            attempt,
        } = self.command
        else {
            unreachable!("a tape is of a hook");
        };
        let phase = match phase {
            HookPhase::PreWave => 0,
            HookPhase::PostWave => 1,
        };
        format!("{}/{}/{phase}/{}/{attempt}", self.end, wave.0, hook.0)
    }

    fn read(key: &str) -> Option<Self> {
        let parts: Vec<&str> = key.split('/').collect();
        let [end, wave, phase, hook, attempt] = parts[..] else {
            return None;
        };
        let command = CommandId::Hook {
            wave: WaveIx(wave.parse().ok()?),
            phase: match phase {
                "0" => HookPhase::PreWave,
                "1" => HookPhase::PostWave,
                _ => return None,
            },
            hook: HookIx(hook.parse().ok()?),
            attempt: attempt.parse().ok()?,
        };
        let end = end.parse().ok()?;
        Some(Self { end, command })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tidegate_core::{
        ExecutionId,
        engine::{HookEvidence, HookOutcome},
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

    #[test]
    fn a_place_survives_its_token() {
        for end in [0, 7, u64::MAX] {
            let command = command(3, 2);
            let place = Place { end, command };
            assert_eq!(Place::read(&place.written()), Some(place));
        }
        for wrong in ["", "1", "1/0/1/0", "1/0/1/0/1/1", "1/0/2/0/1", "-1/0/1/0/1"] {
            assert_eq!(Place::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn pages_go_on_after_their_last_tape_also_when_others_ended_since() {
        let at = |end, attempt| {
            let command = command(0, attempt);
            let id = v1::TapeId {
                attempt,
                ..v1::TapeId::default()
            };
            (Place { end, command }, id)
        };
        let attempts = |tapes: Vec<v1::TapeId>| -> Vec<u32> {
            tapes.into_iter().map(|it| it.attempt).collect()
        };
        let all = vec![at(u64::MAX, 4), at(1, 2), at(0, 1), at(2, 3)];
        let (first, after) = page(all.clone(), None, 3);
        assert_eq!((attempts(first), after), (vec![1, 2, 3], Some(all[3].0)));

        let since = [&all[1..], &[at(3, 4), at(4, 5)]].concat();
        let (second, after) = page(since, after, 3);
        assert_eq!((attempts(second), after), (vec![4, 5], None));
        assert_eq!(page(all.clone(), Some(all[0].0), 3).0, []);
    }
}
