//! The two states in which hooks run, and the selection of servers before the
//! first of them.

use alloc::{
    format,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};

use super::{
    super::{Change, Kind, Reason, ReasonCode, SelectedServer, Stage},
    Decision,
};
use crate::{
    HookIx, SourceServerId, WaveIx,
    plan::{HookPhase, Selection},
};

impl Decision {
    /// Takes the next step of a wave in CHECKING or VERIFYING, if there is
    /// one to take now.
    pub(super) fn step_checks(&mut self, wave: WaveIx, phase: HookPhase) {
        match self.wave(wave).stage {
            Stage::Idle if !self.wave(wave).selected => self.begin_selection(wave),
            Stage::Idle => self.next_hook(wave, phase, HookIx(0)),
            Stage::Hook(step) => self.step_hook(wave, step),
            Stage::Selecting | Stage::Attempt | Stage::Backoff { .. } => {}
        }
    }

    /// Servers named by id need no look-up; tags do, and in a cleanup the
    /// instances do.
    fn begin_selection(&mut self, wave: WaveIx) {
        let plan = self.next.plan().wave(wave);
        if plan.needs_selection() || self.next.kind() == Kind::Cleanup {
            self.emit(Change::SelectionStarted { wave });
            return;
        }
        let mut servers = Vec::new();
        for group in &plan.groups {
            let target = Arc::new(group.target.clone());
            if let Selection::Servers(named) = &group.selection {
                servers.extend(named.iter().map(|server| SelectedServer {
                    id: server.id.clone(),
                    hostname: Arc::from(""),
                    target: Arc::clone(&target),
                    optional: server.optional,
                    snapshot: server.snapshot.clone(),
                    instance: None,
                }));
            }
        }
        self.emit(Change::ServersSelected { wave, servers });
    }

    pub(super) fn selected(&mut self, wave: WaveIx, answer: Result<Vec<SelectedServer>, String>) {
        if self
            .known(wave)
            .is_none_or(|run| run.stage != Stage::Selecting)
        {
            return;
        }
        match answer.and_then(|servers| self.acceptable(wave, servers)) {
            Ok(servers) => self.emit(Change::ServersSelected { wave, servers }),
            Err(why) => self.fail(wave, Reason::with(ReasonCode::Selection, why)),
        }
    }

    /// A selection is used as a whole or not at all.
    fn acceptable(
        &self,
        wave: WaveIx,
        servers: Vec<SelectedServer>,
    ) -> Result<Vec<SelectedServer>, String> {
        // Where a cleanup finds nothing, nothing is left to terminate.
        if servers.is_empty() && self.next.kind() != Kind::Cleanup {
            return Err("no server matches".to_string());
        }
        let others = self.wave_positions().filter(|&other| other != wave);
        let others: usize = others.map(|other| self.server_count(other)).sum();
        if others + servers.len() > self.next.settings.servers as usize {
            let limit = self.next.settings.servers;
            return Err(format!("more than {limit} servers in one execution"));
        }
        let mut ids: Vec<&SourceServerId> = servers.iter().map(|server| &server.id).collect();
        ids.sort_unstable();
        if let Some(twice) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("{} is selected twice", twice[0]));
        }
        for other in self.wave_positions().filter(|&other| other != wave) {
            if let Some(id) = self
                .servers_of(other)
                .find(|id| ids.binary_search(id).is_ok())
            {
                let name = &self.next.plan().wave(other).name;
                return Err(format!("{id} is already in wave {name}"));
            }
        }
        Ok(servers)
    }

    /// How many servers a wave has or, before they are selected, will have at
    /// least: nothing is asked of a wave whose servers the plan names.
    fn server_count(&self, wave: WaveIx) -> usize {
        let run = self.wave(wave);
        if run.selected {
            run.servers.len()
        } else {
            self.next.plan().wave(wave).named_servers().count()
        }
    }

    /// The servers that a wave has, or will have because the plan names them.
    fn servers_of(&self, wave: WaveIx) -> impl Iterator<Item = &SourceServerId> {
        let named = self.next.plan().wave(wave).named_servers();
        let selected = self.wave(wave).servers.iter();
        named.chain(selected.map(|server| &server.selected.id))
    }
}
