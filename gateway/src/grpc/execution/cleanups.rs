//! What later cleanups have left of an execution. Its own log ends with its
//! instances launched, and that they are gone is in the logs of the cleanups.

use std::collections::BTreeMap;

use tidegate_core::{
    ExecutionId, SourceServerId,
    engine::{Action, Execution, ServerState, WaveRun},
};
use tidegate_proto::v1;
use tonic::Status;

use super::list;
use crate::{
    driver::View,
    grpc::{services::Services, status},
};

/// Executions that are read at once.
const CHUNK: usize = 250;

/// All cleanups of one execution, taken together.
#[derive(Debug, Default)]
pub(super) struct Cleanups {
    /// Servers whose instances are gone, and the cleanup that says so.
    gone: BTreeMap<SourceServerId, ExecutionId>,
    is_under_way: bool,
}

impl Cleanups {
    /// The cleanups of this execution. It has none while it runs. A cleanup is
    /// younger than its source, so younger executions are all that is read.
    pub(super) async fn of(services: &Services, source: &View) -> Result<Self, Status> {
        let mut cleanups = Self::default();
        if !source.execution.allows(Action::CleanUp) {
            return Ok(cleanups);
        }
        let mut before: Option<ExecutionId> = None;
        loop {
            let listed = services.driver.list(before.as_ref(), CHUNK).await;
            let listed = listed.map_err(|error| status::from_driver(error, None))?;
            let full = listed.len() == CHUNK;
            for entry in &listed {
                let (id, summary) = list::read(entry)?;
                if id <= *source.execution.id() {
                    return Ok(cleanups);
                }
                if may_clean(&summary, &source.execution) {
                    let cleanup = services.driver.view(&id).await;
                    let cleanup = cleanup.map_err(|error| status::from_driver(error, None))?;
                    if cleanup.origin.source.as_ref() == Some(source.execution.id()) {
                        cleanups.read(&cleanup.execution);
                    }
                }
                before = Some(id);
            }
            if !full {
                return Ok(cleanups);
            }
        }
    }

    /// A cleanup asks DRS which instances there are before it terminates any:
    /// what it named and did not select then was gone before.
    fn read(&mut self, cleanup: &Execution) {
        self.is_under_way |= !cleanup.state().is_terminal();
        let named = cleanup.plan().named_servers();
        let selected: BTreeMap<&SourceServerId, ServerState> = cleanup
            .waves()
            .flat_map(WaveRun::servers)
            .map(|run| (&run.selected.id, run.state))
            .collect();
        let has_looked = cleanup.waves().all(WaveRun::is_selected);
        for server in named {
            let is_gone = match selected.get(server) {
                Some(state) => *state == ServerState::Terminated,
                None => has_looked,
            };
            if is_gone {
                self.gone
                    .entry(server.clone())
                    .or_insert_with(|| cleanup.id().clone());
            }
        }
    }

    /// Whether an instance of this server may still be there, if it was
    /// launched.
    pub(super) fn leave(&self, server: &SourceServerId) -> bool {
        !self.gone.contains_key(server)
    }

    /// Makes the execution show what they left of it.
    pub(super) fn show(&self, source: &mut v1::Execution) {
        let mut is_any_left = false;
        for server in source.waves.iter_mut().flat_map(|wave| &mut wave.servers) {
            if server.state() != v1::ServerState::Launched {
                continue;
            }
            match self.gone.get(server.id.as_str()) {
                Some(cleanup) => {
                    server.set_state(v1::ServerState::Terminated);
                    server.detail = format!("by cleanup {cleanup}");
                }
                None => is_any_left = true,
            }
        }
        if self.is_under_way || !is_any_left {
            let actions = &mut source.allowed_actions;
            actions.retain(|it| it.action() != v1::Action::CleanUp);
        }
    }
}

/// Summaries of earlier versions do not name their source.
fn may_clean(summary: &v1::ExecutionSummary, source: &Execution) -> bool {
    summary.kind() == v1::ExecutionKind::Cleanup
        && summary.plan == source.plan().name().as_str()
        && (summary.source_execution.is_empty() || summary.source_execution == source.id().as_str())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tidegate_core::{
        ServerIx, WaveIx,
        engine::{Change, ExecutionState, Genesis, Kind, Reason, Settings},
    };

    use super::*;
    use crate::grpc::{convert, fixtures};

    const ONE: &str = "s-00000000000000001";
    const TWO: &str = "s-00000000000000002";

    fn moved(server: u16, to: ServerState) -> Change {
        Change::ServerMoved {
            wave: WaveIx(1),
            server: ServerIx(server),
            to,
            instance: None,
            reason: Reason::none(),
        }
    }

    fn over() -> Change {
        Change::ExecutionMoved {
            to: ExecutionState::Succeeded,
            reason: Reason::none(),
        }
    }

    /// A drill that launched both servers of `web`, and is over.
    fn source() -> View {
        let launched = [0, 1].map(|server| moved(server, ServerState::Launched));
        let changes = [
            vec![fixtures::web_selected()],
            launched.into(),
            vec![over()],
        ];
        fixtures::view_after(&changes.concat())
    }

    /// A cleanup that names both and finds this many instances, first to last.
    fn cleanup(id: &str, found: usize) -> Execution {
        let genesis = Genesis {
            id: ExecutionId::from(id),
            kind: Kind::Cleanup,
            plan: Arc::new(fixtures::checked_shop()),
            created_at: fixtures::NOW,
        };
        let mut cleanup = Execution::new(genesis, Settings::default());
        let Change::ServersSelected { wave, mut servers } = fixtures::web_selected() else {
            panic!("servers are selected");
        };
        servers.truncate(found);
        let none = Change::ServersSelected {
            wave: WaveIx(0),
            servers: Vec::new(),
        };
        cleanup.apply(&none, fixtures::NOW);
        cleanup.apply(&Change::ServersSelected { wave, servers }, fixtures::NOW);
        cleanup
    }

    fn shown(cleanups: &Cleanups) -> (Vec<(v1::ServerState, String)>, bool) {
        let mut shown = convert::execution::execution(&source());
        cleanups.show(&mut shown);
        let servers = shown.waves[1].servers.iter();
        let servers = servers.map(|it| (it.state(), it.detail.clone())).collect();
        let mut actions = shown.allowed_actions.iter();
        let offered = actions.any(|it| it.action() == v1::Action::CleanUp);
        (servers, offered)
    }

    fn launched() -> (v1::ServerState, String) {
        (v1::ServerState::Launched, String::new())
    }

    fn by(cleanup: &str) -> (v1::ServerState, String) {
        let detail = format!("by cleanup {cleanup}");
        (v1::ServerState::Terminated, detail)
    }

    #[test]
    fn what_no_cleanup_terminated_is_left_and_can_be_cleaned_up() {
        let mut cleanups = Cleanups::default();
        let both = vec![launched(), launched()];
        assert_eq!(shown(&cleanups), (both, true));

        let mut first = cleanup("first", 2);
        first.apply(&moved(0, ServerState::Failed), fixtures::NOW);
        first.apply(&moved(1, ServerState::Terminated), fixtures::NOW);
        first.apply(&over(), fixtures::NOW);
        cleanups.read(&first);

        let one = vec![launched(), by("first")];
        assert_eq!(shown(&cleanups), (one, true));
        assert!(cleanups.leave(&ONE.into()) && !cleanups.leave(&TWO.into()));
    }

    #[test]
    fn an_instance_that_a_cleanup_does_not_find_was_gone_before() {
        let mut cleanups = Cleanups::default();
        let mut found_none = cleanup("second", 0);
        found_none.apply(&over(), fixtures::NOW);
        cleanups.read(&found_none);
        let none = vec![by("second"), by("second")];
        assert_eq!(shown(&cleanups), (none, false));
        assert!(!cleanups.leave(&ONE.into()) && !cleanups.leave(&TWO.into()));
    }

    #[test]
    fn nothing_is_offered_while_a_cleanup_is_under_way() {
        let mut cleanups = Cleanups::default();
        cleanups.read(&cleanup("third", 2));
        let both = vec![launched(), launched()];
        assert_eq!(shown(&cleanups), (both, false));
    }
}
