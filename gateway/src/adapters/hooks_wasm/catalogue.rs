//! Which hooks are registered, and which of them are ready to run.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{PoisonError, RwLock},
};

use tidegate_core::plan::HookPhase;
use tidegate_hooks::{Hook, Inspection, Phase, Profile, inspect};
use tokio::task::spawn_blocking;

use crate::ports::{
    hook_store::{HookStore, StoredHook},
    hooks::{HookInfo, HookNeed, NeedTarget, ProbeKind},
    journal::ReadError,
};

/// What is registered, by digest.
#[derive(Default)]
pub(super) struct Catalogue(RwLock<BTreeMap<String, Registered>>);

struct Registered {
    info: HookInfo,
    ready: Option<Hook>,
}

impl Catalogue {
    /// Reads the descriptions of all stored components.
    pub(super) async fn read(store: &dyn HookStore) -> Result<Self, ReadError> {
        let catalogue = Self::default();
        catalogue.refresh(store).await?;
        Ok(catalogue)
    }

    /// Reads the descriptions of components that others have stored since, and
    /// forgets those that others have deleted.
    pub(super) async fn refresh(&self, store: &dyn HookStore) -> Result<(), ReadError> {
        // What is registered here while the store is read is not in the list.
        let mut gone: BTreeSet<String> = self.lock().keys().cloned().collect();
        for stored in store.list().await? {
            if gone.remove(&stored.digest) || self.contains(&stored.digest) {
                continue;
            }
            let Some(bytes) = store.get(&stored.digest).await? else {
                continue;
            };
            let inspected = spawn_blocking(move || inspect(&bytes)).await;
            match inspected.expect("inspecting never panics and is never cancelled") {
                Ok(inspection) => self.learn(info(&stored, &inspection)),
                Err(error) => {
                    tracing::warn!(digest = stored.digest, %error, "a stored hook is of no use");
                }
            }
        }
        for digest in gone {
            self.remove(&digest);
        }
        Ok(())
    }

    /// A hook was registered. The first instant stays.
    pub(super) fn add(&self, stored: &StoredHook, hook: Hook) -> HookInfo {
        let first = self.get(&stored.digest);
        let info = first.unwrap_or_else(|| info(stored, hook.inspection()));
        self.insert(info.clone(), Some(hook));
        info
    }

    /// Keeps a compiled hook of a registered component.
    pub(super) fn keep(&self, digest: &str, hook: Hook) {
        if let Some(registered) = self.write().get_mut(digest) {
            registered.ready = Some(hook);
        }
    }

    pub(super) fn contains(&self, digest: &str) -> bool {
        self.lock().contains_key(digest)
    }

    pub(super) fn ready(&self, digest: &str) -> Option<Hook> {
        self.lock().get(digest)?.ready.clone()
    }

    pub(super) fn remove(&self, digest: &str) {
        self.write().remove(digest);
    }

    /// The digest of the newest hook of a name; of two that were registered
    /// in one instant, the one with the higher digest.
    pub(super) fn newest(&self, name: &str) -> Option<String> {
        let hooks = self.lock();
        let named = hooks.values().filter(|it| it.info.name == name);
        let newest = named.max_by_key(|it| (it.info.created_at, &it.info.digest))?;
        Some(newest.info.digest.clone())
    }

    /// By name, the newest of a name first.
    pub(super) fn list(&self) -> Vec<HookInfo> {
        let mut hooks: Vec<HookInfo> = self.lock().values().map(|it| it.info.clone()).collect();
        hooks.sort_by(|one, other| {
            let newest_first = || {
                let key = |it: &HookInfo| (it.created_at, it.digest.clone());
                key(other).cmp(&key(one))
            };
            one.name.cmp(&other.name).then_with(newest_first)
        });
        hooks
    }

    fn get(&self, digest: &str) -> Option<HookInfo> {
        self.lock().get(digest).map(|it| it.info.clone())
    }

    /// A hook that somebody else registered, unless it is known by now.
    fn learn(&self, info: HookInfo) {
        let digest = info.digest.clone();
        let unready = Registered { info, ready: None };
        self.write().entry(digest).or_insert(unready);
    }

    fn insert(&self, info: HookInfo, ready: Option<Hook>) {
        let digest = info.digest.clone();
        self.write().insert(digest, Registered { info, ready });
    }

    fn lock(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<String, Registered>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, BTreeMap<String, Registered>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn info(stored: &StoredHook, inspection: &Inspection) -> HookInfo {
    let manifest = &inspection.manifest;
    HookInfo {
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        digest: stored.digest.clone(),
        description: manifest.description.clone(),
        phases: manifest.phases.iter().copied().map(phase).collect(),
        needs: manifest.needs.iter().map(need).collect(),
        wasi: manifest.profile == Profile::Wasi,
        contract: format!("tidegate:hooks@{}", inspection.contract.version()),
        imports: inspection.imports.clone(),
        size: stored.size,
        created_at: stored.created_at,
    }
}

pub(super) fn phase(phase: Phase) -> HookPhase {
    match phase {
        Phase::PreWave => HookPhase::PreWave,
        Phase::PostWave => HookPhase::PostWave,
    }
}

fn need(need: &tidegate_hooks::Need) -> HookNeed {
    HookNeed {
        probe: match need.probe {
            tidegate_hooks::ProbeKind::Tcp => ProbeKind::Tcp,
            tidegate_hooks::ProbeKind::Http => ProbeKind::Http,
        },
        target: match &need.target {
            tidegate_hooks::NeedTarget::Port(port) => NeedTarget::Port(*port),
            tidegate_hooks::NeedTarget::PortParameter(name) => {
                NeedTarget::PortParameter(name.clone())
            }
            tidegate_hooks::NeedTarget::EndpointParameter(name) => {
                NeedTarget::EndpointParameter(name.clone())
            }
        },
        reason: need.reason.clone(),
    }
}
