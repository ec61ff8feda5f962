//! What every journal, plan store and hook store promises.
//!
//! One function per fact; each is given stores that nothing is in yet.

mod claims;
mod components;
mod executions;
mod plans;
mod positions;
mod shelf;
mod survival;
mod tapes;

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use tidegate_core::{ExecutionId, PlanName};
use tidegate_gateway::ports::{
    hook_store::HookStore,
    journal::{Append, AppendError, Claim, HeadUpdate, Journal},
    plan_store::{PlanStore, StoredPlan},
};

pub use self::{
    claims::*, components::*, executions::*, plans::*, positions::*, shelf::*, survival::*,
    tapes::*,
};

/// A journal and a plan store that share claims, and a hook store, as the
/// tests hold them.
#[derive(Clone)]
pub struct Stores {
    /// The journal.
    pub journal: Arc<dyn Journal>,
    /// The plan store.
    pub plans: Arc<dyn PlanStore>,
    /// The hook store.
    pub hooks: Arc<dyn HookStore>,
}

/// What the facts are told of: stores that can be closed and opened again.
pub trait Subject: Send {
    /// Opens what is stored; after `close`, or for the first time.
    fn open(&mut self) -> BoxFuture<'_, Stores>;

    /// Lets go of the stores, once nobody else holds on to them.
    fn close(&mut self) -> BoxFuture<'_, ()>;
}

/// Checks every fact, each on a new subject.
pub async fn hold<S: Subject>(make: impl Fn() -> S) {
    macro_rules! check {
        ($($fact:ident),+ $(,)?) => {$(
            $fact(&mut make()).await;
        )+};
    }
    check!(
        positions_are_dense,
        a_taken_position_is_refused_and_nothing_is_written,
        of_concurrent_appends_at_one_position_exactly_one_wins,
        a_refused_append_leaves_its_neighbours_accepted,
        a_record_above_the_limit_is_refused,
        the_first_claimant_wins_and_the_others_see_its_value,
        a_claim_is_taken_together_with_the_append_or_not_at_all,
        a_claimed_key_is_reported_even_where_the_position_is_taken_too,
        of_concurrent_claimants_exactly_one_wins,
        a_claim_is_taken_alone_and_once,
        plan_changes_and_appends_share_their_claims,
        reading_goes_page_by_page,
        reading_stops_at_about_a_mebibyte,
        heads_are_listed_newest_first,
        the_newest_head_is_the_one_that_is_shown,
        logs_of_unusual_ids_stay_apart,
        plan_revisions_are_dense,
        plan_revisions_go_on_after_a_plan_was_deleted,
        a_deleted_plan_is_gone_until_it_is_created_again,
        plans_are_listed_by_name_and_page_by_page,
        revisions_are_listed_newest_first_and_page_by_page,
        plans_of_unusual_names_stay_apart,
        components_of_any_size_come_back_whole,
        a_component_that_is_put_again_keeps_its_first_instant,
        of_concurrent_puts_of_a_component_exactly_one_is_the_first,
        a_deleted_component_is_gone_until_it_is_put_again,
        components_of_unusual_digests_stay_apart,
        the_shelf_moves_with_what_may_not_meet,
        a_hook_is_kept_where_a_plan_came_meanwhile,
        a_plan_is_refused_where_a_hook_went_meanwhile,
        of_a_plan_and_deletions_at_once_exactly_one_is_first,
        the_shelf_is_where_it_was_after_reopening,
        tapes_are_listed_by_wave_phase_hook_and_attempt,
        the_first_tape_of_an_attempt_stays,
        tapes_of_unusual_executions_stay_apart,
        other_commands_have_no_tape,
        a_tape_above_the_limit_is_refused,
        everything_survives_reopening,
        components_and_tapes_survive_reopening,
        claims_and_positions_hold_after_reopening,
        many_writers_are_all_acknowledged_and_all_there_after_reopening,
    );
}

/// A record that leaves the head as it is; at revision 1, of a live execution.
fn append(execution: &str, revision: u64) -> Append {
    Append {
        execution: execution.into(),
        revision,
        record: record(execution, revision),
        head: (revision == 1).then(|| head(true, "created")),
        claim: None,
        holds: None,
    }
}

/// What `append` writes.
fn record(execution: &str, revision: u64) -> Bytes {
    format!("{execution} {revision}").into()
}

fn head(live: bool, summary: &'static str) -> HeadUpdate {
    HeadUpdate {
        live,
        summary: Bytes::from_static(summary.as_bytes()),
    }
}

fn claim(key: &str, value: &'static str) -> Option<Claim> {
    Some(Claim {
        key: key.to_owned(),
        value: Bytes::from_static(value.as_bytes()),
    })
}

fn plan(name: &str, revision: u64) -> StoredPlan {
    StoredPlan {
        name: name.into(),
        revision,
        plan: format!("{name} of revision {revision}").into(),
    }
}

/// Appends revisions 1 to `newest`.
async fn append_up_to(journal: &dyn Journal, execution: &str, newest: u64) {
    for revision in 1..=newest {
        journal.append(append(execution, revision)).await.unwrap();
    }
}

/// Asserts that a log holds exactly what `append` wrote up to `newest`.
async fn assert_log(journal: &dyn Journal, execution: &str, newest: u64) {
    let id = ExecutionId::from(execution);
    let records = journal.read(&id, 0, usize::MAX).await.unwrap();
    let found: Vec<_> = records
        .into_iter()
        .map(|stored| (stored.revision, stored.record))
        .collect();
    let expected: Vec<_> = (1..=newest)
        .map(|revision| (revision, record(execution, revision)))
        .collect();
    assert_eq!(found, expected, "the log of {execution:?}");
}

fn assert_taken(answer: &Result<(), AppendError>, asked: u64, expected: u64) {
    match answer {
        Err(AppendError::Taken { revision, newest }) => {
            assert_eq!((*revision, *newest), (asked, expected));
        }
        other => panic!("{other:?} instead of a taken position"),
    }
}

/// Revision 1 of each of these plans.
async fn put_first(plans: &dyn PlanStore, names: &[&str]) {
    for name in names {
        plans.put(plan(name, 1), None, None).await.unwrap();
    }
}

async fn newest_plan(plans: &dyn PlanStore, name: &str) -> Option<StoredPlan> {
    plans.get(&PlanName::from(name), None).await.unwrap()
}
