//! Plans, views and records that the tests of this module start from.

mod hooks;

use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use tidegate_core::{
    ExecutionId, SourceServerId, Timestamp, WaveIx,
    engine::{Change, Execution, Genesis, Kind, SelectedServer, Settings},
    plan::{Limits, Plan, Target},
};
use tidegate_proto::v1;

pub(crate) use hooks::{FakeHooks, digest, hook_info};

use super::convert;
use crate::driver::{Origin, RecordView, View};

/// An execution's id.
pub(crate) const EXECUTION: &str = "01kam5t3q8z0v4r7xw2n9c6b1d";
/// When everything in the fixtures happened.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_763_800_000_000);

/// Two waves: `database` by tags, then `web` by id with a planned pause.
pub(crate) fn shop() -> v1::Plan {
    let seconds = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
    v1::Plan {
        name: "shop".to_owned(),
        labels: [("env".to_owned(), "prod".to_owned())].into(),
        spec: Some(v1::PlanSpec {
            description: "The shop".to_owned(),
            objectives: Some(v1::Objectives {
                rto: seconds(900),
                rpo: seconds(300),
            }),
            target: Some(convert::wave::target(&target())),
            waves: vec![database(), web()],
            ..v1::PlanSpec::default()
        }),
        ..v1::Plan::default()
    }
}

fn database() -> v1::WaveSpec {
    v1::WaveSpec {
        name: "database".to_owned(),
        servers: vec![v1::ServerGroup {
            tags: [("tier".to_owned(), "db".to_owned())].into(),
            ..v1::ServerGroup::default()
        }],
        ..v1::WaveSpec::default()
    }
}

fn web() -> v1::WaveSpec {
    let server = |id: &str, optional| v1::ServerRef {
        id: id.to_owned(),
        optional,
        snapshot_id: String::new(),
    };
    v1::WaveSpec {
        name: "web".to_owned(),
        after: vec!["database".to_owned()],
        servers: vec![v1::ServerGroup {
            servers: vec![
                server("s-00000000000000001", false),
                server("s-00000000000000002", true),
            ],
            ..v1::ServerGroup::default()
        }],
        pause_before: true,
        on_failure: v1::FailurePolicy::Pause.into(),
        ..v1::WaveSpec::default()
    }
}

/// [`shop`] whose `web` is verified by these hooks.
pub(crate) fn verified_shop(hooks: &[&str]) -> v1::Plan {
    let mut plan = shop();
    let used = |hook: &&str| v1::HookUse {
        hook: (*hook).to_owned(),
        ..v1::HookUse::default()
    };
    if let Some(spec) = &mut plan.spec {
        spec.waves[1].verify = hooks.iter().map(used).collect();
    }
    plan
}

/// Where everything in the fixtures is recovered.
pub(crate) fn target() -> Target {
    Target {
        account: "123456789012".to_owned(),
        region: "us-west-2".to_owned(),
        role: None,
    }
}

/// [`shop`], checked.
pub(crate) fn checked_shop() -> Plan {
    let (draft, violations) = convert::plan::draft(&shop());
    assert_eq!(violations, []);
    Plan::check(&draft, &Limits::default()).expect("the fixture has no mistakes")
}

/// A drill of [`shop`] to which nothing has happened.
pub(crate) fn view() -> View {
    view_after(&[])
}

/// A drill of [`shop`] after some changes.
pub(crate) fn view_after(changes: &[Change]) -> View {
    let genesis = Genesis {
        id: ExecutionId::from(EXECUTION),
        kind: Kind::Drill,
        plan: Arc::new(checked_shop()),
        created_at: NOW,
    };
    let mut execution = Execution::new(genesis, Settings::default());
    for change in changes {
        execution.apply(change, NOW);
    }
    View {
        execution: Arc::new(execution),
        revision: 1,
        updated_at: NOW,
        origin: Arc::new(Origin {
            plan_revision: 3,
            plan_digest: "sha256:0".to_owned(),
            plan: Bytes::from(shop().encode_to_vec()),
            source: None,
        }),
    }
}

/// A record with these changes.
pub(crate) fn record(revision: u64, first_index: u64, changes: Vec<Change>) -> RecordView {
    RecordView {
        revision,
        at: NOW,
        first_index,
        changes,
        request_id: String::new(),
        previous_hash: String::new(),
        origin: None,
    }
}

/// The servers of `web` become known.
pub(crate) fn web_selected() -> Change {
    let server = |id: &str, optional| SelectedServer {
        id: SourceServerId::from(id),
        hostname: Arc::from("web.internal"),
        target: Arc::new(target()),
        optional,
        snapshot: None,
        instance: None,
    };
    Change::ServersSelected {
        wave: WaveIx(1),
        servers: vec![
            server("s-00000000000000001", false),
            server("s-00000000000000002", true),
        ],
    }
}
