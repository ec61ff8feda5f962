//! An execution without its waves, as lists show it and as heads store it.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message;
use tidegate_core::{
    WaveIx,
    engine::{Execution, ServerState},
};
use tidegate_proto::v1;

use super::{enums, execution::state_detail, time::timestamp, wave};
use crate::driver::View;

/// The summary of an execution, encoded; what [`crate::ports::journal::Head`]
/// stores of it.
#[must_use]
pub fn encode_summary(view: &View) -> Bytes {
    summary(view).encode_to_vec().into()
}

/// The summary of an execution.
pub(crate) fn summary(view: &View) -> v1::ExecutionSummary {
    let it = &*view.execution;
    v1::ExecutionSummary {
        id: it.id().to_string(),
        kind: enums::kind(it.kind()).into(),
        plan: it.plan().name().to_string(),
        plan_revision: view.origin.plan_revision,
        state: enums::execution_state(it.state()).into(),
        state_detail: state_detail(it),
        create_time: Some(timestamp(it.created_at())),
        end_time: it.ended_at().map(timestamp),
        server_counts: server_counts(it),
        revision: view.revision,
        source_execution: source_execution(view),
    }
}

/// In a cleanup: the execution whose instances are terminated; else empty.
pub(crate) fn source_execution(view: &View) -> String {
    let source = view.origin.source.as_ref();
    source.map(ToString::to_string).unwrap_or_default()
}

fn server_counts(execution: &Execution) -> Vec<v1::ServerCount> {
    let mut counts: BTreeMap<ServerState, u32> = BTreeMap::new();
    let waves = (0..).map(WaveIx).zip(execution.plan().waves());
    for (ix, planned) in waves {
        let run = execution.wave(ix);
        for server in run.servers() {
            *counts.entry(server.state).or_default() += 1;
        }
        if !run.is_selected() {
            let named = wave::servers(execution, ix, planned).len();
            *counts.entry(wave::unselected(execution, run)).or_default() +=
                u32::try_from(named).unwrap_or(u32::MAX);
        }
    }
    counts
        .into_iter()
        .filter(|&(_, count)| count > 0)
        .map(|(state, count)| v1::ServerCount {
            state: enums::server_state(state).into(),
            count,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use tidegate_core::engine::{Change, ExecutionState, Reason};

    use super::*;
    use crate::grpc::fixtures;

    #[test]
    fn a_summary_is_what_its_encoding_says() {
        let view = fixtures::view();
        let decoded = v1::ExecutionSummary::decode(encode_summary(&view)).unwrap();
        assert_eq!(decoded, summary(&view));
        assert_eq!(decoded.server_counts[0].count, 2);
    }

    #[test]
    fn what_was_never_asked_for_is_counted_as_skipped() {
        let view = fixtures::view_after(&[Change::ExecutionMoved {
            to: ExecutionState::Cancelled,
            reason: Reason::none(),
        }]);
        let [counted] = &summary(&view).server_counts[..] else {
            panic!("all are in one state");
        };
        assert_eq!(
            (counted.state(), counted.count),
            (v1::ServerState::Skipped, 2)
        );
    }
}
