//! The contract `tidegate:hooks@1.0.0`, frozen. The generated types stay in
//! here; everything else speaks this crate's own.

mod imports;
mod lift;
mod lower;

use wasmtime::{
    Store,
    component::{Component, HasSelf, InstancePre, Linker},
};

use self::bindings::Gate;
use super::{
    failed::{Broken, Ended},
    state::State,
};
use crate::{Context, Entries, Phase, Report};

mod bindings {
    wasmtime::component::bindgen!({
        path: "wit/v1",
        world: "gate",
        imports: {
            "tidegate:hooks/probe": async | trappable,
            default: trappable,
        },
        exports: { default: async },
    });
}

/// Lets guests import what the contract offers.
pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    Gate::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
}

/// A component that exports the contract, linked and ready to be
/// instantiated.
pub(super) struct GatePre(bindings::GatePre<State>);

impl GatePre {
    /// Fails if the component imports what the linker has not, or does not
    /// export the contract.
    pub(super) fn link(linker: &Linker<State>, component: &Component) -> wasmtime::Result<Self> {
        let linked: InstancePre<State> = linker.instantiate_pre(component)?;
        bindings::GatePre::new(linked).map(Self)
    }

    /// Instantiates and asks `check`. The bounds of a report are checked.
    pub(super) async fn check(
        &self,
        store: &mut Store<State>,
        context: &Context,
        findings: usize,
    ) -> Result<Report, Ended> {
        let context_v1 = lower::context(context);
        let gate = self.instantiate(store).await?;
        let answer = gate
            .tidegate_hooks_hook()
            .call_check(&mut *store, &context_v1)
            .await
            .map_err(Ended::Called)?;
        let report = answer.map_err(|error| Ended::Answered(lift::line(&error, lift::MESSAGE)))?;
        let report = lift::report(report, findings)?;
        if context.phase == Phase::PostWave && report.verdict == crate::Verdict::Skip {
            return Err(Broken::new("a skip after the wave's launch").into());
        }
        Ok(report)
    }

    /// Instantiates and asks `accepts`.
    pub(super) async fn accepts(
        &self,
        store: &mut Store<State>,
        parameters: &Entries,
    ) -> Result<(), Ended> {
        let parameters = lower::entries(parameters);
        let gate = self.instantiate(store).await?;
        let answer = gate
            .tidegate_hooks_hook()
            .call_accepts(&mut *store, &parameters)
            .await
            .map_err(Ended::Called)?;
        answer.map_err(|error| Ended::Answered(lift::line(&error, lift::MESSAGE)))
    }

    async fn instantiate(&self, store: &mut Store<State>) -> Result<Gate, Ended> {
        self.0
            .instantiate_async(&mut *store)
            .await
            .map_err(Ended::Instantiated)
    }
}
